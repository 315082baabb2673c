"""Later rounds of an edit that read only what changed, what stands near it and what the model doubted before.

Within a block every token sees every other, so to keep the other tokens' keys and values is an approximation, as in the
caches of Fast-dLLM (arXiv 2505.22618, section 3.2); `benchmarks/nearby.py` measures what it changes. Kept keys are
turned to their tokens' new places, which is exact. Letters as in `engine.model.network`; Y layers, P tokens of the
longest prefix, F tokens that are kept, C tokens that are read. Knows nothing of thresholds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.diffusion.levenshtein import align
from engine.model.cache import LayerCache
from engine.model.network import Network, rotary, rotate
from engine.sampling.batch import PrefixCache
from engine.sampling.rounds import View

DOUBT = 0.05
"""Probability of a change from which a token is read again wherever it stands."""
MOST = 2 / 3
"""Share of a canvas beyond which all of it is read: the rest would save nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """A canvas as it was read last, with its end token."""

    canvas: Sequence[int]
    read_YSGLE: Tensor
    """Keys (S = 0) and values (S = 1) of each layer."""
    view: View


@dataclass(frozen=True, slots=True)
class Part:
    """What is read of a canvas."""

    canvas: Sequence[int]
    """With its end token."""
    places: Sequence[int]
    """Of what is read, ascending; the end token's is among them."""
    known: Known | None = None
    kept: Sequence[tuple[int, int]] = ()
    """Places of what is not read, in the known canvas and in this one."""

    @property
    def tokens(self) -> list[int]:
        return [self.canvas[j] for j in self.places]


def whole(canvas: Sequence[int]) -> Part:
    """All of a canvas, which comes with its end token."""
    return Part(canvas, range(len(canvas)))


def around(canvas: Sequence[int], known: Known, near: int) -> Part:
    """What of a canvas is to be read where another form of it is known.

    Args:
        near: how far from a change tokens are read.
    """
    pairs = align(known.canvas[:-1], canvas[:-1])
    last = len(canvas) - 1
    wanted = {last}
    for place in _changes(last, pairs):
        wanted.update(range(max(0, place - near), min(last, place + near) + 1))
    wanted.update(j for i, j in pairs if known.view.keep[i] < 1 - DOUBT)
    if len(wanted) > MOST * len(canvas):
        return whole(canvas)
    return Part(canvas, sorted(wanted), known, [(i, j) for i, j in pairs if j not in wanted])


def _changes(length: int, pairs: Sequence[tuple[int, int]]) -> set[int]:
    """Places of what is new, and of what follows something that went."""
    found, at = set(range(length)) - {j for _, j in pairs}, -1
    for i, j in pairs:
        if i != at + 1:
            found.add(j)
        at = i
    return found


def read_parts(
    network: Network, cache: PrefixCache, parts: Sequence[Part], pad: int
) -> tuple[Tensor, list[Tensor]]:
    """Features of what is read of each canvas after its prefix, (B, C, D), and each canvas's keys and values.

    What stands beyond a row's own length means nothing.

    Args:
        cache: one row for each canvas.
    """
    device = network.embedding.weight.device
    counts = [len(p.places) for p in parts]
    width, before = max(counts), max(len(p.kept) for p in parts)
    ids = torch.tensor(
        [[*p.tokens, *[pad] * (width - n)] for p, n in zip(parts, counts, strict=True)], device=device
    )
    places = torch.tensor(
        [[*p.places, *[0] * (width - n)] for p, n in zip(parts, counts, strict=True)], device=device
    )
    positions = torch.tensor(cache.lengths, device=device)[:, None] + places
    layers, visible = cache.layers, None
    kept = [_turned(network, p) for p in parts] if before else []
    if kept:
        layers = _behind(cache.layers, kept, before)
    if not cache.is_even or min(counts) < width or min(len(p.kept) for p in parts) < before:
        filled = torch.arange(before, device=device) < torch.tensor(
            [[len(p.kept)] for p in parts], device=device
        )
        seen = torch.arange(width, device=device) < torch.tensor(counts, device=device)[:, None]
        visible = torch.cat([cache.seen_BP, filled, seen], dim=1)[:, None, :].expand(-1, width, -1)
    read: list[LayerCache] = []
    features: Tensor = network(ids, positions, visible, layers, keep=read)
    start = cache.seen_BP.shape[1] + before
    new = _stacked([(k[:, :, start:], v[:, :, start:]) for k, v in read])
    return features, [
        _whole(p, new[:, :, i, :, : counts[i]], kept[i] if kept else None) for i, p in enumerate(parts)
    ]


def _stacked(layers: Sequence[LayerCache]) -> Tensor:
    """(Y, 2, B, G, K, E)."""
    both = torch.stack([x for layer in layers for x in layer])
    return both.view(len(layers), 2, *both.shape[1:])


def _turned(network: Network, p: Part) -> Tensor:
    """Keys and values of what is not read, (Y, 2, G, F, E), for the places where it stands now."""
    if p.known is None:
        return network.embedding.weight.new_empty(0)
    own = p.known.read_YSGLE
    moves = [j - i for i, j in p.kept]
    found = own.index_select(3, torch.tensor([i for i, _ in p.kept], device=own.device, dtype=torch.int64))
    if any(moves):
        cos, sin = rotary(torch.tensor(moves, device=own.device), network.config)
        keys = found[:, 0].permute(2, 0, 1, 3)
        turned = rotate(keys.flatten(1, 2), cos, sin).view(keys.shape)
        found[:, 0] = turned.permute(1, 2, 0, 3)
    return found


def _behind(layers: Sequence[LayerCache], kept: Sequence[Tensor], columns: int) -> list[LayerCache]:
    """The prefixes' keys and values, and behind them what rows keep of their canvases, padded to so many columns."""
    prefix = _stacked(layers)
    y, s, b, g, p, e = prefix.shape
    both = prefix.new_zeros((y, s, b, g, p + columns, e))
    both[..., :p, :] = prefix
    for i, one in enumerate(kept):
        if one.numel():
            both[:, :, i, :, p : p + one.shape[3]] = one
    return [(k, v) for k, v in both]


def _whole(p: Part, new_YSGCE: Tensor, kept: Tensor | None) -> Tensor:
    """All keys and values of a canvas, in its order."""
    if p.known is None or kept is None:
        return new_YSGCE
    y, s, g, _, e = new_YSGCE.shape
    found = new_YSGCE.new_empty((y, s, g, len(p.canvas), e))
    for columns, places in ((kept, [j for _, j in p.kept]), (new_YSGCE, p.places)):
        found.index_copy_(3, torch.tensor(places, device=found.device, dtype=torch.int64), columns)
    return found


def merged(p: Part, view: View) -> View:
    """The view of a whole canvas, from that of what was read; what was not is seen as it was before."""
    if p.known is None:
        return view
    size, old = len(p.canvas), p.known.view
    keep, best, probability = [1.0] * size, list(p.canvas), [1.0] * size
    for i, j in p.kept:
        keep[j], best[j], probability[j] = old.keep[i], old.best[i], old.probability[i]
    for k, j in enumerate(p.places):
        keep[j], best[j], probability[j] = view.keep[k], view.best[k], view.probability[k]
    return View(keep, best, probability)
