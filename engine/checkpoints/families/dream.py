"""Dream's kin, Dream-Coder and DiffuCoder, and Open-dCoder: Qwen2.5 that sees everything, logits shifted by one."""

from dataclasses import replace

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import llama_keys
from engine.checkpoints.families.shapes import transformers_shape
from engine.model.config import ModelConfig


def _shape(config: Fields) -> ModelConfig:
    return transformers_shape(config, theta=1_000_000.0, qkv_bias=True)


DREAM_CODER = Family(
    name="dream-coder",
    checkpoints=("Dream-org/Dream-Coder-v0-Instruct-7B",),
    licence="Apache-2.0",
    shape=_shape,
    keys=llama_keys,
    sources={
        "mask": "configuration_dream.py, default; that its text is <|mask|> is unverified",
        "stops": "configuration_dream.py",
        "block": "generation_utils.py of Dream: the whole answer is one block",
        "grid": "generation_utils.py of Dream",
        "sight": "modeling_dream.py",
        "logits": "generation_utils.py of Dream",
        "rule": "README of Dream-Coder: entropy, temperature 0.1, top-p 0.95",
        "chat": "unverified: ChatML, as Qwen2.5",
        "keys": "modeling_dream.py: Qwen2's names",
        "licence": "unverified: the repository's; the weights' card was not read again",
    },
    model_types=("Dream", "dream"),
    ids=Ids(mask=151666, stops=(151643,), pad=151643),
    block=768,
    grid="prompt",
    sight="everything",
    shifted=True,
    rule=Rule("scheduled", sureness="entropy", schedule="time", temperature=0.1, top_p=0.95),
)

DIFFUCODER = replace(
    DREAM_CODER,
    name="diffucoder",
    checkpoints=("apple/DiffuCoder-7B-Base", "apple/DiffuCoder-7B-Instruct", "apple/DiffuCoder-7B-cpGRPO"),
    licence="apple-amlr: research only",
    sources=dict(DREAM_CODER.sources)
    | {
        "rule": "README of DiffuCoder: entropy, temperature 0.3, top-p 0.95, 256 tokens",
        "licence": "model cards",
    },
    hints=("diffucoder",),
    block=256,
    rule=replace(DREAM_CODER.rule, temperature=0.3),
)

OPEN_DCODER = replace(
    DREAM_CODER,
    name="open-dcoder",
    checkpoints=("fredzzp/open-dcoder-0.5B",),
    sources=dict(DREAM_CODER.sources)
    | {
        "mask": "unverified: <M> in added_tokens.json, as a third party reads it; the config names none",
        "stops": "config.json of Qwen2.5-Coder-0.5B",
        "block": "sample.py of pengzhangzhi/Open-dLLM: the whole answer is one block",
        "grid": "generation_utils.py of Open-dLLM, _mdm_sample",
        "sight": "veomni's Qwen2ForCausalLM, is_causal=False",
        "logits": "generation_utils.py of Open-dLLM, _mdm_sample",
        "rule": "sample.py of pengzhangzhi/Open-dLLM: entropy, temperature 0.5 to 0.7",
        "keys": "veomni's Qwen2ForCausalLM: Qwen2's names",
        "licence": "unverified: the repository's; the weights' was not found",
    },
    model_types=("qwen2",),
    architectures=("Qwen2ForCausalLM",),
    hints=("open-dcoder", "open_dcoder", "opendcoder"),
    ids=Ids(mask=151665, stops=(151643,), pad=151643),
    block=128,
    rule=Rule("scheduled", sureness="entropy", softmax="float32", schedule="time", temperature=0.6),
)
