"""Conflict markers, as git leaves them in a file: which lines they take up, and what each side holds.

Both styles are read, `merge` and `diff3` (or `zdiff3`), which also tells what stood there before both. Lines count from
0 and spans are half-open. Knows nothing of git.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from seedcli.errors import TargetError
from seedcli.repository.regions import Region
from seedcli.repository.source import SourceFile

_MARKER = re.compile(
    r"(?:(?P<ours><{7})|(?P<base>\|{7})|(?P<middle>={7})|(?P<theirs>>{7}))(?: (?P<label>.*))?"
)
_KINDS = ("ours", "base", "middle", "theirs")
_NEXT = {"": ("ours",), "ours": ("base", "middle"), "base": ("middle",), "middle": ("theirs",)}
"""Which marker may follow which."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Lines that two sides have changed in different ways."""

    start: int
    end: int
    """Markers included."""
    ours: str
    theirs: str
    base: str | None
    """What stood there before; None where the markers do not tell."""
    labels: tuple[str, str]
    """What git calls ours and theirs."""

    @property
    def told(self) -> str:
        """The sides one after the other, each below its name: for a model."""
        ours, theirs = (f" ({label})" if label else "" for label in self.labels)
        before = "" if self.base is None else f"before both:\n{self.base}"
        return f"{before}ours{ours}:\n{self.ours}theirs{theirs}:\n{self.theirs}"


def has_markers(text: str) -> bool:
    """Whether any line is a conflict marker."""
    return any(_MARKER.fullmatch(line) for line in text.split("\n"))


def conflicts_of(text: str, name: str) -> list[Conflict]:
    """The conflicts of a file's text, in order.

    Args:
        name: of the file, for messages.

    Raises:
        TargetError: the markers do not make sense, so that nobody can tell the sides apart.
    """
    lines = text.split("\n")
    found: list[Conflict] = []
    marks: list[tuple[str, int]] = []
    for number, line in enumerate(lines):
        if not (match := _MARKER.fullmatch(line)):
            continue
        kind = next(kind for kind in _KINDS if match[kind])
        if kind == "middle" and not marks:
            continue  # a heading of seven, or the like
        if kind not in _NEXT[marks[-1][0] if marks else ""]:
            raise TargetError(
                f"{name}:{number + 1}: the conflict marker {line[:7]} is out of place; resolve it by hand"
            )
        marks.append((kind, number))
        if kind == "theirs":
            found.append(_conflict(lines, dict(marks)))
            marks = []
    if marks:
        raise TargetError(f"{name}:{marks[0][1] + 1}: this conflict has no end; resolve it by hand")
    return found


def conflict_region(source: SourceFile, conflict: Conflict) -> Region:
    """The lines of a conflict, markers included."""
    text = _text(source.text.split("\n"), conflict.start, conflict.end)
    return Region("conflict", "", conflict.start, conflict.end, text)


def _conflict(lines: Sequence[str], at: dict[str, int]) -> Conflict:
    before = at.get("base", at["middle"])
    return Conflict(
        at["ours"],
        at["theirs"] + 1,
        ours=_text(lines, at["ours"] + 1, before),
        theirs=_text(lines, at["middle"] + 1, at["theirs"]),
        base=_text(lines, at["base"] + 1, at["middle"]) if "base" in at else None,
        labels=(lines[at["ours"]][8:], lines[at["theirs"]][8:]),
    )


def _text(lines: Sequence[str], start: int, end: int) -> str:
    return "".join(line + "\n" for line in lines[start:end])
