"""Wrong values: numbers off by one, flags turned round, strings that belong elsewhere."""

import ast
import random

from engine.data.defects.change import Change, Mix, pick, replace
from engine.data.defects.code import Code, Token

_EMPTY = {"[]": ("{}", "None", "()", "[[]]", '""'), "{}": ("[]", "None", "set()"), "()": ("[]", "None")}


def _constants(code: Code, kind: type) -> list[ast.Constant]:
    return [node for node in code.find(ast.Constant) if type(node.value) is kind]


def integer(code: Code, rng: random.Random) -> Change | None:
    """A whole number a little off, or 0, 1 and -1 for one another."""
    node = pick(rng, _constants(code, int))
    return node and replace(code.span(node), other_integer(code.source(node), int(node.value), rng))


def other_integer(text: str, value: int, rng: random.Random) -> str:
    """A number that could stand in an integer's place by mistake, written as the integer is."""
    draw = rng.random()
    if draw < 0.55:
        new = value + rng.choice((1, -1))
    elif draw < 0.8:
        new = rng.choice((0, 1, -1, 2))
    elif draw < 0.9 and value:
        new = -value
    else:
        new = rng.choice((value * 10, value // 10, value * 2, value + 2, value // 2))
    new = new if new != value else value + 1
    for prefix, write in (("0x", hex), ("0o", oct), ("0b", bin)):
        if text.lower().startswith(prefix):
            return write(new)
    return str(new)


def number(code: Code, rng: random.Random) -> Change | None:
    """A float ten times off, or 0, 1 and a half for one another."""
    node = pick(rng, _constants(code, float))
    if node is None:
        return None
    value = float(node.value)
    choices = (value * 10, value / 10, value + 1, 1.0, 0.0, 0.5, value * 2, 1 - value)
    new = pick(rng, [round(choice, 12) for choice in choices if choice not in (value, float("inf"))])
    return replace(code.span(node), repr(new))


def flag(code: Code, rng: random.Random) -> Change | None:
    """`True` becomes `False`, seldom `None`."""
    node = pick(rng, _constants(code, bool))
    if node is None:
        return None
    return replace(code.span(node), "None" if rng.random() < 0.1 else str(not node.value))


def nothing(code: Code, rng: random.Random) -> Change | None:
    """`None` becomes a value that says something."""
    nodes = [node for node in _constants(code, type(None)) if not isinstance(code.parents[node], ast.Compare)]
    node = pick(rng, nodes)
    return node and replace(code.span(node), rng.choice(("False", "0", "[]", '""', "True", "{}", "1")))


def empty(code: Code, rng: random.Random) -> Change | None:
    """An empty container of another kind."""
    nodes: list[ast.expr] = [node for node in code.find(ast.List) if not node.elts]
    nodes += [node for node in code.find(ast.Dict) if not node.keys]
    nodes += [node for node in code.find(ast.Tuple) if not node.elts]
    node = pick(rng, nodes)
    options = _EMPTY.get(code.source(node)) if node else None
    return replace(code.span(node), rng.choice(options)) if node and options else None


def element(code: Code, rng: random.Random) -> Change | None:
    """A list or tuple of values loses one, or has two in the wrong order."""
    nodes: list[ast.List | ast.Tuple] = [*code.find(ast.List), *code.find(ast.Tuple)]
    node = pick(rng, [node for node in nodes if len(node.elts) > 1 and isinstance(node.ctx, ast.Load)])
    if node is None:
        return None
    index = rng.randrange(len(node.elts) - 1)
    first, second = code.span(node.elts[index]), code.span(node.elts[index + 1])
    if rng.random() < 0.5:
        middle = code.text[first.end : second.start]
        return Change(first.start, second.end, code.text[slice(*second)] + middle + code.text[slice(*first)])
    return Change(first.start, second.start, "")


def other_string(code: Code, rng: random.Random) -> Change | None:
    """A string that the code has elsewhere."""
    tokens = _strings(code)
    token = pick(rng, tokens)
    if token is None:
        return None
    new = pick(rng, [other.text for other in tokens if other.text != token.text and len(other.text) < 40])
    return Change(token.start, token.end, new) if new else None


def empty_string(code: Code, rng: random.Random) -> Change | None:
    """A string without its content."""
    token = pick(rng, [token for token in _strings(code) if 3 <= len(token.text) <= 24])
    if token is None:
        return None
    opening, _, closing = string_parts(token.text)
    return Change(token.start, token.end, opening + closing)


def altered_string(code: Code, rng: random.Random) -> Change | None:
    """A string in another case, with a character too few, or with a blank more or less at its end."""
    token = pick(rng, _strings(code))
    if token is None:
        return None
    opening, content, closing = string_parts(token.text)
    return Change(token.start, token.end, opening + _alter(content, rng) + closing)


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
    """Tokens of plain strings that stand alone: no f-strings, no docstrings, no pieces of a longer one."""
    found = []
    for kind in (str, bytes):
        for node in _constants(code, kind):
            span = code.span(node)
            token = code.tokens[code.token_index(span.start)]
            if token.end == span.end and token.kind == "string":
                found.append(token)
    return found


LITERAL: Mix = (
    (8, integer),
    (1, number),
    (4, flag),
    (1.5, nothing),
    (1, empty),
    (1, element),
    (2.5, other_string),
    (1, empty_string),
    (1.5, altered_string),
)
