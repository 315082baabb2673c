"""Opening a checkpoint as what it is: Seed's own edits, others rewrite."""

from pathlib import Path

import torch

from engine.checkpoints.describing import family_name
from engine.editor import Editor, usual_dtype
from engine.rewriter import Rewriter


def open_editor(path: Path | None) -> Editor | Rewriter:
    """The checkpoint in a folder, on CUDA where there is one; the one that comes with Seed if None.

    Raises:
        CheckpointError: the folder is no usable checkpoint.
        DeviceError: it does not fit into memory.
    """
    if path is None or family_name(path) is None:
        return Editor.load(path)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return Rewriter.load(path, device=device, dtype=usual_dtype(None, device))
