"""Filling gaps, and going on with texts block by block: in rounds, as edits are made, but nothing else may change.

A gap is a canvas of its own amid a text that stays: the token after it carries what is inserted at its end. A text that
goes on is written in blocks: each begins as masks, sees what stands before it, may still be revised until its last
mask is filled, and is then read once more, together with the next block's first round; from there its keys and values
are kept. The text has ended when a block comes out shorter than its slots.

Samples are drawn independently of each other, and a row's chance is its own, so that it does not matter with which
others it shares forwards. Knows nothing of texts.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.diffusion.layout import Prefix
from engine.diffusion.levenshtein import RUN, EditIds
from engine.model.network import Network
from engine.sampling.batch import PrefixCache, like_lengths, read_canvases, read_on, read_prefixes
from engine.sampling.drawing import drawn
from engine.sampling.rounds import OPENING_ROUNDS, Step, View, advance, clean_up

ROW_TOKENS = 4096
"""Most canvas tokens, padding included, in one forward on a CPU."""
GROUP_TOKENS = 16_384
"""Most tokens, given and written, of the texts that go on together; bounds the cache."""
REVISE = 0.5
"""Least probability of a change to what is filled in already: whatever is more probable than not, since all of it is
the model's own."""
SPARE_ROUNDS = 16
"""Rounds beyond one for each token, after which what is left is filled in at once."""


@dataclass(frozen=True, slots=True)
class CompletionSettings:
    """How to sample; as `CompletionOptions`."""

    max_tokens: int
    samples: int = 1
    temperature: float = 0.0
    top_k: int = 0
    threshold: float = 0.7
    slots: int = 16
    block: int = 32
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """A text with a place where something is missing."""

    before: Sequence[int]
    after: Sequence[int]


@dataclass(slots=True)
class Draft:
    """One text for one gap, on its way."""

    request: int
    number: int
    """Of the sample."""
    canvas: list[int]
    """The gap's tokens, or those of the block that is being written."""
    written: list[int] = field(default_factory=list)
    """Finished blocks."""
    confidence: float = 1.0
    rounds: int = 0
    of_canvas: int = 0
    """Rounds of this canvas."""
    is_late: bool = False
    """Whether the last round was not what the model wanted, for want of rounds or of room."""
    done: bool = False
    is_whole: bool = False
    """Whether it came to its end by itself."""
    seen: set[tuple[int, ...]] = field(default_factory=set)
    """What this canvas has been."""
    has_recurred: bool = False
    """Whether it is what it has been before."""
    is_circling: bool = False
    """Whether it ever was so with masks: slots go and are opened again, without end. No more are opened then."""


