"""Whole changes made of the candidates for several regions, likeliest first. Knows nothing of texts or files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

_LEAST = 1e-9

Picks = Mapping[int, int]
"""Which candidate each changed region gets, by the regions' numbers; the others stay as they are."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What one region may become."""

    scores: Sequence[float]
    """Of its candidates, best first, each in [0, 1]."""
    stands: bool
    """Whether the model stands by the first candidate; else it would rather leave the region as it is."""
    change: float
    """Probability that something in the region needs to change."""
    may_stay: bool = True
    """Whether leaving the region as it is would be an answer."""


def changes(choices: Sequence[Choice]) -> Iterator[Picks]:
    """What the model stands by in every region; then what differs from that in one region, likeliest first.

    What is wrong is seldom wrong in two places: other candidates of several regions are not put together. The first is
    left out where the model stands by nothing, and so is the change that would change nothing.
    """
    base = {i: 0 for i, choice in enumerate(choices) if choice.scores and choice.stands}
    if base:
        yield base
    others: list[tuple[float, int, int | None]] = []
    for i, choice in enumerate(choices):
        stays = max(1 - choice.change, _LEAST)
        now = max(choice.scores[0], _LEAST) if i in base else stays
        first = 1 if i in base else 0
        # Candidates of one region keep their order.
        falling = list(accumulate(choice.scores[first:], min))
        others += [(score / now, i, k) for k, score in enumerate(falling, first)]
        if i in base and choice.may_stay and len(base) > 1:
            others.append((stays / now, i, None))
    # Of equal ones the better candidate comes first, then the earlier region.
    for _, i, k in sorted(others, key=lambda one: (-one[0], one[2] or 0, one[1])):
        kept = {j: 0 for j in base if j != i}
        yield kept if k is None else dict(sorted({**kept, i: k}.items()))
