"""Keys and values of tokens that were read before. Letters as in `engine.model.network`; C columns of room."""

from collections.abc import Sequence

import torch
from torch import Tensor

LayerCache = tuple[Tensor, Tensor]
"""Keys and values of one layer, each (B, G, K, E)."""


class KeyValues:
    """Keys and values in memory that is set aside once: what is read next is written behind them, not copied with them.

    A forward writes behind what is kept; `keep` says how much of that stays. What is not kept is written over.
    """

    def __init__(self, layers: Sequence[LayerCache], room: int) -> None:
        """
        Args:
            layers: what was read so far; it is copied.
            room: tokens that are expected to come; beyond them, room is made by doubling it.
        """
        self._length = layers[0][0].shape[2]
        self._layers = [(_roomy(k, self._length + room), _roomy(v, self._length + room)) for k, v in layers]

    @property
    def length(self) -> int:
        """Columns that are kept."""
        return self._length

    def write(self, layer: int, k_BGLE: Tensor, v_BGLE: Tensor) -> LayerCache:
        """What is kept of a layer, and these behind it."""
        end = self._length + k_BGLE.shape[2]
        k, v = self._layers[layer]
        if end > k.shape[2]:
            k, v = self._layers[layer] = _roomy(k, 2 * end), _roomy(v, 2 * end)
        k[:, :, self._length : end] = k_BGLE
        v[:, :, self._length : end] = v_BGLE
        return k[:, :, :end], v[:, :, :end]

    def keep(self, count: int) -> None:
        """Keep the first columns of those that the last forward wrote."""
        self._length += count

    def keep_rows(self, indices: Sequence[int]) -> None:
        """Drop the other rows."""
        k, _ = self._layers[0]
        chosen = torch.tensor(indices, device=k.device, dtype=torch.int64)
        self._layers = [(k.index_select(0, chosen), v.index_select(0, chosen)) for k, v in self._layers]


def _roomy(read_BGKE: Tensor, columns: int) -> Tensor:
    made = read_BGKE.new_empty((*read_BGKE.shape[:2], columns, read_BGKE.shape[3]))
    made[:, :, : read_BGKE.shape[2]] = read_BGKE
    return made
