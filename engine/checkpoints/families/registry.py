"""All families, and which of them a `config.json` is of."""

from collections.abc import Mapping
from typing import Any

from engine.checkpoints.families.coda import CODA
from engine.checkpoints.families.diffusion_gemma import DIFFUSION_GEMMA
from engine.checkpoints.families.dream import DIFFUCODER, DREAM_CODER, OPEN_DCODER
from engine.checkpoints.families.family import Family
from engine.checkpoints.families.fast_dllm import FAST_DLLM_V2
from engine.checkpoints.families.llada import ILLADA, LLADA
from engine.checkpoints.families.llada2 import LLADA2, LLADA21, LLADA22
from engine.checkpoints.families.nemotron import NEMOTRON
from engine.checkpoints.families.plain import LLAMA, QWEN2, QWEN3, QWEN3_MOE
from engine.checkpoints.families.sdar import SDAR, SDAR_MOE
from engine.checkpoints.families.stable_diffcoder import STABLE_DIFFCODER
from engine.errors import CheckpointError

FAMILIES: tuple[Family, ...] = (
    STABLE_DIFFCODER,
    SDAR,
    SDAR_MOE,
    FAST_DLLM_V2,
    LLADA22,
    LLADA21,
    LLADA2,
    ILLADA,
    LLADA,
    DIFFUCODER,
    DREAM_CODER,
    OPEN_DCODER,
    CODA,
    NEMOTRON,
    DIFFUSION_GEMMA,
    LLAMA,
    QWEN2,
    QWEN3,
    QWEN3_MOE,
)
"""The first that fits is taken, so one that is told by more stands before one with the same config."""


def recognise(table: Mapping[str, Any], name: str, family: str | None = None) -> Family:
    """The family of a checkpoint.

    Args:
        table: its `config.json`.
        name: its folder, or what it is called; some families differ in nothing else.
        family: one to take whatever the config says.

    Raises:
        CheckpointError: a family that is not known; the known ones are named.
    """
    if family is not None:
        found = next((one for one in FAMILIES if one.name == family), None)
        if found is None:
            raise CheckpointError(f"no family {family!r}; known: {names()}")
        return found
    called = f"{name} {table.get('_name_or_path', '')}".lower()
    for one in FAMILIES:
        if one.fits(table, called):
            return one
    kind, classes = table.get("model_type"), table.get("architectures")
    raise CheckpointError(
        f"config.json: model_type {kind!r} with architectures {classes!r} is of no known family; known: {names()}"
    )


def names() -> str:
    """Of all families, for people to read."""
    return ", ".join(family.name for family in FAMILIES)
