"""The two dialogs over the review screen: the help, and the question before accepted hunks are written."""

from typing import ClassVar, Literal

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

Leave = Literal["write", "discard", "back"]

_HELP = (
    ("Decide", (
        ("y", "accept this hunk"),
        ("n", "reject this hunk"),
        ("a", "accept this and all later hunks in the file"),
        ("d", "reject this and all later hunks in the file"),
        ("e", "edit the new lines in $EDITOR, then accept them"),
        ("u", "undo the last decision"),
    )),
    ("Move", (
        ("j k", "next, previous hunk"),
        ("↓ ↑", "read on, read back"),
        ("→ ←", "next, previous file"),
        ("tab shift+tab", "next, previous undecided hunk"),
        ("space pgdn pgup", "a page on, a page back"),
        ("mouse", "click a hunk, a file, or a key in the footer"),
    )),
    ("Leave", (
        ("w enter", "write what was accepted"),
        ("q", "quit: reject the undecided, ask before writing"),
        ("ctrl+c", "stop at once and write nothing"),
    )),
    ("Look", (
        ("t f", "light or dark; show or hide the files"),
        ("?", "this help"),
    )),
)  # fmt: skip

_CSS = """
{name} {{ align: center middle; background: $background 60%; }}
{name} > .dialog {{ width: {width}; max-width: 100%; height: auto; max-height: 100%; padding: 1 2 0 2;
    background: $surface; border: round $primary; }}
"""


class HelpScreen(ModalScreen[None]):
    """All keys; any key or click leaves."""

    DEFAULT_CSS = _CSS.format(name="HelpScreen", width=72) + "HelpScreen > .dialog { padding: 0 2; }"
    BINDINGS: ClassVar[list[BindingType]] = [("escape,q,question_mark,enter,space", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        """One text that scrolls on a small terminal."""
        with VerticalScroll(classes="dialog"):
            yield Static(_help_text())

    def on_click(self) -> None:
        """Back to the hunks."""
        self.dismiss()


class LeaveScreen(ModalScreen[Leave]):
    """Write what was accepted, throw it away, or go back?"""

    DEFAULT_CSS = (
        _CSS.format(name="LeaveScreen", width=54)
        + """
    LeaveScreen Static { text-align: center; link-style: none; link-color: $foreground;
        link-background-hover: $primary 50%; link-style-hover: bold; }
    LeaveScreen #answers { margin: 1 0; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        ("y,w,enter", "leave('write')", "Write"),
        ("n", "leave('discard')", "Write nothing"),
        ("escape,b,q", "leave('back')", "Back"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question over the answers, which can be clicked."""
        with Vertical(classes="dialog"):
            yield Static(self._question, markup=False)
            yield Static(
                "[@click=screen.leave('write')] [b $text-success]y[/] write [/]   "
                "[@click=screen.leave('discard')] [b $text-error]n[/] write nothing [/]   "
                "[@click=screen.leave('back')] [b $text-primary]esc[/] back [/]",
                id="answers",
            )

    def action_leave(self, answer: Leave) -> None:
        """Give the answer."""
        self.dismiss(answer)


def _help_text() -> Text:
    text = Text()
    for title, keys in _HELP:
        text.append(f"{title}\n", "bold")
        for key, meaning in keys:
            text.append(f"  {key:<17}", "bold").append(f"{meaning}\n")
    text.rstrip()
    return text
