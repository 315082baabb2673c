"""Batches of fixed shape: examples packed into bins of one length, with the positions that are scored.

An example sees nothing of the others in its bin. A batch is a pure function of the mixture, the seed and its index, so
that training resumes exactly and any number of workers gives the same stream. Letters: B bins, L tokens a bin, S scored
positions, E examples, M masks of drafts.
"""

import copy
import random
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.data.defects import Code
from engine.data.examples import CHANGED, KEPT, Example, ExampleMaker, Noise
from engine.data.refactorings import RECIPES
from engine.data.store import PairStore, RegionStore
from engine.diffusion.layout import canvas_blocks
from engine.errors import DataError

LENGTHS = (256, 512, 1024)
"""Lengths of bins, in tokens. An example goes to the first that holds it, so that attention stays cheap for most.
Where an example holds its region twice, bins are twice as long: regions are drawn the same for every decoder."""
ROOM = 40
"""Tokens of an example set aside for the instruction and for what an edit adds."""
KINDS = (
    "masked",
    "edited",
    "defective",
    "refactored",
    "idle",
    "committed",
    "refused",
    "infilled",
    "generated",
    *RECIPES[1:],
)
"""What a mixture names: `refactored` is any recipe's pair, as often as there are pairs, a recipe's name only its;
`idle` is a recipe asked of code that offers it nothing."""
TRAJECTORY = "trajectory"
"""What a mixture may name beside these: an example that is not drawn from the stores, but was given to `keep`."""
LONG_SHARE = 0.3
"""Examples too long for the first length are drawn at this share of how often they occur: they cost more a token."""
MISSES = 24
"""Examples that fit in no bin before a batch counts as full. The more, the less padding, the more short examples."""
MAX_BOOST = 6.0
_KNOWN = {None: -1, False: 0, True: 1}


@dataclass(frozen=True, slots=True)
class Batch:
    """What one forward and its loss need."""

    ids_BL: Tensor
    positions_BL: Tensor
    """Positions from 0 in each example; a noisy block has its clean twin's."""
    blocks_BL: Tensor
    """int16 block of each token; that of a noisy block's clean twin, negated."""
    examples_BL: Tensor
    """int16 number of each token's example in its bin, from 1; 0 is padding."""
    scored_S: Tensor
    """Flat positions into B*L."""
    labels_S: Tensor
    weights_S: Tensor
    sorts_S: Tensor
    scope_E: Tensor
    """Flat positions of the region marks."""
    in_scope_E: Tensor
    """1, 0, or -1 where nothing is known."""
    drafts_M: Tensor
    """Flat positions of the masks that the network fills in first."""
    tokens: int
    """Real tokens, without padding."""


def visible(blocks_BL: Tensor, examples_BL: Tensor) -> Tensor:
    """What each token sees, (B, L, L): its own example's tokens, of its own block and of earlier ones.

    A noisy block, whose number is negated, sees itself and what stands before its clean twin; nothing else sees it.
    """
    same = examples_BL[:, None, :] == examples_BL[:, :, None]
    seen, seeing = blocks_BL[:, None, :], blocks_BL[:, :, None]
    return same & ((seen == seeing) | ((seen >= 0) & (seen < seeing.abs())))


