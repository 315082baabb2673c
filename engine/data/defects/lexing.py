"""Tokens of a sound Python text with their places in characters. Knows nothing of trees or defects."""

import io
import keyword
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

_LAYOUT = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_STARTS, _ENDS = (
    {kind for kind, name in tokenize.tok_name.items() if name.endswith(end)}
    for end in ("STRING_START", "STRING_END")
)
_KINDS = {tokenize.COMMENT: "comment", tokenize.NUMBER: "number", tokenize.STRING: "string"}


class Span(NamedTuple):
    """A run of characters of the text."""

    start: int
    end: int

    def meets(self, other: "Span") -> bool:
        """Whether the two share a character, or one is empty and lies inside the other."""
        return self.start < other.end and other.start < self.end


class Token(NamedTuple):
    """One token that is not layout."""

    kind: str
    """`name`, `keyword`, `number`, `string`, `operator` or `comment`."""
    text: str
    start: int
    end: int


def lex(text: str, line_starts: list[int]) -> Iterator[Token]:
    """Tokens in order, an f-string as one of them.

    Raises tokenize.TokenError or SyntaxError where the text is not Python.
    """
    depth, opened = 0, 0
    for kind, content, (row, column), (end_row, end_column), _ in tokenize.generate_tokens(
        io.StringIO(text).readline
    ):
        if kind in _LAYOUT:
            continue
        start, end = line_starts[row - 1] + column, line_starts[end_row - 1] + end_column
        # From Python 3.12 on an f-string comes in pieces.
        if kind in _STARTS:
            opened = opened if depth else start
            depth += 1
        elif kind in _ENDS:
            depth -= 1
            if not depth:
                yield Token("string", text[opened:end], opened, end)
        elif not depth:
            yield Token(_kind(kind, content), content, start, end)


def _kind(kind: int, content: str) -> str:
    if kind == tokenize.NAME:
        return "keyword" if keyword.iskeyword(content) else "name"
    if kind == tokenize.ERRORTOKEN:
        raise SyntaxError(f"stray character {content!r}")
    return _KINDS.get(kind, "operator")
