"""Stable-DiffCoder: a Llama in blocks of four, logits in place. Its config says `llama`, as its AR twin's does."""

from engine.checkpoints.families.family import Family, Ids, Rule, Turns
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import llama_keys
from engine.checkpoints.families.shapes import transformers_shape
from engine.model.config import ModelConfig

SEED_CODER = Turns("<[begin▁of▁sentence]>user\n", "<[end▁of▁sentence]><[begin▁of▁sentence]>assistant\n")
"""Seed-Coder's turns, as third parties write them out."""


def _shape(config: Fields) -> ModelConfig:
    return transformers_shape(config, theta=500_000.0)


STABLE_DIFFCODER = Family(
    name="stable-diffcoder",
    checkpoints=("ByteDance-Seed/Stable-DiffCoder-8B-Base", "ByteDance-Seed/Stable-DiffCoder-8B-Instruct"),
    licence="MIT",
    shape=_shape,
    keys=llama_keys,
    sources={
        "mask": "model card and tokenizer of Stable-DiffCoder-8B-Instruct: <[MASK_TOKEN]>",
        "stops": "config.json of Stable-DiffCoder-8B-Instruct; what its text is: not found",
        "block": "README of Stable-DiffCoder-8B-Instruct",
        "grid": "modeling_stable_diffcoder.py, generate_block",
        "sight": "modeling_stable_diffcoder.py, generate_block",
        "logits": "Stable-DiffCoder report, section 4.1",
        "rule": "modeling_stable_diffcoder.py, generate_block",
        "chat": "unverified: Seed-Coder's, as third parties write it",
        "keys": "subclass of LlamaForCausalLM without modules of its own",
        "licence": "README and LICENSE of the repository",
    },
    model_types=("llama",),
    architectures=("StableDiffcoderForCausalLM",),
    # an older revision calls itself LlamaForCausalLM and names modeling_seed_diffcoder in auto_map
    modules=("modeling_stable_diffcoder.", "modeling_seed_diffcoder."),
    ids=Ids(mask=5, stops=(2,), pad=1),
    block=4,
    template=SEED_CODER,
    rule=Rule("best and above", softmax="float64", threshold=0.95, inclusive=True, heated=False),
)
