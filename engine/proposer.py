"""From requests to proposals: what the sampler is asked, where other edits are looked for, what may be offered.

Knows nothing of checkpoints' files, of devices, or of what users do with a proposal.
"""

import math
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from engine.diffusion.layout import Prefix, prefix
from engine.diffusion.levenshtein import gaps
from engine.hints import hinted
from engine.laws import is_idle
from engine.model.tokenizer import CodeTokenizer
from engine.offers import Refusal, mends, offerable, plausible_first
from engine.requests import Candidate, EditOptions, EditRequest, ModelInfo, Proposal, Verdict
from engine.sampling.autoregressive import AutoregressiveSampler
from engine.sampling.edit import EditSampler, EditSettings, Outcome, Row
from engine.sampling.starts import LEAST
from engine.syntax import complaint, parses

MAX_INSTRUCTION = 128
"""Tokens of an instruction that are read; what is longer is cut."""
SEARCHED = 16
"""Least candidates among which one is looked for that mends a region known to be wrong."""
OVERDRAWN = 3
"""Rows for each further candidate that is asked for: some end as the region itself, as others, or do not parse."""
IN_SCOPE = 0.9
"""Least probability that the model was trained for an instruction: of 420 wordings of recipes, on functions kept for
tuning, none is below, and what it was not trained for can be above a half."""
NEEDED = 0.999
"""Least probability of a change from which other edits are looked for where the first may not be offered."""
LEAST_OTHER, MOST_DOUBT = 0.7, 0.3
"""Least score of such another edit, and the most probable change that may be left to make after it. Tuned on functions
kept for it: of 55 edits found at a score of 0.5 and any doubt 30 were right, within these bounds 30 of 44."""
LAWFUL, LAWFUL_ROWS = 0.3, 8
"""Least probability of a change where a law decides what may be offered, and the candidates among which one is looked
for. Of 43 recipes of tuning functions for which nothing was offered 5 are found so; one candidate finds none, at any
probability, and at 0.6 eight take twice as long."""
OTHERS = 48
"""Candidates among which they are looked for; 16 found three quarters of the right ones."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a checkpoint's config says of when its model is to be believed."""

    sure: float = 0.3
    """Probability of a change up to which nothing needs to change."""
    least_label: float = 0.0
    """As in `EditSettings`."""
    exit_threshold: float = 1.0
    """As in `EditSettings`."""
    own_words: AbstractSet[str] | None = None
    """As in `offers.offerable`."""

    @classmethod
    def of(cls, settings: Mapping[str, object]) -> "Bounds":
        """Those of a config; what it does not say is as above."""
        numbers = {
            name: float(str(settings[name]))
            for name in ("sure", "least_label", "exit_threshold")
            if name in settings
        }
        own = settings.get("own_words")
        assert own is None or isinstance(own, list | tuple), (
            "`own_words` in the checkpoint's config is a list"
        )
        return cls(**numbers, own_words=None if own is None else set(map(str, own)))


@dataclass(slots=True)
class _Asked:
    """A request on its way through the sampler."""

    request: EditRequest
    canvas: list[int]
    prefix: Prefix
    is_broken: bool
    """Whether its region has to parse and does not."""
    is_idle: bool
    """Whether the law of its recipe has nothing to do with its region."""
    outcome: Outcome | None = None
    """None for a region that was not read: it does not fit, or there is nothing to do."""
    found: list[Candidate] = field(default_factory=list)
    refused: Refusal | None = None
    guessed: bool = False
    """Whether the model would leave the region as it is, and what was found is what else it may become."""

    @property
    def is_misplaced(self) -> bool:
        """Whether that is because of the names that the instruction says; a request may tell other ones."""
        is_unfaithful = self.refused is not None and self.refused.verdict == "unfaithful"
        return is_unfaithful and not self.request.is_bound


