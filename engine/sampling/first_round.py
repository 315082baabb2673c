"""The first round of an edit by itself: how probable a change is at every token, and what it would be.

One forward for each canvas; nothing is sampled or applied. Knows nothing of texts.
Letters as in `engine.model.network`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from engine.diffusion.layout import Prefix
from engine.diffusion.levenshtein import EditIds
from engine.model.network import Network
from engine.sampling.batch import like_lengths, read_canvases, read_distinct, row_tokens


@dataclass(frozen=True, slots=True)
class FirstLabels:
    """What the model says of one canvas, one entry a token, the end token last."""

    change: Sequence[float]
    """Probability that the token does not stay as it is; of the end token, that something is inserted before it."""
    other: Sequence[int]
    """Most probable label that is not the token itself."""
    probability: Sequence[float]
    """Of that label."""


@torch.inference_mode()
def first_labels(
    network: Network,
    prefixes: Sequence[Prefix],
    canvases: Sequence[Sequence[int]],
    ids: EditIds,
    *,
    never: Sequence[int],
    pad: int,
) -> list[FirstLabels]:
    """Labels of each canvas (without its end token) after its prefix, in order.

    Args:
        never: tokens that are no answer.
    """
    if not canvases:
        return []
    cache, where = read_distinct(network, prefixes, pad)
    found: dict[int, FirstLabels] = {}
    for group in like_lengths([len(canvas) + 1 for canvas in canvases], row_tokens(network)):
        rows = [[*canvases[i], ids.end] for i in group]
        features = read_canvases(network, cache.rows([where[i] for i in group]), rows, pad)
        for i, row, features_LD in zip(group, rows, features, strict=True):
            found[i] = _labels(network, features_LD[: len(row)], row, ids, never)
    return [found[i] for i in range(len(canvases))]


def _labels(
    network: Network, features_LD: torch.Tensor, row: Sequence[int], ids: EditIds, never: Sequence[int]
) -> FirstLabels:
    scores_LV = network.logits(features_LD).float()
    scores_LV[:, list(never)] = float("-inf")
    scores_LV[:-1, ids.end] = float("-inf")
    probability_LV = scores_LV.softmax(-1)
    places = torch.arange(len(row), device=scores_LV.device)
    own = torch.tensor(row, device=scores_LV.device)
    change = 1 - probability_LV[places, own]
    probability_LV[places, own] = 0.0
    probability, other = probability_LV.max(-1)
    other[-1], probability[-1] = ids.insert, probability_LV[-1, ids.insert]
    change[-1] = probability[-1]
    return FirstLabels(change.clamp(min=0).tolist(), other.tolist(), probability.tolist())
