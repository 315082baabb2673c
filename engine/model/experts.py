"""A mixture of experts: a router sends each token to a few SwiGLUs of many, one more may work on every token.

Routing by softmax is Qwen3-MoE's; by sigmoid, with a bias for the choice alone and choice limited to the best groups,
is DeepSeek-V3's (arXiv 2412.19437, section 2.1.2), which LLaDA2 shares. LLaDA2.2 has blocks instead of groups: a
block's tokens choose from few experts, so that few are read for all of them.

Letters: N tokens, D width, X experts, C chosen, F width inside an expert. Knows nothing of attention.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.config import ExpertsConfig

LEAST = 1e-20
"""Added to the sum that weights are divided by."""


class Experts(nn.Module):
    """The router, the experts and what is shared."""

    def __init__(self, config: ExpertsConfig, width: int) -> None:
        super().__init__()
        self.config = config
        self.router = nn.Linear(width, config.count, bias=False)
        self.register_parameter("bias", None)
        if config.biased:
            self.bias = nn.Parameter(torch.zeros(config.count))
        self.gate_up = nn.Parameter(torch.empty(config.count, 2 * config.hidden, width))
        self.down = nn.Parameter(torch.empty(config.count, width, config.hidden))
        if config.shared_hidden:
            self.shared_gate_up = nn.Linear(width, 2 * config.shared_hidden, bias=False)
            self.shared_down = nn.Linear(config.shared_hidden, width, bias=False)

    def route(self, x_ND: Tensor, blocks_N: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Experts of each token and their weights, each (N, C); computed in float32.

        Args:
            blocks_N: a number for each token, the same for those of one block; see `blocks`. None: all are one block.
        """
        c = self.config
        logits_NX = F.linear(x_ND.float(), self.router.weight.float())
        scores_NX = logits_NX.softmax(-1) if c.scores == "softmax" else logits_NX.sigmoid()
        wanted_NX = scores_NX if self.bias is None else scores_NX + self.bias.float()
        if c.groups > 1:
            wanted_NX = _in_best_groups(wanted_NX, c.groups, c.chosen_groups)
        if c.block:
            wanted_NX = _open_to_block(wanted_NX, blocks_N, c.block_chosen)
        chosen_NC = wanted_NX.topk(c.chosen, dim=-1).indices
        weights_NC = scores_NX.gather(-1, chosen_NC)
        if c.renormalised:
            weights_NC = weights_NC / (weights_NC.sum(-1, keepdim=True) + LEAST)
        return chosen_NC, weights_NC * c.scale

    def forward(self, x_ND: Tensor, blocks_N: Tensor | None = None) -> Tensor:
        """The weighted sum of each token's experts, and what is shared; `blocks_N` as in `route`."""
        chosen_NC, weights_NC = self.route(x_ND, blocks_N)
        mixed_ND = torch.zeros_like(x_ND)
        for expert in sorted(set(chosen_NC.flatten().tolist())):
            rows, columns = (chosen_NC == expert).nonzero(as_tuple=True)
            done = swiglu(x_ND[rows], self.gate_up[expert], self.down[expert])
            mixed_ND.index_add_(0, rows, done * weights_NC[rows, columns, None].to(done.dtype))
        if self.config.shared_hidden:
            mixed_ND = mixed_ND + swiglu(x_ND, self.shared_gate_up.weight, self.shared_down.weight)
        return mixed_ND


def swiglu(x_ND: Tensor, gate_up: Tensor, down: Tensor) -> Tensor:
    """One expert's work; the first half of `gate_up`'s rows is the gate."""
    gate, up = F.linear(x_ND, gate_up).chunk(2, dim=-1)
    return F.linear(F.silu(gate) * up, down)


def _in_best_groups(wanted_NX: Tensor, groups: int, chosen: int) -> Tensor:
    """The scores, with -inf outside the groups whose two best experts have the largest sum."""
    parted = wanted_NX.view(len(wanted_NX), groups, -1)
    best = parted.topk(2, dim=-1).values.sum(-1).topk(chosen, dim=-1).indices
    outside = torch.ones(parted.shape[:2], dtype=torch.bool, device=parted.device).scatter(-1, best, False)
    return parted.masked_fill(outside[..., None], float("-inf")).flatten(-2)


def blocks(positions_BL: Tensor, size: int) -> Tensor:
    """The number of each token's block, (N,), counted through the rows.

    A block is a run of rising positions between two multiples of `size`, so that several copies of one block in a
    row, finished and under way, are blocks of their own.
    """
    before = positions_BL[:, :-1]
    after = positions_BL[:, 1:]
    begins = torch.ones_like(positions_BL, dtype=torch.bool)
    begins[:, 1:] = (after <= before) | (after // size != before // size)
    return begins.flatten().cumsum(0) - 1


def _open_to_block(wanted_NX: Tensor, blocks_N: Tensor | None, chosen: int) -> Tensor:
    """The scores, with -inf for experts that none of the block's tokens wants as much as those kept."""
    if blocks_N is None:
        blocks_N = torch.zeros(len(wanted_NX), dtype=torch.int64, device=wanted_NX.device)
    rows = blocks_N[:, None].expand_as(wanted_NX)
    most = torch.full_like(wanted_NX, float("-inf")).scatter_reduce(0, rows, wanted_NX, "amax")
    best = most.topk(chosen, dim=-1).indices
    outside = torch.ones_like(most, dtype=torch.bool).scatter(-1, best, False)
    return wanted_NX.masked_fill(outside[blocks_N], float("-inf"))
