"""The inside of string literals as written: pieces, fields of f-strings and of `.format`, `%` places.

Works on source text, so escapes stay as they are. Knows nothing of syntax trees.
"""

import re
from dataclasses import dataclass

from engine.data.refactorings.source import UnrewritableError
from engine.laws.percent import percent_spec

STRING = re.compile(
    r"""(?P<prefix>[A-Za-z]{0,2})(?P<quote>'''|\"\"\"|'|")(?P<body>(?:\\.|(?!(?P=quote)).)*)(?P=quote)""",
    re.S,
)
_GAP = re.compile(r"(?:[\s()]|\\\n)*")
_OPEN, _CLOSE = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Piece:
    """One literal of a row that Python joins, and the text before it (blanks, brackets)."""

    gap: str
    prefix: str
    quote: str
    body: str

    def write(self, prefix: str, body: str) -> str:
        """The piece with another prefix and body."""
        return f"{self.gap}{prefix}{self.quote}{body}{self.quote}"


@dataclass(frozen=True, slots=True)
class Field:
    """A replacement field: `{expression!conversion:spec}`; conversion and spec with their signs, or empty."""

    expression: str
    conversion: str
    spec: str

    def __str__(self) -> str:
        return f"{{{self.expression}{self.conversion}{self.spec}}}"


def split_pieces(code: str) -> tuple[list[Piece], str]:
    """The literals in `code` and the text behind the last.

    Raises:
        UnrewritableError: `code` is not a row of literals, or has escapes that contain brackets.
    """
    pieces = []
    position = 0
    for match in STRING.finditer(code):
        gap = code[position : match.start()]
        if not _GAP.fullmatch(gap) or "\\N{" in match["body"]:
            raise UnrewritableError("no plain row of literals")
        pieces.append(Piece(gap, match["prefix"], match["quote"], match["body"]))
        position = match.end()
    if not pieces or not _GAP.fullmatch(code[position:]):
        raise UnrewritableError("no plain row of literals")
    return pieces, code[position:]


def split_fields(body: str) -> list[str | Field]:
    """The body of an f-string or format string: literal text as written (brackets still doubled) and fields.

    Raises:
        UnrewritableError: brackets do not match, or a field repeats its expression (`{x=}`).
    """
    parts: list[str | Field] = []
    literal = ""
    position = 0
    while position < len(body):
        pair = body[position : position + 2]
        if pair in ("{{", "}}"):
            literal += pair
            position += 2
        elif body[position] == "{":
            field, position = _field(body, position + 1)
            parts += [literal, field] if literal else [field]
            literal = ""
        elif body[position] == "}":
            raise UnrewritableError("single bracket")
        else:
            literal += body[position]
            position += 1
    return [*parts, literal] if literal else parts


def _field(body: str, start: int) -> tuple[Field, int]:
    """The field whose expression starts at `start`, and where the text behind its bracket starts."""
    end = _expression_end(body, start)
    expression = body[start:end]
    if expression.rstrip().endswith("=") and not expression.rstrip().endswith(("==", "!=", "<=", ">=")):
        raise UnrewritableError("a field that repeats its expression")
    conversion = ""
    if body[end] == "!":
        conversion = body[end : end + 2]
        end += 2
    stop = _spec_end(body, end)
    return Field(expression, conversion, body[end:stop]), stop + 1


def _expression_end(body: str, position: int) -> int:
    depth = 0
    while position < len(body):
        char = body[position]
        if char in "'\"":
            match = STRING.match(body, position)
            if match is None:
                break
            position = match.end()
            continue
        if depth == 0 and (char in ":}" or (char == "!" and body[position + 1 : position + 2] != "=")):
            return position
        depth += (char in _OPEN) - (char in _CLOSE)
        # `!=` is passed over whole, so that its second half is not read by itself.
        position += 2 if char == "!" else 1
    raise UnrewritableError("a field without end")


def _spec_end(body: str, position: int) -> int:
    depth = 0
    for index in range(position, len(body)):
        depth += (body[index] == "{") - (body[index] == "}")
        if depth < 0:
            return index
    raise UnrewritableError("a field without end")


def f_spec(match: re.Match[str]) -> tuple[str, str]:
    """As `percent_spec`; raises UnrewritableError in the place of ValueError."""
    try:
        return percent_spec(match)
    except ValueError as error:
        raise UnrewritableError(str(error)) from error


_TEXT_SPEC = re.compile(r":(?:(?P<align>[<>])(?P<width>[1-9]\d*))?(?P<precision>\.\d+)?")
_NUMBER_SPEC = re.compile(
    r":(?P<align><)?(?P<sign>[+ ])?(?P<alt>#)?(?P<width>\d+)?(?P<precision>\.\d+)?(?P<type>[dxXofFeEgG])"
)


def percent_place(field: Field) -> str | None:
    """The `%` place that says what a field says; None where there is none."""
    kind = field.conversion[1:] or "s"
    text = _TEXT_SPEC.fullmatch(field.spec or ":")
    if text is not None and (field.conversion or not field.spec):
        minus = "-" if text["align"] == "<" else ""
        return f"%{minus}{text['width'] or ''}{text['precision'] or ''}{kind}"
    number = _NUMBER_SPEC.fullmatch(field.spec)
    if number is None or field.conversion:
        return None
    minus = "-" if number["align"] else ""
    return (
        f"%{minus}{number['sign'] or ''}{number['alt'] or ''}"
        f"{number['width'] or ''}{number['precision'] or ''}{number['type']}"
    )
