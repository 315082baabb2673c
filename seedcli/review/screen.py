"""The review screen: files on the left, hunks of all files as one stream, keys as in `git add -p`.

Wires keys and clicks to the decisions, and the decisions to what is shown. Looks at the files every second,
so that hunks of a file that changes meanwhile cannot be accepted. Writes nothing itself.
"""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import accumulate, pairwise
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.widgets import Footer, Static

from seedcli.errors import SeedError
from seedcli.patches.patch import Patch
from seedcli.review.background import is_light
from seedcli.review.decisions import Decisions, Place
from seedcli.review.dialogs import HelpScreen, Leave, LeaveScreen
from seedcli.review.external_editor import edit_lines
from seedcli.review.file_tree import FileTree
from seedcli.review.hunk_view import HunkView
from seedcli.review.row_painter import MARKS
from seedcli.review.staleness import ReadBytes, is_stale, stale_files
from seedcli.review.visible_text import visible_name

_LOOK_EVERY_S = 1.0
_BAR = 20
"""Cells of the bar that shows how much is decided."""


def review(
    patch: Patch, *, title: str = "", read_bytes: ReadBytes, model_note: str = "", applied: bool = False
) -> Patch | None:
    """Show the patch on the full screen until the user has decided.

    Leaving with `w` returns the accepted part. `q` rejects what is undecided and asks, if anything was
    accepted, whether to write it; without it the returned patch is empty. None means interrupted (Ctrl-C):
    write nothing, exit with 130. Of an applied patch all is returned but what was rejected.

    Raises:
        SeedError: the screen broke down; nothing was decided.
    """
    if not patch.files:
        return patch
    app = ReviewApp(patch, title=title, read_bytes=read_bytes, model_note=model_note, applied=applied)
    if "TEXTUAL_THEME" not in os.environ and is_light():
        app.theme = "textual-light"
    result = app.run()
    if app.return_code:
        raise SeedError("the review screen stopped and nothing was written: try TERM=dumb for a plain prompt")
    return result


