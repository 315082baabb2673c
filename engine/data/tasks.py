"""Tasks: a canvas as the sampler is given it, with its target; and examples made of the states on the way.

Tasks are drawn as training examples are, by kind, from the same stores. Knows nothing of networks or samplers.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.data.batches import BatchMaker
from engine.data.examples import (
    BLOCK_SIZES,
    CHANGED,
    CHANGED_WEIGHT,
    FULL,
    KEPT,
    KEPT_WEIGHT,
    LIGHT,
    MASKED,
    MAX_RISE,
    Example,
    ExampleMaker,
    Noise,
)
from engine.diffusion.blocks import cut
from engine.diffusion.corruption import SLOTS, mask_tokens
from engine.diffusion.layout import CANVAS_BLOCK, INSTRUCTION_BLOCK, Prefix, prefix
from engine.diffusion.levenshtein import EditIds
from engine.diffusion.trajectories import leading


@dataclass(frozen=True, slots=True)
class Task(Example):
    """An example that knows its target; its canvas is no state on the way, but where sampling starts."""

    target: tuple[int, ...] = ()
    """Without its end token."""
    kind: str = ""
    """As a mixture names it."""

    @property
    def start(self) -> tuple[int, ...]:
        """The canvas without its end token."""
        return self.canvas[:-1]

    @property
    def is_instructed(self) -> bool:
        """Whether its prefix says what is to be done."""
        return self.prefix.blocks.count(INSTRUCTION_BLOCK) > 2  # the two marks of an empty instruction

    @property
    def is_clean(self) -> bool:
        """Whether nothing is to be done."""
        return self.start == self.target


class TaskMaker(ExampleMaker):
    """`ExampleMaker` for tasks."""

    def token(self, rng: random.Random) -> int:
        """Any token of the vocabulary that is text."""
        return rng.choice(self._ordinary)

    def asked(self, instruction: str, before: str, after: str) -> Task:
        """An edit in a user's own words; the scope head learns nothing of it."""
        where = prefix((), self._tokenizer.encode(instruction), marks=self._marks)
        return self._task(where, self._tokenizer.encode(before), self._tokenizer.encode(after), None)

    def masked(self, tokens: Sequence[int], noise: Noise, rng: random.Random) -> Task:
        """A region with hidden tokens, to be filled in."""
        t = rng.uniform(*(LIGHT if noise.light and rng.random() < noise.light else FULL))
        return self._task(self._bare, mask_tokens(tokens, t, self._ids.mask, rng), tokens, None)

    def filling(
        self,
        before: Sequence[int],
        wanted: Sequence[int],
        after: Sequence[int],
        room: int,
        rng: random.Random,
    ) -> Task:
        """A gap that is all slots, of whatever number."""
        most = max(room - len(self._complete.ids) - len(before) - len(after) - 1, 0)
        gap = [self._ids.mask] * min(rng.choice(SLOTS), most)
        return self._task(self._complete, [*before, *gap, *after], [*before, *wanted, *after], None)

    def going_on(
        self,
        given: Sequence[int],
        rest: Sequence[int],
        noise: Noise,  # noqa: ARG002
        room: int,
        rng: random.Random,
    ) -> Task:
        """One block of the rest, all slots, after what is given and the blocks before it.

        Raises:
            ValueError: there is no room for a block.
        """
        size = rng.choice(BLOCK_SIZES)
        free = room - len(self._complete.ids) - len(given) - size - 1
        if free < 0:
            raise ValueError("what is given leaves no room for a block")
        clean = cut(rest, size)
        number = rng.randint(0, min(len(clean) - 1, free // size))
        where = self._complete.then(given, *clean[:number])
        return self._task(where, [self._ids.mask] * size, clean[number], None)

    def towards(
        self,
        where: Prefix,
        canvas: Sequence[int],
        target: Sequence[int],
        rng: random.Random,  # noqa: ARG002
        in_scope: bool | None,
    ) -> Task:
        """A canvas as a user would give it; no state on the way."""
        return self._task(where, canvas, target, in_scope)

    def _task(
        self, where: Prefix, canvas: Sequence[int], target: Sequence[int], in_scope: bool | None
    ) -> Task:
        labels, weights, sorts = taught(canvas, target, self._ids, mask_weight=0.0)
        row = (*canvas, self._ids.end)
        return Task(where, row, labels, weights, sorts, in_scope=in_scope, target=tuple(target))


def draw(
    stores: BatchMaker,
    maker: TaskMaker,
    name: str,
    count: int,
    mixture: Mapping[str, float],
    noise: Noise,
    *,
    longest: int,
) -> list[Task]:
    """Tasks of a mixture of kinds, a function of the stores' seed and a name.

    Args:
        longest: tokens of a task, with its prefix.
    """
    found = stores.with_maker(maker).examples(name, count, mixture, noise, longest=longest)
    tasks = []
    for kind, task in found:
        assert isinstance(task, Task), f"{kind} makes no tasks"
        tasks.append(replace(task, kind=kind))
    return tasks


def bridge(
    task: Task,
    state: Sequence[int],
    end: Sequence[int],
    ids: EditIds,
    *,
    mask_weight: float,
    gain: float = 1.0,
) -> Example:
    """The example that leads from a state of a task straight to an end.

    Args:
        mask_weight: of a mask where every token is one; at a share t of masks it is divided by t, at most by a quarter.
        gain: factor on the weight of masks. What is visible keeps its weight: that of an edit against that of staying
            decides how readily a model edits.

    What stays is learned only where the end is the target: of a model's own text nobody knows that it is right.
    """
    labels, weights, sorts = taught(state, end, ids, mask_weight=mask_weight)
    factor = {MASKED: gain, CHANGED: 1.0, KEPT: float(tuple(end) == task.target)}
    scaled = tuple(w * factor[sort] for w, sort in zip(weights, sorts, strict=True))
    row, number = (*state, ids.end), task.prefix.blocks[-1] + 1
    blocks = (number,) * len(row) if number > CANVAS_BLOCK else ()
    return Example(task.prefix, row, labels, scaled, sorts, in_scope=task.in_scope, blocks=blocks)


def taught(
    state: Sequence[int], end: Sequence[int], ids: EditIds, *, mask_weight: float
) -> tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
    """Labels, weights and sorts of a state that is to become the end."""
    row, labels = (*state, ids.end), leading(state, end, ids)
    share = max(1, row.count(ids.mask)) / len(row)
    weight_of = {
        MASKED: mask_weight * min(1 / share, MAX_RISE),
        CHANGED: CHANGED_WEIGHT,
        KEPT: KEPT_WEIGHT,
    }
    sorts = tuple(
        MASKED if token == ids.mask else KEPT if token == wanted else CHANGED
        for token, wanted in zip(row, labels, strict=True)
    )
    return tuple(labels), tuple(weight_of[sort] for sort in sorts), sorts
