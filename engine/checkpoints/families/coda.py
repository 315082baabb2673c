"""CoDA: Qwen3-1.7B that sees everything, logits for the next position."""

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import llama_keys
from engine.checkpoints.families.shapes import transformers_shape
from engine.model.config import ModelConfig


def _shape(config: Fields) -> ModelConfig:
    return transformers_shape(config, theta=1_000_000.0, normed_heads=True, tied=True, head=128)


CODA = Family(
    name="coda",
    checkpoints=("Salesforce/CoDA-v0-Base", "Salesforce/CoDA-v0-Instruct"),
    licence="CC-BY-NC-4.0: not for commercial use",
    shape=_shape,
    keys=llama_keys,
    sources={
        "mask": "generation_utils.py of SalesforceAIResearch/CoDA: <|mask|>",
        "stops": "generation_utils.py of SalesforceAIResearch/CoDA: <|im_end|>",
        "block": "generation_utils.py of SalesforceAIResearch/CoDA: the whole answer is one; its server sets 32",
        "grid": "generation_utils.py of SalesforceAIResearch/CoDA",
        "sight": "modeling_coda.py, is_causal=False",
        "logits": "generation_utils.py of SalesforceAIResearch/CoDA, line 457",
        "rule": "generation_utils.py of SalesforceAIResearch/CoDA: entropy; chance in the order is left out",
        "chat": "SalesforceAIResearch/CoDA: ChatML",
        "keys": "modeling_coda.py: Qwen3's names; tied by default in model_config.py",
        "licence": "LICENSE of SalesforceAIResearch/CoDA",
    },
    model_types=("CoDA", "coda"),
    ids=Ids(mask=151669, stops=(151645,), pad=151643),
    block=128,
    grid="prompt",
    sight="everything",
    shifted=True,
    rule=Rule("scheduled", sureness="entropy", schedule="time"),
)
