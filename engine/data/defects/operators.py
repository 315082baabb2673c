"""Wrong operators: a boundary missed, a condition turned round, an operand too few or too many."""

import ast
import random
from itertools import pairwise

from engine.data.defects.change import Change, Mix, insert, pick, replace, swap, weighted
from engine.data.defects.code import Code
from engine.data.defects.lexing import Span
from engine.data.defects.names import other_name

_Near = dict[str, tuple[tuple[str, float], ...]]

_COMPARISONS: _Near = {
    "<": (("<=", 6), (">", 3), (">=", 1), ("==", 0.5)),
    "<=": (("<", 6), (">=", 3), (">", 1), ("==", 0.5)),
    ">": ((">=", 6), ("<", 3), ("<=", 1), ("!=", 0.5)),
    ">=": ((">", 6), ("<=", 3), ("<", 1), ("==", 0.5)),
    "==": (("!=", 6), (">=", 1), ("<=", 1), (">", 0.7), ("<", 0.7), ("is", 0.5)),
    "!=": (("==", 6), (">", 1), ("<", 1), ("is not", 0.5)),
    "is": (("is not", 6), ("==", 1)),
    "is not": (("is", 6), ("!=", 1), ("==", 0.3)),
    "in": (("not in", 6), ("==", 1)),
    "not in": (("in", 6), ("!=", 1)),
}
_TEXT_COMPARISONS: _Near = {"==": (("!=", 6), ("in", 1)), "!=": (("==", 6), ("not in", 1))}
_ARITHMETIC: _Near = {
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
_AUGMENTED: _Near = {
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
_ORDERED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_VALUED = (ast.BinOp, ast.Return, ast.Assign, ast.AugAssign, ast.Compare)
_PLAIN = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)


def _near(code: Code, rng: random.Random, at: Span, table: _Near) -> Change:
    old = " ".join(code.text[slice(*at)].split())
    return replace(at, weighted(rng, table.get(old, ())))


def compare(code: Code, rng: random.Random) -> Change:
    """`a < b` becomes `a <= b`."""
    node = pick(rng, code.find(ast.Compare))
    left, right = pick(rng, list(pairwise((node.left, *node.comparators))))
    textual = any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in (left, right))
    operator = code.operator_between(left, right)
    if textual and code.text[slice(*operator)] in _TEXT_COMPARISONS:
        return _near(code, rng, operator, _TEXT_COMPARISONS)
    return _near(code, rng, operator, _COMPARISONS)


def connect(code: Code, rng: random.Random) -> Change:
    """`and` becomes `or`."""
    node = pick(rng, code.find(ast.BoolOp))
    return replace(pick(rng, _connectives(code, node)), "or" if isinstance(node.op, ast.And) else "and")


def calculate(code: Code, rng: random.Random) -> Change:
    """`a + b` becomes `a - b`; where texts are joined or formatted nobody would."""
    node = pick(rng, [node for node in code.find(ast.BinOp) if not _is_text(node)])
    return _near(code, rng, code.operator_between(node.left, node.right), _ARITHMETIC)


def update(code: Code, rng: random.Random) -> Change:
    """`x += 1` becomes `x -= 1` or `x = 1`."""
    node = pick(rng, code.find(ast.AugAssign))
    return _near(code, rng, code.operator_between(node.target, node.value), _AUGMENTED)


def accumulate(code: Code, rng: random.Random) -> Change:
    """`x = y` becomes `x += y` for a name that has a value already."""
    sites = []
    for node in code.find(ast.Assign):
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Name):
            continue
        if target.id in code.scopes[node].visible(code.span(target).start):
            sites.append(code.operator_between(target, node.value))
    return replace(pick(rng, sites), "+=")


def drop_not(code: Code, rng: random.Random) -> Change:
    """`not x` becomes `x`."""
    node = pick(rng, [node for node in code.find(ast.UnaryOp) if isinstance(node.op, ast.Not)])
    start = code.span(node).start
    return Change(start, code.tokens[code.token_index(start) + 1].start, "")


def add_not(code: Code, rng: random.Random) -> Change:
    """`if x` becomes `if not x`."""
    test = pick(rng, [test for test in _conditions(code) if isinstance(test, _PLAIN)])
    return insert(code.span(test).start, "not ")


def drop_sign(code: Code, rng: random.Random) -> Change:
    """`-x` becomes `x`."""
    nodes = [node for node in code.find(ast.UnaryOp) if isinstance(node.op, ast.USub | ast.Invert)]
    start = code.span(pick(rng, nodes)).start
    return Change(start, start + 1, "")


def drop_operand(code: Code, rng: random.Random) -> Change:
    """`a + b` becomes `a`, or `b`; short tails such as `- 1` go most, pieces of texts least."""
    node = weighted(rng, [(node, _looseness(node)) for node in code.find(ast.BinOp)])
    whole, operator = code.span(node), code.operator_between(node.left, node.right)
    if isinstance(node.right, ast.Constant) or rng.random() < 0.6:
        return Change(_blanks_before(code, operator.start), whole.end, "")
    return Change(whole.start, _blanks_after(code, operator.end), "")


