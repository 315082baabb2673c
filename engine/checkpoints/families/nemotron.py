"""Nemotron-Labs-Diffusion: Ministral 3 that reads prompt and finished blocks causally and its own block both ways."""

from engine.checkpoints.families.family import Family, Ids, Rule, Turns
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.keys import Keys, llama_keys
from engine.checkpoints.families.shapes import transformers_shape
from engine.model.config import ModelConfig


def _shape(config: Fields) -> ModelConfig:
    config.must("sliding_window")
    return transformers_shape(config, theta=1_000_000.0, eps=1e-5, head=128)


def _keys(config: ModelConfig) -> Keys:
    return llama_keys(config, body="encoder.", head="diffusion_head.weight")


NEMOTRON = Family(
    name="nemotron-labs-diffusion",
    checkpoints=(
        "nvidia/Nemotron-Labs-Diffusion-3B",
        "nvidia/Nemotron-Labs-Diffusion-8B",
        "nvidia/Nemotron-Labs-Diffusion-14B",
    ),
    licence="Nemotron Open Model License",
    shape=_shape,
    keys=_keys,
    sources={
        "mask": "Megatron-Bridge docs; mlx-vlm's config",
        "stops": "unverified: mlx-vlm's config alone",
        "block": "mlx-vlm's config; trained with 64, says Megatron-Bridge",
        "grid": "dllm, NemotronDiffusionSampler",
        "sight": "dllm, NemotronDiffusionSampler",
        "logits": "dllm, NemotronDiffusionSampler; the first token of a block is the causal forward's",
        "rule": "dllm, NemotronDiffusionSampler",
        "chat": "unverified: Ministral's",
        "keys": "unverified: encoder.* and diffusion_head.weight as third parties name them",
        "licence": "model cards",
    },
    model_types=("nemotron_labs_diffusion",),
    ids=Ids(mask=100, stops=(11,)),
    block=32,
    block_field="block_size",
    grid="prompt",
    sight="past and block",
    opened=True,
    template=Turns("<s>[INST]", "[/INST]"),
    rule=Rule("best and above", threshold=0.9, inclusive=True, heated=False),
)