class ReviewApp(App[Patch | None]):
    """Decisions about one patch. Exits with the accepted part, or with None if interrupted."""

    TITLE = "seed"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012
    CSS = """
    #top, #status { height: 1; background: $panel; }
    #message { height: auto; max-height: 3; color: $text-warning; background: $panel; display: none; }
    #body { height: 1fr; }
    .-wide #body { layout: horizontal; }
    .-wide #files { width: 28; height: 100%; }
    .-narrow #body { layout: vertical; }
    .-narrow #files { width: 100%; height: auto; max-height: 4; }
    #files.-hidden { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "accept", "Yes"),
        Binding("n", "reject", "No"),
        Binding("a", "accept_file", "Yes to rest"),
        Binding("d", "reject_file", "No to rest"),
        Binding("e", "edit", "Edit"),
        Binding("u", "undo", "Undo"),
        Binding("w,enter", "write", "Write", key_display="w"),
        Binding("q", "leave", "Quit"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("down", "read_on(1)", show=False),
        Binding("up", "read_on(-1)", show=False),
        Binding("right,l", "move_file(1)", show=False),
        Binding("left,h", "move_file(-1)", show=False),
        Binding("t", "toggle_theme", show=False),
        Binding("f", "toggle_files", show=False),
        Binding("ctrl+c,ctrl+q", "interrupt", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    class FilesLookedAt(Message):
        """The files were compared with what the patch was made from."""

        def __init__(self, stale: frozenset[int]) -> None:
            super().__init__()
            self.stale = stale

    def __init__(
        self,
        patch: Patch,
        *,
        title: str = "",
        read_bytes: ReadBytes,
        model_note: str = "",
        applied: bool = False,
    ) -> None:
        # Without colours Textual would turn them into greys; the terminal's own two are plainer to read.
        super().__init__(ansi_color="NO_COLOR" in os.environ)
        self.animation_level = "none"
        self.decisions = Decisions(patch, applied=applied)
        self._read_bytes = read_bytes
        self._heading = visible_name(title) or "seed review"
        self._model_note = visible_name(model_note)
        self._is_looking = False
        # Kept by name, since a query would look into a dialog while one is open.
        self._top = Static(id="top")
        self._files = FileTree(self.decisions, id="files")
        self._hunks = HunkView(self.decisions, id="hunks")
        self._message = Static(id="message")
        self._status = Static(id="status")

    def compose(self) -> ComposeResult:
        """What is reviewed; files and hunks; how far it is; the keys."""
        yield self._top
        with Container(id="body"):
            yield self._files
            yield self._hunks
        yield self._message
        yield self._status
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Keys go to the hunks; the files are looked at from now on."""
        self._hunks.focus()
        self._show()
        self._look_at_files()
        self.set_interval(_LOOK_EVERY_S, self._look_at_files)

    def on_resize(self) -> None:
        """The lines above and below the hunks fill the width."""
        self.call_after_refresh(self._show_tally)

    # Decisions

    def action_accept(self) -> None:
        """Accept the hunk under the cursor."""
        self._decide(self._accept)

    def action_reject(self) -> None:
        """Reject the hunk under the cursor."""
        self._decide(self.decisions.reject)

    def action_accept_file(self) -> None:
        """Accept this hunk and the later ones of its file."""
        self._decide(self._accept_file)

    def action_reject_file(self) -> None:
        """Reject this hunk and the later ones of its file."""
        self._decide(self.decisions.reject_file)

    def action_edit(self) -> None:
        """Leave the terminal to the user's editor, then take its lines."""
        self._decide(self._edit)

    def action_undo(self) -> None:
        """Take the last decision back."""
        undone = self.decisions.undo()
        self._show("" if undone else "nothing to undo")

    def _decide(self, decision: Callable[[Place], None]) -> None:
        """Apply a decision to the hunk under the cursor and go to the next undecided one."""
        place = self.decisions.cursor
        assert place is not None, "an empty patch is not shown"
        try:
            decision(place)
        except SeedError as error:
            self._show(str(error))
            return
        if self.decisions.state(place) != "undecided":
            self.decisions.move_to_undecided()
        self._show("all decided · w writes" if self.decisions.is_complete else "")

    def _accept(self, place: Place) -> None:
        self._look_at_file(place.file)
        self.decisions.accept(place)

    def _accept_file(self, place: Place) -> None:
        self._look_at_file(place.file)
        self.decisions.accept_file(place)

    def _edit(self, place: Place) -> None:
        file = self.decisions.patch.files[place.file]
        if not file.hunks:
            raise SeedError("there are no lines to edit here: y accepts the change, n rejects it")
        with self._terminal_left():
            lines = edit_lines(file.hunks[place.hunk], file.path)
        if lines is None:
            raise SeedError("the hunk was not changed, and stays as it was")
        self._look_at_file(place.file)
        self.decisions.edit(place, lines)

    def _terminal_left(self) -> AbstractContextManager[None]:
        return nullcontext() if self.is_headless else self.suspend()

    # Moving

    def action_move(self, step: int) -> None:
        """Go so many hunks on or back."""
        self.decisions.move(step)
        self._show()

    def action_move_to_end(self, direction: int) -> None:
        """Go to the last hunk, or to the first."""
        self.action_move(direction * len(self.decisions.places))

    def action_move_file(self, step: int) -> None:
        """Go so many files on or back."""
        self.decisions.move_file(step)
        self._show()

    def action_move_to_undecided(self, step: int) -> None:
        """Go to the nearest undecided hunk on or back."""
        found = self.decisions.move_to_undecided(1 if step > 0 else -1)
        self._show("" if found else "there is no other undecided hunk")

    def action_read_on(self, step: int) -> None:
        """Scroll through the hunk, then go to the one beside it."""
        if not self._hunks.read_on(step):
            self.action_move(step)

    @on(HunkView.Chosen)
    def _choose_hunk(self, message: HunkView.Chosen) -> None:
        self.decisions.move_to(message.place)
        self._show()

    @on(HunkView.Reached)
    def _follow_scrolling(self, message: HunkView.Reached) -> None:
        self.decisions.move_to(message.place)
        self._show(scroll=False)

    @on(FileTree.Chosen)
    def _choose_file(self, message: FileTree.Chosen) -> None:
        self.decisions.move_to(Place(message.index, 0))
        self._show()

    # Files that change meanwhile

    def _look_at_files(self) -> None:
        if not self._is_looking:
            self._is_looking = True
            self._read_files()

    @work(thread=True, group="files")
    def _read_files(self) -> None:
        self.post_message(self.FilesLookedAt(stale_files(self.decisions.patch, self._read_bytes)))

    @on(FilesLookedAt)
    def _mark_files(self, message: FilesLookedAt) -> None:
        self._is_looking = False
        files = self.decisions.patch.files
        changed = [i for i in range(len(files)) if self.decisions.is_stale(i) != (i in message.stale)]
        for index in changed:
            self.decisions.mark_stale(index, index in message.stale)
        if changed:
            became_stale = [i for i in changed if i in message.stale]
            name = visible_name(files[became_stale[0]].path) if became_stale else ""
            self._show(f"{name} changed on disk: cannot be accepted" if name else "", scroll=False)

    def _look_at_file(self, index: int) -> None:
        self.decisions.mark_stale(index, is_stale(self.decisions.patch.files[index], self._read_bytes))

    # Leaving

    def action_write(self) -> None:
        """Leave with what was accepted; ask first where hunks are undecided."""
        if self.decisions.is_complete:
            self._write(self._files_to_write())
        elif self.decisions.writes:
            self._ask()
        elif self.decisions.applied:
            self._show("nothing is rejected yet · n takes this hunk back, q quits")
        else:
            self._show("nothing is accepted yet · y accepts this hunk, q quits")

    def action_leave(self) -> None:
        """Leave; undecided hunks are rejected, accepted ones written if the user confirms it."""
        if self.decisions.writes:
            self._ask()
        else:
            self.exit(self.decisions.untouched)

    def action_interrupt(self) -> None:
        """Leave at once, without a decision."""
        self.exit(None)

    def _ask(self) -> None:
        tally, files = self.decisions.tally(), self._files_to_write()
        question = f"Write {_many(tally.accepted, 'accepted hunk')} of {_many(len(files), 'file')}?"
        if self.decisions.applied:
            question = f"Write {_many(len(files), 'file')} without {_many(tally.rejected, 'rejected hunk')}?"
        if tally.undecided:
            fate = "kept" if self.decisions.applied else "left out"
            question += f"\n{_many(tally.undecided, 'undecided hunk')} will be {fate}."

        def obey(answer: Leave | None) -> None:
            if answer == "write":
                self._write(files)
            elif answer == "discard":
                self.exit(self.decisions.untouched)

        self.push_screen(LeaveScreen(question), obey)

    def _files_to_write(self) -> set[int]:
        deeds = ("accepted", "rejected") if self.decisions.applied else ("accepted",)
        places = (place for place in self.decisions.places if self.decisions.state(place) in deeds)
        return {place.file for place in places if not self.decisions.is_stale(place.file)}

    def _write(self, promised: set[int]) -> None:
        """Leave with what was accepted; but tell first of a file that the user believes to be part of it."""
        for index in promised:
            self._look_at_file(index)
        lost = sorted(index for index in promised if self.decisions.is_stale(index))
        if lost:
            name = visible_name(self.decisions.patch.files[lost[0]].path)
            self._show(f"{name} changed on disk and will be left out · w writes the rest")
        else:
            self.exit(self.decisions.result())

    # Showing

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(HelpScreen())

    def action_toggle_theme(self) -> None:
        """From dark to light and back."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"

    def action_toggle_files(self) -> None:
        """Give the files' room to the hunks, or back."""
        self._files.toggle_class("-hidden")

    def _show(self, message: str = "", *, scroll: bool = True) -> None:
        if scroll:
            self._hunks.show_decisions()
        else:
            self._hunks.redraw()
        self._files.show_decisions()
        self._message.update(Text(f" {message}"))
        self._message.display = bool(message)
        self._show_tally()

    def _show_tally(self) -> None:
        room = max(0, self.size.width - len(self._heading) - 3)
        top = Text(f" {self._heading} ", "bold", end="").append(
            f"{self._model_note:>{room}.{room}} ", "not bold"
        )
        self._top.update(top)
        self._status.update(self._tally())

    def _tally(self) -> str:
        """In Textual's markup: counts per state, and as a bar."""
        tally = self.decisions.tally()
        shares = [
            ("accepted", "$text-success", tally.accepted),
            ("rejected", "$text-error", tally.rejected),
            ("stale", "$text-warning", tally.stale),
            ("undecided", "$foreground 50%", tally.undecided),
        ]
        counted = [(name, colour, count) for name, colour, count in shares if count or name != "stale"]
        words = "   ".join(
            f"[{colour if count else '$foreground 50%'}]{MARKS[name]} {count} {name}[/]"
            for name, colour, count in counted
        )
        ends = [round(_BAR * end / len(self.decisions.places)) for end in accumulate(s[2] for s in counted)]
        widths = [end - start for start, end in pairwise([0, *ends])]
        bar = "".join(f"[{s[1]}]{'━' * width}[/]" for s, width in zip(counted, widths, strict=True))
        return f" {words}   {bar}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
