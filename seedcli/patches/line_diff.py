"""Which lines differ between two byte strings split at `\\n`.

Anchors on lines that occur once on each side (patience), then `difflib` between anchors: the result reads as
people expect, and the time stays near linear for large files with few changes. Knows nothing of hunks or
files.
"""

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

Change = tuple[int, int, int, int]
"""Old lines [i1, i2) become new lines [j1, j2)."""

_MAX_PAIRS = 4_000_000
"""Beyond so many pairs of lines without an anchor, a stretch is replaced as a whole rather than compared."""


def split_lines(data: bytes) -> list[bytes]:
    """`data` cut after every `\\n`; the last line may lack one."""
    lines = data.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def changes(old: Sequence[bytes], new: Sequence[bytes]) -> list[Change]:
    """The changes that turn `old` into `new`, in order, with at least one equal line between any two."""
    merged: list[Change] = []
    for i1, i2, j1, j2 in _changes(old, new, 0, len(old), 0, len(new)):
        if merged and merged[-1][1] == i1 and merged[-1][3] == j1:
            merged[-1] = (merged[-1][0], i2, merged[-1][2], j2)
        else:
            merged.append((i1, i2, j1, j2))
    return merged


def _changes(
    old: Sequence[bytes], new: Sequence[bytes], i1: int, i2: int, j1: int, j2: int
) -> Iterator[Change]:
    while i1 < i2 and j1 < j2 and old[i1] == new[j1]:
        i1, j1 = i1 + 1, j1 + 1
    while i1 < i2 and j1 < j2 and old[i2 - 1] == new[j2 - 1]:
        i2, j2 = i2 - 1, j2 - 1
    if i1 == i2 or j1 == j2:
        if (i1, j1) != (i2, j2):
            yield i1, i2, j1, j2
        return
    anchors = _anchors(old, new, i1, i2, j1, j2)
    if not anchors:
        yield from _plain(old, new, i1, i2, j1, j2)
        return
    for i, j in anchors:
        yield from _changes(old, new, i1, i, j1, j)
        i1, j1 = i + 1, j + 1
    yield from _changes(old, new, i1, i2, j1, j2)


def _anchors(
    old: Sequence[bytes], new: Sequence[bytes], i1: int, i2: int, j1: int, j2: int
) -> list[tuple[int, int]]:
    """Pairs of equal lines, unique on both sides, in rising order on both: a longest such chain."""
    old_count, new_count = Counter(old[i1:i2]), Counter(new[j1:j2])
    where = {new[j]: j for j in range(j1, j2) if new_count[new[j]] == 1}
    pairs = [(i, where[old[i]]) for i in range(i1, i2) if old_count[old[i]] == 1 and old[i] in where]
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int] = []
    for n, (_, j) in enumerate(pairs):
        k = bisect_left(tails, j)
        tails[k : k + 1] = [j]
        ends[k : k + 1] = [n]
        previous.append(ends[k - 1] if k else -1)
    chain = []
    n = ends[-1] if ends else -1
    while n >= 0:
        chain.append(pairs[n])
        n = previous[n]
    return chain[::-1]


def _plain(
    old: Sequence[bytes], new: Sequence[bytes], i1: int, i2: int, j1: int, j2: int
) -> Iterator[Change]:
    if (i2 - i1) * (j2 - j1) > _MAX_PAIRS:
        yield i1, i2, j1, j2
        return
    matcher = difflib.SequenceMatcher(None, old[i1:i2], new[j1:j2], autojunk=False)
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if tag != "equal":
            yield i1 + a1, i1 + a2, j1 + b1, j1 + b2
