"""A line of a file as a reviewer may safely see it: nothing in it hides, moves or erases other text.

Control, bidirectional and invisible characters become escapes such as `\\u202e`, undecodable bytes `\\xe9`,
tabs an arrow up to the next tab stop; carriage returns and a missing newline are told at the line's end.
Knows nothing of colours: it says which spans it made up, and the caller makes them stand out.
"""

import io
import re
import tokenize
import unicodedata
import warnings
from bisect import bisect_right
from dataclasses import dataclass
from typing import Literal

TAB_STOP = 4
"""Columns."""

MarkKind = Literal["escape", "tab", "note"]

_ASCII = bytes(range(128)) + b"\\x41 ~{ \x1b$B!!"
"""All of it, and what some codecs take for more than it is."""
_PLAIN = re.compile(r"[\x20-\x7e]*")
_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_HIDDEN = frozenset(
    "\u00a0\u034f\u115f\u1160\u17b4\u17b5\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u2800\u3000\u3164\uffa0"
)
"""Characters that look like a space or like nothing, though Unicode files them under letters, marks or
spaces.
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of the shown text that is not in the file as such; columns count characters, half-open."""

    start: int
    end: int
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class VisibleText:
    """One line, ready to be shown."""

    text: str
    """On one row: no newline, no control character."""
    marks: tuple[Mark, ...] = ()
    shifts: tuple[tuple[int, int], ...] = ()
    """(index in the line, index in the text) after each character that takes another room than its own."""

    def column(self, index: int) -> int:
        """Where the line's character of this index is shown in the text."""
        at = bisect_right(self.shifts, index, key=lambda shift: shift[0])
        if not at:
            return index
        source, shown = self.shifts[at - 1]
        return shown + index - source

    @property
    def has_escapes(self) -> bool:
        """Were characters made visible that would have been hidden?"""
        return any(mark.kind == "escape" for mark in self.marks)


def encoding_of(data: bytes) -> str:
    """The encoding a file claims by its coding line, for showing it; "utf-8" where it claims none or an
    unknown one.
    """
    try:
        name = tokenize.detect_encoding(io.BytesIO(data[:400]).readline)[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            is_like_ascii = _ASCII.decode(name, "surrogateescape") == _ASCII.decode("ascii")
    except (SyntaxError, LookupError, UnicodeError):
        return "utf-8"
    if not is_like_ascii:  # such as `unicode_escape` and `hz`, which may raise on any line
        return "utf-8"
    # A byte order mark is shown where it stands, so no codec may swallow it.
    return "utf-8" if name == "utf-8-sig" else name


def decode(line: bytes, encoding: str = "utf-8") -> str:
    """Text without its line feed; a byte that cannot be decoded becomes one lone surrogate."""
    return line.removesuffix(b"\n").decode(encoding, "surrogateescape")


def visible(line: bytes, encoding: str = "utf-8") -> VisibleText:
    """Make every character of one line of a file visible, its ending included where it is not a plain line
    feed.
    """
    text = decode(line, encoding)
    note = "" if line.endswith(b"\n") else " ∅ no newline at end of file"
    if text.endswith("\r") and not note:
        text, note = text[:-1], "^M"
    if not note and _PLAIN.fullmatch(text):
        return VisibleText(text)
    shown = _expand(text)
    if not note:
        return shown
    start, end = len(shown.text), len(shown.text) + len(note)
    # Past a carriage return comes the end of its note.
    shifts = (*shown.shifts, (len(text) + 1, end))
    return VisibleText(shown.text + note, (*shown.marks, Mark(start, end, "note")), shifts)


def visible_name(name: str) -> str:
    """A path or a title on one row."""
    return _expand(name).text


def is_hidden(character: str) -> bool:
    """Would a terminal show nothing, or something misleading, for this character?"""
    return (
        unicodedata.category(character) in _HIDDEN_CATEGORIES
        or character in _HIDDEN
        or "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def _expand(text: str) -> VisibleText:
    parts: list[str] = []
    marks: list[Mark] = []
    shifts: list[tuple[int, int]] = []
    done, width = 0, 0
    for match in _NOT_PLAIN.finditer(text):
        character = match[0]
        if character != "\t" and not is_hidden(character):
            continue
        parts.append(text[done : match.start()])
        width += match.start() - done
        shown = _tab_at(width) if character == "\t" else _escape(character)
        marks.append(Mark(width, width + len(shown), "tab" if character == "\t" else "escape"))
        parts.append(shown)
        width += len(shown)
        done = match.end()
        shifts.append((done, width))
    parts.append(text[done:])
    return VisibleText("".join(parts), tuple(marks), tuple(shifts))


def _tab_at(column: int) -> str:
    return "→".ljust(TAB_STOP - column % TAB_STOP)


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
