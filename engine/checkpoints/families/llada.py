"""LLaDA-8B and iLLaDA: every token sees every token, blocks of 32 counted from the prompt's end, logits in place."""

from dataclasses import replace

from engine.checkpoints.families.family import Family, Ids, Rule, Turns
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import Keys, Place, qkv_parts
from engine.checkpoints.families.stable_diffcoder import SEED_CODER
from engine.model.config import ModelConfig

_FIXED: dict[str, object] = {
    "activation_type": "silu",
    "block_type": "llama",
    "layer_norm_type": "rms",
    "alibi": False,
    "rope": True,
    "attention_layer_norm": False,
    "include_bias": False,
    "include_qkv_bias": False,
    "input_emb_norm": False,
    "scale_logits": False,
    "multi_query_attention": False,
    "bias_for_layer_norm": False,
}
"""Options of OLMo's config, which LLaDA took over, at the values that its checkpoints have."""


def _shape(config: Fields) -> ModelConfig:
    for name, value in _FIXED.items():
        config.must(name, value)
    config.must("quantization_config")
    config.must("rope_scaling")
    vocabulary = config.count("vocab_size", "vocabulary")
    heads = config.count("n_heads", "heads")
    return ModelConfig(
        vocabulary=config.count("embedding_size", "vocabulary", vocabulary),
        width=config.count("d_model", "width"),
        layers=config.count("n_layers", "layers"),
        heads=heads,
        kv_heads=config.count("n_kv_heads", "heads", heads),
        hidden=config.count("mlp_hidden_size", "hidden"),
        rope_theta=config.number("rope_theta", 500_000.0),
        norm_eps=config.share("rms_norm_eps", 1e-5),
        max_tokens=config.count("max_sequence_length", "tokens", 4096),
        normed_heads=False,
        tied=config.switch("weight_tying", False),
    )


def _keys(config: ModelConfig) -> Keys:
    body = "model.transformer."
    keys = {f"{body}wte.weight": Place("embedding.weight"), f"{body}ln_f.weight": Place("final_norm")}
    if not config.tied:
        keys[f"{body}ff_out.weight"] = Place("head.weight")
    for i in range(config.layers):
        theirs, ours = f"{body}blocks.{i}.", f"layers.{i}."
        keys |= {
            f"{theirs}attn_norm.weight": Place(f"{ours}attention_norm"),
            f"{theirs}ff_norm.weight": Place(f"{ours}hidden_norm"),
            f"{theirs}attn_out.weight": Place(f"{ours}out.weight"),
            f"{theirs}ff_proj.weight": Place(f"{ours}gate_up.weight", rows=(0, config.hidden)),
            f"{theirs}up_proj.weight": Place(
                f"{ours}gate_up.weight", rows=(config.hidden, 2 * config.hidden)
            ),
            f"{theirs}ff_out.weight": Place(f"{ours}down.weight"),
        }
        keys |= {f"{theirs}{part}_proj.weight": place for part, place in qkv_parts(config, ours, "weight")}
    return keys


LLADA = Family(
    name="llada",
    checkpoints=("GSAI-ML/LLaDA-8B-Base", "GSAI-ML/LLaDA-8B-Instruct"),
    licence="MIT",
    shape=_shape,
    keys=_keys,
    sources={
        "mask": "generate.py of ML-GSAI/LLaDA: <|mdm_mask|>",
        "stops": "generate.py of ML-GSAI/LLaDA: end of text 126081, end of turn 126348",
        "block": "generate.py of ML-GSAI/LLaDA",
        "grid": "generate.py of ML-GSAI/LLaDA",
        "sight": "generate.py of ML-GSAI/LLaDA",
        "logits": "generate.py of ML-GSAI/LLaDA",
        "rule": "generate.py of ML-GSAI/LLaDA: low_confidence",
        "chat": "unverified: headers as Llama 3's, with the tokenizer's start of text",
        "keys": "dllm, modeling_llada.py",
        "licence": "unverified: MIT by the model card, not read again",
    },
    model_types=("llada",),
    architectures=("LLaDAModelLM",),
    ids=Ids(mask=126336, stops=(126081, 126348), pad=126081),
    block=32,
    grid="prompt",
    sight="everything",
    template=Turns(
        "<|startoftext|><|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    ),
    rule=Rule("scheduled", heated=False),
)

ILLADA = replace(
    LLADA,
    name="illada",
    checkpoints=("GSAI-ML/iLLaDA-8B",),
    licence="not found",
    sources=dict(LLADA.sources)
    | {
        "mask": "README of ML-GSAI/LLaDA: Seed-Coder's tokenizer",
        "stops": "unverified: Seed-Coder's",
        "chat": "unverified: Seed-Coder's",
        "keys": "unverified: LLaDA's",
        "licence": "unverified: not found",
    },
    hints=("illada",),
    ids=Ids(mask=5, stops=(2,), pad=1),
    template=SEED_CODER,
)
