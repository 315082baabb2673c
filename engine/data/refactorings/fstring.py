"""`%` and `.format` to f-strings; pairs are made from code that has them and, backwards, from f-strings.

A region is taken only if everything in it can be converted: the answer leaves no old formatting behind.
"""

import ast
import random
import re
from collections.abc import Iterator

from engine.data.refactorings.literals import (
    STRING,
    Field,
    Piece,
    f_spec,
    percent_place,
    split_fields,
    split_pieces,
)
from engine.data.refactorings.pair import Pair
from engine.data.refactorings.source import Edit, Source, UnrewritableError, apply, parse, read
from engine.laws.percent import PERCENT

_MOST_UNDONE = 4
_OPERATOR = re.compile(r"((?:[\s)]|\\\n)*)%(?:[\s(]|\\\n)*")
_FIELD_NAME = re.compile(r"(\w*)((?:\.\w+|\[[^\]]+\])*)")
_STEP = re.compile(r"\.\w+|\[[^\]]+\]")
_POSTFIX = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
_BINDS_TIGHTER = (ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript, ast.Call, ast.Await, ast.JoinedStr)


def make(text: str, rng: random.Random) -> Pair | None:
    """A pair without variables; None where the region has no formatting that has one right f-string."""
    after = rewrite(text)
    if after is None:
        return None
    before = _undone(after, rng)
    if before is None or (after != text and rng.random() < 0.5):
        before = text
    if before == after or rewrite(before) != after:
        return None
    return Pair("fstring", {}, before, after)


def rewrite(text: str) -> str | None:
    """The region with f-strings for all `%` and `.format`; None where one of them has to stay."""
    source = read(text)
    if source is None:
        return None
    try:
        after = apply(text, _conversions(source))
    except UnrewritableError:
        return None
    return after if after == text or read(after) is not None else None


def idle(text: str, _rng: random.Random) -> dict[str, str] | None:
    """The variables of an instruction that leaves the region as it is; None where there is something to do."""
    return {} if rewrite(text) == text else None


