"""One defect as a replacement of characters, and how to draw one. Knows nothing of what bugs look like."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from engine.data.defects.code import Code
from engine.data.defects.lexing import Span, Token

_T = TypeVar("_T")


class NoPlaceError(Exception):
    """The code has no place for this defect, or the draw found none."""


class Change(NamedTuple):
    """Characters [start, end) of the sound text become `new`."""

    start: int
    end: int
    new: str

    def apart_from(self, other: "Change") -> bool:
        """Whether the two neither overlap nor touch."""
        return self.end < other.start or other.end < self.start


Maker = Callable[[Code, random.Random], Change]
"""Draws one defect of a certain shape; raises NoPlaceError."""

Mix = Sequence[tuple[float, Maker]]
"""Makers with how often each is wanted."""


def replace(place: Span | Token, new: str) -> Change:
    """The change that puts `new` in the place of a span or token."""
    return Change(place.start, place.end, new)


def insert(at: int, new: str) -> Change:
    """The change that adds `new` before the character `at`."""
    return Change(at, at, new)


def swap(text: str, first: Span, second: Span) -> Change:
    """The change that lets two spans trade places; what stands between stays."""
    between = text[first.end : second.start]
    return Change(first.start, second.end, text[slice(*second)] + between + text[slice(*first)])


def apply(text: str, changes: Sequence[Change]) -> str:
    """The text with all changes made; they must not overlap."""
    parts: list[str] = []
    done = 0
    for change in sorted(changes):
        parts += (text[done : change.start], change.new)
        done = change.end
    return "".join((*parts, text[done:]))


def pick(rng: random.Random, options: Sequence[_T]) -> _T:
    """One of the options; raises NoPlaceError if there is none."""
    if not options:
        raise NoPlaceError
    return options[rng.randrange(len(options))]


def weighted(rng: random.Random, options: Sequence[tuple[_T, float]]) -> _T:
    """One of the options by weight; raises NoPlaceError if there is none."""
    if not options:
        raise NoPlaceError
    return rng.choices([option for option, _ in options], [weight for _, weight in options])[0]


def in_random_order(rng: random.Random, mix: Mix) -> list[Maker]:
    """All makers, the more wanted ones likelier to come early."""
    keyed = [(rng.expovariate(weight), index) for index, (weight, _) in enumerate(mix)]
    return [mix[index][1] for _, index in sorted(keyed)]
