"""What a network's features say of canvases' tokens, in the few numbers that a round asks for.

The distribution over the vocabulary is taken apart a few tokens at a time, while it lies in the processor's cache, and
is never held as a whole; the numbers of all rows come to the host at once. Letters as in `engine.model.network`.
Knows nothing of rounds.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.diffusion.levenshtein import EditIds
from engine.model.network import Network
from engine.sampling.rounds import View

TILE = 32
"""Tokens whose distributions are looked at together on a CPU: 1 MB of float32 at a vocabulary of 8,192."""
LOGITS = 1 << 22
"""Most logits that are computed at once on a CPU."""


class Labels:
    """Reads features as views."""

    def __init__(self, network: Network, ids: EditIds, never: Sequence[int]) -> None:
        """
        Args:
            never: tokens that are no answer, the mask among them.
        """
        self._network, self._ids = network, ids
        device = network.embedding.weight.device
        self._never = torch.tensor(sorted(never), device=device)
        on_host = device.type == "cpu"
        self._tile = TILE if on_host else LOGITS
        self._chunk = max(TILE, LOGITS // network.config.vocabulary) if on_host else LOGITS

    def views(
        self, features_BLD: Tensor, canvases: Sequence[Sequence[int]], inserts: Sequence[bool]
    ) -> list[View]:
        """What the model says of each canvas.

        Where a token is as probable as another label, the token is the best.

        Args:
            canvases: with their end tokens.
            inserts: whether an insert is an answer.
        """
        device, lengths = features_BLD.device, [len(canvas) for canvas in canvases]
        features_ND = torch.cat([features_BLD[i, :n] for i, n in enumerate(lengths)])
        own_N = torch.tensor([token for canvas in canvases for token in canvas], device=device)
        ends = [k == n - 1 for n in lengths for k in range(n)]
        bars = [not insert for insert, n in zip(inserts, lengths, strict=True) for _ in range(n)]
        keep, best, probability = self._read(
            features_ND,
            own_N,
            torch.tensor(ends, device=device),
            torch.tensor(bars, device=device) if any(bars) else None,
        )
        found, at = [], 0
        for n in lengths:
            found.append(View(keep[at : at + n], best[at : at + n], probability[at : at + n]))
            at += n
        return found

    def _read(
        self, features_ND: Tensor, own_N: Tensor, ends_N: Tensor, bars_N: Tensor | None
    ) -> tuple[list[float], list[int], list[float]]:
        """Probability of the token itself, the best label and its probability, for each token."""
        keep, best, probability = [], [], []
        for first in range(0, len(own_N), self._chunk):
            scores_MV = self._network.logits(features_ND[first : first + self._chunk])
            for start in range(0, len(scores_MV), self._tile):
                at = slice(first + start, first + min(start + self._tile, len(scores_MV)))
                tile = scores_MV[start : start + self._tile].float()
                self._bar(tile, ends_N[at], None if bars_N is None else bars_N[at])
                k, b, p = _summary(tile, own_N[at])
                keep.append(k)
                best.append(b)
                probability.append(p)
        return torch.cat(keep).tolist(), torch.cat(best).tolist(), torch.cat(probability).tolist()

    def _bar(self, scores_TV: Tensor, ends_T: Tensor, bars_T: Tensor | None) -> None:
        scores_TV.index_fill_(1, self._never, float("-inf"))
        scores_TV[:, self._ids.end].masked_fill_(~ends_T, float("-inf"))
        if bars_T is not None:
            scores_TV[:, self._ids.insert].masked_fill_(bars_T, float("-inf"))

    def log_probabilities(self, features_LD: Tensor) -> Tensor:
        """Of every label for every token of one canvas, (L, V), the last the end token's."""
        scores_LV = self._network.logits(features_LD).float()
        scores_LV.index_fill_(1, self._never, float("-inf"))
        scores_LV[:-1, self._ids.end] = float("-inf")
        return scores_LV.log_softmax(-1)


def _summary(scores_TV: Tensor, own_T: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of each token's distribution: the token's own probability, the best label, its probability. Uses up the scores.

    Most tokens are their own best label; only for the others is the place of the highest score looked for.
    """
    top_T = scores_TV.amax(-1)
    own_score_T = scores_TV.gather(1, own_T[:, None]).squeeze(1)
    best_T = own_T.clone()
    others = (own_score_T < top_T).nonzero().squeeze(1)
    if len(others):
        best_T[others] = scores_TV[others].argmax(-1)
    sums_T = scores_TV.sub_(top_T[:, None]).exp_().sum(-1)
    return (own_score_T - top_T).exp() / sums_T, best_T, 1 / sums_T
