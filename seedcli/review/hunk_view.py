"""The main part of the review screen: the stream of hunks, drawn row by row as it comes into view.

It shows decisions and takes none. It tells the screen which hunk was clicked, and which one scrolling has
brought under the reader's eyes.
"""

from typing import ClassVar

from rich.style import Style
from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from seedcli.patches.patch import FilePatch
from seedcli.review.decisions import Decisions, Place
from seedcli.review.file_text import FileText
from seedcli.review.highlight import tokens_of
from seedcli.review.row_painter import STYLES, FileTokens, Gutter, RowPainter
from seedcli.review.stream import Stream

_WIDE = 96
"""Cells; from here on old and new line numbers stand side by side."""

_READING_STEP = 3
"""Rows that an arrow key scrolls inside a hunk."""


class HunkView(ScrollView, can_focus=True, inherit_bindings=False):
    """All hunks of all files."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,pagedown", "page_down", show=False),
        Binding("pageup,b", "page_up", show=False),
        Binding("home,g", "app.move_to_end(-1)", show=False),
        Binding("end,G", "app.move_to_end(1)", show=False),
        Binding("tab", "app.move_to_undecided(1)", show=False),
        Binding("shift+tab", "app.move_to_undecided(-1)", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"hunk-view--{name}" for name in STYLES}

    DEFAULT_CSS = """
    HunkView {
        overflow-x: hidden;
        overflow-y: scroll;
        background: $background;
        color: $foreground;
        scrollbar-size-vertical: 1;
        & > .hunk-view--file { background: $panel; text-style: bold; }
        & > .hunk-view--file-added { background: $panel; color: $text-success; text-style: bold; }
        & > .hunk-view--file-removed { background: $panel; color: $text-error; text-style: bold; }
        & > .hunk-view--note { color: $text-warning; text-style: italic; }
        & > .hunk-view--head { color: $foreground 60%; }
        & > .hunk-view--head-cursor { background: $primary 35%; text-style: bold; }
        & > .hunk-view--bar { color: $accent; text-style: bold; }
        & > .hunk-view--accepted { color: $text-success; text-style: bold; }
        & > .hunk-view--rejected { color: $text-error; text-style: bold; }
        & > .hunk-view--stale { color: $text-warning; text-style: bold; }
        & > .hunk-view--line-number { color: $foreground 38%; }
        & > .hunk-view--added { background: $success 14%; }
        & > .hunk-view--removed { background: $error 14%; }
        & > .hunk-view--added-word { background: $success 40%; }
        & > .hunk-view--removed-word { background: $error 45%; }
        & > .hunk-view--added-sign { color: $text-success; text-style: bold; }
        & > .hunk-view--removed-sign { color: $text-error; text-style: bold; }
        & > .hunk-view--set-aside { color: $foreground 45%; }
        & > .hunk-view--escape { background: $warning; color: $background; text-style: bold; }
        & > .hunk-view--tab { color: $foreground 30%; }
        & > .hunk-view--comment { color: $foreground 60%; text-style: italic; }
        & > .hunk-view--string { color: $text-success; }
        & > .hunk-view--number { color: $text-warning; }
        & > .hunk-view--constant { color: $text-warning; }
        & > .hunk-view--keyword { color: $text-accent; }
        & > .hunk-view--function { color: $text-primary; text-style: bold; }
        & > .hunk-view--class { color: $text-primary; text-style: bold; }
        & > .hunk-view--decorator { color: $text-primary; }
        & > .hunk-view--builtin { color: $text-primary; }
    }
    HunkView:nocolor {
        & > .hunk-view--head-cursor { text-style: bold reverse; }
        & > .hunk-view--added-word { text-style: bold underline; }
        & > .hunk-view--removed-word { text-style: bold underline; }
        & > .hunk-view--escape { text-style: bold reverse; }
        & > .hunk-view--set-aside { text-style: dim; }
    }
    """

    class Chosen(Message):
        """A hunk was clicked."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    class Reached(Message):
        """Scrolling left the cursor's hunk behind; this one is in view."""

        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    class _Coloured(Message):
        """The syntax colours of a file are ready."""

        def __init__(self, index: int, text: FileText, tokens: FileTokens) -> None:
            super().__init__()
            self.index = index
            self.text = text
            self.tokens = tokens

    def __init__(self, decisions: Decisions, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._decisions = decisions
        self._texts: list[FileText] = []
        self._stream = Stream((), 1)
        self._painter = RowPainter(decisions, (), {}, Gutter(1, False), self._named_style)
        self._tokens: dict[int, FileTokens] = {}

    # What the screen asks for

    def show_decisions(self) -> None:
        """Draw the decisions as they are now, with the cursor's hunk in view."""
        self.redraw()
        self._show_cursor()

    def redraw(self) -> None:
        """Draw the decisions as they are now, and stay in place."""
        if any(text.file is not file for text, file in self._files()):
            self._lay_out()
        self.refresh()

    def read_on(self, direction: int) -> bool:
        """Scroll inside the cursor's hunk; False if it has no more rows in that direction."""
        cursor = self._decisions.cursor
        if cursor is None:
            return False
        top, height = self.scroll_offset.y, self.size.height
        if direction > 0:
            hidden = self._stream.end(cursor) - (top + height)
        else:
            hidden = top - self._stream.top(cursor)
        if hidden <= 0:
            return False
        self.scroll_to(y=top + direction * min(hidden, _READING_STEP), animate=False)
        return True

    # Layout

    def on_resize(self) -> None:
        """The text wraps anew."""
        if self._stream.width != self._text_width() or not self._texts:
            self._lay_out()
            self.call_after_refresh(self._show_cursor)

    def _lay_out(self) -> None:
        patch = self._decisions.patch
        if len(self._texts) != len(patch.files):
            self._texts = [FileText(file) for file in patch.files]
        for index, (text, file) in enumerate(self._files()):
            if text.file is not file:
                self._texts[index] = FileText(file)
                self._tokens.pop(index, None)
        self._stream = Stream(self._texts, self._text_width())
        self._painter = RowPainter(
            self._decisions, self._texts, self._tokens, self._gutter(), self._named_style
        )
        self.virtual_size = Size(self._width, self._stream.height)
        self.refresh()

    @property
    def _width(self) -> int:
        """Cells beside the scrollbar."""
        return self.scrollable_content_region.width

    def _files(self) -> list[tuple[FileText, FilePatch]]:
        return list(zip(self._texts, self._decisions.patch.files, strict=False))

    def _gutter(self) -> Gutter:
        last = max((text.last_number for text in self._texts), default=1)
        return Gutter(max(3, len(str(last))), both_sides=self._width >= _WIDE)

    def _text_width(self) -> int:
        return max(1, self._width - self._gutter().width)

    # Drawing

    def render_line(self, y: int) -> Strip:
        """One visible row; `y` counts from the top of the view."""
        number = y + self.scroll_offset.y
        width = self._width
        if not self._texts or number >= self._stream.height:
            return Strip.blank(width, self.rich_style)
        row = self._stream.row(number)
        if row.line is not None:
            self._want_tokens(row.place.file)
        text = self._painter.paint(row, width, self._stream.width)
        return Strip(text.render(self.app.console), width)

    def notify_style_update(self) -> None:
        """The theme changed."""
        super().notify_style_update()
        self.refresh()

    def _named_style(self, name: str) -> Style:
        return self.get_component_rich_style(f"hunk-view--{name}")

    # Syntax colours, made beside the screen's own work

    def _want_tokens(self, index: int) -> None:
        if index not in self._tokens:
            self._tokens[index] = ([], [])
            self._make_tokens(index, self._texts[index])

    # A lexer that fails costs the colours, not the review.
    @work(thread=True, group="highlight", exit_on_error=False)
    def _make_tokens(self, index: int, text: FileText) -> None:
        file = text.file
        old, new = (tokens_of(file.path, side or b"", text.encoding) for side in (file.old, file.new))
        self.post_message(self._Coloured(index, text, (old, new)))

    @on(_Coloured)
    def _take_tokens(self, message: _Coloured) -> None:
        if self._texts[message.index] is message.text:
            self._tokens[message.index] = message.tokens
            self.refresh()

    # Moving

    def _show_cursor(self) -> None:
        """Scroll until the cursor's hunk is in view: whole if it fits, else from its head."""
        cursor = self._decisions.cursor
        if cursor is None or not self._texts:
            return
        top, end = self._stream.top(cursor), self._stream.end(cursor)
        view_top, height = self.scroll_offset.y, self.size.height
        if end - top > height:
            if not top <= view_top < end:
                self.scroll_to(y=top, animate=False)
        elif top < view_top:
            self.scroll_to(y=top, animate=False)
        elif end > view_top + height:
            self.scroll_to(y=end - height, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Keep the cursor on a hunk that can be seen, since the keys act on it."""
        super().watch_scroll_y(old_value, new_value)
        cursor = self._decisions.cursor
        if cursor is None or not self._texts:
            return
        top, height = round(new_value), self.size.height
        if self._stream.end(cursor) <= top or self._stream.head(cursor) >= top + height:
            middle = min(top + height // 2, self._stream.height - 1)
            self.post_message(self.Reached(self._stream.row(middle).place))

    def on_click(self, event: events.Click) -> None:
        """A click chooses the hunk under it."""
        number = event.y + self.scroll_offset.y
        if self._texts and number < self._stream.height:
            self.post_message(self.Chosen(self._stream.row(number).place))
