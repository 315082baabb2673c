"""Checkpoints whose network transformers has and Seed has not: loaded by transformers' own class, never remote code.

The folder is checked before as any other; transformers is imported only here and when asked. Knows nothing of edits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engine.checkpoints.describing import Described, describe
from engine.checkpoints.loading import free_on
from engine.checkpoints.memory import demand
from engine.errors import CheckpointError


@dataclass(frozen=True, slots=True)
class Foreign:
    """A checkpoint in a network that is not Seed's."""

    model: Any
    """An instance of the class that `what.family.through` names."""
    what: Described

    def write(self, prompt: Sequence[int], most: int, *, seed: int = 0) -> list[int]:
        """Tokens that follow a prompt, by the model's own decoder, up to its first stop.

        Args:
            most: how many at most.
            seed: source of all chance.
        """
        torch.manual_seed(seed)
        ids = torch.tensor([list(prompt)], device=self.model.device)
        with torch.inference_mode():
            made = self.model.generate(ids, max_new_tokens=most, disable_compile=True)
        written: list[int] = getattr(made, "sequences", made)[0, len(prompt) :].tolist()
        ends = [i for i, token in enumerate(written) if token in self.what.ids.stops]
        return written[: min(ends, default=len(written))][:most]


def load(folder: Path, *, device: str, dtype: torch.dtype) -> Foreign:
    """The model in evaluation mode.

    Raises:
        CheckpointError: the folder is of another family, not to be trusted, or does not fit its class; or transformers
            is not there or too old.
        DeviceError: it does not fit into memory.
    """
    what = describe(folder)
    name = what.family.through
    if not name:
        raise CheckpointError(f"{folder} is of the family {what.family.name}, which Seed loads itself")
    kind = _class(what, name)
    needed = what.parameters * dtype.itemsize
    demand(str(folder), what.parameters, needed, device=device, free=free_on(device), smaller="")
    try:
        model = kind.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, RuntimeError, TypeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{folder} does not load through transformers' {name}: {reason}") from error
    return Foreign(model.to(device).eval().requires_grad_(False), what)


def _class(what: Described, name: str) -> Any:
    try:
        import transformers
    except ImportError as error:
        raise CheckpointError(
            f"{what.folder} is of the family {what.family.name}, which loads through transformers; "
            f"install it: pip install transformers"
        ) from error
    found = getattr(transformers, name, None)
    if found is None:
        raise CheckpointError(
            f"{what.folder} is of the family {what.family.name}; transformers {transformers.__version__} has no "
            f"{name}: install a newer one"
        )
    return found
