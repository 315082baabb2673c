"""Training in laps: sample trajectories with the model as it is, make examples of them, train on these, again.

A run in laps is a run like any other (`engine.training.trainer`), with two things more in its folder: `kept.json`, the
examples of the lap that is under way, and in `log.jsonl` one line a lap with what was sampled and with rounds and
quality on a probe, tasks that are the same in every lap. The weights are saved between laps, so that a run that is
killed while sampling samples again from the same ones, and one that is killed while training reads what it had kept.
Knows nothing of how a stage samples or what it keeps.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from engine.data.batches import BatchMaker
from engine.data.examples import Example, Noise
from engine.data.tasks import Task
from engine.diffusion.layout import Prefix
from engine.diffusion.trajectories import distance
from engine.files import replacing
from engine.model.network import Network
from engine.sampling.edit import Row
from engine.training.trainer import Trainer
from engine.training.verifiers import Verify

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one lap learns from."""

    examples: list[Example]
    figures: Mapping[str, float | None]
    """What is to be said of the trajectories, for the log."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a lap consists of."""

    steps: int
    """Of training in a lap."""
    gather: Callable[[Network, int, Noise], Harvest]
    """Samples tasks with a network; the lap's number is its source of chance, the noise that of the tasks."""
    probe: Callable[[Network], dict[str, Any]]
    """Rounds and quality of a network on tasks that stay the same."""


def run(
    trainer: Trainer,
    batches: BatchMaker,
    course: Course,
    *,
    until: int | None,
    workers: int,
    compiled: bool,
    tell: Tell,
) -> None:
    """Train up to the curriculum's end, or up to step `until`."""
    steps = trainer.curriculum.steps
    end = steps if until is None else min(until, steps)
    # Free shapes: sampling is no part of what is compiled for training.
    player = Network(trainer.network.config).to(trainer.device, torch.bfloat16).eval().requires_grad_(False)
    while trainer.step < end:
        lap, within = divmod(trainer.step, course.steps)
        if not within:
            trainer.save()
            player.load_state_dict(trainer.weights())
            if trainer.processes.is_first:
                _sample(trainer, course, player, lap, tell)
        trainer.processes.wait()
        batches.keep(_read(trainer.folder / "kept.json"))
        trainer.run(until=min(end, (lap + 1) * course.steps), workers=workers, compiled=compiled, tell=tell)
    if trainer.step == steps:
        player.load_state_dict(trainer.weights())
        if trainer.processes.is_first:
            _note(trainer, {"probe": course.probe(player)}, tell)


def _sample(trainer: Trainer, course: Course, network: Network, lap: int, tell: Tell) -> None:
    """Write `kept.json`, and the lap's line.

    Args:
        network: with the weights as they are.
    """
    stage = trainer.curriculum.stage(trainer.step)
    harvest = course.gather(network, lap, stage.noise)
    figures = {"lap": lap, "examples": len(harvest.examples), **harvest.figures}
    _note(trainer, {**figures, "probe": course.probe(network)}, tell)
    with replacing(trainer.folder / "kept.json") as partial:
        partial.write_text(json.dumps([asdict(example) for example in harvest.examples]))


def _note(trainer: Trainer, figures: Mapping[str, Any], tell: Tell) -> None:
    """Add a line to the log, once: a lap that is sampled again has the same."""
    line = {"step": trainer.step, "stage": trainer.curriculum.stage(trainer.step).name, **figures}
    text, log = json.dumps(line), trainer.folder / "log.jsonl"
    if not log.exists() or text not in log.read_text().splitlines():
        with log.open("a") as file:
            file.write(text + "\n")
    tell(line)


def _read(path: Path) -> list[Example]:
    examples = []
    for row in json.loads(path.read_text()):
        fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        fields["prefix"] = Prefix(**{name: tuple(values) for name, values in row["prefix"].items()})
        examples.append(Example(**fields))
    return examples


def measured(tasks: Sequence[Task], rows: Sequence[Row], verify: Verify) -> dict[str, Any]:
    """Means over the tasks of each kind; `clean` are those of any kind that need no change.

    `rounds` counts forwards, the confirming one among them; `accepted` is the verifier's share; `right` the share of
    the way from canvas to target that was gone, negative where an end is farther from the target than the canvas was.
    """
    kinds: dict[str, list[tuple[Task, Row]]] = defaultdict(list)
    for task, row in zip(tasks, rows, strict=True):
        kinds["clean" if task.is_clean else task.kind].append((task, row))
    return {
        kind: {
            "tasks": len(found),
            "rounds": round(fmean(row.rounds for _, row in found), 3),
            "accepted": round(fmean(verify(task, row.canvas) for task, row in found), 4),
            "right": round(fmean(_gone(task, row.canvas) for task, row in found), 4),
        }
        for kind, found in sorted(kinds.items())
    }


def _gone(task: Task, end: Sequence[int]) -> float:
    return 1 - distance(end, task.target) / max(1, distance(task.start, task.target))
