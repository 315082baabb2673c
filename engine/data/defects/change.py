"""One defect as a replacement of characters, and how to draw one. Knows nothing of what real bugs look like."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from engine.data.defects.code import Code, Span

_T = TypeVar("_T")


class Change(NamedTuple):
    """Characters [start, end) of the sound text become `new`."""

    start: int
    end: int
    new: str

    def apart_from(self, other: "Change") -> bool:
        """Whether the two neither overlap nor touch."""
        return self.end < other.start or other.end < self.start


Maker = Callable[[Code, random.Random], Change | None]
"""Draws one defect of a certain shape, or None where the code has no place for it (or the draw found none)."""

Mix = Sequence[tuple[float, Maker]]
"""Makers with how often each is wanted."""


def replace(span: Span, new: str) -> Change:
    """The change that puts `new` in a span's place."""
    return Change(span.start, span.end, new)


def insert(at: int, new: str) -> Change:
    """The change that adds `new` before the character `at`."""
    return Change(at, at, new)


def apply(text: str, changes: Sequence[Change]) -> str:
    """The text with all changes made; they must not overlap."""
    parts, done = [], 0
    for change in sorted(changes):
        parts += (text[done : change.start], change.new)
        done = change.end
    return "".join((*parts, text[done:]))


def pick(rng: random.Random, options: Sequence[_T]) -> _T | None:
    """One of the options, None if there is none."""
    return options[rng.randrange(len(options))] if options else None


def weighted(rng: random.Random, options: Sequence[tuple[_T, float]]) -> _T | None:
    """One of the options by weight, None if there is none."""
    if not options:
        return None
    return rng.choices([option for option, _ in options], [weight for _, weight in options])[0]


def in_random_order(rng: random.Random, mix: Mix) -> list[Maker]:
    """All makers, the more wanted ones likelier to come early."""
    keyed = [(rng.expovariate(weight), index) for index, (weight, _) in enumerate(mix)]
    return [mix[index][1] for _, index in sorted(keyed)]