def _looseness(node: ast.BinOp) -> float:
    if _is_text(node):
        return 0.2
    return 4.0 if isinstance(node.right, ast.Constant) else 1.0


def drop_condition(code: Code, rng: random.Random) -> Change:
    """`a and b` becomes `a`, or `b`."""
    node = pick(rng, code.find(ast.BoolOp))
    whole, connectives = code.span(node), _connectives(code, node)
    index = rng.randrange(len(node.values))
    if index == 0:
        return Change(whole.start, _blanks_after(code, connectives[0].end), "")
    start = _blanks_before(code, connectives[index - 1].start)
    last = index == len(connectives)
    return Change(start, whole.end if last else _blanks_before(code, connectives[index].start), "")


def extra_condition(code: Code, rng: random.Random) -> Change:
    """`if a` becomes `if a and b`."""
    test = pick(rng, _conditions(code))
    at = code.span(test)
    name = other_name(code, rng, test, at.start, code.source(test))
    return insert(at.end, f" {rng.choice(('and', 'or'))} {rng.choice(('', 'not '))}{name}")


def extra_operand(code: Code, rng: random.Random) -> Change:
    """`return a` becomes `return a + b`."""
    names = [node for node in code.find(ast.Name) if isinstance(node.ctx, ast.Load)]
    numbers = [node for node in names if not code.uses[node.id].isdisjoint(("BinOp", "AugAssign"))]
    place = pick(rng, [node for node in numbers if isinstance(code.parents[node], _VALUED)])
    at = code.span(place)
    added = rng.choice(("1", other_name(code, rng, place, at.start, place.id)))
    return insert(at.end, f" {rng.choice('++--*')} {added}")


def swap_operands(code: Code, rng: random.Random) -> Change:
    """`a - b` becomes `b - a`."""
    pairs: list[tuple[ast.expr, ast.expr]] = [
        (node.left, node.right)
        for node in code.find(ast.BinOp)
        if isinstance(node.op, _ORDER_MATTERS) and not _is_text(node)
    ]
    pairs += [
        (node.left, node.comparators[0])
        for node in code.find(ast.Compare)
        if len(node.ops) == 1 and isinstance(node.ops[0], (*_ORDERED, ast.In, ast.NotIn))
    ]
    left, right = pick(rng, pairs)
    return swap(code.text, code.span(left), code.span(right))


def off_by_one(code: Code, rng: random.Random) -> Change:
    """An index, a bound or a compared count gains `+ 1` or `- 1`."""
    places: list[ast.expr | None] = []
    for subscript in code.find(ast.Subscript):
        places += _bounds(subscript.slice)
    for call in code.find(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "range":
            places += call.args
    for node in code.find(ast.Compare):
        if isinstance(node.ops[0], _ORDERED):
            places += [node.left, node.comparators[-1]]
    place = pick(rng, [node for node in places if isinstance(node, ast.Name | ast.Call | ast.Attribute)])
    return insert(code.span(place).end, rng.choice((" + 1", " - 1")))


def _bounds(index: ast.expr) -> list[ast.expr | None]:
    if isinstance(index, ast.Slice):
        return [index.lower, index.upper]
    # Plain names index mappings as often as sequences: only those that look like a count gain a 1.
    return [index] if isinstance(index, ast.Name) and len(index.id) <= 2 else []


def _conditions(code: Code) -> list[ast.expr]:
    tests = [node.test for node in code.find(ast.If)]
    tests += [node.test for node in code.find(ast.While)]
    tests += [node.test for node in code.find(ast.IfExp)]
    tests += [test for node in code.find(ast.comprehension) for test in node.ifs]
    # `x or default` is no condition, `x and y` as good as always.
    joined = [node for node in code.find(ast.BoolOp) if isinstance(node.op, ast.And) or node in tests]
    return tests + [value for node in joined for value in node.values]


def _connectives(code: Code, node: ast.BoolOp) -> list[Span]:
    return [code.operator_between(a, b) for a, b in pairwise(node.values)]


def _blanks_before(code: Code, at: int) -> int:
    """Where the blanks that end at `at` begin."""
    while at and code.text[at - 1].isspace():
        at -= 1
    return at


def _blanks_after(code: Code, at: int) -> int:
    """Where the blanks that begin at `at` end."""
    while at < len(code.text) and code.text[at].isspace():
        at += 1
    return at


def _is_text(node: ast.BinOp) -> bool:
    """Whether a string literal or an f-string is joined or formatted here."""
    further = node.left.right if isinstance(node.left, ast.BinOp) else node.left
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in (further, node.left, node.right)
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
    (0.7, extra_condition),
    (0.6, extra_operand),
    (1, swap_operands),
    (1.5, off_by_one),
)
