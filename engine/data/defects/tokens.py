"""One token too few or too many, as fingers slip: any token, whatever it means."""

import random

from engine.data.defects.change import Change, Mix, NoPlaceError, insert, pick
from engine.data.defects.code import Code
from engine.data.defects.lexing import Token

_COMMON = (
    *("(", ")", "[", "]", ":", ",", ".", "=", "==", "+", "-", "*", "0", "1"),
    *("not", "self", "in", "and", "if", "return", "None", "x"),
)
_TIGHT = (")", "]", "}", ",", ":", ";", ".", "(", "[")


def missing(code: Code, rng: random.Random) -> Change:
    """A token is gone."""
    return without(code, rng, pick(rng, code.typing_places))


def without(code: Code, rng: random.Random, token: Token) -> Change:
    """The change that takes a token out, and the blank that nobody would have typed without it.

    A line that held nothing else goes with it.
    """
    text, start, end = code.text, token.start, token.end
    line = code.line_of(start)
    if code.lines[line].strip() == token.text:
        return Change(*code.line_span(line, line), "")
    before, after = text[start - 1 : start], text[end : end + 1]
    if after == " " and (before == " " or code.starts_line(start)):
        end += 1
    elif before == " " and after in ("", "\n"):
        start -= 1
    would_join = _in_word(before) and _in_word(after)
    return Change(start, end, " " if would_join and rng.random() < 0.5 else "")


def doubled(code: Code, rng: random.Random) -> Change:
    """A token stands twice."""
    token = pick(rng, code.typing_places)
    tight = token.kind == "operator" and (token.text in _TIGHT or rng.random() < 0.5)
    return insert(token.end, token.text if tight else " " + token.text)


def borrowed(code: Code, rng: random.Random) -> Change:
    """A token of the code stands where it has no business, too."""
    other = pick(rng, code.typing_places)
    if "\n" in other.text:
        raise NoPlaceError
    return _inserted(code, rng, other.text)


def common(code: Code, rng: random.Random) -> Change:
    """A token that every program has stands where it has no business."""
    return _inserted(code, rng, rng.choice(_COMMON))


def _inserted(code: Code, rng: random.Random, new: str) -> Change:
    token = pick(rng, code.typing_places)
    after = code.text[token.end : token.end + 1]
    blank_before = "" if new in _TIGHT or token.text in ("(", "[", "{", ".") else " "
    blank_after = " " if _in_word(after) or after in ('"', "'") else ""
    return insert(token.end, blank_before + new + blank_after)


def _in_word(character: str) -> bool:
    return character.isalnum() or character == "_"


MISSING_TOKEN: Mix = ((1, missing),)
EXTRA_TOKEN: Mix = ((3, doubled), (4, borrowed), (3, common))
