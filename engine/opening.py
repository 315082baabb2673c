"""Opening a checkpoint as what it is: Seed's own edits, others rewrite."""

from collections.abc import Mapping
from pathlib import Path

import torch

from engine.checkpoints.describing import family_name
from engine.editor import Editor, usual_dtype
from engine.model.packed import Packing
from engine.rewriter import Rewriter

PACKINGS: Mapping[str, Packing] = {"int8": "int8", "int4": "int4"}
"""Weights that are packed as they are loaded."""


def open_editor(path: Path | None, weights: str | None = None) -> Editor | Rewriter:
    """The checkpoint in a folder, on CUDA where there is one; the one that comes with Seed if None.

    Args:
        weights: how they are held: `bfloat16`, `float32`, `int8` or `int4`; None for what the machine computes fast.

    Raises:
        CheckpointError: the folder is no usable checkpoint.
        DeviceError: it does not fit into memory, or such weights are not for it.
    """
    if path is None or family_name(path) is None:
        return Editor.load(path, dtype=weights)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    packing = PACKINGS.get(weights) if weights else None
    dtype = usual_dtype(None if packing else weights, device)
    return Rewriter.load(path, device=device, dtype=dtype, packing=packing)
