"""The running mean of weights over training (Polyak & Juditsky 1992), which is less noisy than the last ones."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Average:
    """An exponential mean of parameters, in float32."""

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float) -> None:
        """
        Args:
            decay: share of the mean that a step keeps; early steps keep less, so that the start is soon forgotten.
        """
        self._parameters, self._decay = list(parameters), decay
        self.values: list[Tensor] = [p.detach().clone() for p in self._parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after step number `step`, counted from 0."""
        keep = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, [p.detach() for p in self._parameters], 1 - keep)
