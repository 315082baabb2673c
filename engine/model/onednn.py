"""A network for inference on a CPU: weights in the order in which oneDNN reads them, what is done elementwise after a
product done within it. The same function, but for rounding.

Without it every product of bfloat16 first reorders its weights, which takes longer than the product itself where few
tokens are read. Letters as in `engine.model.network`.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.experts import Experts
from engine.model.network import Layer, Network, attend, normed

OPERATORS = ("_reorder_linear_weight", "_linear_pointwise")
TOKENS = 64
"""For so many at once the order is chosen; it serves other numbers as well."""
FEW = 16
"""Queries that are attended to as they are: one token at a time, the keys would be copied for each."""


class OrderedLinear:
    """A matrix in oneDNN's order."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self._weight: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), TOKENS)
        self._bias = bias

    def __call__(self, x: Tensor, then: str = "none") -> Tensor:
        """The product, and what is done to it: `none` or `swish`."""
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x, self._weight, self._bias, then, [], "")
        return found

    def combined(self, x: Tensor, other: Tensor, how: str) -> Tensor:
        """The product together with `other`: `add` or `mul`."""
        found: Tensor = torch.ops.mkldnn._linear_pointwise.binary(x, other, self._weight, self._bias, how)
        return found


class OrderedLayer(Layer):
    """A layer whose products are packed; experts stay as they are."""

    def __init__(self, layer: Layer) -> None:
        nn.Module.__init__(self)
        self.config, self.experts = layer.config, layer.experts
        self.attention_norm, self.hidden_norm = layer.attention_norm, layer.hidden_norm
        self.query_norm, self.key_norm = layer.query_norm, layer.key_norm
        self._packed = {
            "qkv": OrderedLinear(layer.qkv.weight, layer.qkv.bias),
            "out": OrderedLinear(layer.out.weight),
        }
        if layer.experts is None:
            gate, up = layer.gate_up.weight.chunk(2)
            self._packed |= {"gate": OrderedLinear(gate), "up": OrderedLinear(up)}
            self._packed["down"] = OrderedLinear(layer.down.weight)

    def project(self, x_ND: Tensor) -> Tensor:
        return self._packed["qkv"](x_ND)

    def leave(self, x_ND: Tensor, mixed_ND: Tensor, blocks_N: Tensor | None = None) -> Tensor:
        x_ND = self._packed["out"].combined(mixed_ND, x_ND, "add")
        h_ND = normed(x_ND, self.hidden_norm, self.config.norm_eps)
        if isinstance(self.experts, Experts):
            return x_ND + self.experts.forward(h_ND, blocks_N)
        gated = self._packed["up"].combined(h_ND, self._packed["gate"](h_ND, "swish"), "mul")
        return self._packed["down"].combined(gated, x_ND, "add")


def order(network: Network) -> Network:
    """The network itself, its matrices packed where that is faster: in bfloat16 on a CPU.

    After that it cannot be trained or saved.
    """
    weight = network.embedding.weight
    if weight.device.type != "cpu" or weight.dtype != torch.bfloat16 or not has_onednn():
        return network
    network.count = network.parameter_count()
    network.rounded, network.attend = rounded, attend_rounded
    network.layers = nn.ModuleList(OrderedLayer(_checked(layer)) for layer in network.layers)
    network.output = OrderedLinear(weight if network.config.tied else network.head.weight)
    return network


def rounded(count: int) -> int:
    """The next number of rows that products are made for, four to a doubling.

    oneDNN makes a kernel for each number of rows that it meets, and keeps it: that takes longer than the product, and
    half a megabyte.
    """
    step = 1 << max(0, (count - 1).bit_length() - 3)
    return -(-count // step) * step


def attend_rounded(q_BHLE: Tensor, k_BGKE: Tensor, v_BGKE: Tensor, mask: Tensor | None) -> Tensor:
    """As `attend`, with numbers of queries and keys that are rounded too, unless there are few queries."""
    rows, keys = q_BHLE.shape[2], k_BGKE.shape[2]
    spare, more = rounded(rows) - rows, rounded(keys) - keys
    if rows <= FEW or not (spare or more):
        return attend(q_BHLE, k_BGKE, v_BGKE, mask)
    seen = torch.ones((1, 1, 1, keys), dtype=torch.bool) if mask is None else mask
    seen = F.pad(seen, (0, more))  # nobody sees what is no key
    if seen.shape[2] > 1:
        seen = F.pad(seen, (0, 0, 0, spare), value=True)
    q, k, v = F.pad(q_BHLE, (0, 0, 0, spare)), F.pad(k_BGKE, (0, 0, 0, more)), F.pad(v_BGKE, (0, 0, 0, more))
    return attend(q, k, v, seen)[:, :, :rows]


def has_onednn() -> bool:
    """Whether this torch has the operators, which are those its own compiler calls, and no public part of it."""
    is_built: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return is_built and all(hasattr(torch.ops.mkldnn, name) for name in OPERATORS)


def _checked(layer: Any) -> Layer:
    assert type(layer) is Layer, "a network is packed once"
    return layer
