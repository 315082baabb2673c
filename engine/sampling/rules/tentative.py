"""Keys and values of several texts, some of them of drafts that may turn out wrong.

Every key belongs to a block of its text; a token sees the keys of earlier blocks. What turns out wrong is taken back.
Letters as in `engine.model.network`. Knows nothing of rules.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.model.cache import LayerCache
from engine.model.network import Network

NOWHERE = 1 << 30
"""Block of padding and of what was taken back: later than all, so that nobody sees it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text has to be read of: finished or supposed tokens, kept; then blocks under way, not kept."""

    clean: Sequence[int]
    clean_blocks: Sequence[int]
    at: int
    """Position of the first of these."""
    noisy: Sequence[int]
    noisy_blocks: Sequence[int]
    noisy_positions: Sequence[int]


class TentativeCache:
    """Keys and values of as many texts as there are rows."""

    def __init__(self, network: Network, rows: int, *, causal: bool) -> None:
        """
        Args:
            causal: whether inside a finished block, too, a token sees only itself and earlier ones.
        """
        self._network, self._causal = network, causal
        self._layers: list[LayerCache] | None = None
        self._blocks = torch.empty(rows, 0, dtype=torch.int64, device=network.embedding.weight.device)
        self.is_torn = False
        """Whether keys were taken back since rows were last dropped; `keep_rows` makes room of them."""

    def read(self, readings: Sequence[Reading]) -> Tensor:
        """Features of every token, clean ones first, (B, L, D), in one forward."""
        width = max(len(r.clean) + len(r.noisy) for r in readings)
        device = self._blocks.device
        ids = self._table([[*r.clean, *r.noisy] for r in readings], width, 0)
        blocks = self._table([[*r.clean_blocks, *r.noisy_blocks] for r in readings], width, NOWHERE)
        positions = self._table(
            [[*range(r.at, r.at + len(r.clean)), *r.noisy_positions] for r in readings], width, 0
        )
        counts = torch.tensor([len(r.clean) for r in readings], device=device)
        columns = torch.arange(width, device=device)
        clean = columns < counts[:, None]
        mask = torch.cat([self._blocks[:, None, :] < blocks[:, :, None], self._seen(blocks, clean)], dim=2)
        kept: list[LayerCache] = []
        features: Tensor = self._network(ids, positions, mask, self._layers, keep=kept)
        if most := max(len(r.clean) for r in readings):
            columns_kept = self._blocks.shape[1] + most
            self._layers = [(k[:, :, :columns_kept], v[:, :, :columns_kept]) for k, v in kept]
            new = torch.where(clean, blocks, NOWHERE)[:, :most]
            self._blocks = torch.cat([self._blocks, new], dim=1)
        return features

    def take_back(self, row: int, block: int) -> None:
        """Forget the keys of a text from a block on."""
        own = self._blocks[row]
        own[own >= block] = NOWHERE
        self.is_torn = True

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Drop the other rows, and columns that nobody uses any more."""
        self.is_torn = False
        chosen = torch.tensor(rows, device=self._blocks.device, dtype=torch.int64)
        self._blocks = self._blocks[chosen]
        used = (self._blocks != NOWHERE).any(0).nonzero().squeeze(1)
        self._blocks = self._blocks[:, used]
        self._layers = [
            (_chosen(keys, chosen, used), _chosen(values, chosen, used))
            for keys, values in self._layers or ()
        ] or None

    def _seen(self, blocks: Tensor, clean: Tensor) -> Tensor:
        """Which of the new tokens each of them sees: finished ones of earlier blocks, and those of its own kind."""
        same = (blocks[:, None, :] == blocks[:, :, None]) & (clean[:, None, :] == clean[:, :, None])
        if self._causal:
            length = blocks.shape[1]
            earlier = torch.ones(length, length, dtype=torch.bool, device=blocks.device).tril()
            same = same & (earlier | ~clean[:, None, :])
        return same | ((blocks[:, None, :] < blocks[:, :, None]) & clean[:, None, :])

    def _table(self, rows: Sequence[Sequence[int]], width: int, fill: int) -> Tensor:
        padded = [[*row, *[fill] * (width - len(row))] for row in rows]
        return torch.tensor(padded, device=self._blocks.device, dtype=torch.int64)


def _chosen(kept: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Some rows and columns; layers may lie on devices of their own."""
    return kept.index_select(0, rows.to(kept.device)).index_select(2, columns.to(kept.device))
