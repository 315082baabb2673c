"""How lines of Python are laid out: their columns, the strings and brackets that run over them, what opens a
block.

Made for text that does not parse, so nothing here is certain; each rule says which damage it survives.
Knows nothing of tree-sitter.
"""

import functools
import itertools
import keyword
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

_DEFINITION = re.compile(r"\s*(?:(?:async\s+)?(?P<def>def)|(?P<class>class))\b\s*(?P<name>[^\W\d]\w*)?")
_LIKE_HEADER = re.compile(r"\s*(?:async\s+)?(?:(?P<word>\w+)\s+)?(?P<name>[^\W\d]\w*)\s*(?P<next>[(:\[]|$)")
_MARK = re.compile(r"'''|\"\"\"|['\"#()\[\]{}]")
_CLOSING = {q: re.compile(rf"(?:[^\\]|\\.)*?{q}") for q in ("'''", '"""', "'", '"')}
_OPENS_BLOCK = re.compile(r":\s*(#.*)?$")
_ONE_LINER = re.compile(r"\).*:\s*\S")
_STRING = re.compile(r"\s*[a-zA-Z]{0,2}['\"]")
_ORPHANS = re.compile(r"\s*(return|yield|elif|else|except|finally)\b")


@dataclass(frozen=True, slots=True)
class Header:
    """The line that opens a definition."""

    line: int
    kind: Literal["function", "class"]
    name: str
    """Empty where the name is lost."""
    has_keyword: bool = True


@dataclass(frozen=True, slots=True)
class State:
    """What is open at the start of a line."""

    quote: str
    """The triple quote of a string that runs over the line's start, or empty."""
    depth: int
    """Open brackets."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, or the header of a compound one, over as many lines as it takes."""

    line: int
    end: int
    column: int
    opens_block: bool


CLOSED = State("", 0)
"""Nothing is open."""


class Layout:
    """The lines of a text."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        if not self.lines[-1]:
            self.lines.pop()

    def column(self, i: int) -> int:
        """Width of the line's indentation: tabs at every eighth column, nothing before a form feed."""
        line = self.lines[i]
        indent = line[: len(line) - len(line.lstrip(" \t\f"))]
        return len(indent.rpartition("\f")[2].expandtabs())

    def is_blank(self, i: int) -> bool:
        """Whether the line is empty but for white space."""
        return not self.lines[i].strip()

    def is_comment(self, i: int) -> bool:
        """Whether the line holds only a comment."""
        return self.lines[i].lstrip().startswith("#")

    def states(self, start: int, end: int, first: State = CLOSED) -> list[State]:
        """What is open at the start of each line in [start, end), and at the end: one more than lines."""
        return list(
            itertools.accumulate(self.lines[start:end], lambda s, line: _after(line, s), initial=first)
        )

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
                while i < end and self.lines[i] == self.lines[header.line]:
                    # The same header twice is a line that was doubled, not an empty definition.
                    i += 1
        return found

    def header(self, i: int, indent: int, end: int | None = None) -> Header | None:
        """The definition that line `i` at column `indent` opens, after its decorators."""
        end = len(self.lines) if end is None else end
        if self.is_blank(i) or self.column(i) not in (indent, indent + 1):
            return None
        if self.lines[i].lstrip().startswith("@"):
            i = self._after_decorators(i, indent, end)
        header = self._header_at(i, end) if i < end else None
        # Where the keyword is lost, the space after it remains.
        if header and (self.column(i) == indent or not header.has_keyword):
            return header
        return None

    def definition_indent(self, start: int, end: int, above: int) -> int:
        """The least column deeper than `above` at which a line in [start, end) opens a definition, else 0."""
        columns = [
            self.column(i) for i in range(start, end) if not self.is_blank(i) and self._header_at(i, end)
        ]
        return min((c for c in columns if c > above), default=0)

    def statements(self, start: int, end: int) -> Iterator[Statement]:
        """The statements that begin in lines [start, end), of which the first begins one."""
        states = self.states(start, end)
        first = start
        for i in range(start, end):
            after = states[i - start + 1]
            if first == i and (self.is_blank(i) or self.is_comment(i)):
                first = i + 1
            elif not (after.quote or after.depth or self.lines[i].endswith("\\")):
                yield Statement(first, i + 1, self.column(first), bool(_OPENS_BLOCK.search(self.lines[i])))
                first = i + 1

    def is_consistent(self, start: int, end: int) -> bool:
        """Whether the statements in lines [start, end) are indented as Python wants it."""
        return _are_consistent(self.statements(start, end))

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
        if not match or keyword.iskeyword(match["name"]):
            return None
        word = match["word"]
        if word is None:
            return _header_without_keyword(i, line, match) if self._opens_block(i, end) else None
        kind = _misspelled(word)
        has_body = self._opens_block(i, end) or _ONE_LINER.search(line)
        return Header(i, kind, match["name"]) if kind and has_body and match["next"] != "[" else None

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
    # A string that never ends has lost a quote, so what counts as its text is wrong from there on.
    trusted = not states[-1].quote
    last = header
    for i in range(header + 1, limit):
        if layout.is_blank(i) or layout.is_comment(i):
            continue
        state = states[i - header]
        in_string = trusted and (state.quote or (state.depth and _STRING.match(layout.lines[i])))
        if in_string or layout.column(i) > indent or _belongs(layout, header, i, limit, is_sound):
            last = i
            continue
        statement = next(layout.statements(i, limit), None)
        if trusted or statement is None or is_sound(i, statement.end):
            break
        last = i
    return last + 1


