"""One training run from its configuration to a checkpoint folder: what `seed train run` and `export` call."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from engine.checkpoints import folder as checkpoint
from engine.data.refactorings import RECIPES
from engine.errors import DataError
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.training.curriculum import read_curriculum
from engine.training.plot import plot_losses
from engine.training.preparation import open_batches
from engine.training.trainer import Trainer

CONFIGS = Path(__file__).parent / "configs"


def run(
    corpus: Path,
    config: Path,
    folder: Path,
    *,
    until: int | None,
    device: str,
    compiled: bool,
    tell: Callable[[dict[str, Any]], None],
) -> None:
    """Train, or go on training, in `folder`; draws `loss.png` at the end."""
    tokenizer = CodeTokenizer.load(corpus)
    curriculum = read_curriculum(config, tokenizer.size)
    maker = open_batches(corpus, curriculum, tokenizer)
    c = tokenizer.controls
    never = [c.mask, c.context, c.instruction, c.region, c.pad]
    trainer = Trainer(folder, curriculum, maker, never=never, device=device)
    (folder / "config.toml").write_text(config.read_text())
    tell({"parameters": trainer.network.parameter_count(), "step": trainer.step, "steps": curriculum.steps})
    try:
        trainer.run(until=until, compiled=compiled, tell=tell)
    finally:
        plot_losses(folder / "log.jsonl", folder / "loss.png")


def export(corpus: Path, folder: Path, out: Path, *, threshold: float, sure: float) -> None:
    """Write the run's weights as a checkpoint with the sampler's thresholds.

    Raises:
        DataError: the run has saved nothing yet.
    """
    tokenizer = CodeTokenizer.load(corpus)
    curriculum = read_curriculum(folder / "config.toml", tokenizer.size)
    try:
        state = torch.load(folder / "state.pt", map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(f"{folder} holds no saved run: {error}") from error
    network = Network(curriculum.model)
    network.load_state_dict(state["network"])
    settings = {"recipes": list(RECIPES), "threshold": threshold, "sure": sure, "steps": state["step"]}
    checkpoint.save(out, network, tokenizer, settings)
    card = json.loads((corpus / "card.json").read_text())
    (out / "data.json").write_text(json.dumps(card, indent=1) + "\n")
