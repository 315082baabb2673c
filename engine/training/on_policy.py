"""On-policy learning (arXiv 2508.02193, section 2.3): fewer rounds, as long as a verifier accepts where they end.

The aim is equation 10, E[|τ| − V(τ[0])], whose direct form the paper found unstable. Its surrogate, equation 11, has
|τ| proportional to the mean of 1/d over pairs of a trajectory's states, d being their Levenshtein distance: states are
to lie farther apart. What the paper leaves open is decided here:

- *V* is a verifier of texts, not a model: the end is the target itself, or passes the tests of a task that has them, or
  is sound syntax, for kinds of tasks that say so. Only trajectories with an accepted end are learned from, each state
  of them with at least the weight `ACCEPTED`: the log-derivative estimate with a reward of 1 or 0 and nothing taken
  off. With the surrogate alone, a lap in which all arrive in one round leaves nothing to learn, and the anchor undoes
  what was gained.
- *The pool* of a task goes from careful to hasty: the sampler's own settings, then lower thresholds for filling masks.
  Where several texts would be accepted, the first accepted end (the most careful one) stands for all: a hasty
  trajectory is accepted where it ends there too. So haste does not change answers, and no state is led to two ends.
- *The surrogate* becomes a loss on labels: from each state straight to the end, as if its round went all the way. Its
  weight is what 1/d of this round falls by if it does (`gains`), so that rounds which crawl where far is to go weigh
  most and those that arrive add nothing; over a lap the weights have mean 1. The confirming round counts for nothing.
  Of an end that is not the target only what is edited is learned, not what stays: else a model would learn to trust
  its own mistakes.
- *Stability*: the run's mixture holds the ordinary kinds beside `trajectory`, whose loss is the anchor, and rows that
  need no change, so that haste is not bought with false edits. For the same reason only masks weigh by what they save:
  in a trial where edits of visible tokens did, and the anchor had more defects than the run before, sound code was
  edited more within 60 steps. Laps are short, so that states stay those of the model.
"""

from collections.abc import Sequence
from statistics import fmean

from engine.data.examples import Example
from engine.data.tasks import Task, bridge
from engine.diffusion.trajectories import State, gains, surrogate
from engine.model.network import Network
from engine.model.tokenizer import Controls
from engine.sampling.edit import EditSampler, EditSettings, Row
from engine.sampling.rounds import FILL
from engine.training.laps import Harvest
from engine.training.trajectories import Trajectories
from engine.training.verifiers import Verify

ACCEPTED = 0.2
"""Weight of an accepted trajectory's state, beside what bridging it saves, which is at most 1."""


class OnPolicy:
    """What a lap of the stage learns from."""

    def __init__(self, plan: Trajectories, controls: Controls, verify: Verify) -> None:
        self._plan, self._controls, self._verify = plan, controls, verify

    def gather(self, network: Network, tasks: Sequence[Task], *, mask_weight: float) -> Harvest:
        """Examples from the accepted trajectories of each task's pool.

        Args:
            mask_weight: as `bridge` takes it.
        """
        plan = self._plan
        pools: list[list[Row]] = [[] for _ in tasks]
        for k in range(plan.pool):
            settings = EditSettings(plan.threshold, plan.max_rounds, fill=FILL * (1 - k / plan.pool))
            for pool, row in zip(pools, sample(network, self._controls, tasks, settings), strict=True):
                pool.append(row)
        found = [self.accepted(task, pool) for task, pool in zip(tasks, pools, strict=True)]
        kept = [(task, path) for task, paths in zip(tasks, found, strict=True) for path in paths]
        return Harvest(
            self.examples(kept, mask_weight),
            {
                "accepted_tasks": round(fmean(bool(paths) for paths in found), 4),
                "surrogate": round(fmean(surrogate(path) for _, path in kept), 4) if kept else None,
            },
        )

    def accepted(self, task: Task, pool: Sequence[Row]) -> list[list[State]]:
        """The states of the trajectories that end where the first accepted one does."""
        ends = [row.canvas for row in pool]
        end = next((end for end in ends if self._verify(task, end)), None)
        return [[task.start, *row.states] for row in pool if row.canvas == end]

    def examples(self, kept: Sequence[tuple[Task, list[State]]], mask_weight: float) -> list[Example]:
        """From every state but the end straight to it."""
        found = [
            (task, state, path[-1], ACCEPTED + gain)
            for task, path in kept
            for state, gain in zip(path, gains(path), strict=False)
            if state != path[-1]
        ]
        mean = fmean(gain for *_, gain in found) if found else 1.0
        return [
            bridge(task, state, end, self._controls.edits, mask_weight=mask_weight, gain=gain / mean)
            for task, state, end, gain in found
        ]


def sample(network: Network, controls: Controls, tasks: Sequence[Task], settings: EditSettings) -> list[Row]:
    """The sampler's greedy trajectory of each task."""
    sampler = EditSampler(network, controls.edits, never=controls.never, pad=controls.pad)
    outcomes, _ = sampler.run([task.prefix for task in tasks], [task.start for task in tasks], settings)
    return [outcome.rows[0] for outcome in outcomes]
