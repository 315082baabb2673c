"""Fast-dLLM v2: Qwen2.5 in blocks of 32, finished eight by eight, logits for the next position."""

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import llama_keys
from engine.checkpoints.families.shapes import transformers_shape
from engine.model.config import ModelConfig


def _shape(config: Fields) -> ModelConfig:
    return transformers_shape(config, theta=1_000_000.0, qkv_bias=True)


FAST_DLLM_V2 = Family(
    name="fast-dllm-v2",
    checkpoints=("Efficient-Large-Model/Fast_dLLM_v2_1.5B", "Efficient-Large-Model/Fast_dLLM_v2_7B"),
    licence="Apache-2.0",
    shape=_shape,
    keys=llama_keys,
    sources={
        "mask": "model card and tokenizer: |<MASK>|",
        "stops": "config.json of Fast_dLLM_v2_7B",
        "block": "config.json of Fast_dLLM_v2_7B: bd_size",
        "grid": "generation_functions.py of Fast-dLLM v2",
        "sight": "generation_functions.py of Fast-dLLM v2",
        "logits": "generation_functions.py of Fast-dLLM v2",
        "rule": "generation_functions.py of Fast-dLLM v2, batch_sample",
        "chat": "unverified: ChatML, as Qwen2.5",
        "keys": "SGLang's wrapper subclasses Qwen2ForCausalLM",
        "licence": "model cards",
    },
    model_types=("Fast_dLLM_Qwen",),
    ids=Ids(mask=151665, stops=(151645,), pad=151645),
    block=32,
    block_field="bd_size",
    shifted=True,
    opened=True,
    rule=Rule("best and above", threshold=0.95, part=8, top_p=0.95),
)