def _belongs(layout: Layout, header: int, i: int, limit: int, is_sound: Callable[[int, int], bool]) -> bool:
    """Whether line `i`, indented no deeper than the header, is a body line all the same."""
    indent = layout.column(header)
    line = layout.lines[i].lstrip()
    if line[0] in ")]}":
        return True
    if match := _ORPHANS.match(line):
        return match[1] in ("return", "yield") or layout.column(i) == indent
    body = layout.next_code(header + 1, limit)
    if body == i:
        # A header cannot do without a body.
        return layout.column(i) == indent
    return _is_astray(layout, i, limit, layout.column(body)) and is_sound(i, i + 1)


def _is_astray(layout: Layout, i: int, limit: int, body_column: int) -> bool:
    """Whether the deeper lines after line `i` are not its block but the rest of a body around it."""
    statements = layout.statements(i, limit)
    head = next(statements, None)
    own = list(itertools.takewhile(lambda s: s.column > layout.column(i), statements))
    if head is None or not own or not head.opens_block:
        return bool(own)
    return own[0].column > body_column and any(s.column == body_column for s in own)


def _are_consistent(statements: Iterable[Statement]) -> bool:
    levels: list[int] = []
    opened = True
    for statement in statements:
        if opened and (not levels or statement.column > levels[-1]):
            levels.append(statement.column)
        elif opened or statement.column not in levels:
            return False
        levels = levels[: levels.index(statement.column) + 1]
        opened = statement.opens_block
    return True


def _header_without_keyword(i: int, line: str, match: re.Match[str]) -> Header | None:
    if match["next"] != "(" or not _OPENS_BLOCK.search(line):
        return None
    kind: Literal["function", "class"] = "class" if match["name"][0].isupper() else "function"
    return Header(i, kind, match["name"], has_keyword=False)


@functools.lru_cache(maxsize=4096)
def _misspelled(word: str) -> Literal["function", "class"] | None:
    """Which keyword `word` is one slip away from: a letter lost, doubled, changed, or two swapped."""
    if keyword.iskeyword(word) or keyword.issoftkeyword(word):
        return None
    return "function" if _is_one_slip(word, "def") else "class" if _is_one_slip(word, "class") else None


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
    while True:
        if quote:
            closing = _CLOSING[quote].match(line, i)
            if closing is None:
                carries_on = len(quote) == 3 or line.endswith("\\")
                return State(quote if carries_on else "", depth)
            i, quote = closing.end(), ""
        mark = _MARK.search(line, i)
        if mark is None or mark[0] == "#":
            return state if (quote, depth) == (state.quote, state.depth) else State("", depth)
        i = mark.end()
        if mark[0] in "([{":
            depth += 1
        elif mark[0] in ")]}":
            depth = max(0, depth - 1)
        else:
            quote = mark[0]