class Proposer:
    """Asks one sampler."""

    def __init__(
        self,
        sampler: EditSampler | AutoregressiveSampler,
        tokenizer: CodeTokenizer,
        info: ModelInfo,
        bounds: Bounds,
        most: int,
    ) -> None:
        """
        Args:
            most: tokens that a region may have.
        """
        self._sampler, self._tokenizer = sampler, tokenizer
        self._info, self._bounds, self._most = info, bounds, most

    def propose(self, requests: Sequence[EditRequest], options: EditOptions) -> list[Proposal]:
        """One proposal for each request, in order; all of them share forwards."""
        start = time.perf_counter()
        asked = [self._read(request) for request in requests]
        seconds = {"tokenize": time.perf_counter() - start, "prefix": 0.0, "rounds": 0.0}
        rows = _rows(options)
        settings = replace(self._settings(options, rows), least_scope=IN_SCOPE)
        fitting = [one for one in asked if len(one.canvas) <= self._most and not one.is_idle]
        self._mend([one for one in fitting if one.is_broken], settings, seconds)
        self._sample([one for one in fitting if not one.found], settings, seconds, judged=options.judged)
        own_words = None if options.new_names else self._bounds.own_words
        self._refuse(fitting, own_words)
        if options.new_names and self._bounds.own_words is not None:
            for one in fitting:
                one.found = plausible_first(one.request, one.found, self._bounds.own_words)
        if rows < OTHERS and isinstance(
            self._sampler, EditSampler
        ):  # a twin does not read again what it wrote
            self._look_on([one for one in fitting if one.refused], own_words, settings, seconds)
            if options.threshold is None:
                self._look_lawful(fitting, own_words, settings, seconds)
        return [self._proposal(one, settings.threshold, max(1, options.candidates), seconds) for one in asked]

    def samples(self, requests: Sequence[EditRequest], count: int, options: EditOptions) -> list[list[str]]:
        """`count` texts for each region, drawn independently of each other: neither ranked nor made distinct.

        Args:
            options: `temperature` above 0; `candidates` means nothing.

        Returns:
            A list for each request, in order; an empty one for a region that does not fit the model. Bytes that are no
            text leave the region as it is.
        """
        asked = [self._read(request) for request in requests]
        fitting = [one for one in asked if len(one.canvas) <= self._most]
        # The first row is always greedy; those that are drawn come after it.
        self._sample(fitting, self._settings(options, 1 + count), {"prefix": 0.0, "rounds": 0.0})
        return [
            [
                one.request.region if (text := self._text(row.canvas)) is None else text
                for row in (one.outcome.rows[1:] if one.outcome else ())
            ]
            for one in asked
        ]

    def prefix(self, request: EditRequest) -> Prefix:
        """What the model reads before the region."""
        limit = self._info.context_tokens
        context = self._tokenizer.encode(request.context)[-limit:] if limit else []
        instruction = self._tokenizer.encode(self._instruction(request))[:MAX_INSTRUCTION]
        return prefix(context, instruction, marks=self._tokenizer.controls.marks)

    def _instruction(self, request: EditRequest) -> str:
        """That of the request; where its region has to parse and does not, with what Python says of that.

        Not where the user has told of an error already, or wants something else than a repair.
        """
        told = request.instruction.strip()
        if not self._info.hints or "\n" in told or request.is_bound or not request.must_parse:
            return told
        said = complaint(request.region)
        return hinted(told, said[1], said[0]) if said else told

    def _read(self, request: EditRequest) -> "_Asked":
        law = request.law
        return _Asked(
            request,
            self._tokenizer.encode(request.region),
            self.prefix(request),
            is_broken=request.must_parse and not parses(request.region),
            is_idle=law is not None and is_idle(law.name, request.region, dict(law.values)),
        )

    def _settings(self, options: EditOptions, rows: int) -> EditSettings:
        """How to sample so many rows of each request."""
        return EditSettings(
            threshold=self._info.threshold if options.threshold is None else options.threshold,
            max_rounds=options.max_rounds,
            least_label=self._bounds.least_label,
            candidates=rows,
            temperature=options.temperature,
            top_k=options.top_k,
            seed=options.seed,
            exit_threshold=self._bounds.exit_threshold if options.exit_head else 1.0,
            near=options.near,
        )

    def _mend(self, broken: "list[_Asked]", settings: EditSettings, seconds: dict[str, float]) -> None:
        """Look for edits after which a region parses.

        Each row makes the edit it begins with, and no other: a defect that breaks a region is in one place.
        """
        candidates = max(SEARCHED, settings.candidates)
        search = replace(settings, candidates=candidates, threshold=1.0, temperature=0.0)
        self._sample(broken, search, seconds)
        for one in broken:
            one.found, one.guessed = mends(one.request.region, one.found), False

    def _refuse(self, asked: "list[_Asked]", own_words: AbstractSet[str] | None) -> None:
        """Leave of what was found only what may be offered."""
        for one in asked:
            if not one.is_broken:
                one.found, one.refused = offerable(one.request, one.found, own_words)

    def _look_on(
        self,
        refused: "list[_Asked]",
        own_words: AbstractSet[str] | None,
        settings: EditSettings,
        seconds: dict[str, float],
    ) -> None:
        """Look for other edits of regions in which surely something is to change.

        Not where a name was put in the place of another: that is what happens where there is nothing to do.
        """
        looked = [
            one
            for one in refused
            if one.outcome and one.outcome.change >= NEEDED and not one.is_misplaced and not one.request.law
        ]
        reasons = [one.refused for one in looked]
        self._sample(looked, replace(settings, candidates=OTHERS, temperature=0.0), seconds)
        for one in looked:
            rows = one.outcome.rows if one.outcome else []
            likely = [row for row in rows if row.confidence >= LEAST_OTHER and row.doubt <= MOST_DOUBT]
            one.found = self._candidates(one.canvas, sorted(likely, key=_likelihood, reverse=True))
        self._refuse(looked, own_words)
        for one, reason in zip(looked, reasons, strict=True):
            one.refused = None if one.found else reason

    def _look_lawful(
        self,
        asked: "list[_Asked]",
        own_words: AbstractSet[str] | None,
        settings: EditSettings,
        seconds: dict[str, float],
    ) -> None:
        """Look for edits that keep a law where the model would make none: the law knows, however unsure the model."""
        unfound = (one for one in asked if one.request.law and not one.found)
        looked = [one for one in unfound if parses(one.request.region)]  # else the law knows nothing of it
        reasons = [one.refused for one in looked]
        search = replace(settings, candidates=LAWFUL_ROWS, threshold=LAWFUL, temperature=0.0)
        self._sample(looked, search, seconds)
        self._refuse(looked, own_words)
        for one, reason in zip(looked, reasons, strict=True):
            one.guessed, one.refused = False, None if one.found else reason

    def _sample(
        self,
        asked: "list[_Asked]",
        settings: EditSettings,
        seconds: dict[str, float],
        *,
        judged: bool = True,
    ) -> None:
        """Run the sampler, and note what it finds and the time it takes.

        Args:
            judged: whether rows that no threshold has let pass count where the greedy one changes nothing.
        """
        if not asked:
            return
        prefixes, canvases = [one.prefix for one in asked], [one.canvas for one in asked]
        outcomes, spent = self._sampler.run(prefixes, canvases, settings)
        for one, outcome in zip(asked, outcomes, strict=True):
            outcome.forwards += one.outcome.forwards if one.outcome else 0
            greedy, *others = outcome.rows
            one.guessed = greedy.canvas == one.canvas
            if one.guessed and not judged:
                others = []
            ranked = [greedy, *sorted(others, key=_likelihood, reverse=True)]
            one.outcome, one.found = outcome, self._candidates(one.canvas, ranked)
        for phase, value in spent.items():
            seconds[phase] += value

    def _proposal(self, one: "_Asked", threshold: float, most: int, seconds: dict[str, float]) -> Proposal:
        length, outcome = len(one.canvas), one.outcome
        if one.is_idle:
            return Proposal("unchanged", (), "nothing needs to change", 0.0, 0, 0, length, seconds)
        if outcome is None:
            why = f"the region has {length} tokens, the model edits {self._most}; name a smaller region"
            return Proposal("too_long", (), why, 0.0, 0, 0, length, seconds)
        verdict, message = self._verdict(one, outcome, threshold)
        return Proposal(
            verdict,
            tuple(one.found[:most]) if verdict == "edit" else (),
            message,
            outcome.change,
            outcome.forwards,
            max(row.rounds for row in outcome.rows),
            length,
            seconds,
            stands=verdict != "edit" or not one.guessed,
        )

    def _verdict(self, one: "_Asked", outcome: Outcome, threshold: float) -> tuple[Verdict, str]:
        if outcome.in_scope < IN_SCOPE:
            trained = ", ".join(self._info.recipes)
            return "out_of_scope", f"the model was not trained for this instruction; it was for: {trained}"
        if one.found:
            return "edit", ""
        if one.refused:
            return one.refused.verdict, one.refused.message
        if outcome.change <= self._bounds.sure:
            return "unchanged", "nothing needs to change"
        # The same words for every region, so that a caller can count them; each region's own figure is in the proposal.
        return "unsure", f"no edit that the model would stand by: none is {threshold:.0%} sure"

    def _candidates(self, canvas: list[int], rows: Sequence[Row]) -> list[Candidate]:
        """Distinct texts other than the region, in the rows' order."""
        texts: dict[str, Candidate] = {}
        before = self._text(canvas)
        for row in rows:
            text = self._text(row.canvas)
            if text is not None and text != before and text not in texts:
                changed = sum(max(gap.end - gap.start, len(gap.wanted)) for gap in gaps(canvas, row.canvas))
                texts[text] = Candidate(text, row.confidence, changed, row.rounds)
        return list(texts.values())

    def _text(self, canvas: list[int]) -> str | None:
        """None if the model wrote bytes that are no text."""
        try:
            return self._tokenizer.decode(canvas)
        except UnicodeDecodeError:
            return None


def _rows(options: EditOptions) -> int:
    """How many rows are drawn for so many candidates."""
    if options.needed:
        return max(SEARCHED, OVERDRAWN * options.candidates)
    return 1 if options.candidates <= 1 else OVERDRAWN * options.candidates


def _likelihood(row: Row) -> float:
    """Of an edit, in logarithms: that it is made, and that then nothing remains to be done."""
    return row.log_likelihood + math.log(max(1 - row.doubt, LEAST))
