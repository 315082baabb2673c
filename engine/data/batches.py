"""Batches of fixed token count: rows of one length class, padded to its length, with the positions that are scored.

A batch is a pure function of the mixture, the seed and its index, so that training resumes exactly and any number of
workers gives the same stream. Letters: B rows, L tokens a row, S scored positions.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.data.defects import Code
from engine.data.examples import Example, ExampleMaker, Noise
from engine.data.store import PairStore, RegionStore
from engine.diffusion.layout import CANVAS_BLOCK, PADDING_BLOCK

LENGTHS = (64, 96, 128, 192, 256, 384, 512, 768, 1024)
"""Row lengths of the classes, in tokens."""
ROOM = 40
"""Tokens of a row set aside for the instruction and for what an edit adds."""
KINDS = ("masked", "edited", "defective", "refactored", "committed", "refused")
LONG, LONG_SHARE = 256, 0.3
"""Rows longer than `LONG` tokens are drawn at this share of how often they occur: they cost twice as much a token."""
MAX_BOOST = 6.0
MASKED, CHANGED, KEPT = 0, 1, 2
"""What a scored position is, for the log."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What one forward and its loss need."""

    ids_BL: Tensor
    positions_BL: Tensor
    blocks_BL: Tensor
    """int8 block of each token; padding's block is seen by nobody else."""
    scored_S: Tensor
    """Flat positions into B*L."""
    labels_S: Tensor
    weights_S: Tensor
    sorts_S: Tensor
    scope_B: Tensor
    """Flat positions of the region marks."""
    in_scope_B: Tensor
    """1, 0, or -1 where nothing is known."""
    tokens: int
    """Real tokens, without padding."""


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
        self._classes = {name: _classes(store.lengths) for name, store in pairs.items()}
        self._classes["regions"] = _classes(regions.lengths)
        self._shares = [
            len(rows) * length * (LONG_SHARE if length > LONG else 1.0)
            for rows, length in zip(self._classes["regions"], LENGTHS, strict=True)
        ]

    def batch(self, index: int, mixture: Mapping[str, float], noise: Noise = Noise()) -> Batch:
        """The batch with this index.

        Args:
            mixture: share of each kind of example; they need not add up to 1.
            noise: of the rows that are masked.
        """
        rng = random.Random(f"{self._seed}:{index}")
        which = rng.choices(range(len(LENGTHS)), self._shares)[0]
        length = LENGTHS[which]
        rows: list[Example] = []
        while len(rows) < max(1, self._tokens // length):
            kind = rng.choices(list(mixture), list(mixture.values()))[0]
            example = self._example(kind, which, noise, rng)
            if example and example.length <= length:
                rows.append(example)
        return collate(rows, length, self._scored, rng)

    def _example(self, kind: str, which: int, noise: Noise, rng: random.Random) -> Example | None:
        if kind in ("refactored", "committed"):
            chosen = self._classes[kind][which]
            if not len(chosen):
                return None
            pair = self._pairs[kind][int(rng.choice(chosen))]
            make = self._maker.committed if kind == "committed" else self._maker.refactored
            return make(pair, rng)
        tokens = self._regions[int(rng.choice(self._classes["regions"][which]))]
        if kind == "defective":
            try:
                return self._maker.defective(Code(self._decode(tokens)), tokens, noise, rng)
            except ValueError:
                return None
        if kind == "masked":
            return self._maker.masked(tokens, noise, rng)
        return (self._maker.edited if kind == "edited" else self._maker.refused)(tokens, rng)


def _classes(lengths: np.ndarray) -> list[np.ndarray]:
    """Indices of the rows of each length class."""
    bounds = np.array([0, *(n - ROOM for n in LENGTHS)])
    where = np.searchsorted(bounds, lengths, side="left") - 1
    return [np.flatnonzero(where == i) for i in range(len(LENGTHS))]


def collate(rows: list[Example], length: int, scored: int, rng: random.Random) -> Batch:
    """Rows to tensors, with at most `scored` positions.

    Positions that change or are masked come first; those that keep fill what is left, each weighing more the fewer of
    them are taken (up to `MAX_BOOST`, which bounds the variance).
    """
    count = len(rows)
    ids = np.zeros((count, length), dtype=np.int64)
    blocks = np.full((count, length), PADDING_BLOCK, dtype=np.int8)
    must: list[tuple[int, int, float, int]] = []
    may: list[tuple[int, int, float, int]] = []
    for b, row in enumerate(rows):
        start = len(row.prefix.ids)
        ids[b, :start], blocks[b, :start] = row.prefix.ids, row.prefix.blocks
        ids[b, start : row.length], blocks[b, start : row.length] = row.canvas, CANVAS_BLOCK
        for i, (token, answer, weight) in enumerate(zip(row.canvas, row.labels, row.weights, strict=True)):
            if weight:
                sort = MASKED if row.masks else CHANGED if token != answer else KEPT
                (may if sort == KEPT else must).append((b * length + start + i, answer, weight, sort))
    must = must if len(must) <= scored else rng.sample(must, scored)
    room = scored - len(must)
    if len(may) > room:
        boost = min(len(may) / max(room, 1), MAX_BOOST)
        may = [(p, a, w * boost, s) for p, a, w, s in rng.sample(may, room)]
    chosen = must + may
    chosen += [(0, 0, 0.0, KEPT)] * (scored - len(chosen))
    positions, answers, weights, sorts = zip(*chosen, strict=True)
    known = {None: -1, False: 0, True: 1}
    return Batch(
        torch.from_numpy(ids),
        torch.arange(length).expand(count, length).contiguous(),
        torch.from_numpy(blocks),
        torch.tensor(positions),
        torch.tensor(answers),
        torch.tensor(weights, dtype=torch.float32),
        torch.tensor(sorts, dtype=torch.int8),
        torch.tensor([b * length + len(row.prefix.ids) - 1 for b, row in enumerate(rows)]),
        torch.tensor([known[row.in_scope] for row in rows], dtype=torch.float32),
        sum(row.length for row in rows),
    )
