"""Wrong values: numbers off by one, flags turned round, strings that belong elsewhere."""

import ast
import random
from itertools import pairwise

from engine.data.defects.change import Change, Mix, pick, replace, swap, weighted
from engine.data.defects.code import Code
from engine.data.defects.lexing import Span, Token

_EMPTY = {"[]": ("{}", "None", "()", "[[]]", '""'), "{}": ("[]", "None", "set()"), "()": ("[]", "None")}
_INSTEAD_OF_NONE = (("False", 3), ("0", 2), ("True", 2), ("[]", 1), ('""', 1), ("{}", 0.5), ("1", 0.5))
_PROSE_LENGTH = 24


def _constants(code: Code, kind: type) -> list[ast.Constant]:
    return [node for node in code.find(ast.Constant) if type(node.value) is kind]


def integer(code: Code, rng: random.Random) -> Change:
    """A whole number a little off, or 0, 1 and -1 for one another."""
    return other_integer(code, rng, pick(rng, _constants(code, int)))


def other_integer(code: Code, rng: random.Random, node: ast.Constant) -> Change:
    """An integer, with its sign, becomes a number that could stand there by mistake."""
    parent = code.parents[node]
    signed = isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.USub)
    value = ast.literal_eval(code.source(node)) * (-1 if signed else 1)
    at = code.span(parent if signed and isinstance(parent, ast.UnaryOp) else node)
    return replace(at, _written_as(code.source(node), _off(value, rng)))


def _off(value: int, rng: random.Random) -> int:
    draw = rng.random()
    if draw < 0.55:
        new = value + rng.choice((1, -1))
    elif draw < 0.8:
        new = rng.choice((0, 1, -1, 2))
    elif draw < 0.9:
        new = -value
    else:
        new = rng.choice((value * 10, value // 10, value * 2, value + 2, value // 2))
    return new if new != value else value + 1


def _written_as(text: str, value: int) -> str:
    """A number in the base of another one's text."""
    write = {"0x": hex, "0o": oct, "0b": bin}.get(text[:2].lower(), str)
    return write(value)


def number(code: Code, rng: random.Random) -> Change:
    """A float ten times off, or 0, 1 and a half for one another."""
    node = pick(rng, _constants(code, float))
    value = ast.literal_eval(code.source(node))
    choices = (value * 10, value / 10, value + 1, 1.0, 0.0, 0.5, value * 2, 1 - value)
    new = pick(rng, [round(choice, 12) for choice in choices if choice not in (value, float("inf"))])
    return replace(code.span(node), repr(new))


def flag(code: Code, rng: random.Random) -> Change:
    """`True` becomes `False`, seldom `None`."""
    node = pick(rng, _constants(code, bool))
    return replace(code.span(node), "None" if rng.random() < 0.1 else str(not node.value))


def nothing(code: Code, rng: random.Random) -> Change:
    """`None` becomes a value that says something."""
    nodes = [
        n for n in _constants(code, type(None)) if not isinstance(code.parents[n], ast.Compare | ast.Raise)
    ]
    return replace(code.span(pick(rng, nodes)), weighted(rng, _INSTEAD_OF_NONE))


def empty(code: Code, rng: random.Random) -> Change:
    """An empty container of another kind."""
    nodes: list[ast.expr] = [*code.find(ast.List), *code.find(ast.Dict), *code.find(ast.Tuple)]
    node = pick(rng, [node for node in nodes if code.source(node) in _EMPTY])
    return replace(code.span(node), rng.choice(_EMPTY[code.source(node)]))


def element(code: Code, rng: random.Random) -> Change:
    """A list or tuple of values loses one, or has two in the wrong order."""
    nodes: list[ast.List | ast.Tuple] = [*code.find(ast.List), *code.find(ast.Tuple)]
    node = pick(rng, [node for node in nodes if isinstance(node.ctx, ast.Load)])
    first, second = (code.span(element) for element in pick(rng, list(pairwise(node.elts))))
    if rng.random() < 0.5:
        return swap(code.text, first, second)
    return Change(first.start, second.start, "")


def other_string(code: Code, rng: random.Random) -> Change:
    """A string that the code has elsewhere."""
    tokens = _strings(code)
    token = pick(rng, tokens)
    return replace(token, pick(rng, [other.text for other in tokens if other.text != token.text]))


def empty_string(code: Code, rng: random.Random) -> Change:
    """A string without its content."""
    token = pick(rng, _strings(code))
    opening, _, closing = string_parts(token.text)
    return replace(token, opening + closing)


def altered_string(code: Code, rng: random.Random) -> Change:
    """A string in another case, with a character too few, or with a blank more or less at its end."""
    token = pick(rng, _strings(code))
    opening, content, closing = string_parts(token.text)
    return replace(token, opening + _alter(content, rng) + closing)


def _alter(content: str, rng: random.Random) -> str:
    draw = rng.random()
    if draw < 0.2:
        return content[:1].swapcase() + content[1:]
    if draw < 0.3:
        return content.swapcase()
    if draw < 0.5 or len(content) < 2:
        return content.rstrip() if content != content.rstrip() else content + rng.choice((" ", "s", "_"))
    index = rng.randrange(len(content) - 1)
    if draw < 0.8:
        return content[:index] + content[index + 1 :]
    return content[:index] + content[index + 1] + content[index] + content[index + 2 :]


def string_parts(text: str) -> tuple[str, str, str]:
    """Prefix with opening quotes, content, and closing quotes of a string token."""
    start = min(text.index(quote) for quote in "'\"" if quote in text)
    width = 3 if text[start : start + 3] in ("'''", '"""') and len(text) >= start + 6 else 1
    return text[: start + width], text[start + width : -width], text[-width:]


def _strings(code: Code) -> list[Token]:
    """Tokens of short plain strings that stand alone: no f-strings, no docstrings, no pieces of a longer one.

    No prose either: nobody can tell what a message should have said.
    """
    tokens = []
    for node in (*_constants(code, str), *_constants(code, bytes)):
        at = code.span(node)
        token = code.tokens[code.token_index(at.start)]
        if Span(token.start, token.end) == at and len(token.text) <= _PROSE_LENGTH:
            tokens.append(token)
    return tokens


LITERAL: Mix = (
    (8, integer),
    (1, number),
    (4, flag),
    (1.5, nothing),
    (1, empty),
    (1, element),
    (2.5, other_string),
    (0.7, empty_string),
    (1.5, altered_string),
)