class CompletionSampler:
    """Texts for batches of gaps."""

    def __init__(self, network: Network, ids: EditIds, *, never: Sequence[int], pad: int) -> None:
        """
        Args:
            never: tokens that are no answer, the mask among them.
        """
        self._network, self._ids, self._pad = network, ids, pad
        device = network.embedding.weight.device
        self._never = torch.zeros(network.config.vocabulary, device=device)
        self._never[list(never)] = float("-inf")

    @torch.inference_mode()
    def fill(
        self, where: Prefix, gaps: Sequence[Gap], settings: CompletionSettings
    ) -> tuple[list[list[Draft]], dict[str, float]]:
        """The samples of each gap, and seconds by phase; `written` holds what goes into it."""
        if not gaps:
            return [], {"prefix": 0.0, "rounds": 0.0}
        start = time.perf_counter()
        cache = read_prefixes(self._network, [where], self._pad)
        prefix_done = time.perf_counter()
        begun = [self._ids.mask] * min(settings.slots, settings.max_tokens)
        found = [
            [Draft(i, number, list(begun)) for number in range(settings.samples)] for i in range(len(gaps))
        ]
        drafts = [draft for own in found for draft in own]
        while active := [draft for draft in drafts if not draft.done]:
            lengths = [
                len(d.canvas) + len(gaps[d.request].before) + len(gaps[d.request].after) for d in active
            ]
            for group in like_lengths([n + 1 for n in lengths], ROW_TOKENS):
                self._fill_round([active[i] for i in group], gaps, cache, settings)
        return found, {"prefix": prefix_done - start, "rounds": time.perf_counter() - prefix_done}

    def _fill_round(
        self,
        drafts: Sequence[Draft],
        gaps: Sequence[Gap],
        cache: PrefixCache,
        settings: CompletionSettings,
    ) -> None:
        """One forward for these gaps."""
        own = [gaps[draft.request] for draft in drafts]
        rows = [[*g.before, *d.canvas, *g.after, self._ids.end] for g, d in zip(own, drafts, strict=True)]
        features = read_canvases(self._network, cache.rows([0] * len(rows)), rows, self._pad)
        for i, (gap, draft) in enumerate(zip(own, drafts, strict=True)):
            first, before = len(gap.before), draft.canvas
            carried = features[i, first : first + len(before) + 1]
            self._move(draft, carried, settings, settings.max_tokens, settings.max_tokens + SPARE_ROUNDS)
            is_cut = draft.is_late or draft.is_circling
            if self._ids.mask not in draft.canvas:
                draft.done = draft.canvas == before or draft.has_recurred or is_cut
            if draft.done:
                draft.written, draft.is_whole = draft.canvas, not is_cut

    @torch.inference_mode()
    def go_on(
        self, where: Prefix, given: Sequence[Sequence[int]], settings: CompletionSettings
    ) -> tuple[list[list[Draft]], dict[str, float]]:
        """The samples of each text, and seconds by phase; `written` holds what comes after what is given."""
        seconds = {"prefix": 0.0, "rounds": 0.0}
        found = [[Draft(i, number, []) for number in range(settings.samples)] for i in range(len(given))]
        drafts = [draft for own in found for draft in own]
        lengths = [len(given[draft.request]) + settings.max_tokens for draft in drafts]
        for group in like_lengths(lengths, GROUP_TOKENS):
            self._write([drafts[i] for i in group], where, given, settings, seconds)
        return found, seconds

    def _write(
        self,
        drafts: list[Draft],
        where: Prefix,
        given: Sequence[Sequence[int]],
        settings: CompletionSettings,
        seconds: dict[str, float],
    ) -> None:
        """Bring texts to their end, block after block."""
        start = time.perf_counter()
        requests = sorted({draft.request for draft in drafts})
        read = read_prefixes(self._network, [where.then(given[i]) for i in requests], self._pad)
        cache = read.rows([requests.index(draft.request) for draft in drafts])
        seconds["prefix"] += time.perf_counter() - start
        start = time.perf_counter()
        going = list(range(len(drafts)))
        while going:
            drafts, cache = [drafts[i] for i in going], cache.rows(going)
            cache = self._write_block(drafts, cache, settings)
            going = [i for i, draft in enumerate(drafts) if not draft.done]
        seconds["rounds"] += time.perf_counter() - start

    def _write_block(
        self, drafts: Sequence[Draft], cache: PrefixCache, settings: CompletionSettings
    ) -> PrefixCache:
        """One more block of every text; the cache with the blocks before it."""
        finished = [draft.canvas for draft in drafts]
        for draft in drafts:
            left = settings.max_tokens - len(draft.written)
            draft.canvas, draft.of_canvas = [self._ids.mask] * min(settings.block, left), 0
            draft.seen, draft.is_circling = {tuple(draft.canvas)}, False
        canvases = [[*draft.canvas, self._ids.end] for draft in drafts]
        features, cache = read_on(self._network, cache, finished, canvases, self._pad)
        sizes = [len(draft.canvas) for draft in drafts]
        active = list(range(len(drafts)))
        while active:
            for i, own in zip(active, features, strict=True):
                self._move(drafts[i], own, settings, sizes[i] + RUN, sizes[i] + SPARE_ROUNDS)
            active = [i for i in active if self._ids.mask in drafts[i].canvas]
            if active:
                canvases = [[*drafts[i].canvas, self._ids.end] for i in active]
                rows = read_canvases(self._network, cache.rows(active), canvases, self._pad)
                features = [rows[k, : len(canvas)] for k, canvas in enumerate(canvases)]
        for draft, size in zip(drafts, sizes, strict=True):
            draft.written = (draft.written + draft.canvas)[: settings.max_tokens]
            draft.is_whole = len(draft.canvas) < size
            draft.done = draft.is_whole or len(draft.written) == settings.max_tokens
        return cache

    def _move(
        self, draft: Draft, features_LD: Tensor, settings: CompletionSettings, most: int, rounds: int
    ) -> None:
        """Move a canvas one round on.

        Args:
            features_LD: of its tokens, and of the token that carries what is inserted at its end.
            most: tokens that it may have; where an insert would make it longer, none is made.
            rounds: after which all masks that are left are filled.
        """
        canvas = draft.canvas
        last = draft.of_canvas >= rounds
        step = self._round(draft, features_LD, settings, last=last, inserts=not (last or draft.is_circling))
        draft.is_late = last or len(step.canvas) > max(most, len(canvas))
        if draft.is_late and not last:
            step = self._round(draft, features_LD, settings, last=False, inserts=False)
        draft.rounds += 1
        draft.of_canvas += 1
        draft.canvas, draft.confidence = step.canvas, min(draft.confidence, step.confidence)
        key = tuple(draft.canvas)
        draft.has_recurred = key in draft.seen
        draft.is_circling = draft.is_circling or (draft.has_recurred and self._ids.mask in key)
        draft.seen.add(key)

    def _round(
        self, draft: Draft, features_LD: Tensor, settings: CompletionSettings, *, last: bool, inserts: bool
    ) -> Step:
        row = [*draft.canvas, self._ids.end]
        view = self._view(row, features_LD, draft, settings, inserts=inserts)
        if last:
            return clean_up(draft.canvas, view, self._ids)
        # No gap is masked as a whole where there is no room for its slots.
        round_ = draft.of_canvas if inserts else OPENING_ROUNDS
        return advance(draft.canvas, view, self._ids, REVISE, round_, fill=settings.threshold)

    def _view(
        self,
        row: Sequence[int],
        features_LD: Tensor,
        draft: Draft,
        settings: CompletionSettings,
        *,
        inserts: bool,
    ) -> View:
        """What the model says of a canvas; its masks' labels are drawn unless the temperature is 0."""
        ids = self._ids
        scores = self._network.logits(features_LD).float() + self._never
        device = scores.device
        tokens = torch.tensor(row, device=device)
        scores[:-1, ids.end] = float("-inf")
        # A slot is filled or goes; what else is missing is inserted before a token that stays.
        scores[tokens == ids.mask, ids.insert] = float("-inf")
        if not inserts:
            scores[:, ids.insert] = float("-inf")
        logp_LV = scores.log_softmax(-1)
        best = logp_LV.argmax(-1)
        if settings.temperature:
            chance = random.Random(f"{settings.seed}:{draft.number}:{draft.rounds}")
            chances = torch.tensor([chance.random() for _ in row], dtype=torch.float64, device=device)
            other = drawn(logp_LV, chances, settings.temperature, settings.top_k)
            best = torch.where(tokens == ids.mask, other, best)
        probability = logp_LV.gather(1, best[:, None]).exp().squeeze(1).tolist()
        keep = logp_LV.gather(1, tokens[:, None]).exp().squeeze(1).tolist()
        labels = best.tolist()
        # The last token only carries what is inserted before it.
        opens = float(logp_LV[-1, ids.insert].exp())
        wants = labels[-1] == ids.insert
        keep[-1], labels[-1] = 1 - opens, ids.insert if wants else ids.end
        probability[-1] = opens if wants else 1 - opens
        return View(keep, labels, probability)
