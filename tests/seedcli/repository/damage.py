"""Break a function in the ways that code gets broken: one slip, in its own lines only."""

import io
import keyword
import random
import re
import textwrap
import tokenize
from collections.abc import Callable

Lines = list[str]
_TRIPLE = ('"""', "'''")
_SILENT = (
    tokenize.NEWLINE,
    tokenize.NL,
    tokenize.COMMENT,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
)


class Function:
    """A function's lines and tokens, and the chance by which it is broken."""

    def __init__(self, lines: Lines, rng: random.Random) -> None:
        self.lines = lines
        self.rng = rng
        self._dedented = textwrap.dedent("\n".join(lines)).split("\n")
        self.tokens = list(tokenize.generate_tokens(io.StringIO("\n".join(self._dedented)).readline))

    def pick(self, fits: Callable[[tokenize.TokenInfo], bool]) -> tokenize.TokenInfo | None:
        return self.rng.choice(fitting) if (fitting := [t for t in self.tokens if fits(t)]) else None

    def change(self, row: int, start: int, end: int, new: str = "") -> Lines:
        """Put `new` for columns [start, end) of token row `row`, which counts from 1."""
        line = self.lines[row - 1]
        shift = len(line) - len(self._dedented[row - 1])
        return [*self.lines[: row - 1], line[: start + shift] + new + line[end + shift :], *self.lines[row:]]

    def replace(self, token: tokenize.TokenInfo, new: str) -> Lines:
        return self.change(token.start[0], token.start[1], token.end[1], new)


def missing_bracket(f: Function) -> Lines | None:
    token = f.pick(lambda t: t.type == tokenize.OP and t.string in "()[]{}")
    return f.replace(token, " ") if token else None


def extra_bracket(f: Function) -> Lines | None:
    token = f.pick(lambda t: t.type == tokenize.OP and t.string in "()[]{}")
    return f.replace(token, token.string * 2) if token else None


def missing_colon(f: Function) -> Lines | None:
    ends = {
        a.start for a, b in zip(f.tokens, f.tokens[1:], strict=False) if b.type in _SILENT and a.string == ":"
    }
    token = f.pick(lambda t: t.start in ends)
    return f.replace(token, "") if token else None


def unclosed_quote(f: Function) -> Lines | None:
    token = f.pick(lambda t: t.type == tokenize.STRING and not any(q in t.string for q in _TRIPLE))
    return f.change(token.end[0], token.end[1] - 1, token.end[1]) if token else None


def triple_quote(f: Function) -> Lines | None:
    token = f.pick(lambda t: t.type == tokenize.STRING and any(q in t.string for q in _TRIPLE))
    if token is None:
        return None
    count = f.rng.randint(1, 3)
    if f.rng.random() < 0.5:
        return f.change(token.end[0], token.end[1] - count, token.end[1])
    opening = token.start[1] + len(re.match(r"\w*", token.string)[0])  # type: ignore[index]
    return f.change(token.start[0], opening, opening + count)


def indentation(f: Function) -> Lines | None:
    header = next(i for i, line in enumerate(f.lines) if re.match(r"\s*(async\s+)?def\b", line))
    begins = {
        b.start[0] - 1
        for a, b in zip(f.tokens, f.tokens[1:], strict=False)
        if a.type in _SILENT and b.type not in _SILENT and b.start[0] - 1 > header
    }
    rows = sorted(row for row in begins if row < len(f.lines))
    if not rows:
        return None
    row = f.rng.choice(rows)
    width = len(f.lines[row]) - len(f.lines[row].lstrip())
    moved = " " * max(0, width + f.rng.choice((-4, -3, -2, -1, 1, 2, 3, 4))) + f.lines[row].lstrip()
    return [*f.lines[:row], moved, *f.lines[row + 1 :]]


def misspelled_keyword(f: Function) -> Lines | None:
    token = f.pick(lambda t: keyword.iskeyword(t.string))
    if token is None:
        return None
    word, i = token.string, f.rng.randrange(1, len(token.string))
    slips = (
        word[:i] + word[i + 1 :],
        word[:i] + word[i - 1 :],
        word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :],
    )
    return f.replace(token, f.rng.choice(slips))


def deleted_token(f: Function) -> Lines | None:
    token = f.pick(lambda t: t.type not in _SILENT and t.start[0] == t.end[0])
    return f.replace(token, " ") if token else None


def duplicated_line(f: Function) -> Lines | None:
    row = f.rng.randrange(len(f.lines))
    return [*f.lines[: row + 1], *f.lines[row:]]


KINDS = (
    missing_bracket,
    extra_bracket,
    missing_colon,
    unclosed_quote,
    triple_quote,
    indentation,
    misspelled_keyword,
    deleted_token,
    duplicated_line,
)
