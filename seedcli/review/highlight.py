"""Syntax colours of a file, line by line, by Pygments (which Textual brings along).

Knows nothing of themes: it names kinds of tokens, the screen gives them colours. Columns count characters of
the line as `visible_text.decode` returns it.
"""

import bisect
from itertools import accumulate
from typing import Literal

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_for_filename
from pygments.token import Token

TokenKind = Literal[
    "comment",
    "string",
    "number",
    "constant",
    "keyword",
    "function",
    "class",
    "decorator",
    "builtin",
    "operator",
]
LineTokens = tuple[tuple[int, int, TokenKind], ...]
"""Half-open column ranges of one line and what they are."""

MAX_BYTES = 500_000
"""Larger files are shown without syntax colours."""

_KINDS: dict[object, TokenKind] = {
    Token.Comment: "comment",
    Token.String: "string",
    Token.Number: "number",
    Token.Keyword: "keyword",
    Token.Keyword.Constant: "constant",
    Token.Operator: "operator",
    Token.Operator.Word: "keyword",
    Token.Name.Function: "function",
    Token.Name.Class: "class",
    Token.Name.Exception: "class",
    Token.Name.Decorator: "decorator",
    Token.Name.Builtin: "builtin",
    Token.Name.Tag: "keyword",
    Token.Name.Attribute: "function",
}


def tokens_of(path: str, data: bytes, encoding: str) -> list[LineTokens]:
    """The coloured tokens of every line; empty where the language is unknown or the file too large.

    Takes up to a second, so call it off the screen's own thread.
    """
    lexer_class = find_lexer_class_for_filename(path) if len(data) <= MAX_BYTES else None
    if lexer_class is None:
        return []
    text = data.decode(encoding, "surrogateescape")
    return _by_line(text, lexer_class())


def _by_line(text: str, lexer: Lexer) -> list[LineTokens]:
    lines = text.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    found: list[list[tuple[int, int, TokenKind]]] = [[] for _ in lines]
    for start, token, value in lexer.get_tokens_unprocessed(text):
        kind = _kind_of(token)
        if kind is None:
            continue
        row = bisect.bisect_right(starts, start) - 1
        for part in value.split("\n"):
            if part:
                found[row].append((start - starts[row], start - starts[row] + len(part), kind))
            start += len(part) + 1
            row += 1
    return [tuple(tokens) for tokens in found]


def _kind_of(token: object) -> TokenKind | None:
    while token is not None:
        if token in _KINDS:
            return _KINDS[token]
        token = getattr(token, "parent", None)
    return None
