"""Brackets, colons, commas, quotes and other marks missing, wrong or too many, so that nothing parses."""

import random

from engine.data.defects.change import Change, Mix, insert, pick, replace
from engine.data.defects.code import Code
from engine.data.defects.lexing import Token
from engine.data.defects.literals import string_parts
from engine.data.defects.tokens import without

_OPENING, _CLOSING = ("(", "[", "{"), (")", "]", "}")
_HEADERS = (
    *("def", "class", "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "async"),
    *("match", "case", ")"),
)
_FOR_COLON = (";", "::", ",", ".", " {", ":;", "=")
_STRAY = ("$", "?", "!", "`", "\\", ";;", "@", "~", "|", "\u201d", "%", "&", "'", '"', "..", "=", "}", "]")


def some(code: Code, rng: random.Random, *texts: str) -> Token:
    """A token with one of these texts, outside docstrings; raises NoPlaceError where there is none."""
    return pick(rng, [token for token in code.typing_places if token.text in texts])


def bracket_missing(code: Code, rng: random.Random) -> Change:
    """A bracket is gone."""
    return without(code, rng, some(code, rng, *_OPENING, *_CLOSING))


def bracket_unclosed(code: Code, rng: random.Random) -> Change:
    """The bracket at the end of a line is not closed."""
    closing = [token for token in code.typing_places if token.text in _CLOSING]
    return without(code, rng, pick(rng, [t for t in closing if code.rest_of_line(t.end) in ("", ":")]))


def bracket_extra(code: Code, rng: random.Random) -> Change:
    """A bracket stands twice, or where none belongs."""
    if rng.random() < 0.7:
        token = some(code, rng, *_OPENING, *_CLOSING)
        return insert(token.end, token.text)
    return insert(pick(rng, code.typing_places).end, rng.choice((")", "]")))


def bracket_wrong(code: Code, rng: random.Random) -> Change:
    """A bracket of another shape."""
    token = some(code, rng, *_OPENING, *_CLOSING)
    shapes = _OPENING if token.text in _OPENING else _CLOSING
    return replace(token, rng.choice([shape for shape in shapes if shape != token.text]))


def _header_colon(code: Code, rng: random.Random) -> Token:
    first_in_line: dict[int, str] = {}
    for token in code.typing_places:
        first_in_line.setdefault(code.line_of(token.start), token.text)
    colons = [t for t in code.typing_places if t.text == ":" and not code.rest_of_line(t.end)]
    return pick(rng, [token for token in colons if first_in_line[code.line_of(token.start)] in _HEADERS])


def colon_missing(code: Code, rng: random.Random) -> Change:
    """The colon at the end of a header is gone."""
    return replace(_header_colon(code, rng), "")


def colon_wrong(code: Code, rng: random.Random) -> Change:
    """The colon at the end of a header is something else, or stands twice."""
    return replace(_header_colon(code, rng), rng.choice(_FOR_COLON))


def colon_for_equals(code: Code, rng: random.Random) -> Change:
    """`f(a: 1)`, `{"a" = 1}`."""
    token = some(code, rng, "=", ":")
    return replace(token, ":" if token.text == "=" else " =")


def comma_missing(code: Code, rng: random.Random) -> Change:
    """The comma between two items is gone."""
    return replace(some(code, rng, ","), "")


def comma_wrong(code: Code, rng: random.Random) -> Change:
    """The comma stands twice, or is a full stop, a colon or a semicolon."""
    return replace(some(code, rng, ","), rng.choice((",,", ";", ", ,", ".", ":")))


def dot_missing(code: Code, rng: random.Random) -> Change:
    """`self x`."""
    return replace(some(code, rng, "."), " ")


def quote(code: Code, rng: random.Random) -> Change:
    """A quote is missing, doubled, or of the other shape."""
    token = pick(rng, [token for token in code.typing_places if token.kind == "string"])
    opening, content, closing = string_parts(token.text)
    mark, draw = closing[0], rng.random()
    if draw < 0.35:
        return replace(token, opening + content + closing[1:])
    if draw < 0.6:
        return replace(token, opening.replace(mark, "", 1) + content + closing)
    if draw < 0.8:
        return replace(token, opening + content + closing + mark)
    return replace(token, opening + content + ("'" if mark == '"' else '"') * len(closing))


def stray(code: Code, rng: random.Random) -> Change:
    """A character that has no business here."""
    token = pick(rng, code.typing_places)
    return insert(rng.choice((token.start, token.end)), rng.choice(_STRAY))


def doubled(code: Code, rng: random.Random) -> Change:
    """A mark, an operator or a keyword stands twice."""
    token = pick(rng, [token for token in code.typing_places if token.kind in ("operator", "keyword")])
    return insert(token.end, (" " if token.kind == "keyword" else "") + token.text)


MARKS: Mix = (
    (3, bracket_missing),
    (2, bracket_unclosed),
    (1.5, bracket_extra),
    (1, bracket_wrong),
    (2.5, colon_missing),
    (0.7, colon_wrong),
    (0.7, colon_for_equals),
    (2, comma_missing),
    (0.7, comma_wrong),
    (0.4, dot_missing),
    (2.2, quote),
    (0.9, stray),
    (0.9, doubled),
)
