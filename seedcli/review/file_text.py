"""The lines around and inside the hunks of one file, with their numbers, made as they are asked for.

Knows nothing of screens or of how wide a line is when shown.
"""

import io
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from seedcli.patches.patch import FilePatch
from seedcli.review.visible_text import encoding_of

CONTEXT = 3
"""Unchanged lines shown on either side of a hunk."""

LineKind = Literal["context", "removed", "added"]

_HEADING = re.compile(
    rb"[ \t]*(?:(?:async[ \t]+)?def|class|func|fn|function|impl|struct|module)\b|[A-Za-z_$]"
)
_HEADING_REACH = 2_000


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a hunk or beside it."""

    kind: LineKind
    raw: bytes
    old_number: int | None
    """From 1; None for an added line."""
    new_number: int | None
    """From 1, in the wholly patched file; None for a removed line."""
    side: int
    """Index among the removed, or among the added lines of the hunk; for context, 0."""


class FileText:
    """The lines of one file of a patch."""

    def __init__(self, file: FilePatch) -> None:
        self.file = file
        self.encoding = encoding_of(file.old or file.new or b"")

    @cached_property
    def old_lines(self) -> list[bytes]:
        """The file as it stands, split after each line feed."""
        return io.BytesIO(self.file.old or b"").readlines()

    @cached_property
    def last_number(self) -> int:
        """The highest line number of either side."""
        return max(len(self.old_lines), (self.file.new or b"").count(b"\n") + 1)

    def lines(self, hunk: int) -> "HunkLines":
        """The lines of a hunk between its lines of context."""
        return HunkLines(self, hunk)

    def heading(self, hunk: int) -> str:
        """The line that opens the definition around the hunk, as `git diff` names it; "" if there is none."""
        start = self.file.hunks[hunk].old_start
        limit = self._indent_at(hunk)
        for line in reversed(self.old_lines[max(0, start - _HEADING_REACH) : start]):
            if _indent(line) < limit and _HEADING.match(line):
                return line.decode(self.encoding, "surrogateescape").strip().rstrip(":{")
        return ""

    def context_before(self, hunk: int) -> int:
        """Lines shown above a hunk: those that the hunk before it does not show already."""
        start = self.file.hunks[hunk].old_start
        return min(CONTEXT, start if hunk == 0 else self._gap(hunk) - self.context_after(hunk - 1))

    def context_after(self, hunk: int) -> int:
        """Lines shown below a hunk, up to the next."""
        if hunk + 1 < len(self.file.hunks):
            return min(CONTEXT, self._gap(hunk + 1))
        return min(CONTEXT, max(0, len(self.old_lines) - _old_end(self.file, hunk)))

    def _gap(self, hunk: int) -> int:
        """Unchanged lines between a hunk and the one before it."""
        return self.file.hunks[hunk].old_start - _old_end(self.file, hunk - 1)

    def _indent_at(self, hunk: int) -> int:
        """The smallest indentation that the hunk's lines stand at, in bytes."""
        change = self.file.hunks[hunk]
        indents = [_indent(line) for line in (*change.old_lines, *change.new_lines) if line.strip()]
        return min(indents, default=1)


class HunkLines:
    """A sequence of DiffLine: context, removed, added, context."""

    def __init__(self, text: FileText, hunk: int) -> None:
        self._text = text
        self._hunk = text.file.hunks[hunk]
        self._before = text.context_before(hunk)
        self._after = text.context_after(hunk)

    def __len__(self) -> int:
        return self._before + len(self._hunk.old_lines) + len(self._hunk.new_lines) + self._after

    def __getitem__(self, index: int) -> DiffLine:
        hunk = self._hunk
        index -= self._before
        if index < 0:
            return self._context(hunk.old_start + index, hunk.new_start + index)
        if index < len(hunk.old_lines):
            return DiffLine("removed", hunk.old_lines[index], hunk.old_start + index + 1, None, index)
        index -= len(hunk.old_lines)
        if index < len(hunk.new_lines):
            return DiffLine("added", hunk.new_lines[index], None, hunk.new_start + index + 1, index)
        index -= len(hunk.new_lines)
        if index >= self._after:
            raise IndexError(index)
        old_end, new_end = hunk.old_start + len(hunk.old_lines), hunk.new_start + len(hunk.new_lines)
        return self._context(old_end + index, new_end + index)

    def _context(self, old: int, new: int) -> DiffLine:
        return DiffLine("context", self._text.old_lines[old], old + 1, new + 1, 0)


def _old_end(file: FilePatch, hunk: int) -> int:
    return file.hunks[hunk].old_start + len(file.hunks[hunk].old_lines)


def _indent(line: bytes) -> int:
    return len(line) - len(line.lstrip(b" \t"))