class BatchMaker:
    """Draws rows from the stores by a mixture of kinds."""

    def __init__(
        self,
        maker: ExampleMaker,
        decode: Callable[[list[int]], str],
        regions: RegionStore,
        pairs: Mapping[str, PairStore],
        *,
        tokens: int,
        scored: int,
        seed: int,
    ) -> None:
        self._maker, self._decode, self._regions, self._pairs = maker, decode, regions, pairs
        self._tokens, self._scored, self._seed = tokens, scored, seed
        self._kept: Sequence[Example] = ()
        self._classes = {name: _classes(store.lengths) for name, store in pairs.items()}
        self._classes["regions"] = _classes(regions.lengths)
        for recipe in RECIPES[1:] if "refactored" in pairs else ():
            own = pairs["refactored"].recipes == recipe
            self._classes[recipe] = [rows[own[rows]] for rows in self._classes["refactored"]]
        self._shares = [
            int(regions.lengths[rows].sum()) * (1.0 if length == LENGTHS[0] else LONG_SHARE)
            for rows, length in zip(self._classes["regions"], LENGTHS, strict=True)
        ]

    def keep(self, examples: Sequence[Example]) -> None:
        """Draw the kind `TRAJECTORY` from these; while there are none, the others of a mixture share its part."""
        self._kept = examples
        lengths = np.array([example.length for example in examples], dtype=np.int64)
        where = np.searchsorted(LENGTHS, lengths, side="left")
        self._classes[TRAJECTORY] = [np.flatnonzero(where == i) for i in range(len(LENGTHS))]

    def with_maker(self, maker: ExampleMaker) -> "BatchMaker":
        """The same stores, their rows made examples by another maker."""
        other = copy.copy(self)
        other._maker = maker
        return other

    def examples(
        self, name: str, count: int, mixture: Mapping[str, float], noise: Noise, *, longest: int
    ) -> list[tuple[str, Example]]:
        """Examples by themselves, each with its kind; a function of the seed and a name.

        Args:
            longest: tokens of an example that is taken.

        Raises:
            DataError: as `batch`.
        """
        self.check(mixture)
        rng = random.Random(f"{self._seed}:{name}")
        found: list[tuple[str, Example]] = []
        while len(found) < count:
            which = rng.choices(range(len(LENGTHS)), self._shares)[0]
            kind = rng.choices(list(mixture), list(mixture.values()))[0]
            example = self._example(kind, which, noise, rng)
            if example and example.length <= longest:
                found.append((kind, example))
        return found

    def batch(self, index: int, mixture: Mapping[str, float], noise: Noise = Noise()) -> Batch:
        """The batch with this index.

        Args:
            mixture: share of each kind of example; they need not add up to 1.
            noise: of the rows that are masked.

        Raises:
            DataError: the corpus has no pairs of a recipe that the mixture names.
        """
        if not self._kept:
            mixture = {kind: share for kind, share in mixture.items() if kind != TRAJECTORY}
        self.check(mixture)
        rng = random.Random(f"{self._seed}:{index}")
        which = rng.choices(range(len(LENGTHS)), self._shares)[0]
        length = LENGTHS[which] * self._maker.copies
        bins = Bins(max(1, self._tokens // length), length)
        misses = 0
        while misses < MISSES:
            kind = rng.choices(list(mixture), list(mixture.values()))[0]
            # What is left beside long examples takes short ones.
            example = self._example(kind, which if misses < MISSES // 2 else 0, noise, rng)
            if example and not bins.put(example):
                misses += 1
        return collate(bins, self._scored, rng)

    def check(self, mixture: Mapping[str, float]) -> None:
        """Whether there is something of every kind to draw from; trajectories come while a run goes on.

        Raises:
            DataError: the corpus has no pairs of a recipe that the mixture names.
        """
        named = [kind for kind in mixture if kind in self._classes and kind != TRAJECTORY]
        lacking = [kind for kind in named if not sum(map(len, self._classes[kind]))]
        if lacking:
            raise DataError(f"the corpus has no pairs of {', '.join(lacking)}; leave them out of the mixture")

    def _example(self, kind: str, which: int, noise: Noise, rng: random.Random) -> Example | None:
        if kind in ("refactored", "committed", *RECIPES[1:]):
            classes = self._classes[kind]
            chosen = classes[which] if len(classes[which]) else max(classes, key=len)
            number = int(rng.choice(chosen))
            if kind == "committed":
                return self._maker.committed(self._pairs["committed"][number], rng)
            return self._maker.refactored(self._pairs["refactored"][number], rng)
        if kind == TRAJECTORY:
            classes = self._classes[kind]
            here = classes[which] if len(classes[which]) else max(classes, key=len)
            return self._kept[int(rng.choice(here))]
        tokens = self._regions[int(rng.choice(self._classes["regions"][which]))]
        try:
            return self._of_region(kind, tokens, LENGTHS[which] * self._maker.copies, noise, rng)
        except ValueError:
            return None

    def _of_region(
        self, kind: str, tokens: list[int], room: int, noise: Noise, rng: random.Random
    ) -> Example | None:
        """An example from a clean region, of at most `room` tokens where its kind leaves the choice.

        Raises:
            ValueError: the region is none for this kind.
        """
        if kind == "defective":
            return self._maker.defective(Code(self._decode(tokens)), tokens, noise, rng)
        if kind == "idle":
            return self._maker.idle(self._decode(tokens), tokens, rng)
        if kind == "infilled":
            return self._maker.infilled(self._decode(tokens), room, rng)
        if kind == "generated":
            return self._maker.generated(self._decode(tokens), noise, room, rng)
        if kind == "masked":
            return self._maker.masked(tokens, noise, rng)
        return (self._maker.edited if kind == "edited" else self._maker.refused)(tokens, rng)


def _classes(lengths: np.ndarray) -> list[np.ndarray]:
    """Indices of the rows of each length class."""
    bounds = np.array([0, *(n - ROOM for n in LENGTHS)])
    where = np.searchsorted(bounds, lengths, side="left") - 1
    return [np.flatnonzero(where == i) for i in range(len(LENGTHS))]


class Bins:
    """A fixed number of bins of one length, filled with examples."""

    def __init__(self, count: int, length: int) -> None:
        self.length = length
        self.examples: list[list[Example]] = [[] for _ in range(count)]
        self._rooms = [(length, i) for i in range(count)]
        """Room of each bin, ascending: a batch of many bins is filled as fast a token as one of few."""

    def put(self, example: Example) -> bool:
        """Put an example where it leaves least room; whether there was any for it."""
        length = example.length
        at = bisect_left(self._rooms, (length, 0))
        if at == len(self._rooms):
            return False
        room, i = self._rooms.pop(at)
        self.examples[i].append(example)
        insort(self._rooms, (room - length, i))
        return True


def collate(bins: Bins, scored: int, rng: random.Random) -> Batch:
    """Bins to tensors, with at most `scored` positions.

    Positions that change or are masked come first; those that keep fill what is left. Each weighs more the fewer of its
    like are taken, so that all together weigh the same; one that keeps only up to `MAX_BOOST`, against the variance.
    """
    shape = (len(bins.examples), bins.length)
    ids, positions = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    blocks, examples = np.zeros(shape, dtype=np.int16), np.zeros(shape, dtype=np.int16)
    must: list[tuple[int, int, float, int]] = []
    may: list[tuple[int, int, float, int]] = []
    scope: list[tuple[int, int]] = []
    drafts: list[int] = []
    for b, row in enumerate(bins.examples):
        start = 0
        for number, example in enumerate(row, 1):
            canvas, end = start + len(example.prefix.ids), start + example.length
            ids[b, start:canvas], blocks[b, start:canvas] = example.prefix.ids, example.prefix.blocks
            ids[b, canvas:end] = example.canvas
            blocks[b, canvas:end] = example.blocks or canvas_blocks(len(example.canvas), example.written)
            positions[b, start:end], examples[b, start:end] = np.arange(example.length), number
            if example.positions:
                positions[b, canvas:end] = example.positions
            first = b * bins.length + canvas
            scope.append((b * bins.length + start + example.prefix.mark, _KNOWN[example.in_scope]))
            scores = zip(example.labels, example.weights, example.sorts, strict=True)
            for i, (answer, weight, sort) in enumerate(scores, first):
                if example.draft and sort == CHANGED:
                    drafts.append(i)
                if weight:
                    (may if sort == KEPT else must).append((i, answer, weight, sort))
            start = end
    if len(must) > scored:
        boost = len(must) / scored
        must = [(p, a, w * boost, s) for p, a, w, s in rng.sample(must, scored)]
    room = scored - len(must)
    if len(may) > room:
        boost = min(len(may) / max(room, 1), MAX_BOOST)
        may = [(p, a, w * boost, s) for p, a, w, s in rng.sample(may, room)]
    chosen = must + may
    chosen += [(0, 0, 0.0, KEPT)] * (scored - len(chosen))
    places, answers, weights, sorts = zip(*chosen, strict=True)
    marks, in_scope = zip(*scope, strict=True)
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(positions),
        torch.from_numpy(blocks),
        torch.from_numpy(examples),
        torch.tensor(places),
        torch.tensor(answers),
        torch.tensor(weights, dtype=torch.float32),
        torch.tensor(sorts, dtype=torch.int8),
        torch.tensor(marks),
        torch.tensor(in_scope, dtype=torch.float32),
        torch.tensor(drafts, dtype=torch.int64),
        int((examples > 0).sum()),
    )
