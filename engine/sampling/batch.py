"""Forwards over canvases of many requests at once: the prefix computed once and cached, rows of any length at once.

Letters as in `engine.model.network`; P tokens of the longest prefix. Knows nothing of rounds or thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.diffusion.layout import PADDING_BLOCK, Prefix
from engine.model.cache import LayerCache
from engine.model.network import Network

STRETCH = 1.25
"""How much longer than the shortest row of a forward its longest may be."""
ROW_TOKENS = 1024
"""Most tokens, padding included, in one forward on a CPU: what more of them write falls out of its cache."""
DEVICE_ROW_TOKENS = 4096
"""The same on other devices."""
FEW = 256
"""Tokens with which a forward costs little more than with one."""


@dataclass(frozen=True, slots=True)
class PrefixCache:
    """Keys and values of several requests' prefixes, padded to one length."""

    layers: list[LayerCache]
    seen_BP: Tensor
    """True where a prefix has a token."""
    lengths: list[int]
    last_BD: Tensor
    """Features of each prefix's last token, the region mark."""

    @property
    def is_even(self) -> bool:
        """Whether all prefixes have the same length, so that none is padded."""
        return all(length == self.seen_BP.shape[1] for length in self.lengths)

    def rows(self, indices: Sequence[int]) -> "PrefixCache":
        """The cache of some requests, in this order; one may stand several times. One prefix is shared, not copied."""
        if len(self.lengths) == 1:
            count = len(indices)
            layers = [(k.expand(count, -1, -1, -1), v.expand(count, -1, -1, -1)) for k, v in self.layers]
            shape = self.seen_BP.expand(count, -1), self.lengths * count, self.last_BD.expand(count, -1)
            return PrefixCache(layers, *shape)
        chosen = torch.tensor(indices, device=self.seen_BP.device)
        layers = [(k.index_select(0, chosen), v.index_select(0, chosen)) for k, v in self.layers]
        return PrefixCache(
            layers,
            self.seen_BP.index_select(0, chosen),
            [self.lengths[i] for i in indices],
            self.last_BD.index_select(0, chosen),
        )


def row_tokens(network: Network) -> int:
    """Most tokens, padding included, in one forward."""
    return ROW_TOKENS if network.embedding.weight.device.type == "cpu" else DEVICE_ROW_TOKENS


def read_distinct(network: Network, prefixes: Sequence[Prefix], pad: int) -> tuple[PrefixCache, list[int]]:
    """One forward over the prefixes that differ; and for each request its row of the cache."""
    distinct = {prefix: row for row, prefix in enumerate(dict.fromkeys(prefixes))}
    return read_prefixes(network, list(distinct), pad), [distinct[prefix] for prefix in prefixes]


def read_prefixes(network: Network, prefixes: Sequence[Prefix], pad: int) -> PrefixCache:
    """One forward over the prefixes of several requests."""
    device = network.embedding.weight.device
    lengths = [len(p.ids) for p in prefixes]
    width = max(lengths)
    ids = torch.tensor([[*p.ids, *[pad] * (width - len(p.ids))] for p in prefixes], device=device)
    blocks = torch.tensor(
        [[*p.blocks, *[PADDING_BLOCK] * (width - len(p.ids))] for p in prefixes], device=device
    )
    positions = torch.arange(width, device=device).expand_as(ids)
    layers: list[LayerCache] = []
    features = network(ids, positions, blocks[:, None, :] <= blocks[:, :, None], keep=layers)
    last = features[torch.arange(len(prefixes), device=device), torch.tensor(lengths, device=device) - 1]
    return PrefixCache(layers, blocks != PADDING_BLOCK, lengths, last)


def read_on(
    network: Network,
    cache: PrefixCache,
    finished: Sequence[Sequence[int]],
    canvases: Sequence[Sequence[int]],
    pad: int,
) -> tuple[list[Tensor], PrefixCache]:
    """Features of each canvas, (L, D), after its prefix and a block that is finished; the cache with that block.

    One forward does both: the block's tokens do not see the canvas.

    Args:
        cache: one row for each canvas.
        finished: may be empty.
        canvases: with their end tokens.
    """
    device = network.embedding.weight.device
    rows = [[*f, *c] for f, c in zip(finished, canvases, strict=True)]
    width = max(map(len, rows))
    ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in rows], device=device)
    blocks = torch.tensor(
        [
            [*[0] * len(f), *[1] * len(c), *[PADDING_BLOCK] * (width - len(f) - len(c))]
            for f, c in zip(finished, canvases, strict=True)
        ],
        device=device,
    )
    lengths = torch.tensor(cache.lengths, device=device)
    positions = lengths[:, None] + torch.arange(width, device=device)
    before = cache.seen_BP[:, None, :].expand(-1, width, -1)
    visible = torch.cat([before, blocks[:, None, :] <= blocks[:, :, None]], dim=2)
    read: list[LayerCache] = []
    features = network(ids, positions, visible, cache.layers, keep=read)
    counts = [len(f) for f in finished]
    most = cache.seen_BP.shape[1] + max(counts)
    kept = torch.arange(max(counts), device=device) < torch.tensor(counts, device=device)[:, None]
    after = PrefixCache(
        [(k[:, :, :most], v[:, :, :most]) for k, v in read],
        torch.cat([cache.seen_BP, kept], dim=1),
        [length + count for length, count in zip(cache.lengths, counts, strict=True)],
        cache.last_BD,
    )
    found = [features[i, n : n + len(c)] for i, (n, c) in enumerate(zip(counts, canvases, strict=True))]
    return found, after


def like_lengths(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Indices of rows in groups of like length, each of at most `most` tokens with its padding, or of one row.

    What is padded beyond `STRETCH` costs more than another forward, unless there are only `FEW` tokens in all.
    """
    groups: list[list[int]] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        tokens = (len(groups[-1]) + 1) * lengths[i] if groups else 0
        if groups and tokens <= most and (tokens <= FEW or lengths[i] <= STRETCH * lengths[groups[-1][0]]):
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups


def read_canvases(
    network: Network, cache: PrefixCache, canvases: Sequence[Sequence[int]], pad: int
) -> Tensor:
    """Features of each canvas after its prefix, (B, L, D); what stands beyond a canvas's own length means nothing.

    Args:
        cache: one row for each canvas.
        canvases: with their end tokens.
    """
    device = network.embedding.weight.device
    width = max(map(len, canvases))
    ids = torch.tensor([[*c, *[pad] * (width - len(c))] for c in canvases], device=device)
    lengths = torch.tensor([len(c) for c in canvases], device=device)
    seen = torch.arange(width, device=device) < lengths[:, None]
    positions = torch.tensor(cache.lengths, device=device)[:, None] + torch.arange(width, device=device)
    visible = None
    if not cache.is_even or any(len(canvas) < width for canvas in canvases):
        visible = torch.cat([cache.seen_BP, seen], dim=1)[:, None, :].expand(-1, width, -1)
    features: Tensor = network(ids, positions, visible, cache.layers)
    return features
