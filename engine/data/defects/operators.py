"""Wrong operators: a boundary missed, a condition turned round, an operand or a `+ 1` too few or too many."""

import ast
import random

from engine.data.defects.change import Change, Mix, insert, pick, replace, weighted
from engine.data.defects.code import Code, Span

_COMPARISONS: dict[str, tuple[tuple[str, float], ...]] = {
    "<": (("<=", 6), (">", 3), (">=", 1), ("==", 0.5)),
    "<=": (("<", 6), (">=", 3), (">", 1), ("==", 0.5)),
    ">": ((">=", 6), ("<", 3), ("<=", 1), ("!=", 0.5)),
    ">=": ((">", 6), ("<=", 3), ("<", 1), ("==", 0.5)),
    "==": (("!=", 6), (">=", 1), ("<=", 1), (">", 0.7), ("<", 0.7), ("is", 0.7), ("in", 0.3)),
    "!=": (("==", 6), (">", 1), ("<", 1), ("is not", 0.7)),
    "is": (("is not", 6), ("==", 1)),
    "is not": (("is", 6), ("!=", 1), ("==", 0.3)),
    "in": (("not in", 6), ("==", 1)),
    "not in": (("in", 6), ("!=", 1)),
}
_ARITHMETIC: dict[str, tuple[tuple[str, float], ...]] = {
    "+": (("-", 6), ("*", 1)),
    "-": (("+", 6), ("*", 0.5), ("/", 0.3)),
    "*": (("/", 2), ("+", 2), ("**", 2), ("//", 1)),
    "/": (("//", 4), ("*", 4), ("%", 0.5)),
    "//": (("/", 5), ("%", 2), ("*", 1)),
    "%": (("//", 4), ("/", 2), ("*", 0.5)),
    "**": (("*", 5), ("//", 0.5), ("^", 1)),
    "&": (("|", 5), ("^", 1), ("and", 1)),
    "|": (("&", 5), ("^", 1), ("or", 1)),
    "^": (("&", 3), ("|", 3), ("**", 1)),
    "<<": ((">>", 5), ("<", 1)),
    ">>": (("<<", 5), (">", 1)),
    "@": (("*", 1),),
}
_AUGMENTED: dict[str, tuple[tuple[str, float], ...]] = {
    "+=": (("-=", 5), ("=", 5), ("*=", 0.5)),
    "-=": (("+=", 5), ("=", 4)),
    "*=": (("+=", 3), ("/=", 2), ("=", 2), ("**=", 0.5)),
    "/=": (("//=", 3), ("*=", 3), ("=", 1)),
    "//=": (("/=", 3), ("%=", 1), ("=", 1)),
    "%=": (("//=", 3), ("=", 1)),
    "|=": (("&=", 3), ("=", 2), ("^=", 1)),
    "&=": (("|=", 3), ("=", 2), ("^=", 1)),
    "^=": (("|=", 2), ("&=", 2), ("=", 1)),
    "<<=": ((">>=", 3), ("=", 1)),
    ">>=": (("<<=", 3), ("=", 1)),
}
_ORDER_MATTERS = (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.LShift, ast.RShift)


def _other(
    code: Code, rng: random.Random, at: Span, table: dict[str, tuple[tuple[str, float], ...]]
) -> Change | None:
    old = " ".join(code.text[slice(*at)].split())
    new = weighted(rng, table.get(old, ()))
    return replace(at, new) if new else None


def compare(code: Code, rng: random.Random) -> Change | None:
    """`a < b` becomes `a <= b`."""
    node = pick(rng, code.find(ast.Compare))
    if node is None:
        return None
    operands = [node.left, *node.comparators]
    index = rng.randrange(len(node.ops))
    return _other(code, rng, code.operator_between(operands[index], operands[index + 1]), _COMPARISONS)


def connect(code: Code, rng: random.Random) -> Change | None:
    """`and` becomes `or`."""
    node = pick(rng, code.find(ast.BoolOp))
    if node is None:
        return None
    at = pick(rng, _connectives(code, node))
    return at and replace(at, "or" if isinstance(node.op, ast.And) else "and")


def calculate(code: Code, rng: random.Random) -> Change | None:
    """`a + b` becomes `a - b`; text formatting with `%` and joined texts stay."""
    node = pick(rng, [node for node in code.find(ast.BinOp) if not _is_text(node)])
    return node and _other(code, rng, code.operator_between(node.left, node.right), _ARITHMETIC)


def update(code: Code, rng: random.Random) -> Change | None:
    """`x += 1` becomes `x -= 1` or `x = 1`."""
    node = pick(rng, code.find(ast.AugAssign))
    return node and _other(code, rng, code.operator_between(node.target, node.value), _AUGMENTED)


def accumulate(code: Code, rng: random.Random) -> Change | None:
    """`x = y` becomes `x += y` for a name that has a value already."""
    sites = []
    for node in code.find(ast.Assign):
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Name):
            if target.id in code.scopes[node].visible(code.span(target).start):
                sites.append(code.operator_between(target, node.value))
    at = pick(rng, sites)
    return at and replace(at, "+=")


