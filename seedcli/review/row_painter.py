"""How one row of the stream looks: its text with the styles over it.

Draws what the stream and the decisions say, with styles it asks for by name; knows nothing of themes, of
scrolling or of keys.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text

from seedcli.patches.patch import FilePatch, counts
from seedcli.review.decisions import Decisions, Place
from seedcli.review.file_text import DiffLine, FileText
from seedcli.review.highlight import LineTokens
from seedcli.review.intraline import Spans, changed_words
from seedcli.review.stream import Row, wrap
from seedcli.review.visible_text import VisibleText, decode, visible, visible_name

MARKS = {"undecided": "○", "accepted": "✓", "rejected": "✗", "partly": "◐", "stale": "!"}
"""One character per state, so that none is told by colour alone."""

STYLES = (
    "file", "file-added", "file-removed", "note", "head", "head-cursor", "bar",
    "undecided", "accepted", "rejected", "stale",
    "line-number", "context", "added", "removed", "added-word", "removed-word", "added-sign", "removed-sign",
    "set-aside", "escape", "tab",
    "comment", "string", "number", "constant", "keyword", "function", "class", "decorator", "builtin",
    "operator",
)  # fmt: skip
"""The names of all styles that a painter asks for."""

_SIGNS = {"context": " ", "removed": "-", "added": "+"}
_MAX_COLOURED = 2_000
"""Characters; longer lines are drawn plainly, so that one of a megabyte does not hold up the screen."""

_NO_WORDS: tuple[Mapping[int, Spans], Mapping[int, Spans]] = ({}, {})


@dataclass(frozen=True, slots=True)
class Gutter:
    """What stands left of a line's text: a bar, one or two columns of numbers, the sign."""

    digits: int
    both_sides: bool
    """Old and new numbers; else one column with the old number of removed lines, the new one of others."""

    @property
    def width(self) -> int:
        """Cells."""
        return 1 + (self.digits + 1) * (2 if self.both_sides else 1) + 2

    def numbers(self, line: DiffLine | None) -> str:
        """The columns of numbers, empty for the rows that a line wraps into."""
        old = line.old_number if line else None
        new = line.new_number if line else None
        columns = (old, new) if self.both_sides else (new if new is not None else old,)
        return "".join(f"{'' if number is None else number:>{self.digits}} " for number in columns)


FileTokens = tuple[Sequence[LineTokens], Sequence[LineTokens]]
"""The tokens of a file's old and of its new lines; shorter than the file while they are not known."""