def _conversions(source: Source) -> Iterator[Edit]:
    """Raises UnrewritableError where old formatting has no equal f-string."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and _is_text(node.left):
            yield Edit(*source.span(node), _from_percent(source, node))
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "format"
            and _is_text(node.func.value)
        ):
            yield Edit(*source.span(node), _from_format(source, node, node.func))


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _from_percent(source: Source, node: ast.BinOp) -> str:
    start, end = source.span(node)
    left_end = source.span(node.left)[1]
    operator = _OPERATOR.match(source.text, left_end)
    if operator is None:
        raise UnrewritableError("a comment within")
    _refuse_comments(source.text[operator.end() : end])
    pieces, tail = split_pieces(source.text[start:left_end] + operator[1].rstrip())
    places = [match for piece in pieces for match in PERCENT.finditer(piece.body) if match["type"] != "%"]
    values = iter(_percent_values(source, node.right, places))

    def write(piece: Piece) -> str:
        _check_percents(piece.body)
        if all(match["type"] == "%" for match in PERCENT.finditer(piece.body)):
            return piece.write(piece.prefix, piece.body.replace("%%", "%"))
        # Brackets are text to %, but not to an f-string.
        body = PERCENT.sub(
            lambda match: "%" if match["type"] == "%" else _written(match, next(values), piece),
            piece.body.replace("{", "{{").replace("}", "}}"),
        )
        return piece.write(_f_prefix(piece), body)

    return "".join(map(write, pieces)) + tail


def _written(match: re.Match[str], expression: str, piece: Piece) -> str:
    conversion, spec = f_spec(match)
    return str(Field(_requoted(expression, piece.quote), conversion, spec))


def _check_percents(body: str) -> None:
    if "%" in PERCENT.sub("", body):
        raise UnrewritableError("a stray percent sign")


def _percent_values(source: Source, right: ast.expr, places: list[re.Match[str]]) -> list[str]:
    """The expressions of the places, in their order."""
    if any(match["key"] is not None for match in places):
        return _mapped_values(source, right, places)
    if isinstance(right, ast.Tuple):
        nodes = right.elts
    elif isinstance(right, ast.Dict):
        raise UnrewritableError("a dictionary as text")
    else:
        nodes = [right]
    if len(nodes) != len(places) or not nodes:
        raise UnrewritableError("places and values do not pair up")
    return [_expression(source, node) for node in nodes]


def _mapped_values(source: Source, right: ast.expr, places: list[re.Match[str]]) -> list[str]:
    if not isinstance(right, ast.Dict):
        raise UnrewritableError("a mapping that is not written out")
    values = {}
    for key, value in zip(right.keys, right.values, strict=True):
        if not isinstance(key, ast.Constant):
            raise UnrewritableError("a computed key")
        values[key.value] = value
    keys = [match["key"] for match in places]
    if set(keys) != set(values) or len(values) != len(right.keys):
        raise UnrewritableError("places and values do not pair up")
    return _once(source, [values[key] for key in keys])


def _once(source: Source, nodes: list[ast.expr]) -> list[str]:
    """The expressions' texts.

    Raises:
        UnrewritableError: one that may have an effect would be evaluated twice.
    """
    for node in nodes:
        if sum(node is other for other in nodes) > 1 and not isinstance(node, ast.Name | ast.Attribute):
            raise UnrewritableError("a value used twice")
    return [_expression(source, node) for node in nodes]


def _expression(source: Source, node: ast.expr) -> str:
    """The text of a value, fit for a field but for its quotes."""
    unfit = (ast.Starred, ast.Tuple, ast.Lambda, ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.JoinedStr)
    if any(isinstance(part, ast.JoinedStr | ast.Lambda | ast.NamedExpr) for part in ast.walk(node)):
        raise UnrewritableError("an expression that a field cannot hold")
    code = source.code(node)
    if isinstance(node, unfit) or code.startswith("{") or any(char in code for char in "\n\\#"):
        raise UnrewritableError("an expression that a field cannot hold")
    return code


def _requoted(expression: str, quote: str) -> str:
    """The expression with its own strings in quotes that do not end the literal about it."""
    other = "'" if '"' in quote else '"'

    def swap(match: re.Match[str]) -> str:
        if quote[0] not in match[0]:
            return match[0]
        if match["quote"] != quote or other in match["body"]:
            raise UnrewritableError("quotes clash")
        return f"{match['prefix']}{other}{match['body']}{other}"

    if len(quote) == 3:
        if quote in expression or expression.endswith(quote[0]):
            raise UnrewritableError("quotes clash")
        return expression
    return STRING.sub(swap, expression)


def _f_prefix(piece: Piece) -> str:
    if piece.prefix.lower() not in ("", "r", "u"):
        raise UnrewritableError("a prefix that does not go with f")
    return piece.prefix.strip("uU") + "f"


def _refuse_comments(code: str) -> None:
    if "#" in STRING.sub("", code):
        raise UnrewritableError("a comment within")


def _from_format(source: Source, node: ast.Call, method: ast.Attribute) -> str:
    start, end = source.span(node)
    dot = source.text.rindex(".", source.span(method.value)[1], source.span(method)[1])
    _refuse_comments(source.text[dot:end])
    pieces, tail = split_pieces(source.text[start:dot].rstrip())
    if any("f" in piece.prefix.lower() for piece in pieces):
        raise UnrewritableError("an f-string as a format")
    arguments = _Arguments(source, node)

    def write(piece: Piece) -> str:
        parts = split_fields(piece.body)
        if all(isinstance(part, str) for part in parts):
            return piece.write(piece.prefix, piece.body.replace("{{", "{").replace("}}", "}"))
        body = "".join(
            part if isinstance(part, str) else str(arguments.fill(part, piece.quote)) for part in parts
        )
        return piece.write(_f_prefix(piece), body)

    result = "".join(map(write, pieces)) + tail
    arguments.refuse_leftovers()
    return result


class _Arguments:
    """What a call of `.format` passes, handed out to the fields."""

    def __init__(self, source: Source, call: ast.Call) -> None:
        self.source = source
        self.values: dict[str, ast.expr] = {str(index): value for index, value in enumerate(call.args)}
        for word in call.keywords:
            if word.arg is None:
                raise UnrewritableError("a mapping that is not written out")
            self.values[word.arg] = word.value
        self.used: list[str] = []
        self.numbered_by_us: bool | None = None

    def fill(self, field: Field, quote: str) -> Field:
        """The f-string's field for one of the format's."""
        match = _FIELD_NAME.fullmatch(field.expression)
        if match is None:
            raise UnrewritableError("an odd field name")
        base = self._value(match[1])
        steps = "".join(_step(step, quote) for step in _STEP.findall(match[2]))
        expression = _requoted(_expression(self.source, base), quote)
        if steps and not isinstance(base, _POSTFIX):
            expression = f"({expression})"
        spec = "".join(
            part if isinstance(part, str) else str(self.fill(part, quote))
            for part in split_fields(field.spec)
        )
        return Field(expression + steps, field.conversion, spec)

    def _value(self, name: str) -> ast.expr:
        if not name or name.isdigit():
            if self.numbered_by_us not in (None, not name):
                raise UnrewritableError("numbered and unnumbered fields")
            self.numbered_by_us = not name
        key = name or str(len(self.used))
        if key not in self.values:
            raise UnrewritableError("a field without value")
        self.used.append(key)
        return self.values[key]

    def refuse_leftovers(self) -> None:
        """Raises UnrewritableError where a value is used never, or twice and may have an effect."""
        if set(self.used) != set(self.values):
            raise UnrewritableError("a value without field")
        _once(self.source, [self.values[key] for key in self.used])


def _step(step: str, quote: str) -> str:
    """`.name` and `[0]` as they are, `[key]` with the quotes that a format string leaves out."""
    if step.startswith(".") or step[1:-1].isdigit():
        return step
    other = "'" if '"' in quote else '"'
    return f"[{other}{step[1:-1]}{other}]"


def _undone(text: str, rng: random.Random) -> str | None:
    """The region with some of its f-strings in old formatting; None where it has none that can be."""
    source = read(text)
    if source is None:
        return None
    parents = source.parents()
    literals = [node for node in ast.walk(source.tree) if isinstance(node, ast.JoinedStr)]
    literals = [node for node in literals if not _inside_field(node, parents)]
    rng.shuffle(literals)
    edits: list[Edit] = []
    most = rng.choice((1, 2, _MOST_UNDONE, len(literals)))
    for node in literals:
        try:
            edits.append(Edit(*source.span(node), _old_form(source.code(node), parents[node], rng)))
        except UnrewritableError:
            continue
        if len(edits) == most:
            break
    return apply(text, edits) if edits else None


def _inside_field(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    while node in parents:
        node = parents[node]
        if isinstance(node, ast.FormattedValue):
            return True
    return False


def _old_form(code: str, parent: ast.AST, rng: random.Random) -> str:
    pieces, tail = split_pieces(code)
    parts = [split_fields(piece.body) if "f" in piece.prefix.lower() else [] for piece in pieces]
    fields = [part for row in parts for part in row if isinstance(part, Field)]
    if not fields or tail:
        raise UnrewritableError("nothing to format")
    fits = all(percent_place(field) is not None for field in fields)
    if fits and not isinstance(parent, _BINDS_TIGHTER) and rng.random() < 0.6:
        return _as_percent(pieces, parts, fields, rng)
    return _as_format(pieces, parts, fields, rng)


def _as_percent(
    pieces: list[Piece], parts: list[list[str | Field]], fields: list[Field], rng: random.Random
) -> str:
    code = ""
    for piece, row in zip(pieces, parts, strict=True):
        if "f" in piece.prefix.lower():
            body = "".join(
                _undoubled(part).replace("%", "%%") if isinstance(part, str) else str(percent_place(part))
                for part in row
            )
        else:
            body = piece.body.replace("%", "%%")
        code += piece.write(piece.prefix.replace("f", "").replace("F", ""), body)
    return f"{code} % {_right_side(fields, pieces, rng)}"


def _right_side(fields: list[Field], pieces: list[Piece], rng: random.Random) -> str:
    values = [_value(field.expression, pieces, rng) for field in fields]
    if len(values) > 1:
        return f"({', '.join(values)})"
    if isinstance(_parsed(values[0]), _POSTFIX) and rng.random() < 0.7:
        return values[0]
    return f"({values[0]},)" if rng.random() < 0.8 else f"({values[0]})"


def _as_format(
    pieces: list[Piece], parts: list[list[str | Field]], fields: list[Field], rng: random.Random
) -> str:
    namer = rng.choices((_unnumbered, _numbered, _named), (7, 2, 1))[0]
    names = namer(fields)
    values = iter(zip(names, fields, strict=True))
    code = ""
    for piece, row in zip(pieces, parts, strict=True):
        if "f" in piece.prefix.lower():
            body = "".join(
                part
                if isinstance(part, str)
                else str(Field(next(values)[0], part.conversion, _plain(part.spec)))
                for part in row
            )
        else:
            body = piece.body.replace("{", "{{").replace("}", "}}")
        code += piece.write(piece.prefix.replace("f", "").replace("F", ""), body)
    arguments = [_value(field.expression, pieces, rng) for field in fields]
    if namer is _named:
        arguments = [f"{name}={value}" for name, value in zip(names, arguments, strict=True)]
    return f"{code}.format({', '.join(arguments)})"


def _unnumbered(fields: list[Field]) -> list[str]:
    return ["" for _ in fields]


def _numbered(fields: list[Field]) -> list[str]:
    return [str(index) for index in range(len(fields))]


def _named(fields: list[Field]) -> list[str]:
    names = [field.expression for field in fields]
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        raise UnrewritableError("values without names")
    return names


def _plain(spec: str) -> str:
    if "{" in spec:
        raise UnrewritableError("a spec with fields")
    return spec


def _undoubled(literal: str) -> str:
    return literal.replace("{{", "{").replace("}}", "}")


def _value(expression: str, pieces: list[Piece], rng: random.Random) -> str:
    """The expression outside of the literal: its quotes are free now, and often all the same."""
    quote = pieces[0].quote[0]
    _parsed(expression)
    if rng.random() < 0.5 and not any(char in expression for char in ("\\", quote)):
        return STRING.sub(lambda match: f"{match['prefix']}{quote}{match['body']}{quote}", expression)
    return expression


def _parsed(expression: str) -> ast.expr:
    if expression != expression.strip():
        raise UnrewritableError("blanks in a field")
    try:
        statement = parse(f"({expression})").body[0]
    except SyntaxError as error:
        raise UnrewritableError("a field that is no expression") from error
    assert isinstance(statement, ast.Expr), "round brackets hold an expression"
    return statement.value
