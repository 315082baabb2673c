"""Tuning a network on a packed folder with a short run of the ordinary trainer, all weights or low-rank pairs.

Knows nothing of where the folder came from or of how good the result is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.training.curriculum import Curriculum, Stage
from engine.training.low_rank import adapt, merge
from engine.training.preparation import open_batches
from engine.training.trainer import Trainer

MIXTURE = {"committed": 0.45, "defective": 0.25, "refactored": 0.12, "masked": 0.12, "refused": 0.06}
"""Mostly the team's changes; enough of the rest that what was learned stays."""
MATRIX_RATE, OTHER_RATE = 0.02, 0.003
"""Peak rates at `rate` 1, as in a training from nothing. Low-rank pairs are AdamW's and take the second."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How to tune."""

    steps: int = 300
    rate: float = 0.05
    """Share of the peak learning rates of a training from nothing."""
    rank: int = 0
    """Of the low-rank pairs; 0 tunes all weights."""
    seed: int = 1
    tokens: int = 4096
    """Of one batch, with padding."""


def curriculum(model: ModelConfig, tuning: Tuning) -> Curriculum:
    """One stage: a tenth of the steps up to the peak, half of them down to 0."""
    stage = Stage(
        "own code",
        tuning.steps,
        MIXTURE,
        weight_decay=0.0,
        light_masks=0.8,
        mask_weight=0.2,
        defects=(32, 54, 9, 5, 0),
    )
    return Curriculum(
        model,
        (stage,),
        seed=tuning.seed,
        tokens=tuning.tokens,
        scored=tuning.tokens * 3 // 8,
        matrix_rate=MATRIX_RATE * tuning.rate,
        other_rate=OTHER_RATE * tuning.rate,
        warmup=max(1, tuning.steps // 10),
        decay=max(1, tuning.steps // 2),
        save_every=50,
    )


def tune(
    data: Path,
    folder: Path,
    network: Network,
    tokenizer: CodeTokenizer,
    tuning: Tuning,
    *,
    device: str,
    compiled: bool,
    rows: Sequence[int] = (),
    tell: Callable[[dict[str, Any]], None],
) -> Network:
    """Train the network itself and return it in evaluation mode; a run that `folder` holds goes on.

    Args:
        data: a packed folder.
        folder: of the run.
        rows: tokens that the network has never seen; see `adapt`.
    """
    network.drop_exit()
    chosen = curriculum(network.config, tuning)
    if tuning.rank:
        adapt(network, tuning.rank, seed=tuning.seed, rows=rows)
    else:
        network.requires_grad_(True)
    maker = open_batches(data, chosen, tokenizer, commits_in_scope=True)
    never = tokenizer.controls.never
    trainer = Trainer(folder, chosen, maker, never=never, device=device, network=network)
    trainer.run(compiled=compiled, tell=tell)
    merge(network)
    return network.eval().requires_grad_(False)
