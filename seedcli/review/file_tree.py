"""The list of a patch's files beside the hunks: state marks, names below their folders, counts of lines.

Shows and tells what was clicked; knows nothing of keys or of files on disk.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from seedcli.patches.patch import counts
from seedcli.review.decisions import Decisions
from seedcli.review.row_painter import MARKS, fit, ink_of
from seedcli.review.visible_text import visible_name

_STYLES = (
    "folder",
    "file",
    "cursor",
    "added",
    "removed",
    "undecided",
    "accepted",
    "rejected",
    "partly",
    "stale",
)
_FOLDERS_FROM = 8
"""Rows; a lower list spends none on folders."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One row: a folder, or a file if there is an index."""

    name: str
    index: int | None


class FileTree(ScrollView, can_focus=False):
    """All files of a patch."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"file-tree--{name}" for name in _STYLES}

    DEFAULT_CSS = """
    FileTree {
        overflow-x: hidden;
        overflow-y: auto;
        background: $surface;
        color: $foreground;
        scrollbar-size-vertical: 1;
        & > .file-tree--folder { color: $foreground 55%; }
        & > .file-tree--cursor { background: $primary 35%; text-style: bold; }
        & > .file-tree--added { color: $text-success; }
        & > .file-tree--removed { color: $text-error; }
        & > .file-tree--accepted { color: $text-success; text-style: bold; }
        & > .file-tree--rejected { color: $text-error; text-style: bold; }
        & > .file-tree--partly { color: $text-primary; text-style: bold; }
        & > .file-tree--stale { color: $text-warning; text-style: bold; }
    }
    FileTree:nocolor > .file-tree--cursor { text-style: bold reverse; }
    """

    class Chosen(Message):
        """A file was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def __init__(self, decisions: Decisions, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._decisions = decisions
        self._entries: list[_Entry] = []

    def show_decisions(self) -> None:
        """Draw the decisions as they are now, with the cursor's file in view."""
        self.refresh()
        cursor = self._decisions.cursor
        for row, entry in enumerate(self._entries):
            if cursor is not None and entry.index == cursor.file:
                top, height = self.scroll_offset.y, self.size.height
                if not top <= row < top + height:
                    self.scroll_to(y=max(0, row - height // 2), animate=False)

    def on_mount(self) -> None:
        """As high as there are files, where the height is free."""
        self.virtual_size = Size(0, len(self._decisions.patch.files))

    def on_resize(self) -> None:
        """Folders take rows of their own where there are rows to spare."""
        files = self._decisions.patch.files
        self._entries = _entries(
            [visible_name(file.path) for file in files], self.size.height >= _FOLDERS_FROM
        )
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._entries))
        self.call_after_refresh(self.show_decisions)

    def render_line(self, y: int) -> Strip:
        """One visible row; `y` counts from the top of the view."""
        row = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if row >= len(self._entries):
            return Strip.blank(width, self.rich_style)
        entry = self._entries[row]
        if entry.index is None:
            text = Text(fit(f" {entry.name}", width), self._named_style("folder"), end="")
        else:
            text = self._file_row(entry, entry.index, width)
        return Strip(text.render(self.app.console), width)

    def on_click(self, event: events.Click) -> None:
        """A click chooses the file under it."""
        row = event.y + self.scroll_offset.y
        if row < len(self._entries) and (index := self._entries[row].index) is not None:
            self.post_message(self.Chosen(index))

    def _file_row(self, entry: _Entry, index: int, width: int) -> Text:
        cursor = self._decisions.cursor
        is_cursor = cursor is not None and cursor.file == index
        base = self._named_style("cursor" if is_cursor else "file")
        added, removed = counts(self._decisions.patch.files[index])
        state = self._state_of(index)
        name_width = width - len(f" {MARKS[state]}  +{added} -{removed} ")
        row = Text(style=base, end="")
        row.append(f" {MARKS[state]} ", self._ink(state)).append(fit(entry.name, name_width, keep_end=True))
        row.append(f" +{added}", self._ink("added")).append(f" -{removed} ", self._ink("removed"))
        row.truncate(width)
        return row

    def _state_of(self, index: int) -> str:
        if self._decisions.is_stale(index):
            return "stale"
        states = {self._decisions.state(place) for place in self._decisions.places_of(index)}
        if "undecided" in states:
            return "undecided"
        return states.pop() if len(states) == 1 else "partly"

    def _named_style(self, name: str) -> Style:
        return self.get_component_rich_style(f"file-tree--{name}")

    def _ink(self, name: str) -> Style:
        return ink_of(self._named_style(name))


def _entries(paths: list[str], with_folders: bool) -> list[_Entry]:
    if not with_folders:
        return [_Entry(path, index) for index, path in enumerate(paths)]
    entries: list[_Entry] = []
    last = ""
    for index, path in enumerate(paths):
        folder, _, name = path.rpartition("/")
        if folder != last:
            entries.append(_Entry(f"{folder or '.'}/", None))
            last = folder
        entries.append(_Entry(name, index))
    return entries
