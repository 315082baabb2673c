"""Autoregressive Llama, Qwen2, Qwen3 and Qwen3-MoE: the baseline, and a start for training."""

from engine.checkpoints.families.family import Family, Rule
from engine.checkpoints.families.keys import llama_keys
from engine.checkpoints.families.shapes import llama_shape, qwen2_shape, qwen3_moe_shape, qwen3_shape

_SOURCES = {
    "stops": "the checkpoint's config",
    "sight": "transformers 5.23 models/{}",
    "logits": "transformers 5.23 models/{}",
    "rule": "greedy decoding",
    "chat": "unverified: ChatML; most checkpoints bring a template",
    "keys": "transformers 5.23 models/{}",
    "licence": "the checkpoint's own card",
}


def _sources(model: str) -> dict[str, str]:
    return {fact: source.format(model) for fact, source in _SOURCES.items()}


LLAMA = Family(
    name="llama",
    checkpoints=("meta-llama/Llama-3.2-1B", "ByteDance-Seed/Seed-Coder-8B-Instruct"),
    licence="each its own",
    shape=llama_shape,
    keys=llama_keys,
    sources=_sources("llama"),
    model_types=("llama",),
    architectures=("LlamaForCausalLM",),
    sight="past",
    shifted=True,
    opened=True,
    rule=Rule("next"),
)

QWEN2 = Family(
    name="qwen2",
    checkpoints=("Qwen/Qwen2.5-Coder-0.5B", "Qwen/Qwen2.5-Coder-7B-Instruct"),
    licence="each its own",
    shape=qwen2_shape,
    keys=llama_keys,
    sources=_sources("qwen2"),
    model_types=("qwen2",),
    architectures=("Qwen2ForCausalLM",),
    sight="past",
    shifted=True,
    opened=True,
    rule=Rule("next"),
)

QWEN3 = Family(
    name="qwen3",
    checkpoints=("Qwen/Qwen3-1.7B", "Qwen/Qwen3-8B"),
    licence="each its own",
    shape=qwen3_shape,
    keys=llama_keys,
    sources=_sources("qwen3"),
    model_types=("qwen3",),
    architectures=("Qwen3ForCausalLM",),
    sight="past",
    shifted=True,
    opened=True,
    rule=Rule("next"),
)

QWEN3_MOE = Family(
    name="qwen3-moe",
    checkpoints=("Qwen/Qwen3-30B-A3B", "Qwen/Qwen3-Coder-30B-A3B-Instruct"),
    licence="each its own",
    shape=qwen3_moe_shape,
    keys=llama_keys,
    sources=_sources("qwen3_moe"),
    model_types=("qwen3_moe",),
    architectures=("Qwen3MoeForCausalLM",),
    sight="past",
    shifted=True,
    opened=True,
    rule=Rule("next"),
)
