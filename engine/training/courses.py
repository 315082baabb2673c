"""What the laps of a run consist of, from its configuration: tasks from the stores, the stage, the probe."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.data.batches import BatchMaker
from engine.data.examples import Noise
from engine.data.tasks import Task, TaskMaker, draw
from engine.errors import DataError
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.sampling.edit import EditSettings
from engine.training.constrained_order import ConstrainedOrder
from engine.training.curriculum import Curriculum
from engine.training.laps import Course, Harvest, measured
from engine.training.on_policy import OnPolicy, sample
from engine.training.trajectories import JUDGED, Trajectories
from engine.training.verifiers import Verify, verifier


@dataclass(frozen=True, slots=True)
class Judged:
    """Tasks of one's own, whose ends are accepted by what they do."""

    tasks: Sequence[Task]
    verify: Verify


def course_of(
    curriculum: Curriculum,
    plan: Trajectories,
    stores: BatchMaker,
    tokenizer: CodeTokenizer,
    judged: Judged | None = None,
) -> Course:
    """The laps of a run.

    Raises:
        DataError: the mixture names judged tasks and there are none.
    """
    if JUDGED in plan.mixture and not (judged and judged.tasks):
        raise DataError(f"trajectories: the mixture names {JUDGED}; give a file of rows with tests")
    maker, controls, sound = TaskMaker(tokenizer), tokenizer.controls, verifier(tokenizer, plan.parses)
    drawn = {kind: share for kind, share in plan.mixture.items() if kind != JUDGED}

    def tasks(name: str, count: int, noise: Noise) -> list[Task]:
        rng = random.Random(f"{curriculum.seed}:judged:{name}")
        own = rng.choices([False, True], [sum(drawn.values()), plan.mixture.get(JUDGED, 0.0)], k=count).count(
            True
        )
        found = draw(stores, maker, name, count - own, drawn, noise, longest=plan.longest)
        return [*found, *(rng.choices(judged.tasks, k=own) if judged else ())]

    def verify(task: Task, end: Sequence[int]) -> bool:
        return judged.verify(task, end) if judged and task.kind == JUDGED else sound(task, end)

    probes = tasks("probe", plan.probe, curriculum.stages[0].noise)

    def gather(network: Network, lap: int, noise: Noise) -> Harvest:
        asked = tasks(f"lap {lap}", plan.tasks, noise)
        if plan.keep == "elbo":
            order = ConstrainedOrder(plan, controls, maker.token, seed=curriculum.seed)
            return order.gather(network, asked, lap, mask_weight=noise.weight)
        return OnPolicy(plan, controls, verify).gather(network, asked, mask_weight=noise.weight)

    def probe(network: Network) -> dict[str, Any]:
        settings = EditSettings(plan.threshold, plan.max_rounds)
        return measured(probes, sample(network, controls, probes, settings), verify)

    return Course(plan.steps, gather, probe)
