"""The network: a plain pre-norm transformer whose attention sees whatever the mask allows.

RMSNorm (Zhang & Sennrich 2019), rotary positions (Su et al. 2021), SwiGLU (Shazeer 2020), grouped-query attention
(Ainslie et al. 2023) with normalised queries and keys (Henry et al. 2020); embedding and output share weights. The
config's options leave parts of this out, as Llama, Qwen2 and Qwen3 do.

Letters: B rows, L tokens a row, N = B*L tokens of the input, K keys (cached ones first), H heads, G key-value heads,
E head width, D width, V vocabulary. Knows nothing of tokens' meaning, of corruption or of sampling.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.cache import KeyValues, LayerCache
from engine.model.config import ModelConfig
from engine.model.exit_head import ExitHead
from engine.model.experts import Experts, blocks


def rotary(positions_N: Tensor, config: ModelConfig) -> tuple[Tensor, Tensor]:
    """Cosines and sines for each position, float32, each (N, rotary width / 2)."""
    device, width = positions_N.device, config.rotary_width
    if config.rotary_rates:
        rates = torch.tensor(config.rotary_rates, device=device, dtype=torch.float32)
    else:
        rates = config.rope_theta ** (-torch.arange(0, width, 2, device=device, dtype=torch.float32) / width)
    angles = positions_N.to(torch.float32)[..., None] * rates
    return angles.cos(), angles.sin()


def rotate(x_NHE: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn the halves of each head's first entries by its position's angles, in float32; the input's dtype returns."""
    turned, rest = x_NHE.tensor_split([2 * cos.shape[-1]], dim=-1)
    a, b = turned.float().chunk(2, dim=-1)
    cos, sin = cos[..., None, :], sin[..., None, :]
    done = torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1).to(x_NHE.dtype)
    return torch.cat([done, rest], dim=-1) if rest.shape[-1] else done


