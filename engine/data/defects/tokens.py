"""One token too few or too many, as fingers slip: any token, whatever it means."""

import random

from engine.data.defects.change import Change, Mix, insert, pick
from engine.data.defects.code import Code, Token

_COMMON = (
    "(",
    ")",
    "[",
    "]",
    ":",
    ",",
    ".",
    "=",
    "==",
    "not",
    "self",
    "in",
    "and",
    "if",
    "return",
    "0",
    "1",
    "+",
    "-",
    "*",
    "None",
    "x",
)
_TIGHT = (")", "]", "}", ",", ":", ";", ".", "(", "[")


def editable(code: Code) -> list[Token]:
    """Tokens on lines that hold no docstring."""
    if not code.docstrings:
        return code.tokens
    lines: set[int] = set()
    for span in code.docstrings:
        lines.update(range(code.line_of(span.start), code.line_of(span.end - 1) + 1))
    return [token for token in code.tokens if code.line_of(token.start) not in lines]


def missing(code: Code, rng: random.Random) -> Change | None:
    """A token is gone, and the blank that nobody would have typed without it."""
    token = pick(rng, editable(code))
    return token and without(code, token, rng)


def without(code: Code, token: Token, rng: random.Random) -> Change:
    """The change that takes a token out; a line that held nothing else goes with it."""
    text, start, end = code.text, token.start, token.end
    line = code.line_of(start)
    if code.lines[line].strip() == token.text:
        return Change(*code.line_span(line, line), "")
    before, after = text[start - 1 : start], text[end : end + 1]
    at_line_start = not text[code.line_starts[line] : start].strip()
    if after == " " and (before == " " or at_line_start):
        end += 1
    elif before == " " and after in ("", "\n"):
        start -= 1
    glued = (before.isalnum() or before == "_") and (after.isalnum() or after == "_")
    return Change(start, end, " " if glued and rng.random() < 0.5 else "")


def doubled(code: Code, rng: random.Random) -> Change | None:
    """A token stands twice."""
    token = pick(rng, editable(code))
    if token is None:
        return None
    tight = token.kind == "operator" and (token.text in _TIGHT or rng.random() < 0.5)
    return insert(token.end, token.text if tight else " " + token.text)


def borrowed(code: Code, rng: random.Random) -> Change | None:
    """A token of the code stands where it has no business."""
    other = pick(rng, editable(code))
    return _inserted(code, rng, other.text) if other and "\n" not in other.text else None


def common(code: Code, rng: random.Random) -> Change | None:
    """A token that every program has stands where it has no business."""
    return _inserted(code, rng, rng.choice(_COMMON))


def _inserted(code: Code, rng: random.Random, new: str) -> Change | None:
    token = pick(rng, editable(code))
    if token is None:
        return None
    after = code.text[token.end : token.end + 1]
    tight = new in _TIGHT or token.text in ("(", "[", "{", ".")
    spaced = "" if tight else " "
    glue = " " if after.isalnum() or after in ("_", '"', "'") else ""
    return insert(token.end, spaced + new + glue)


MISSING_TOKEN: Mix = ((1, missing),)
EXTRA_TOKEN: Mix = ((3, doubled), (4, borrowed), (3, common))
