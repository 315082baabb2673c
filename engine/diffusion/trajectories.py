"""The states that a canvas passes through on its way to an end: labels that lead on, and how far apart they are.

A trajectory is a list of states, the canvas as it was given first, the end last; neither has its end token. Lists of
ids only; nothing knows of models, texts or probabilities.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise
from statistics import fmean

from rapidfuzz.distance import Levenshtein

from engine.diffusion.levenshtein import EditIds, label

State = Sequence[int]


def leading(state: State, target: State, ids: EditIds) -> list[int]:
    """Labels that lead from a state to its target, one a token and one for the end token.

    Those of `label`, unless the state has the target's length and keeping every token's place edits no more: among many
    masks a common subsequence may shift a token to another's place, and would insert and delete where filling is meant.
    """
    by_alignment = label(state, target, ids)
    if len(state) != len(target):
        return by_alignment
    in_place = [*target, ids.end]
    row = [*state, ids.end]
    return in_place if _edits(row, in_place, ids) <= _edits(row, by_alignment, ids) else by_alignment


def _edits(row: State, labels: Sequence[int], ids: EditIds) -> int:
    """Labels that do something other than to fill a mask."""
    return sum(
        wanted != token and not (token == ids.mask and wanted not in (ids.delete, ids.insert))
        for token, wanted in zip(row, labels, strict=True)
    )


def distance(a: State, b: State) -> int:
    """Levenshtein distance in tokens; a mask is a token like any other."""
    return Levenshtein.distance(a, b)


def surrogate(states: Sequence[State]) -> float:
    """What the number of rounds is proportional to (arXiv 2508.02193, equation 11): the mean of 1/d over pairs i≠j.

    Distances are clamped at 1; 0 where there are no two states. A last round that only confirms the end, and leaves the
    canvas as it is, does not count.
    """
    confirmed = len(states) > 1 and distance(states[-2], states[-1]) == 0
    pairs = [1 / max(1, distance(a, b)) for a, b in combinations(states[: len(states) - confirmed], 2)]
    return fmean(pairs) if pairs else 0.0


def gains(states: Sequence[State]) -> list[float]:
    """For each state but the end, what 1/d of its round falls by when that round goes all the way to the end.

    d is how much nearer to the end a round comes; 0 where it already goes all the way. A round that comes no nearer,
    such as one that only opens masks, is spared wholly: 1.
    """
    left = [distance(state, states[-1]) for state in states]
    return [_gain(here, after) for here, after in pairwise(left)]


def _gain(here: int, after: int) -> float:
    if here == 0:  # the end itself, passed through
        return 0.0
    return 1.0 if after >= here else 1 / (here - after) - 1 / here
