"""A network with int8 weights and int8 activations, for inference on a CPU: half the memory of bfloat16.

Each output of a matrix has a scale of its own, and so has each token, measured as it comes (symmetric, absolute maximum
to 127, as LLM.int8 does without its outliers; Dettmers et al. 2022, arXiv 2208.07339). The products are oneDNN's, which
takes AMX or VNNI where the processor has them. Norms, attention and the stream stay in bfloat16 or float32. Letters as
in `engine.model.network`.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.network import Layer, Network, normed
from engine.model.onednn import attend_rounded, rounded

TOKENS = 64
"""For so many at once oneDNN's order of a matrix is chosen; it serves other numbers as well."""
MOST = 127
LEAST = 1e-8
"""A scale is never less, so that zeros can be divided by it."""


def quantized(x: Tensor) -> tuple[Tensor, Tensor]:
    """Int8 of the last axis's entries, and their scale, float32, with an axis of one."""
    wide = x.float()
    scale = wide.abs().amax(-1, keepdim=True).clamp_(min=LEAST).div_(MOST)
    return (wide / scale).round_().to(torch.int8), scale


class Int8Linear:
    """A matrix as int8 in oneDNN's order."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        whole, scale = quantized(weight)
        self._weight: Tensor = torch.ops.onednn.qlinear_prepack(whole, [TOKENS, weight.shape[1]])
        self._scale, self._zero = scale.squeeze(1), torch.zeros(len(weight), dtype=torch.int32)
        self._bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        whole, scale = quantized(x)
        made: Tensor = torch.ops.onednn.qlinear_pointwise(
            whole, 1.0, 0, self._weight, self._scale, self._zero, None, 1.0, 0, torch.float32, "none", [], ""
        )
        made = made.mul_(scale).to(x.dtype)
        return made if self._bias is None else made + self._bias


class Int8Layer(Layer):
    """A layer of int8 matrices."""

    def __init__(self, layer: Layer) -> None:
        nn.Module.__init__(self)
        self.config, self.experts = layer.config, None
        self.attention_norm, self.hidden_norm = layer.attention_norm, layer.hidden_norm
        self.query_norm, self.key_norm = layer.query_norm, layer.key_norm
        self._qkv = Int8Linear(layer.qkv.weight, layer.qkv.bias)
        self._out, self._gate_up = Int8Linear(layer.out.weight), Int8Linear(layer.gate_up.weight)
        self._down = Int8Linear(layer.down.weight)

    def project(self, x_ND: Tensor) -> Tensor:
        return self._qkv(x_ND)

    def leave(self, x_ND: Tensor, mixed_ND: Tensor, blocks_N: Tensor | None = None) -> Tensor:
        assert blocks_N is None, "there are no experts to choose"
        x_ND = x_ND + self._out(mixed_ND)
        gate, up = self._gate_up(normed(x_ND, self.hidden_norm, self.config.norm_eps)).chunk(2, dim=-1)
        return x_ND + self._down(F.silu(gate) * up)


class Int8Embedding(nn.Module):
    """One int8 table, from which tokens are looked up and against which features are multiplied."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        table, scale = quantized(weight)
        self.register_buffer("weight", table)
        self.register_buffer("scale", scale)
        self._dtype = weight.dtype

    def forward(self, ids_N: Tensor) -> Tensor:
        """The embeddings of tokens, (N, D)."""
        table, scale = self.get_buffer("weight"), self.get_buffer("scale")
        return (F.embedding(ids_N, table).float() * F.embedding(ids_N, scale)).to(self._dtype)

    def logits(self, features: Tensor) -> Tensor:
        """Scores of every token, (..., V)."""
        whole, scale = quantized(features.reshape(-1, features.shape[-1]))
        table = self.get_buffer("weight")
        made = torch._int_mm(whole, table.t()).float().mul_(scale).mul_(self.get_buffer("scale").t())
        return made.to(features.dtype).view(*features.shape[:-1], -1)


def quantize(network: Network) -> Network:
    """The network itself with int8 weights. It cannot be trained or saved after that.

    Raises:
        ValueError: it has experts or an output of its own, or is not on a CPU.
    """
    if network.config.experts is not None or not network.config.tied:
        raise ValueError("int8 is for networks without experts whose output shares the embedding's weights")
    if network.embedding.weight.device.type != "cpu":
        raise ValueError(f"int8 runs on a CPU, not on {network.embedding.weight.device}")
    network.count = network.parameter_count()
    network.layers = nn.ModuleList(Int8Layer(layer) for layer in network.layers if isinstance(layer, Layer))
    table = Int8Embedding(network.embedding.weight)
    network.rounded, network.attend = rounded, attend_rounded
    network.stream_dtype = network.embedding.weight.dtype
    network.embedding, network.output = table, table.logits  # type: ignore[assignment]
    return network
