"""The hunks of all files one below the other, as rows of a given width: which row shows what.

    file · src/app.py                 one row, then one per note
    head · hunk 1 of 2
    line · context, removed, added    one row per line, more where it wraps
    gap

Rows are worked out from their number, not kept, so that a hunk of 10,000 lines costs as little as its visible
part. Knows nothing of colours, of decisions or of the terminal.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from rich.cells import get_character_cell_size

from seedcli.review.decisions import Place
from seedcli.review.file_text import DiffLine, FileText
from seedcli.review.visible_text import TAB_STOP, visible

RowKind = Literal["file", "note", "head", "line", "gap"]

_SIMPLE = re.compile(rb"[\t\x20-\x7e]*\r?\n")


@dataclass(frozen=True, slots=True)
class Row:
    """What one row of the stream shows."""

    kind: RowKind
    place: Place
    """The hunk, or for rows of the file its first one."""
    line: DiffLine | None = None
    """Of kind "line"."""
    part: int = 0
    """Of kind "line": which of the rows that the line wraps into; of kind "note": which note."""


class Stream:
    """The rows of a patch's files. A changed patch or width wants a new one."""

    def __init__(self, texts: Sequence[FileText], width: int) -> None:
        self.width = max(1, width)
        """Cells for a line's text."""
        self._texts = texts
        self._tops: list[int] = []
        self._places: list[Place] = []
        self._wraps: dict[Place, list[int]] = {}
        self._index: dict[Place, int] = {}
        self.height = 0
        """In rows."""
        for index in range(len(texts)):
            self._add_file(index)

    def top(self, place: Place) -> int:
        """The first row of a hunk; for a file's first hunk, the file's own row."""
        return self._tops[self._index[place]]

    def head(self, place: Place) -> int:
        """The row that heads a hunk."""
        return self.top(place) + self._rows_above_head(place)

    def end(self, place: Place) -> int:
        """The row after a hunk's last line."""
        index = self._index[place] + 1
        return (self._tops[index] if index < len(self._tops) else self.height) - 1

    def row(self, number: int) -> Row:
        """What this row shows. Raises IndexError outside the stream."""
        if not 0 <= number < self.height:
            raise IndexError(number)
        place = self._places[bisect_right(self._tops, number) - 1]
        offset = number - self.head(place)
        if offset < 0:
            offset += self._rows_above_head(place)
            return Row("file", place) if offset == 0 else Row("note", place, part=offset - 1)
        if offset == 0:
            return Row("head", place)
        if number == self.end(place):
            return Row("gap", place)
        return self._line_row(place, offset - 1)

    def _line_row(self, place: Place, offset: int) -> Row:
        starts = self._wraps.get(place)
        index = offset if starts is None else bisect_right(starts, offset) - 1
        part = 0 if starts is None else offset - starts[index]
        return Row("line", place, self._texts[place.file].lines(place.hunk)[index], part)

    def _rows_above_head(self, place: Place) -> int:
        return 1 + len(self._texts[place.file].file.notes) if place.hunk == 0 else 0

    def _add_file(self, index: int) -> None:
        text = self._texts[index]
        for hunk in range(max(1, len(text.file.hunks))):
            place = Place(index, hunk)
            self._index[place] = len(self._places)
            self._places.append(place)
            self._tops.append(self.height)
            self.height += self._rows_above_head(place) + 1 + self._line_rows(place) + 1

    def _line_rows(self, place: Place) -> int:
        text = self._texts[place.file]
        if not text.file.hunks:
            return 0
        lines = text.lines(place.hunk)
        rows = [rows_of(lines[i].raw, text.encoding, self.width) for i in range(len(lines))]
        if sum(rows) > len(rows):
            self._wraps[place] = list(accumulate(rows, initial=0))[:-1]
        return sum(rows)


def rows_of(raw: bytes, encoding: str, width: int) -> int:
    """How many rows a line takes."""
    if len(raw) + (TAB_STOP - 1) * raw.count(b"\t") <= width and _SIMPLE.fullmatch(raw):
        return 1
    return len(wrap(visible(raw, encoding).text, width))


def wrap(text: str, width: int) -> Sequence[int]:
    """Where the rows of a text begin; at least one. A wide character is never cut in two."""
    if text.isascii() or all(get_character_cell_size(character) == 1 for character in text):
        return range(0, max(1, len(text)), width)
    starts, used = [0], 0
    for index, character in enumerate(text):
        size = get_character_cell_size(character)
        if used + size > width and index > starts[-1]:
            starts.append(index)
            used = 0
        used += size
    return starts
