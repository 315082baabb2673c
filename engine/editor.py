"""The one door to the model: requests in, proposals out.

Turns texts into prefixes and canvases, lets the sampler work, turns canvases back into texts. Knows nothing of files,
patches or terminals.
"""

import math
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

import torch

from engine.checkpoints import folder as checkpoint
from engine.completer import Completer
from engine.diffusion.layout import Decoder, Prefix, prefix
from engine.diffusion.levenshtein import gaps
from engine.errors import CheckpointError, DeviceError
from engine.model.int8 import quantize
from engine.model.network import Network
from engine.model.onednn import order
from engine.model.tokenizer import CodeTokenizer
from engine.offers import mends, offerable, plausible_first
from engine.requests import (
    Candidate,
    Completed,
    CompletionOptions,
    CompletionRequest,
    EditOptions,
    EditRequest,
    ModelInfo,
    Proposal,
    Reading,
    Verdict,
)
from engine.sampling.autoregressive import AutoregressiveSampler
from engine.sampling.edit import EditSampler, EditSettings, Outcome, Row
from engine.sampling.starts import LEAST
from engine.scanner import Scanner
from engine.syntax import parses

INT8 = "int8"
"""The dtype whose weights are int8; what runs between them has the usual one."""
MAX_INSTRUCTION = 128
"""Tokens of an instruction that are read; what is longer is cut."""
SPARE = 64
"""Tokens set aside for what an edit adds."""
WINDOWS = 12
"""Times the tokens read at once that a region may have: it is then edited in windows."""
SEARCHED = 16
"""Candidates among which one is looked for that mends a region that does not parse."""
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
OTHERS = 48
"""Candidates among which they are looked for; 16 found three quarters of the right ones."""
REFUSED: dict[Verdict, str] = {
    "unsound": "the edit found would not parse",
    "made_up": "the edit found uses names that neither the code nor the instruction defines",
    "lossy": "the edit found loses names that are to stay",
}


@dataclass(slots=True)
class _Asked:
    """A request on its way through the sampler."""

    request: EditRequest
    canvas: list[int]
    prefix: Prefix
    is_broken: bool
    """Whether its region has to parse and does not."""
    outcome: Outcome | None = None
    """None for a region that does not fit."""
    found: list[Candidate] = field(default_factory=list)
    refused: Verdict | None = None
    """Why nothing of what was found may be offered."""


