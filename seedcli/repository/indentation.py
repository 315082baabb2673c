"""How lines of Python are laid out: their columns, the strings and brackets that run over them, what opens a
block.

Made for text that does not parse, so nothing here is certain; each rule says which damage it survives.
Knows nothing of tree-sitter.
"""

import functools
import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

_DEFINITION = re.compile(r"\s*(?:(?:async\s+)?(?P<def>def)|(?P<class>class))\b\s*(?P<name>[^\W\d]\w*)?")
_LIKE_HEADER = re.compile(r"\s*(?:async\s+)?(?:(?P<word>\w+)\s+)?(?P<name>[^\W\d]\w*)\s*(?P<next>[(:\[]|$)")
_STRING_OPENING = re.compile(r"'''|\"\"\"|'|\"")
_ORPHANS = re.compile(r"\s*(return|yield|elif|else|except|finally)\b")


@dataclass(frozen=True, slots=True)
class Header:
    """The line that opens a definition."""

    line: int
    kind: Literal["function", "class"]
    name: str
    """Empty where the name is lost."""


@dataclass(frozen=True, slots=True)
class State:
    """What is open at the start of a line."""

    quote: str
    """The triple quote of a string that runs over the line's start, or empty."""
    depth: int
    """Open brackets."""


class Layout:
    """The lines of a text."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        if not self.lines[-1]:
            self.lines.pop()

    def column(self, i: int) -> int:
        """Width of the line's indentation, tabs at every eighth column."""
        line = self.lines[i].expandtabs()
        return len(line) - len(line.lstrip())

    def is_blank(self, i: int) -> bool:
        """Whether the line is empty but for white space."""
        return not self.lines[i].strip()

    def is_comment(self, i: int) -> bool:
        """Whether the line holds only a comment."""
        return self.lines[i].lstrip().startswith("#")

    def states(self, start: int, end: int) -> list[State]:
        """What is open at the start of each line in [start, end), and at the end: one more than lines."""
        states = [State("", 0)]
        for i in range(start, end):
            states.append(_after(self.lines[i], states[-1]))
        return states

    def with_comments(self, start: int, end: int) -> int:
        """`end`, moved over following comments that are indented deeper than line `start`."""
        indent = self.column(start)
        last = end
        for i in range(end, len(self.lines)):
            if not self.is_blank(i):
                if not self.is_comment(i) or self.column(i) <= indent:
                    break
                last = i + 1
        return last

    def anchors(self, start: int, end: int, indent: int) -> list[int]:
        """Lines at column `indent` that open a definition; its first decorator where it has any."""
        found = []
        i = start
        while i < end:
            header = self.header(i, indent, end)
            if header is None:
                i += 1
            else:
                found.append(i)
                i = header.line + 1
        return found

    def header(self, i: int, indent: int, end: int | None = None) -> Header | None:
        """The definition that line `i` at column `indent` opens, after its decorators."""
        end = len(self.lines) if end is None else end
        if self.is_blank(i) or self.column(i) != indent:
            return None
        if self.lines[i].lstrip().startswith("@"):
            i = self._after_decorators(i, indent, end)
        return self._header_at(i, end) if i < end and self.column(i) == indent else None

    def definition_indent(self, start: int, end: int, above: int) -> int:
        """The least column, deeper than `above`, at which a line in [start, end) opens a definition; else 0."""
        columns = [
            self.column(i) for i in range(start, end) if not self.is_blank(i) and self._header_at(i, end)
        ]
        return min((c for c in columns if c > above), default=0)

    def next_code(self, i: int, end: int) -> int:
        """The first line in [i, end) that is neither blank nor a comment, else `end`."""
        while i < end and (self.is_blank(i) or self.is_comment(i)):
            i += 1
        return i

    def _after_decorators(self, i: int, indent: int, end: int) -> int:
        while i < end:
            line = self.lines[i].lstrip()
            if self.column(i) == indent and line[:1] not in ("@", "#", ")", "]", "}", ""):
                return i
            if self.column(i) < indent and line:
                return end
            i += 1
        return end

    def _header_at(self, i: int, end: int) -> Header | None:
        line = self.lines[i]
        if match := _DEFINITION.match(line):
            return Header(i, "class" if match["class"] else "function", match["name"] or "")
        match = _LIKE_HEADER.match(line)
        if not match or keyword.iskeyword(match["name"]) or not self._opens_block(i, end):
            return None
        word = match["word"]
        if word is None:
            return _header_without_keyword(i, line, match)
        kind = _misspelled(word)
        return Header(i, kind, match["name"]) if kind and match["next"] != "[" else None

    def _opens_block(self, i: int, end: int) -> bool:
        following = self.next_code(i + 1, end)
        return following < end and self.column(following) > self.column(i)


