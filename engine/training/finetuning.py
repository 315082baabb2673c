"""Tuning a network on a packed folder with a short run of the ordinary trainer, all weights or low-rank pairs.

The weights that are kept are those with the least loss on examples that are not trained on. Knows nothing of where the
folder came from or of how good the result is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from engine.files import replacing
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.training.curriculum import Curriculum, Stage
from engine.training.low_rank import adapt, merge
from engine.training.preparation import open_batches
from engine.training.trainer import Trainer

MIXTURE = {"committed": 0.45, "defective": 0.25, "refactored": 0.12, "masked": 0.12, "refused": 0.06}
"""Mostly the team's changes; enough of the rest that what was learned stays."""
TOKENS, CHANGES_A_STEP = 4096, 10
"""Tokens of a step, and commits among its examples, about."""
EPOCHS, LEAST_STEPS, MOST_STEPS = 2, 20, 300
LOOKS = 10
"""How often the loss is measured on what is not trained on, beside the beginning."""
MATRIX_RATE, OTHER_RATE = 0.02, 0.003
"""Peak rates at `rate` 1, as in a training from nothing. Low-rank pairs are AdamW's and take the second."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How to tune."""

    steps: int | None = None
    """As many as the changes are worth if None; see `fitted`."""
    rate: float = 0.05
    """Share of the peak learning rates of a training from nothing."""
    rank: int = 0
    """Of the low-rank pairs; 0 tunes all weights."""
    seed: int = 1
    tokens: int = TOKENS
    """Of one batch, with padding."""

    def fitted(self, changes: int) -> "Tuning":
        """With a number of steps: those in which each of so many changes is seen about `EPOCHS` times."""
        if self.steps is not None:
            return self
        each = CHANGES_A_STEP * self.tokens / TOKENS
        return replace(self, steps=min(MOST_STEPS, max(LEAST_STEPS, round(EPOCHS * changes / each))))


def curriculum(model: ModelConfig, tuning: Tuning) -> Curriculum:
    """One stage: a tenth of the steps up to the peak, half of them down to 0.

    Args:
        tuning: fitted.
    """
    steps = tuning.steps
    assert steps is not None, "the tuning is fitted"
    stage = Stage(
        "own code",
        steps,
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
        warmup=max(1, steps // 10),
        decay=max(1, steps // 2),
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
    loss: Callable[[], float],
    tell: Callable[[dict[str, Any]], None],
) -> "Best":
    """Train the network itself, leave it in evaluation mode and return which of its weights were kept; a run that
    `folder` holds goes on.

    Args:
        data: a packed folder.
        folder: of the run.
        rows: tokens that the network has never seen; see `adapt`.
        loss: of the network as it is, on examples that `data` does not hold. A few hundred changes are known by heart
            after a few epochs, and what was not among them is then done worse than before: so the weights with the
            least loss are kept, maybe those it began with.
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
    best = Best(folder / "best.pt", network)
    for look in range(LOOKS + 1):
        step = chosen.steps * look // LOOKS
        if trainer.step > step:  # of a run that goes on: looked at already
            continue
        if trainer.step < step:
            trainer.run(until=step, compiled=compiled, tell=tell)
        network.eval()
        with torch.compiler.set_stance("force_eager"):  # these shapes are not those of training
            best.offer(step, loss())
    best.take()
    merge(network)
    network.eval().requires_grad_(False)
    return best


class Best:
    """The trained weights with the least loss so far, in a file, so that an interrupted run goes on with them."""

    def __init__(self, path: Path, network: Network) -> None:
        self._path = path
        self._weights = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self.step, self.loss = 0, float("inf")
        if path.exists():
            self._read()

    def offer(self, step: int, loss: float) -> None:
        """Keep the weights as they are now, reached after so many steps, if no earlier ones were as good."""
        if not loss < self.loss and self._path.exists():
            return
        self.step, self.loss = step, loss
        weights = {name: p.detach() for name, p in self._weights.items()}
        with replacing(self._path) as partial:
            torch.save({"step": step, "loss": loss, "weights": weights}, partial)

    @torch.no_grad()
    def take(self) -> None:
        """Give the network the weights that were kept."""
        for name, value in self._read().items():
            self._weights[name].copy_(value)

    def _read(self) -> dict[str, torch.Tensor]:
        kept = torch.load(self._path, map_location="cpu", weights_only=True)
        self.step, self.loss = kept["step"], kept["loss"]
        found: dict[str, torch.Tensor] = kept["weights"]
        return found