class Editor:
    """A loaded checkpoint that edits regions."""

    def __init__(
        self,
        network: Network,
        tokenizer: CodeTokenizer,
        settings: dict[str, object],
        *,
        name: str,
        path: Path,
        revision: str,
    ) -> None:
        c = tokenizer.controls
        self._tokenizer, self._network = tokenizer, network
        self._marks = c.marks
        self._ids = c.edits
        decoder = settings.get("decoder", "edit")
        context_tokens = int(str(settings.get("context_tokens", 0)))
        longest = network.config.max_tokens - context_tokens - MAX_INSTRUCTION - SPARE
        self._sampler: EditSampler | AutoregressiveSampler
        if decoder == "edit":
            self._sampler = EditSampler(
                network, self._ids, never=c.never, pad=c.pad, longest=longest, starts=tokenizer.line_breaks
            )
        elif decoder == "autoregressive":
            lookahead = int(str(settings.get("lookahead", 0)))
            self._sampler = AutoregressiveSampler(
                network, end=c.end, never=c.unwritten, pad=c.pad, spare=SPARE, lookahead=lookahead
            )
        else:
            raise CheckpointError(f"{path}: decoder {decoder!r} is not one of {', '.join(get_args(Decoder))}")
        self._completer = Completer(network, tokenizer, "edit" if decoder == "edit" else "autoregressive")
        self._sure = float(str(settings.get("sure", 0.3)))
        own = settings.get("own_words")
        assert own is None or isinstance(own, list | tuple), (
            "`own_words` in the checkpoint's config is a list"
        )
        self._own_words = None if own is None else set(map(str, own))
        self._least_label = float(str(settings.get("least_label", 0.0)))
        self._exit_threshold = float(str(settings.get("exit_threshold", 1.0)))
        recipes = settings.get("recipes", ())
        assert isinstance(recipes, list | tuple), "`recipes` in the checkpoint's config is a list"
        weight = network.embedding.weight
        self._info = ModelInfo(
            name=name,
            revision=revision,
            path=str(path),
            parameters=network.parameter_count(),
            dtype=str(weight.dtype).removeprefix("torch."),
            device=str(weight.device),
            max_region_tokens=longest if decoder == "edit" else longest // 2,  # read, and written anew
            recipes=tuple(map(str, recipes)),
            threshold=float(str(settings.get("threshold", 0.7))),
            context_tokens=context_tokens,
        )
        self._most = self._info.max_region_tokens * (WINDOWS if decoder == "edit" else 1)

    @classmethod
    def load(
        cls, path: Path | None = None, *, device: str | None = None, dtype: str | None = None
    ) -> "Editor":
        """The checkpoint in a folder; the one that comes with Seed if None.

        Args:
            device: `cpu`, `cuda`, ...; None takes CUDA where there is one.
            dtype: `bfloat16`, `float32` or, on a CPU, `int8`; None takes bfloat16 where the device computes it fast,
                else float32.

        Raises:
            CheckpointError: the folder is no usable checkpoint.
            DeviceError: the device or dtype does not exist here.
        """
        folder = checkpoint.DEFAULT if path is None else path
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise DeviceError(f"device {device}: this machine has no CUDA device; use cpu")
        chosen = usual_dtype(None if dtype == INT8 else dtype, device)
        network, tokenizer, settings = checkpoint.load(folder, device=device, dtype=chosen)
        name = "default" if path is None else folder.name
        return cls(
            _prepared(network, dtype),
            tokenizer,
            settings,
            name=name,
            path=folder,
            revision=checkpoint.revision(folder),
        )

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def network(self) -> Network:
        """For measurements that look deeper than a proposal."""
        return self._network

    @property
    def tokenizer(self) -> CodeTokenizer:
        return self._tokenizer

    def propose(self, requests: Sequence[EditRequest], options: EditOptions) -> list[Proposal]:
        """One proposal for each request, in order; all of them share forwards."""
        start = time.perf_counter()
        asked = [self._read(request) for request in requests]
        seconds = {"tokenize": time.perf_counter() - start, "prefix": 0.0, "rounds": 0.0}
        rows = 1 if options.candidates <= 1 else OVERDRAWN * options.candidates
        settings = replace(self._settings(options, rows), least_scope=IN_SCOPE)
        fitting = [one for one in asked if len(one.canvas) <= self._most]
        self._mend([one for one in fitting if one.is_broken], settings, seconds)
        self._sample([one for one in fitting if not one.found], settings, seconds)
        own_words = None if options.new_names else self._own_words
        self._refuse(fitting, own_words)
        if options.new_names and self._own_words is not None:
            for one in fitting:
                one.found = plausible_first(one.request, one.found, self._own_words)
        if rows < OTHERS:
            self._look_on([one for one in fitting if one.refused], own_words, settings, seconds)
        return [self._proposal(one, settings.threshold, max(1, options.candidates), seconds) for one in asked]

    def scan(self, requests: Sequence[EditRequest], *, least: float) -> list[Reading]:
        """What the first round would change in each region, in order; one forward each, which they share.

        Args:
            least: tokens whose probability of change is lower are left out.

        Raises:
            CheckpointError: the model writes regions anew, and so has no such round.
        """
        if not isinstance(self._sampler, EditSampler):
            raise CheckpointError(
                f"{self._info.path} writes regions token after token; scan with an edit model"
            )
        prefixes = [self._prefix(request) for request in requests]
        scanner = Scanner(self._network, self._tokenizer, self._info.max_region_tokens)
        return scanner.scan(prefixes, [request.region for request in requests], least=least)

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

    def complete(self, requests: Sequence[CompletionRequest], options: CompletionOptions) -> list[Completed]:
        """Texts for the gap of each request, or that go on from it, in order; all of them share forwards."""
        return self._completer.complete(requests, options)

    def _settings(self, options: EditOptions, rows: int) -> EditSettings:
        """How to sample so many rows of each request."""
        return EditSettings(
            threshold=self._info.threshold if options.threshold is None else options.threshold,
            max_rounds=options.max_rounds,
            least_label=self._least_label,
            candidates=rows,
            temperature=options.temperature,
            top_k=options.top_k,
            seed=options.seed,
            exit_threshold=self._exit_threshold if options.exit_head else 1.0,
            near=options.near,
        )

    def _read(self, request: EditRequest) -> "_Asked":
        return _Asked(
            request,
            self._tokenizer.encode(request.region),
            self._prefix(request),
            is_broken=request.must_parse and not parses(request.region),
        )

    def _prefix(self, request: EditRequest) -> Prefix:
        limit = self._info.context_tokens
        context = self._tokenizer.encode(request.context)[-limit:] if limit else []
        instruction = self._tokenizer.encode(request.instruction.strip())[:MAX_INSTRUCTION]
        return prefix(context, instruction, marks=self._marks)

    def _mend(self, broken: "list[_Asked]", settings: EditSettings, seconds: dict[str, float]) -> None:
        """Look for edits after which a region parses.

        Each row makes the edit it begins with, and no other: a defect that breaks a region is in one place.
        """
        candidates = max(SEARCHED, settings.candidates)
        search = replace(settings, candidates=candidates, threshold=1.0, temperature=0.0)
        self._sample(broken, search, seconds)
        for one in broken:
            one.found = mends(one.request.region, one.found)

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
        """Look for other edits of regions in which surely something is to change."""
        looked = [one for one in refused if one.outcome and one.outcome.change >= NEEDED]
        reasons = [one.refused for one in looked]
        self._sample(looked, replace(settings, candidates=OTHERS, temperature=0.0), seconds)
        for one in looked:
            rows = one.outcome.rows if one.outcome else []
            likely = [row for row in rows if row.confidence >= LEAST_OTHER and row.doubt <= MOST_DOUBT]
            one.found = self._candidates(one.canvas, sorted(likely, key=_likelihood, reverse=True))
        self._refuse(looked, own_words)
        for one, reason in zip(looked, reasons, strict=True):
            one.refused = None if one.found else reason

    def _sample(self, asked: "list[_Asked]", settings: EditSettings, seconds: dict[str, float]) -> None:
        """Run the sampler, and note what it finds and the time it takes."""
        if not asked:
            return
        prefixes, canvases = [one.prefix for one in asked], [one.canvas for one in asked]
        outcomes, spent = self._sampler.run(prefixes, canvases, settings)
        for one, outcome in zip(asked, outcomes, strict=True):
            outcome.forwards += one.outcome.forwards if one.outcome else 0
            greedy, *others = outcome.rows
            ranked = [greedy, *sorted(others, key=_likelihood, reverse=True)]
            one.outcome, one.found = outcome, self._candidates(one.canvas, ranked)
        for phase, value in spent.items():
            seconds[phase] += value

    def _proposal(self, one: "_Asked", threshold: float, most: int, seconds: dict[str, float]) -> Proposal:
        length, outcome = len(one.canvas), one.outcome
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
        )

    def _verdict(self, one: "_Asked", outcome: Outcome, threshold: float) -> tuple[Verdict, str]:
        if outcome.in_scope < IN_SCOPE:
            trained = ", ".join(self._info.recipes)
            return "out_of_scope", f"the model was not trained for this instruction; it was for: {trained}"
        if one.found:
            return "edit", ""
        if one.refused:
            return one.refused, REFUSED[one.refused]
        if outcome.change <= self._sure:
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


def _likelihood(row: Row) -> float:
    """Of an edit, in logarithms: that it is made, and that then nothing remains to be done."""
    return row.log_likelihood + math.log(max(1 - row.doubt, LEAST))


def _prepared(network: Network, dtype: str | None) -> Network:
    """The network as it runs fastest here, or in int8."""
    if dtype != INT8:
        return order(network)
    try:
        return quantize(network)
    except ValueError as error:
        raise DeviceError(f"dtype {dtype}: {error}; use bfloat16") from error


def usual_dtype(name: str | None, device: str) -> torch.dtype:
    """The dtype of this name; if None, the one that weights are loaded in.

    Raises:
        DeviceError: there is no such dtype here.
    """
    known = {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if name is not None and name not in known:
        raise DeviceError(f"dtype {name} is not one of {', '.join([*known, INT8])}")
    if name is None:
        fast = not device.startswith("cpu") or "amx_bf16" in _cpu_flags()
        return torch.bfloat16 if fast else torch.float32
    return known[name]


def _cpu_flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
