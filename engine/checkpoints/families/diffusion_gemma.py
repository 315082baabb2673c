"""DiffusionGemma: Gemma 4 with experts, a causal reader and a writer that sees its whole canvas; no mask token.

Its network is unlike Seed's (soft caps, sliding windows, vision), and transformers has it: it is recognised and
described here, and loads and decodes through transformers' own class.
"""

from typing import NoReturn

from engine.checkpoints.families.family import Family, Ids, Rule, Turns
from engine.checkpoints.families.fields import Fields
from engine.errors import CheckpointError
from engine.model.config import ModelConfig


def _shape(config: Fields) -> ModelConfig:
    """What is told of it; it is never built."""
    text = config.within("text_config")
    return ModelConfig(
        vocabulary=text.count("vocab_size", "vocabulary"),
        width=text.count("hidden_size", "width"),
        layers=text.count("num_hidden_layers", "layers"),
        heads=text.count("num_attention_heads", "heads"),
        kv_heads=text.count("num_key_value_heads", "heads"),
        hidden=text.count("intermediate_size", "hidden"),
        max_tokens=text.count("max_position_embeddings", "tokens"),
        head_size=text.count("head_dim", "head", 256),
    )


def _keys(_: ModelConfig) -> NoReturn:
    raise CheckpointError(
        "diffusion-gemma has a network of its own, which loads through transformers: it edits, but cannot be "
        "trained (see docs/models.md)"
    )


DIFFUSION_GEMMA = Family(
    name="diffusion-gemma",
    checkpoints=("google/diffusiongemma-26B-A4B-it",),
    licence="Apache-2.0",
    shape=_shape,
    keys=_keys,
    sources={
        "mask": "generation_diffusion_gemma.py of transformers: random tokens take a mask's place",
        "stops": "configuration_diffusion_gemma.py of transformers",
        "block": "config.json: canvas_length; 256 in configuration_diffusion_gemma.py of transformers",
        "grid": "generation_diffusion_gemma.py of transformers",
        "sight": "generation_diffusion_gemma.py of transformers: encoder causal, canvas both ways",
        "logits": "generation_diffusion_gemma.py of transformers",
        "rule": "generation_diffusion_gemma.py of transformers: bound of entropy 0.1, temperature 0.8 down to 0.4",
        "keys": "modeling_diffusion_gemma.py of transformers, whose class loads them",
        "chat": "unverified: Gemma 4's, by cli/serving/utils.py of transformers; the checkpoint's own is what counts",
        "licence": "model card",
    },
    model_types=("diffusion_gemma",),
    ids=Ids(stops=(1,), pad=0),
    block=256,
    block_field="canvas_length",
    grid="prompt",
    sight="past and block",
    through="DiffusionGemmaForBlockDiffusion",
    template=Turns("<bos><|turn>user\n", "<turn|>\n<|turn>model\n"),
    rule=Rule("scheduled", sureness="entropy", steps=48),
)
