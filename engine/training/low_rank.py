"""Low-rank adaptation (LoRA, Hu et al. 2021): every matrix of the layers plus a product of two thin ones.

While adapted, the thin matrices are all that is trained, and with them rows of the embedding and of the head for tokens
that the network has never seen; `merge` adds both to the weights, and the network is an ordinary one again. Knows
nothing of training loops.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from engine.model.network import Network


class LowRank(nn.Module):
    """What is added to one matrix: `rise @ fall`, nothing at first."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        height, width = weight.shape
        self.fall = nn.Parameter(torch.randn(rank, width) / width**0.5)
        self.rise = nn.Parameter(torch.zeros(height, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The matrix as the network is to use it."""
        return weight + self.rise @ self.fall


class Rows(nn.Module):
    """What is added to some rows of a table: nothing at first."""

    def __init__(self, weight: Tensor, rows: Sequence[int]) -> None:
        super().__init__()
        self.added = nn.Parameter(weight.new_zeros(len(rows), weight.shape[1]))
        self.register_buffer("rows", torch.tensor(rows, device=weight.device))

    rows: Tensor

    def forward(self, weight: Tensor) -> Tensor:
        """The table as the network is to use it."""
        return weight.index_add(0, self.rows, self.added)


def adapt(network: Network, rank: int, *, seed: int, rows: Sequence[int] = ()) -> None:
    """Freeze the network and put low-rank pairs on the matrices of its layers.

    Args:
        rows: tokens that the network has never seen, whose rows are trained as they are, and the scope head with them.
    """
    torch.manual_seed(seed)
    network.requires_grad_(False)
    for linear in _linears(network):
        parametrize.register_parametrization(linear, "weight", LowRank(linear.weight, rank))
    if rows:
        network.scope.requires_grad_(True)
        for table in _tables(network):
            parametrize.register_parametrization(table, "weight", Rows(table.weight, rows))


@torch.no_grad()
def merge(network: Network) -> None:
    """Add the pairs to their matrices; a network without pairs stays as it is."""
    for module in (*_linears(network), *_tables(network)):
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=True)


def _linears(network: Network) -> list[nn.Linear]:
    return [m for m in network.layers.modules() if isinstance(m, nn.Linear)]


def _tables(network: Network) -> list[nn.Embedding | nn.Linear]:
    return [network.embedding] if network.config.tied else [network.embedding, network.head]