def drop_not(code: Code, rng: random.Random) -> Change | None:
    """`not x` becomes `x`."""
    node = pick(rng, [node for node in code.find(ast.UnaryOp) if isinstance(node.op, ast.Not)])
    if node is None:
        return None
    start = code.span(node).start
    return Change(start, start + len(code.text[start + 3 :]) - len(code.text[start + 3 :].lstrip()) + 3, "")


def add_not(code: Code, rng: random.Random) -> Change | None:
    """`if x` becomes `if not x`."""
    tests: list[ast.expr] = [node.test for kind in (ast.If, ast.While, ast.IfExp) for node in code.find(kind)]
    tests += [test for node in code.find(ast.comprehension) for test in node.ifs]
    tests += [value for node in code.find(ast.BoolOp) for value in node.values]
    plain = [test for test in tests if isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript)]
    test = pick(rng, plain or tests)
    return test and insert(code.span(test).start, "not ")


def drop_sign(code: Code, rng: random.Random) -> Change | None:
    """`-x` becomes `x`."""
    node = pick(rng, [node for node in code.find(ast.UnaryOp) if isinstance(node.op, ast.USub | ast.Invert)])
    return node and Change(code.span(node).start, code.span(node).start + 1, "")


def drop_operand(code: Code, rng: random.Random) -> Change | None:
    """`a + b` becomes `a`, or `b`; short tails such as `- 1` go most."""
    nodes = [(node, 4.0 if isinstance(node.right, ast.Constant) else 1.0) for node in code.find(ast.BinOp)]
    node = weighted(rng, nodes)
    if node is None:
        return None
    whole, at = code.span(node), code.operator_between(node.left, node.right)
    if isinstance(node.right, ast.Constant) or rng.random() < 0.6:
        return Change(whole.start + len(code.text[whole.start : at.start].rstrip()), whole.end, "")
    return Change(whole.start, whole.end - len(code.text[at.end : whole.end].lstrip()), "")


def drop_condition(code: Code, rng: random.Random) -> Change | None:
    """`a and b` becomes `a`, or `b`."""
    node = pick(rng, code.find(ast.BoolOp))
    if node is None:
        return None
    whole, ops = code.span(node), _connectives(code, node)
    index = rng.randrange(len(ops) + 1)
    if index == 0:
        rest = code.text[ops[0].end : whole.end]
        return Change(whole.start, whole.end - len(rest.lstrip()), "")
    before = code.text[whole.start : ops[index - 1].start].rstrip()
    end = ops[index].start if index < len(ops) else whole.end
    return Change(whole.start + len(before), end - (1 if index < len(ops) else 0), "")


def swap_operands(code: Code, rng: random.Random) -> Change | None:
    """`a - b` becomes `b - a`."""
    pairs: list[tuple[ast.expr, ast.expr]] = [
        (node.left, node.right)
        for node in code.find(ast.BinOp)
        if isinstance(node.op, _ORDER_MATTERS) and not _is_text(node)
    ]
    ordered = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
    pairs += [
        (node.left, node.comparators[0])
        for node in code.find(ast.Compare)
        if len(node.ops) == 1 and isinstance(node.ops[0], ordered)
    ]
    pair = pick(rng, pairs)
    if pair is None:
        return None
    left, right = code.span(pair[0]), code.span(pair[1])
    middle = code.text[left.end : right.start]
    return Change(left.start, right.end, code.text[slice(*right)] + middle + code.text[slice(*left)])


def off_by_one(code: Code, rng: random.Random) -> Change | None:
    """An index, a bound or a compared count gains `+ 1` or `- 1`."""
    places: list[ast.expr | None] = []
    for subscript in code.find(ast.Subscript):
        places += _bounds(subscript.slice)
    for call in code.find(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "range":
            places += call.args
    for node in code.find(ast.Compare):
        if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            places += [node.left, node.comparators[-1]]
    place = pick(rng, [node for node in places if isinstance(node, ast.Name | ast.Call | ast.Attribute)])
    return place and insert(code.span(place).end, rng.choice((" + 1", " - 1")))


def _bounds(index: ast.expr) -> list[ast.expr | None]:
    if isinstance(index, ast.Slice):
        return [index.lower, index.upper]
    # Plain names index mappings as often as sequences: only those that look like a count gain a 1.
    return [index] if isinstance(index, ast.Name) and len(index.id) <= 2 else []


def _connectives(code: Code, node: ast.BoolOp) -> list[Span]:
    return [code.operator_between(a, b) for a, b in zip(node.values, node.values[1:], strict=False)]


def _is_text(node: ast.BinOp) -> bool:
    """Whether a string literal, or an f-string, is joined or formatted here."""
    left = node.left.left if isinstance(node.left, ast.BinOp) else node.left
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in (left, node.left, node.right)
    )


OPERATOR: Mix = (
    (10, compare),
    (4, connect),
    (5, calculate),
    (2.5, update),
    (0.5, accumulate),
    (2.5, drop_not),
    (2, add_not),
    (0.7, drop_sign),
    (2.5, drop_operand),
    (2.5, drop_condition),
    (1, swap_operands),
    (1.5, off_by_one),
)
