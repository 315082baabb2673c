"""SDAR: Qwen3, dense and with experts, in blocks of four and more, logits in place."""

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import llama_keys
from engine.checkpoints.families.shapes import qwen3_moe_shape, transformers_shape
from engine.model.config import ModelConfig

_IDS = Ids(mask=151669, stops=(151645, 151643), pad=151643)
_RULE = Rule("above or scheduled", threshold=0.85, schedule="block")
_SOURCES = {
    "mask": "README and generate.py of JetAstra/SDAR: <|MASK|>",
    "stops": "unverified: the list in generation_config.json was not found; ChatML's and config.json's",
    "block": "generate.py of JetAstra/SDAR; -b8 to -b64 checkpoints say theirs in the name alone",
    "grid": "generate.py of JetAstra/SDAR, block_diffusion_generate",
    "sight": "generate.py of JetAstra/SDAR, block_diffusion_generate",
    "logits": "generate.py of JetAstra/SDAR, block_diffusion_generate",
    "rule": "generate.py of JetAstra/SDAR: low_confidence_dynamic",
    "chat": "unverified: ChatML, as Qwen3",
    "keys": "config.json of SDAR-4B-Chat; names of Qwen3 one to one",
    "licence": "model cards",
}


def _shape(config: Fields) -> ModelConfig:
    return transformers_shape(config, theta=1_000_000.0, normed_heads=True, head=128)


SDAR = Family(
    name="sdar",
    checkpoints=("JetLM/SDAR-1.7B-Chat", "JetLM/SDAR-4B-Chat", "JetLM/SDAR-8B-Chat"),
    licence="Apache-2.0",
    shape=_shape,
    keys=llama_keys,
    sources=_SOURCES,
    model_types=("sdar",),
    ids=_IDS,
    block=4,
    block_field="block_size",
    block_in_name=r"-b(\d{1,4})(?![\w.])",
    rule=_RULE,
)

SDAR_MOE = Family(
    name="sdar-moe",
    checkpoints=("JetLM/SDAR-30B-A3B-Chat", "JetLM/SDAR-30B-A3B-Sci"),
    licence="Apache-2.0",
    shape=qwen3_moe_shape,
    keys=llama_keys,
    sources=_SOURCES
    | {
        "keys": "unverified: the README says Qwen3-30B-A3B; neither its config nor its tensor names were found"
    },
    model_types=("sdar_moe",),
    ids=_IDS,
    block=4,
    block_field="block_size",
    block_in_name=SDAR.block_in_name,
    rule=_RULE,
)
