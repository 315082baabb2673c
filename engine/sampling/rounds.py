"""One round of an edit: what a canvas becomes, given how probable each token's edits are. Pure lists, no tensors.

The rule: masks are filled where the model is sure, at least one a round; a gap (adjoining tokens that want to change)
is edited when some token of it wants to change with more than the threshold's probability, and then as a whole: at
once where the model knows what to write, else masked with a run of spare slots and filled in later rounds. Nothing of
a gap below the threshold is touched, nor of one whose weakest label is less probable than a checkpoint may ask for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.diffusion.levenshtein import RUN, EditIds, apply

FILL = 0.7
"""Least probability with which several masks are filled in one round."""
AT_ONCE = 0.05
"""Least probability of every label of a gap for it to be edited without masks."""
OPENING_ROUNDS = 3
"""Rounds in which gaps may be masked; later ones only fill and edit, so that a canvas settles."""


@dataclass(frozen=True, slots=True)
class View:
    """What the model says of one canvas, one entry a token, the end token last."""

    keep: Sequence[float]
    """Probability that the token stays; 0 for masks."""
    best: Sequence[int]
    """Most probable label."""
    probability: Sequence[float]
    """Of that label."""


@dataclass(frozen=True, slots=True)
class Step:
    """The canvas after a round."""

    canvas: list[int]
    confidence: float
    """Least probability of a label that was applied; 1 if none was."""
    edited: tuple[int, ...]
    """Places of the canvas before it, the end token's among them, whose labels were applied."""


def change_probability(view: View) -> float:
    """How probable it is, at the least, that something in the canvas needs to change."""
    return max((1 - p for p in view.keep), default=0.0)


def advance(
    canvas: Sequence[int],
    view: View,
    ids: EditIds,
    threshold: float,
    round_: int,
    *,
    fill: float = FILL,
    least: float = 0.0,
) -> Step:
    """Apply one round to a canvas (without its end token); the same canvas where nothing is to be done.

    Args:
        fill: least probability with which several masks are filled.
        least: probability of a gap's weakest label below which the gap stays as it is.
    """
    row = [*canvas, ids.end]
    labels = list(row)
    confidence = 1.0
    opened: list[tuple[int, int]] = []
    edited = _fills(row, view, ids, fill)
    for i in edited:
        labels[i] = view.best[i]
        confidence = min(confidence, view.probability[i])
    for start, end in _gaps(row, view, ids, threshold):
        if max(1 - view.keep[i] for i in range(start, end)) <= threshold:
            continue
        # A token may want to go although no single label beats it: then the gap cannot be written at once.
        sure = min(view.probability[i] if view.best[i] != row[i] else 0.0 for i in range(start, end))
        if sure < least:
            continue
        if sure < AT_ONCE and round_ < OPENING_ROUNDS:
            opened.append((start, end))
        elif sure:
            labels[start:end] = view.best[start:end]
            confidence = min(confidence, sure)
            edited += range(start, end)
    for start, end in reversed(opened):
        row, labels = mask_gap(row, labels, view.best[end - 1] == ids.insert, start, end, ids)
    return Step(apply(row[:-1], labels, ids), confidence, tuple(edited))


def clean_up(canvas: Sequence[int], view: View, ids: EditIds) -> Step:
    """Fill every mask that is left and change nothing else; `view` offers neither masks nor inserts."""
    filled = [i for i, token in enumerate(canvas) if token == ids.mask]
    labels = [view.best[i] if token == ids.mask else token for i, token in enumerate(canvas)]
    confidence = min((view.probability[i] for i in filled), default=1.0)
    return Step(apply(canvas, [*labels, ids.end], ids), confidence, tuple(filled))


def _fills(row: Sequence[int], view: View, ids: EditIds, fill: float) -> list[int]:
    masks = [i for i, token in enumerate(row) if token == ids.mask]
    sure = [i for i in masks if view.probability[i] > fill]
    return sure or sorted(masks, key=lambda i: -view.probability[i])[:1]


def _gaps(row: Sequence[int], view: View, ids: EditIds, threshold: float) -> list[tuple[int, int]]:
    """Runs [start, end) of adjoining tokens that want to change; masks stand in no run."""
    # Below a threshold near 0 all tokens would be one gap, and none of it written.
    bound = max(threshold, 0.5)
    wants = [
        token != ids.mask and (view.best[i] != token or 1 - view.keep[i] > bound)
        for i, token in enumerate(row)
    ]
    return runs(wants)


def runs(wants: Sequence[bool]) -> list[tuple[int, int]]:
    """Runs [start, end) of true values."""
    found, start = [], None
    for i, want in enumerate([*wants, False]):
        if want and start is None:
            start = i
        elif not want and start is not None:
            found.append((start, i))
            start = None
    return found


def mask_gap(
    row: list[int], labels: list[int], inserts: bool, start: int, end: int, ids: EditIds
) -> tuple[list[int], list[int]]:
    """Row and labels with a gap replaced by masks.

    Args:
        inserts: whether the gap's last token only wants an insert before it: then it stays behind the masks.
    """
    stop = end - (inserts or row[end - 1] == ids.end)
    masks = [ids.mask] * (stop - start + RUN)
    return row[:start] + masks + row[stop:], labels[:start] + masks + row[stop:end] + labels[end:]
