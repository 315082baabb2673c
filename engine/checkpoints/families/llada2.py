"""LLaDA2: experts, blocks of 32, logits in place; 2.1 replaces visible tokens, 2.2 deletes and inserts too."""

from dataclasses import replace

from engine.checkpoints.families.family import Family, Ids, Rule, Turns
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import Keys, Place, feed_keys
from engine.checkpoints.families.rope import read_rope
from engine.checkpoints.families.shapes import refuse_what_is_not_read
from engine.model.config import ExpertsConfig, ModelConfig


def _experts(config: Fields, *, grouped: bool) -> ExpertsConfig:
    config.must("score_function", "sigmoid")
    hidden = config.count("moe_intermediate_size", "hidden")
    return ExpertsConfig(
        count=config.count("num_experts", "experts"),
        chosen=config.count("num_experts_per_tok", "experts"),
        hidden=hidden,
        scores="sigmoid",
        biased=config.switch("moe_router_enable_expert_bias", True),
        groups=config.count("n_group", "experts") if grouped else 1,
        chosen_groups=config.count("topk_group", "experts") if grouped else 1,
        renormalised=config.switch("norm_topk_prob", True),
        scale=config.number("routed_scaling_factor", 2.5),
        shared_hidden=hidden * config.count("num_shared_experts", "experts", 1),
        dense_layers=config.count("first_k_dense_replace", "layers", 1),
    )


def _shape(config: Fields, *, grouped: bool = True) -> ModelConfig:
    refuse_what_is_not_read(config)
    for name in ("use_qkv_bias", "use_bias", "norm_head"):
        config.must(name, False)
    config.must("use_qk_norm", True)
    width, heads = config.count("hidden_size", "width"), config.count("num_attention_heads", "heads")
    head_width = config.count("head_dim", "head", max(width // heads, 1))
    tokens = config.count("max_position_embeddings", "tokens")
    rope = read_rope(config, head_width, tokens, theta=600_000.0, part=0.5)
    config.must("rotary_dim", rope.width)
    return ModelConfig(
        vocabulary=config.count("vocab_size", "vocabulary"),
        width=width,
        layers=config.count("num_hidden_layers", "layers"),
        heads=heads,
        kv_heads=config.count("num_key_value_heads", "heads"),
        hidden=config.count("intermediate_size", "hidden"),
        rope_theta=rope.theta,
        norm_eps=config.share("rms_norm_eps", 1e-6),
        max_tokens=rope.max_tokens,
        head_size=head_width,
        rotary_size=rope.width,
        rotary_rates=rope.rates,
        tied=config.switch("tie_word_embeddings", False),
        experts=_experts(config, grouped=grouped),
    )


def _block_routed(config: Fields) -> ModelConfig:
    """LLaDA2.2's: a block's tokens choose from `expert_capacity` experts, groups play no part."""
    shape = _shape(config, grouped=False)
    assert shape.experts is not None
    experts = replace(
        shape.experts,
        block=config.count("block_size", "tokens", 32),
        block_chosen=config.count("expert_capacity", "experts"),
    )
    return replace(shape, experts=experts)


def _keys(config: ModelConfig) -> Keys:
    keys = {
        "model.word_embeddings.weight": Place("embedding.weight"),
        "model.norm.weight": Place("final_norm"),
    }
    if not config.tied:
        keys["lm_head.weight"] = Place("head.weight")
    for i in range(config.layers):
        theirs, ours = f"model.layers.{i}.", f"layers.{i}."
        keys |= {
            f"{theirs}input_layernorm.weight": Place(f"{ours}attention_norm"),
            f"{theirs}post_attention_layernorm.weight": Place(f"{ours}hidden_norm"),
            f"{theirs}attention.query_key_value.weight": Place(f"{ours}qkv.weight"),
            f"{theirs}attention.dense.weight": Place(f"{ours}out.weight"),
            f"{theirs}attention.query_layernorm.weight": Place(f"{ours}query_norm"),
            f"{theirs}attention.key_layernorm.weight": Place(f"{ours}key_norm"),
        }
        keys |= feed_keys(config, i, f"{theirs}mlp.")
    return keys


LLADA2 = Family(
    name="llada2",
    checkpoints=("inclusionAI/LLaDA2.0-mini", "inclusionAI/LLaDA2.0-flash"),
    licence="Apache-2.0",
    shape=_shape,
    keys=_keys,
    sources={
        "mask": "tokenizer of LLaDA2.0-mini: <|mask|>; SGLang's table",
        "stops": "config.json of LLaDA2.0-mini; the id of <|role_end|>, which ends a turn, was not found",
        "block": "SGLang's table of diffusion models",
        "grid": "dllm, LLaDA2Sampler",
        "sight": "dllm, LLaDA2Sampler",
        "logits": "dllm, LLaDA2Sampler",
        "rule": "LLaDA2.0 report; dllm, LLaDA2Sampler",
        "chat": "tokenizer_config.json of LLaDA2.1-flash; SGLang's documents",
        "keys": "dllm, modeling_llada2_moe.py; the loader test of xLLM",
        "licence": "model cards",
    },
    model_types=("llada2_moe",),
    ids=Ids(mask=156895, stops=(156892,), pad=156892),
    block=32,
    template=Turns(
        "<role>SYSTEM</role>detailed thinking off<|role_end|><role>HUMAN</role>",
        "<|role_end|><role>ASSISTANT</role>",
    ),
    rule=Rule("above or scheduled", threshold=0.95, schedule="block", steps=32),
)

LLADA21 = replace(
    LLADA2,
    name="llada2.1",
    checkpoints=("inclusionAI/LLaDA2.1-mini", "inclusionAI/LLaDA2.1-flash"),
    sources=dict(LLADA2.sources) | {"rule": "LLaDA2.1 report; dllm, LLaDA21Sampler"},
    model_types=("llada2_moe", "llada21_moe"),  # dllm renames it so
    hints=("llada2.1", "llada21"),
    rule=Rule("best and above", threshold=0.95, edit_threshold=0.9, edit_rounds=16),
)

LLADA22 = replace(
    LLADA2,
    name="llada2.2",
    checkpoints=("inclusionAI/LLaDA2.2-flash",),
    shape=_block_routed,
    sources=dict(LLADA2.sources)
    | {
        "routing": "LLaDA2.2 report; SGLang, pull request 31743",
        "edits": "unverified: a third party's converter, Akicou/diffuse-cpp; config.json wins",
        "rule": "LLaDA2.2 report; SGLang, JointThresholdInDel",
        "keys": "a third party's converter, Akicou/diffuse-cpp; SGLang, which reads LLaDA2.0's",
    },
    hints=("llada2.2", "llada22"),
    marks=("expert_capacity",),
    ids=replace(LLADA2.ids, delete=156930, insert=156931),
    block_field="block_size",
    rule=Rule("above or opened", threshold=0.5, edit_threshold=0.0, edit_rounds=16),
)
