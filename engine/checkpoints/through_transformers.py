"""Checkpoints whose network transformers has and Seed has not: loaded by transformers' own class, never remote code.

They are decoded by the class's own `generate`, which is their published rule. The folder is checked before as any
other; transformers is imported only here and when asked. Knows nothing of edits.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.checkpoints.contents import enumerated
from engine.checkpoints.describing import Described, describe
from engine.checkpoints.loading import free_on
from engine.checkpoints.memory import demand
from engine.errors import CheckpointError, DeviceError
from engine.model.packed import Packing

MOST_STEPS = 4096
"""Of a canvas; a folder that asks for more would never come to an end."""

COLD, WARM = 0.4, 0.8
"""Temperatures of the last and the first step where the folder names none: those of transformers."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A block of an answer, as it was written at last."""

    tokens: list[int]
    probabilities: list[float]
    """Of each token in the last forward, before the schedule's temperature."""
    steps: int
    """Forwards that it took; one more read what stands before it."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A checkpoint in a network that is not Seed's."""

    model: Any
    """An instance of the class that `what.family.through` names."""
    what: Described

    def write(self, prompt: Sequence[int], most: int, take: Callable[[Canvas], bool], *, seed: int) -> None:
        """Write what follows a prompt, by the model's own decoder.

        Args:
            most: tokens, at most; whole canvases are written.
            take: is given each canvas once it is final; whether to stop there.
            seed: source of all chance.
        """
        from transformers import LogitsProcessorList, StoppingCriteriaList

        device = self.model.device
        watch = _Watch(len(prompt), take)
        with torch.random.fork_rng([device] if device.type == "cuda" else []), torch.inference_mode():
            torch.manual_seed(seed)
            self.model.generate(
                torch.tensor([list(prompt)], device=device),
                max_new_tokens=most,
                max_length=None,
                cache_implementation=None,  # a folder's may need packages that are not here
                disable_compile=True,
                logits_processor=LogitsProcessorList([watch.step]),
                stopping_criteria=StoppingCriteriaList([watch.end]),
            )


class _Watch:
    """Sees every forward of a canvas, and every canvas once it is final."""

    def __init__(self, length: int, take: Callable[[Canvas], bool]) -> None:
        """
        Args:
            length: tokens of the prompt.
        """
        self._length, self._take = length, take
        self._logits, self._steps = torch.empty(0), 0

    def step(self, _: Tensor, logits_1LV: Tensor, **__: Any) -> Tensor:
        self._logits, self._steps = logits_1LV, self._steps + 1
        return logits_1LV

    def end(self, ids_1L: Tensor, _: Tensor | None, **__: Any) -> Tensor:
        tokens = ids_1L[0, self._length :]
        logits = self._logits[0].float()
        chosen = logits.gather(1, tokens[:, None]).squeeze(1)
        probabilities = (chosen - logits.logsumexp(-1)).exp()
        canvas = Canvas(tokens.tolist(), probabilities.tolist(), self._steps)
        self._length, self._steps = ids_1L.shape[1], 0
        return torch.tensor([self._take(canvas)], device=ids_1L.device)


def load(folder: Path, *, device: str, dtype: torch.dtype, packing: Packing | None = None) -> Foreign:
    """The model in evaluation mode.

    Args:
        packing: refused; the class holds its weights as they are.

    Raises:
        CheckpointError: the folder is of another family, not to be trusted, or does not fit its class; or transformers
            is not there or too old.
        DeviceError: it does not fit into memory, or is to be packed.
    """
    what = describe(folder)
    name = what.family.through
    if not name:
        raise CheckpointError(f"{folder} is of the family {what.family.name}, which Seed loads itself")
    if packing is not None:
        raise DeviceError(
            f"{folder} cannot be packed as {packing}: {what.family.name} loads through transformers; take bfloat16 "
            "or float32"
        )
    kind = _class(what, name)
    needed = what.parameters * dtype.itemsize
    smaller = "take bfloat16" if dtype.itemsize > 2 else ""
    demand(str(folder), what.parameters, needed, device=device, free=free_on(device), smaller=smaller)
    try:
        with _quiet():
            model, found = kind.from_pretrained(
                folder,
                dtype=dtype,
                attn_implementation="sdpa",  # a config could name one that is downloaded and run
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except Exception as error:  # of transformers, huggingface_hub, safetensors: no common base
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{folder} does not load through transformers' {name}: {reason}") from error
    _check(what, model, found["missing_keys"])
    return Foreign(model.to(device).eval().requires_grad_(False), what)


def _check(what: Described, model: Any, missing: Sequence[str]) -> None:
    """Refuse what transformers would make up by chance, and settings that it takes only until it writes."""
    if missing:
        raise CheckpointError(f"{what.folder} as {what.family.name} lacks {enumerated(missing)}")
    settings = model.generation_config
    steps = settings.max_denoising_steps or 0
    if steps > MOST_STEPS:
        raise CheckpointError(
            f"{what.folder}: generation_config.json asks for {steps} steps a canvas; {MOST_STEPS} are the most"
        )
    cold = COLD if settings.t_min is None else settings.t_min
    warm = WARM if settings.t_max is None else settings.t_max
    if not cold < warm:
        raise CheckpointError(
            f"{what.folder}: generation_config.json: t_min {cold} is not below t_max {warm}"
        )


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


@contextmanager
def _quiet() -> Iterator[None]:
    """Nothing of transformers on stderr: its bar and its warnings."""
    from transformers.utils import logging

    level, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bar:
            logging.enable_progress_bar()