def normed(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """RMSNorm over the last axis, computed in float32."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps) * weight).to(x.dtype)


class Layer(nn.Module):
    """Attention, then SwiGLU, each on the normed stream and added to it.

    `enter` and `leave` hold everything but attention itself: they see tokens one by one, whatever the rows, so that a
    compiled training step keeps one shape.
    """

    def __init__(self, config: ModelConfig, index: int) -> None:
        super().__init__()
        self.config = config
        d, e = config.width, config.head_width
        self.attention_norm = nn.Parameter(torch.ones(d))
        self.query_norm = nn.Parameter(torch.ones(e)) if config.normed_heads else None
        self.key_norm = nn.Parameter(torch.ones(e)) if config.normed_heads else None
        self.qkv = nn.Linear(d, (config.heads + 2 * config.kv_heads) * e, bias=config.qkv_bias)
        self.out = nn.Linear(config.heads * e, d, bias=False)
        self.hidden_norm = nn.Parameter(torch.ones(d))
        self.experts: Experts | None = None
        if config.experts is not None and index >= config.experts.dense_layers:
            self.experts = Experts(config.experts, d)
        else:
            self.gate_up = nn.Linear(d, 2 * config.hidden, bias=False)
            self.down = nn.Linear(config.hidden, d, bias=False)

    def enter(self, x_ND: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries (N, H, E), keys and values (N, G, E)."""
        c = self.config
        qkv = self.project(normed(x_ND, self.attention_norm, c.norm_eps)).view(len(x_ND), -1, c.head_width)
        qk, v = qkv[:, : c.heads + c.kv_heads], qkv[:, c.heads + c.kv_heads :]
        if self.query_norm is not None and self.key_norm is not None:
            weights = [self.query_norm.expand(c.heads, -1), self.key_norm.expand(c.kv_heads, -1)]
            qk = normed(qk, torch.cat(weights), c.norm_eps)
        turned = rotate(qk, cos, sin)
        return turned[:, : c.heads], turned[:, c.heads :], v

    def project(self, x_ND: Tensor) -> Tensor:
        """Queries, keys and values of all heads, one after another."""
        projected: Tensor = self.qkv(x_ND)
        return projected

    def leave(self, x_ND: Tensor, mixed_ND: Tensor, blocks_N: Tensor | None = None) -> Tensor:
        """The stream after attention's result and the feed-forward part; `blocks_N` as in `Experts.route`."""
        x_ND = x_ND + self.out(mixed_ND)
        return x_ND + self.feed(normed(x_ND, self.hidden_norm, self.config.norm_eps), blocks_N)

    def feed(self, x_ND: Tensor, blocks_N: Tensor | None = None) -> Tensor:
        """One SwiGLU, or experts."""
        if self.experts is not None:
            return self.experts.forward(x_ND, blocks_N)
        gate, up = self.gate_up(x_ND).chunk(2, dim=-1)
        fed: Tensor = self.down(F.silu(gate) * up)
        return fed


def attend(q_BHLE: Tensor, k_BGKE: Tensor, v_BGKE: Tensor, mask: Tensor | None) -> Tensor:
    """Scaled dot-product attention, (B, H, L, E); `mask` is broadcast against (B, H, L, K), True where seen."""
    grouped = q_BHLE.shape[1] != k_BGKE.shape[1]
    return F.scaled_dot_product_attention(q_BHLE, k_BGKE, v_BGKE, attn_mask=mask, enable_gqa=grouped)


class Network(nn.Module):
    """Tokens to features, features to logits."""

    attend = staticmethod(attend)
    """Attention; training may put a faster form of the same function here."""
    output: Callable[[Tensor], Tensor] | None = None
    """A faster form of the product with the output's weights."""
    rounded: Callable[[int], int] = staticmethod(int)
    """How many tokens run through the layers where so many are read; the others are padding."""
    stream_dtype: torch.dtype | None = None
    """Of what runs through the layers, where the weights' type does not tell."""
    count: int | None = None
    """Of the parameters, where some have been packed away."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        table = torch.empty(config.vocabulary, config.width)
        if not table.is_meta:  # there a normal draw would import torch's whole compiler
            nn.init.normal_(table)
        self.embedding = nn.Embedding(config.vocabulary, config.width, _weight=table)
        self.layers = nn.ModuleList(Layer(config, i) for i in range(config.layers))
        self.final_norm = nn.Parameter(torch.ones(config.width))
        self.scope = nn.Linear(config.width, 1)
        if not config.tied:
            self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        self.exit = ExitHead(config.exit_hidden) if config.exit_hidden else None
        if not table.is_meta:
            self._initialise()

    def _initialise(self) -> None:
        std = 0.02
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                deep = name.endswith(("out.weight", "down.weight", "experts.down"))
                nn.init.normal_(parameter, std=std / (2 * self.config.layers) ** 0.5 if deep else std)
        nn.init.zeros_(self.scope.bias)

    def forward(
        self,
        ids_BL: Tensor,
        positions_BL: Tensor,
        mask_BLK: Tensor | None,
        cache: list[LayerCache] | KeyValues | None = None,
        *,
        keep: list[LayerCache] | None = None,
    ) -> Tensor:
        """Features of each token, (B, L, D).

        Args:
            ids_BL: int64 tokens.
            positions_BL: int64 positions from 0; cached tokens keep theirs.
            mask_BLK: True where a token may see a key (cached keys first), or None: every token sees every key.
            cache: keys and values of tokens before these, one entry a layer; `KeyValues` also take up those of these.
            keep: a list that receives the keys and values of all of them, cached ones first, one entry a layer.
        """
        c = self.config
        shape, count = ids_BL.shape, ids_BL.numel()
        spare = (0, self.rounded(count) - count if c.experts is None else 0)
        cos, sin = rotary(F.pad(positions_BL.flatten(), spare), c)
        x = self.embedding(F.pad(ids_BL.flatten(), spare)).to(self.compute_dtype)
        bias = None if mask_BLK is None else mask_BLK[:, None]
        routed = c.experts.block if c.experts is not None else 0
        blocks_N = blocks(positions_BL, routed) if routed else None
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, Layer)
            entered = layer.enter(x, cos, sin)
            q, k, v = (t[:count].view(*shape, -1, c.head_width).transpose(1, 2) for t in entered)
            if isinstance(cache, KeyValues):
                k, v = cache.write(i, k, v)
            elif cache is not None:
                k, v = torch.cat([cache[i][0], k], dim=2), torch.cat([cache[i][1], v], dim=2)
            if keep is not None:
                keep.append((k, v))
            mixed = self.attend(q, k, v, bias).transpose(1, 2).flatten(-2).flatten(0, 1)
            x = layer.leave(x, F.pad(mixed, (0, 0, *spare)) if spare[1] else mixed, blocks_N)
        return normed(x[:count], self.final_norm, c.norm_eps).view(*shape, c.width)

    def drop_exit(self) -> None:
        """Be without an exit head from now on: training the other weights makes it worthless."""
        self.exit = None
        self.config = replace(self.config, exit_hidden=0)

    def logits(self, features: Tensor) -> Tensor:
        """Scores of every token, (..., V), in the features' dtype."""
        if self.output is not None:
            count = features.shape[:-1].numel()
            spare = self.rounded(count) - count
            rows = F.pad(features.flatten(0, -2), (0, 0, 0, spare)) if spare else features
            found = self.output(rows)
            return found[:count].view(*features.shape[:-1], -1) if spare else found
        weight = self.embedding.weight if self.config.tied else self.head.weight
        return F.linear(features, weight.to(features.dtype))

    @property
    def compute_dtype(self) -> torch.dtype:
        """bfloat16 inside autocast (training keeps float32 weights), else the weights' own."""
        if self.stream_dtype is not None:
            return self.stream_dtype
        device = self.embedding.weight.device.type
        if torch.is_autocast_enabled(device):
            return torch.get_autocast_dtype(device)
        return self.embedding.weight.dtype

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters()) if self.count is None else self.count
