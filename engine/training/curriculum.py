"""What a training run is: sizes, stages with their mixtures, rates. Read from TOML; unknown keys are errors."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from engine.data.batches import KINDS, TRAJECTORY
from engine.data.defects import KINDS as DEFECTS
from engine.data.examples import Noise
from engine.diffusion.layout import Decoder
from engine.errors import DataError
from engine.model.config import ModelConfig
from engine.training.trajectories import Trajectories

Schedule = Literal["wsd", "cosine"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps that draw from one mixture of examples."""

    name: str
    steps: int
    mixture: Mapping[str, float]
    rate: float = 1.0
    """Share of the peak learning rates."""
    weight_decay: float = 0.01
    """Of the matrices inside layers, decoupled: each step shrinks them by this share of the learning rate."""
    light_masks: float = 0.0
    mask_weight: float = 0.3
    masks_beside: float = 0.0
    drafts: float = 0.0
    defects: tuple[int, ...] = Noise().defects
    """The five of `Noise`."""
    carry_over: bool = False
    """As in `Noise`; for comparison, since the paper trains without."""
    defect_kinds: Mapping[str, int] = field(default_factory=dict)
    """How often a kind of defect is drawn; 1 for those not named."""
    hinted: float = 0.0
    """As in `Noise`."""

    @property
    def noise(self) -> Noise:
        kinds = tuple(self.defect_kinds.get(kind, 1) for kind in DEFECTS)
        return Noise(
            self.light_masks,
            self.mask_weight,
            self.masks_beside,
            self.drafts,
            tuple(self.defects),
            kinds,
            self.hinted,
            self.carry_over,
        )

    def __post_init__(self) -> None:
        unknown = set(self.defect_kinds) - set(DEFECTS)
        if unknown:
            raise DataError(
                f"stage {self.name}: unknown defects {sorted(unknown)}; there are {', '.join(DEFECTS)}"
            )
        unknown = set(self.mixture) - {*KINDS, TRAJECTORY}
        if unknown or not self.mixture:
            raise DataError(
                f"stage {self.name}: unknown kinds {sorted(unknown)}; there are {', '.join(KINDS)}"
            )


@dataclass(frozen=True, slots=True)
class Curriculum:
    """A whole run."""

    model: ModelConfig
    stages: tuple[Stage, ...]
    decoder: Decoder = "edit"
    """What is trained: the model that edits, or its autoregressive twin."""
    seed: int = 1
    tokens: int = 8192
    """Of one batch, with padding."""
    scored: int = 3072
    """Positions of one batch that enter the loss."""
    accumulate: int = 1
    """Batches a step."""
    matrix_rate: float = 0.02
    """Peak learning rate of Muon (Jordan et al. 2024), for the matrices inside layers."""
    other_rate: float = 0.003
    """Peak learning rate of AdamW, for embedding, norms and heads."""
    clip: float = 1.0
    schedule: Schedule = "wsd"
    """After the warm-up: constant until the decay (warm-up, stable, decay), or half a cosine to 0."""
    warmup: int = 100
    """Steps of linear warm-up."""
    decay: int = 1000
    """Last steps, over which the rate of `wsd` falls linearly to 0."""
    average: float = 0.0
    """Decay of the running mean of weights that is exported; 0 exports the last weights."""
    shard: bool = False
    """Whether processes part weights, gradients and optimizers among them (FSDP2), for a network that does not fit one
    of them; else each holds all of it."""
    save_every: int = 200
    trajectories: Trajectories | None = None
    """Of a run in laps."""

    def __post_init__(self) -> None:
        for name, value, known in (
            ("schedule", self.schedule, get_args(Schedule)),
            ("decoder", self.decoder, get_args(Decoder)),
        ):
            if value not in known:
                raise DataError(f"{name} {value!r} is not one of {', '.join(known)}")
        for name in ("warmup", "accumulate", "tokens"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} {getattr(self, name)} is less than 1")
        if not self.stages:
            raise DataError("a run needs a [[stage]]")
        for stage in self.stages:
            self._check_laps(stage)

    def _check_laps(self, stage: Stage) -> None:
        if self.trajectories and self.decoder != "edit":
            raise DataError(f"only the decoder edit has trajectories, not {self.decoder}")
        named = TRAJECTORY in stage.mixture
        if named and self.trajectories is None:
            raise DataError(f"stage {stage.name} names {TRAJECTORY}; say in [trajectories] what is sampled")
        if self.trajectories and not (named and len(stage.mixture) > 1):
            raise DataError(
                f"stage {stage.name}: a mixture of a run in laps names {TRAJECTORY} and, as its anchor, another kind"
            )

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)

    def stage(self, step: int) -> Stage:
        """The stage of a step, counted from 0."""
        for stage in self.stages:
            if step < stage.steps:
                return stage
            step -= stage.steps
        return self.stages[-1]

    def rate(self, step: int) -> float:
        """Share of the peak learning rate at a step, in (0, 1]."""
        left = self.steps - step
        if self.schedule == "cosine":
            falls = 0.5 - 0.5 * math.cos(math.pi * left / max(self.steps - self.warmup, left))
        else:
            falls = left / max(self.decay, 1)
        return self.stage(step).rate * min(1.0, (step + 1) / self.warmup, falls)


def read_curriculum(path: Path, vocabulary: int) -> Curriculum:
    """The run a TOML file describes: `[model]`, `[run]`, `[[stage]]`, and `[trajectories]` for one in laps.

    Raises:
        DataError: the file cannot be read, or has a key that means nothing.
    """
    try:
        table = tomllib.loads(path.read_text())
        model = ModelConfig(vocabulary=vocabulary, **table.get("model", {}))
        stages = tuple(Stage(**entry) for entry in table["stage"])
        laps = Trajectories(**table["trajectories"]) if "trajectories" in table else None
        return Curriculum(model, stages, **table.get("run", {}), trajectories=laps)
    except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError) as error:
        raise DataError(f"cannot read the training run {path}: {error}") from error