class RowPainter:
    """Draws rows of one patch.

    Args:
        texts: one per file of the patch.
        tokens: by file; looked up at every row, so that they may come later than the first rows are drawn.
        style: the style of each name in STYLES.
    """

    def __init__(
        self,
        decisions: Decisions,
        texts: Sequence[FileText],
        tokens: Mapping[int, FileTokens],
        gutter: Gutter,
        style: Callable[[str], Style],
    ) -> None:
        self._decisions = decisions
        self._texts = texts
        self._tokens = tokens
        self._gutter = gutter
        self._style = style
        self._words: dict[Place, tuple[Mapping[int, Spans], Mapping[int, Spans]]] = {}

    def paint(self, row: Row, width: int, text_width: int) -> Text:
        """One row, exactly `width` cells wide.

        Args:
            text_width: that the rows were made for, which a resized terminal may have left behind.
        """
        if row.kind == "file":
            return self._file_row(row.place.file, width)
        if row.kind == "note":
            note = visible_name(self._texts[row.place.file].file.notes[row.part])
            return Text(fit(f"   ⚑ {note}", width), self._style("note"), end="")
        if row.kind == "head":
            return self._head_row(row.place, width)
        if row.line is None:
            return Text(" " * width, self._style("context"), end="")
        return self._line_row(row, row.line, width, text_width)

    # Headings

    def _file_row(self, index: int, width: int) -> Text:
        file = self._texts[index].file
        added, removed = counts(file)
        right = Text(end="").append(f"+{added}", self._style("file-added")).append(" ")
        right.append(f"-{removed} ", self._style("file-removed"))
        kind, name = _kind_of_change(file), f" {visible_name(file.path)}"
        room = width - right.cell_len - len(kind)
        name = fit(name, min(cell_len(name), room), keep_end=True)
        left = Text(fit(name + kind, width - right.cell_len), self._style("file"), end="")
        return _padded(Text.assemble(left, right, style=self._style("file"), end=""), width)

    def _head_row(self, place: Place, width: int) -> Text:
        state = self.shown_state(place)
        is_cursor = place == self._decisions.cursor
        base = self._style("head-cursor" if is_cursor else "head")
        row = Text(end="", style=base)
        row.append("▌" if is_cursor else " ", self._ink("bar"))
        row.append(f" {MARKS[state]} ", self._ink(state))
        right = f" {state} " if state != "undecided" else ""
        row.append(fit(self._describe(place), width - row.cell_len - len(right)), base)
        row.append(right, self._ink(state))
        return _padded(row, width)

    def _describe(self, place: Place) -> str:
        file = self._texts[place.file].file
        if not file.hunks:
            return "no line changes"
        heading = visible_name(self._texts[place.file].heading(place.hunk))
        where = f"hunk {place.hunk + 1} of {len(file.hunks)}"
        return f"{where} · {heading}" if heading else where

    def shown_state(self, place: Place) -> str:
        """The hunk's decision, or "stale"."""
        return "stale" if self._decisions.is_stale(place.file) else self._decisions.state(place)

    # Lines

    def _line_row(self, row: Row, line: DiffLine, width: int, text_width: int) -> Text:
        state = self.shown_state(row.place)
        aside = state in ("rejected", "stale")
        base = self._style("set-aside" if aside else line.kind)
        painted = Text(end="", style=base)
        painted.append(*self._bar(row.place, state))
        painted.append(self._gutter.numbers(line if row.part == 0 else None), self._ink("line-number"))
        sign = _SIGNS[line.kind] if row.part == 0 else "↪"
        painted.append(
            f"{sign} ", base if aside or line.kind == "context" else self._ink(f"{line.kind}-sign")
        )
        painted.append_text(self._text_of(row, line, base, text_width, plain=aside))
        return _padded(painted, width)

    def _bar(self, place: Place, state: str) -> tuple[str, Style]:
        if place == self._decisions.cursor:
            return "▌", self._ink("bar")
        return ("▏", self._ink(state)) if state == "accepted" else (" ", Style.null())

    def _text_of(self, row: Row, line: DiffLine, base: Style, width: int, *, plain: bool) -> Text:
        text = self._texts[row.place.file]
        shown = visible(line.raw, text.encoding)
        starts = wrap(shown.text, width)
        start = starts[row.part]
        end = starts[row.part + 1] if row.part + 1 < len(starts) else len(shown.text)
        part = Text(shown.text[start:end], base, end="")
        colours = () if plain or len(shown.text) > _MAX_COLOURED else self._colours(row.place, line, shown)
        for span_start, span_end, style in (*colours, *self._marks(shown)):
            if span_start < end and span_end > start:
                part.stylize(style, max(0, span_start - start), span_end - start)
        return part

    def _colours(self, place: Place, line: DiffLine, shown: VisibleText) -> Iterator[tuple[int, int, Style]]:
        """The changed words, and over them the syntax."""
        word = self._style(f"{line.kind}-word") if line.kind != "context" else Style.null()
        for start, end in self._changed_in(place, line):
            yield shown.column(start), shown.column(end), word
        for start, end, kind in self._tokens_in(place.file, line):
            yield shown.column(start), shown.column(end), self._ink(kind)

    def _marks(self, shown: VisibleText) -> Iterator[tuple[int, int, Style]]:
        for mark in shown.marks:
            yield mark.start, mark.end, self._style("escape") if mark.kind == "escape" else self._ink("tab")

    def _changed_in(self, place: Place, line: DiffLine) -> Spans:
        if line.kind == "context":
            return ()
        if place not in self._words:
            self._words[place] = self._compare(place)
        removed, added = self._words[place]
        return (removed if line.kind == "removed" else added).get(line.side, ())

    def _compare(self, place: Place) -> tuple[Mapping[int, Spans], Mapping[int, Spans]]:
        text = self._texts[place.file]
        hunk = text.file.hunks[place.hunk]
        if not hunk.old_lines or not hunk.new_lines:
            return _NO_WORDS
        removed, added = (
            [decode(line, text.encoding) for line in lines] for lines in (hunk.old_lines, hunk.new_lines)
        )
        return changed_words(removed, added)

    def _tokens_in(self, file: int, line: DiffLine) -> LineTokens:
        old, new = self._tokens.get(file, ((), ()))
        lines, number = (new, line.new_number) if line.kind == "added" else (old, line.old_number)
        return lines[number - 1] if number is not None and number <= len(lines) else ()

    def _ink(self, name: str) -> Style:
        return ink_of(self._style(name))


def ink_of(style: Style) -> Style:
    """A style without its background, to lay over another."""
    return Style(
        color=style.color,
        bold=style.bold,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
    )


def _kind_of_change(file: FilePatch) -> str:
    if file.old is None:
        return " (new file)"
    return " (deleted)" if file.new is None else ""


def fit(text: str, width: int, *, keep_end: bool = False) -> str:
    """Exactly so many cells; what is too long loses its end, or its beginning, to an ellipsis."""
    surplus = cell_len(text) - width
    if surplus <= 0:
        return set_cell_size(text, max(0, width))
    if width < 1:
        return ""
    if keep_end:
        return set_cell_size("…" + text[surplus + 1 :], width)
    return set_cell_size(text, width - 1) + "…"


def _padded(text: Text, width: int) -> Text:
    if text.cell_len > width:
        text.truncate(max(width, 0))
    text.append(" " * (width - text.cell_len), text.style if isinstance(text.style, Style) else None)
    return text