def end_of_body(layout: Layout, header: int, limit: int, is_sound: Callable[[int, int], bool]) -> int:
    """The line after the last one of the definition whose header is line `header`, at most `limit`.

    A line that is indented no deeper than the header ends the body, unless it is text of a string, closes a
    bracket, or is itself what was damaged (a body line that lost its indentation).

    Args:
        is_sound: whether lines [i, j) parse on their own.
    """
    indent = layout.column(header)
    states = layout.states(header, limit)
    trusted = not states[-1].quote
    last = header
    for i in range(header + 1, limit):
        if layout.is_blank(i) or layout.is_comment(i):
            continue
        in_string = trusted and bool(states[i - header].quote)
        if in_string or layout.column(i) > indent or _belongs(layout, header, i, limit, is_sound):
            last = i
            continue
        break
    return last + 1


def _belongs(layout: Layout, header: int, i: int, limit: int, is_sound: Callable[[int, int], bool]) -> bool:
    indent = layout.column(header)
    line = layout.lines[i].lstrip()
    if line[0] in ")]}":
        return True
    if match := _ORPHANS.match(line):
        return match[1] in ("return", "yield") or layout.column(i) == indent
    body = layout.next_code(header + 1, limit)
    return body < i and _is_astray(layout, i, limit) and is_sound(i, i + 1)


def _is_astray(layout: Layout, i: int, limit: int) -> bool:
    """Whether the lines after `i`, as far as they are indented deeper, cannot be the continuation of line
    `i`."""
    states = layout.states(i, limit)
    levels = [layout.column(i)]
    opened = _opens(layout.lines[i])
    for j in range(i + 1, limit):
        if layout.is_blank(j) or layout.is_comment(j) or states[j - i].quote or states[j - i].depth > 0:
            opened = opened or (states[j - i].depth > 0 and _opens(layout.lines[j]))
            continue
        column = layout.column(j)
        if column <= levels[0]:
            return False
        if column > levels[-1] and not opened:
            return True
        if column < levels[-1] and column not in levels:
            return True
        levels = [level for level in levels if level < column] + [column]
        opened = _opens(layout.lines[j])
    return False


def _opens(line: str) -> bool:
    return line.split("#")[0].rstrip().endswith((":", "\\"))


def _header_without_keyword(i: int, line: str, match: re.Match[str]) -> Header | None:
    code = line.split("#")[0].rstrip()
    if not code.endswith(":") or match["next"] == "[" or not match["next"]:
        return None
    is_class = match["name"][0].isupper()
    if match["next"] == ":" and not is_class:
        return None
    return Header(i, "class" if is_class else "function", match["name"])


@functools.lru_cache(maxsize=4096)
def _misspelled(word: str) -> Literal["function", "class"] | None:
    """Which keyword `word` is one slip away from: a letter lost, doubled, changed, or two swapped."""
    if keyword.iskeyword(word) or keyword.issoftkeyword(word):
        return None
    for right, kind in (("def", "function"), ("class", "class")):
        if _is_one_slip(word, right):
            return "function" if kind == "function" else "class"
    return None


def _is_one_slip(word: str, right: str) -> bool:
    if len(word) == len(right):
        differing = [i for i in range(len(word)) if word[i] != right[i]]
        return len(differing) == 1 or (len(differing) == 2 and sorted(word) == sorted(right))
    short, long = sorted((word, right), key=len)
    return len(long) - len(short) == 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def _after(line: str, state: State) -> State:
    """What is open after `line`. A plain string that its line does not close ends with the line."""
    quote, depth = state.quote, state.depth
    i = 0
    while i < len(line):
        if quote:
            closing = _find_closing(line, i, quote)
            if closing < 0:
                return State(quote, depth) if len(quote) == 3 or line.endswith("\\") else State("", depth)
            i = closing + len(quote)
            quote = ""
        elif line[i] == "#":
            break
        elif opening := _STRING_OPENING.match(line, i):
            quote = opening[0]
            i = opening.end()
        else:
            depth = max(0, depth + (line[i] in "([{") - (line[i] in ")]}"))
            i += 1
    return State(quote if len(quote) == 3 or (quote and line.endswith("\\")) else "", depth)


def _find_closing(line: str, start: int, quote: str) -> int:
    i = start
    while i < len(line):
        if line[i] == "\\":
            i += 2
        elif line.startswith(quote, i):
            return i
        else:
            i += 1
    return -1
