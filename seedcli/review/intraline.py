"""Which words of a removed line and of the line added in its place differ.

Pure functions over text: knows nothing of files, patches or colours. Lines are paired first, since a hunk may
add or remove lines beside those that it changes.
"""

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

Spans = tuple[tuple[int, int], ...]
"""Half-open character ranges, in order, apart from each other."""

_MAX_PAIRINGS = 2_500
_MAX_LINE = 1_000
_MAX_MATCHES, _MAX_MATCHES_OF_LINES = 200_000, 20_000
"""Pairs of equal words on both sides of a hunk, and of two lines, up to which they are compared: rows of numbers have
so many that comparing them takes minutes."""
_ALIKE = 0.5
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


def changed_words(removed: Sequence[str], added: Sequence[str]) -> tuple[dict[int, Spans], dict[int, Spans]]:
    """The changed spans of those lines that have a counterpart on the other side, by index of the line.

    A line without an entry has no counterpart that it resembles: it changed as a whole. Hunks too large to
    compare line by line are compared by position, if both sides have as many lines, else not at all.
    """
    of_removed: dict[int, Spans] = {}
    of_added: dict[int, Spans] = {}
    for i, j in _pairs(removed, added):
        of_removed[i], of_added[j] = _differences(removed[i], added[j])
    return of_removed, of_added


def _pairs(removed: Sequence[str], added: Sequence[str]) -> list[tuple[int, int]]:
    if len(removed) * len(added) > _MAX_PAIRINGS or _matches(removed, added) > _MAX_MATCHES:
        count = min(len(removed), _MAX_PAIRINGS) if len(removed) == len(added) else 0
        return [(i, i) for i in range(count) if _alike(removed[i], added[i])]
    pairs: list[tuple[int, int]] = []
    free = 0
    for i, line in enumerate(removed):
        for j in range(free, len(added)):
            if _alike(line, added[j]):
                pairs.append((i, j))
                free = j + 1
                break
    return pairs


def _matches(removed: Sequence[str], added: Sequence[str]) -> int:
    """How many pairs of equal words there are."""
    ours, theirs = (
        Counter(word for line in side for word in _WORDS.findall(line)) for side in (removed, added)
    )
    return sum(count * theirs[word] for word, count in ours.items())


def _matcher(removed: str, added: str) -> "SequenceMatcher[str]":
    return SequenceMatcher(None, _WORDS.findall(removed), _WORDS.findall(added), autojunk=False)


def _alike(removed: str, added: str) -> bool:
    if max(len(removed), len(added)) > _MAX_LINE or not removed.strip() or not added.strip():
        return False
    if _matches([removed], [added]) > _MAX_MATCHES_OF_LINES:
        return False
    matcher = _matcher(removed.strip(), added.strip())
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _differences(removed: str, added: str) -> tuple[Spans, Spans]:
    matcher = _matcher(removed, added)
    removed_ends, added_ends = _ends(removed), _ends(added)
    changes = [block for block in matcher.get_opcodes() if block[0] != "equal"]
    return (
        tuple((removed_ends[i1], removed_ends[i2]) for _, i1, i2, _, _ in changes if i1 < i2),
        tuple((added_ends[j1], added_ends[j2]) for _, _, _, j1, j2 in changes if j1 < j2),
    )


def _ends(text: str) -> list[int]:
    """Where the words begin, and where the last one ends."""
    return [0, *(match.end() for match in _WORDS.finditer(text))]
