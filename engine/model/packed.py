"""Matrices in eight or four bits a number, for weights that are too many for the memory there is.

Eight bits: a scale for each row, codes from -127 to 127. Four bits: a scale and a lowest value for each group of
neighbours in a row, codes from 0 to 15, two in a byte. Numbers are made whole again for the product, some rows at a
time; activations stay as they are. Letters: N tokens, R rows, C columns, X matrices of a stack, Q groups of a row.
Knows nothing of where the numbers come from.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.network import Network

Packing = Literal["int8", "int4"]
GROUP = 64
"""Most columns that share a scale at four bits; a narrower matrix has the largest power of two that divides it."""
UNPACKED = 1 << 25
"""Most numbers that are made whole at a time."""
FEW = 48
"""Tokens up to which torch's own product with eight bits is faster on a CPU than making the numbers whole."""


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Some rows of a packed matrix, or of a stack of them: where values are put, and read again."""

    codes: Tensor
    """int8 (..., R, C), or uint8 (..., R, C / 2)."""
    scales: Tensor
    """float32 (..., R), or bfloat16 (..., R, Q)."""
    lows: Tensor | None
    """None at eight bits, else bfloat16 (..., R, Q)."""

    def __getitem__(self, rows: slice | int) -> "PackedRows":
        lows = None if self.lows is None else self.lows[rows]
        return PackedRows(self.codes[rows], self.scales[rows], lows)

    @property
    def shape(self) -> torch.Size:
        """Of the matrix that is packed."""
        *outer, columns = self.codes.shape
        return torch.Size((*outer, columns if self.lows is None else 2 * columns))

    def numel(self) -> int:
        return self.shape.numel()

    def write(self, values_RC: Tensor) -> None:
        """Pack a matrix into these rows."""
        wide = values_RC.to(self.codes.device, torch.float32)
        if self.lows is None:
            self._write_eight(wide)
        else:
            self._write_four(wide, self.lows)

    def _write_eight(self, wide_RC: Tensor) -> None:
        scales = wide_RC.abs().amax(-1).clamp(min=torch.finfo(torch.float32).tiny) / 127
        self.scales.copy_(scales)
        self.codes.copy_((wide_RC / scales[:, None]).round_())

    def _write_four(self, wide_RC: Tensor, lows: Tensor) -> None:
        grouped = wide_RC.view(*self.scales.shape, -1)
        least, most = grouped.aminmax(dim=-1)
        lows.copy_(least)
        # codes are chosen for what is kept of the scale and the lowest value
        self.scales.copy_(((most - lows.float()) / 15).clamp(min=torch.finfo(torch.bfloat16).tiny))
        codes = (grouped - lows.float()[..., None]) / self.scales.float()[..., None]
        pairs = codes.round_().clamp_(0, 15).to(torch.uint8).view(*self.codes.shape, 2)
        self.codes.copy_(pairs[..., 0] | (pairs[..., 1] << 4))

    def read(self, dtype: torch.dtype) -> Tensor:
        """The numbers again, as near as their bits allow."""
        if self.lows is None:
            return (self.codes.float() * self.scales[..., None]).to(dtype)
        codes = torch.stack([self.codes & 15, self.codes >> 4], dim=-1).flatten(-2)
        grouped = codes.view(*self.scales.shape, -1).to(dtype)
        return torch.addcmul(
            self.lows[..., None].to(dtype), grouped, self.scales[..., None].to(dtype)
        ).flatten(-2)


class Packed(nn.Module):
    """One packed matrix, or a stack of them; its buffers are what a checkpoint holds."""

    def __init__(self, like: Tensor, packing: Packing, dtype: torch.dtype) -> None:
        """
        Args:
            like: a tensor of the shape (..., R, C), whose device the buffers share.
            dtype: of what is computed.

        Raises:
            ValueError: at four bits columns must be even.
        """
        super().__init__()
        self.dtype = dtype
        *outer, columns = like.shape
        if packing == "int8":
            self.register_buffer("codes", like.new_empty(like.shape, dtype=torch.int8))
            self.register_buffer("scales", like.new_empty(outer, dtype=torch.float32))
            self.register_buffer("lows", None)
            return
        if columns % 2:
            raise ValueError(f"{columns} columns are odd")
        groups = (*outer, columns // group(columns))
        self.register_buffer("codes", like.new_empty((*outer, columns // 2), dtype=torch.uint8))
        self.register_buffer("scales", like.new_empty(groups, dtype=torch.bfloat16))
        self.register_buffer("lows", like.new_empty(groups, dtype=torch.bfloat16))

    codes: Tensor
    scales: Tensor
    lows: Tensor | None

    @property
    def rows(self) -> PackedRows:
        return PackedRows(self.codes, self.scales, self.lows)


class PackedLinear(Packed):
    """A linear layer whose matrix is packed."""

    def __init__(self, linear: nn.Linear, packing: Packing, dtype: torch.dtype) -> None:
        super().__init__(linear.weight, packing, dtype)
        self.bias = linear.bias

    @property
    def weight(self) -> Tensor:
        """The whole matrix."""
        return self.rows.read(self.dtype)

    def forward(self, x_NC: Tensor) -> Tensor:
        """The product, in the input's dtype."""
        if (
            self.lows is None
            and x_NC.dtype == torch.bfloat16
            and x_NC.device.type == "cpu"
            and len(x_NC) <= FEW
        ):
            product: Tensor = torch.ops.aten._weight_int8pack_mm(x_NC, self.codes, self.scales.to(x_NC.dtype))
            return product if self.bias is None else product + self.bias
        step = max(1, UNPACKED // x_NC.shape[-1])
        starts = range(0, len(self.codes), step)
        parts = [F.linear(x_NC, self.rows[i : i + step].read(x_NC.dtype)) for i in starts]
        product = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
        return product if self.bias is None else product + self.bias


class PackedStack(Packed):
    """A stack of packed matrices; each is made whole when it is asked for."""

    def __getitem__(self, expert: int) -> Tensor:
        return self.rows[expert].read(self.dtype)


def group(columns: int) -> int:
    """Columns that share a scale at four bits."""
    return min(GROUP, columns & -columns)


def pack(network: Network, packing: Packing, dtype: torch.dtype) -> None:
    """Put packed matrices in the place of a network's; their numbers are still to be written.

    Embedding, output head, routers and norms stay as they are: they are few, and rounding them costs most.

    Args:
        dtype: of what is computed.
    """
    for layer in network.layers:
        for module in list(layer.modules()):
            for name, child in list(module.named_children()):
                if isinstance(child, nn.Linear) and name != "router":
                    setattr(module, name, PackedLinear(child, packing, dtype))
        experts = layer.experts
        if experts is not None:
            for name in ("gate_up", "down"):
                stack = getattr(experts, name)
                delattr(experts, name)
                setattr(experts, name, PackedStack(stack, packing, dtype))
