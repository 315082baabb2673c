"""How fast a training step could be: floating-point operations a token takes, and what the device reaches at most.

The count is that of Chowdhery et al. 2022 (PaLM, appendix B): matrix products of the forward and twice that of the
backward pass, attention as if every token saw its whole row; what is read again or computed twice counts once.
"""

import time
from functools import cache

import torch

from engine.model.network import Network

SIDE = 2048
"""Rows and columns of the matrices whose product is timed."""
TIMES = 8


def operations(network: Network, length: float, scored: float) -> float:
    """Floating-point operations of one trained token.

    Args:
        length: tokens of its row.
        scored: share of tokens for which all logits are computed.
    """
    c = network.config
    matrices = sum(p.numel() for p in network.layers.parameters() if p.dim() > 1)
    return 6 * (matrices + scored * c.vocabulary * c.width) + 12 * c.layers * c.width * length


@cache
def measured_peak(device: torch.device) -> float:
    """Floating-point operations a second in a product of large bfloat16 matrices, the best of a few; measured once."""
    a = torch.randn(SIDE, SIDE, device=device, dtype=torch.bfloat16)
    best = float("inf")
    for _ in range(TIMES):
        _settle(device)
        start = time.perf_counter()
        a @ a
        _settle(device)
        best = min(best, time.perf_counter() - start)
    return 2.0 * SIDE**3 / best


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
