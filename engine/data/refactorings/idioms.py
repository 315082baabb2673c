"""Idioms: `is None`, plain truth for `== True` and for `len(x) > 0`, `not in`, `is not`.

Pairs are made backwards: sound code gets the clumsy form, the answer is the rewrite of them all.
"""

import ast
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.data.refactorings.pair import Pair
from engine.data.refactorings.source import Edit, Source, UnrewritableError, apply, read

SORTS = ("none", "bool", "len", "membership", "identity")
"""What an instruction can be about when it is about one of them: comparisons with None, comparisons with True
and False, emptiness by `len`, `not x in y`, `not x is y`."""

_OPERATOR = re.compile(r"(?:[\s)]|\\\n)*(not\s+in|is\s+not|is|in|==|!=|<=|>=|<|>)(?:[\s(]|\\\n)*")
_LOOSE = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.Compare, ast.NamedExpr, ast.GeneratorExp, ast.Starred)
_EMPTY = {("==", 0), ("<", 1), ("<=", 0)}
_FILLED = {("!=", 0), (">", 0), (">=", 1)}
_TRUTHS = re.compile(
    r"(is|has|can|should|was|use|allow|enable|need|force|skip|ignore|do|no|in|did|want|must|keep|show)_"
    r"|(ed|able|ing|valid|debug|verbose|ok|done|found|strict|flag|quiet|force)$|^(startswith|endswith|exists|callable)$"
)
_CONTAINERS = re.compile(
    r"([a-rt-z]s|list|queue|stack|items|data|dict|map|set|args|buffer|children|seq|lines|path|text|name)$"
)


@dataclass(frozen=True, slots=True)
class _Form:
    sort: str
    edit: Edit


def make(text: str, rng: random.Random) -> Pair | None:
    """A pair, with variable `sort` in half of the cases that hold one sort only; None where nothing fits."""
    after = rewrite(text)
    if after is None:
        return None
    before = text if after != text and rng.random() < 0.5 else _undone(after, rng)
    if before is None or before == after or rewrite(before) != after:
        return None
    source = Source(before)
    sorts = sorted({form.sort for form in _clumsy(source)})
    specific = len(sorts) == 1 and rng.random() < 0.5
    return Pair("idioms", {"sort": sorts[0]} if specific else {}, before, after)


def rewrite(text: str) -> str | None:
    """The region without clumsy forms; None where one of them has no one right answer."""
    source = read(text)
    if source is None:
        return None
    try:
        after = apply(text, (form.edit for form in _clumsy(source)))
    except UnrewritableError:
        return None
    return after if after == text or read(after) is not None else None


def idle(text: str, rng: random.Random) -> dict[str, str] | None:
    """The variables of an instruction that leaves the region as it is; None where there is something to do."""
    if rewrite(text) != text:
        return None
    return {"sort": rng.choice(SORTS)} if rng.random() < 0.25 else {}


def _clumsy(source: Source) -> Iterator[_Form]:
    """All clumsy forms. Raises UnrewritableError for one that has no one right answer."""
    walk = _Walk(source)
    for node in walk.nodes:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield from _clumsy_not(source, node)
        elif isinstance(node, ast.Compare):
            yield from _clumsy_comparison(source, node, walk)
        elif node in walk.conditions and isinstance(node, ast.Call) and _measured(node) is not None:
            yield _Form("len", Edit(*source.span(node), _measured_code(source, node)))


def _clumsy_not(source: Source, node: ast.UnaryOp) -> Iterator[_Form]:
    inner = node.operand
    if not isinstance(inner, ast.Compare) or len(inner.ops) > 1:
        return
    words = {ast.In: ("membership", "not in"), ast.Is: ("identity", "is not")}
    if type(inner.ops[0]) in words and not _is_truth(inner.comparators[0]):
        sort, operator = words[type(inner.ops[0])]
        left, _, right = _sides(source, inner)
        yield _Form(sort, Edit(*source.span(node), f"{left} {operator} {right}"))


def _clumsy_comparison(source: Source, node: ast.Compare, walk: "_Walk") -> Iterator[_Form]:
    if len(node.ops) > 1:
        return
    operator, right = node.ops[0], node.comparators[0]
    start, end = source.span(node)
    if isinstance(right, ast.Constant) and right.value is None and isinstance(operator, ast.Eq | ast.NotEq):
        left, _, none = _sides(source, node)
        yield _Form(
            "none", Edit(start, end, f"{left} {'is' if isinstance(operator, ast.Eq) else 'is not'} {none}")
        )
    elif (
        _is_truth(right)
        and node in walk.conditions
        and isinstance(operator, ast.Eq | ast.NotEq | ast.Is | ast.IsNot)
    ):
        assert isinstance(right, ast.Constant), "truths are constants"
        positive = isinstance(operator, ast.Eq | ast.Is) == right.value
        yield _Form("bool", _truth(source, node, positive, _sides(source, node)[0], walk))
    elif isinstance(node.left, ast.Call) and _measured(node.left) is not None:
        yield from _clumsy_length(source, node, walk)
    elif isinstance(right, ast.Call) and _measured(right) is not None and _small(node.left) is not None:
        raise UnrewritableError("a length on the right")


def _clumsy_length(source: Source, node: ast.Compare, walk: "_Walk") -> Iterator[_Form]:
    assert isinstance(node.left, ast.Call), "the caller looked"
    test = (_sides(source, node)[1], _small(node.comparators[0]))
    if test in _EMPTY:
        yield _Form("len", _truth(source, node, False, _measured_code(source, node.left), walk))
    elif test in _FILLED and node in walk.conditions:
        yield _Form("len", _truth(source, node, True, _measured_code(source, node.left), walk))


def _truth(source: Source, node: ast.expr, positive: bool, code: str, walk: "_Walk") -> Edit:
    if not positive and isinstance(walk.parents[node], ast.UnaryOp):
        raise UnrewritableError("not not")
    return Edit(*source.span(node), code if positive else f"not {code}")


def _is_truth(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, bool)


def _small(node: ast.expr) -> int | None:
    return (
        node.value if isinstance(node, ast.Constant) and type(node.value) is int and node.value < 2 else None
    )


def _measured(call: ast.Call) -> ast.expr | None:
    """What `len` is taken of."""
    if (
        isinstance(call.func, ast.Name)
        and call.func.id == "len"
        and len(call.args) == 1
        and not call.keywords
    ):
        return call.args[0]
    return None


def _measured_code(source: Source, call: ast.Call) -> str:
    measured = _measured(call)
    assert measured is not None, "the caller looked"
    if isinstance(measured, _LOOSE):
        raise UnrewritableError("an argument that needs brackets")
    return source.code(measured)


def _sides(source: Source, node: ast.Compare) -> tuple[str, str, str]:
    """Left side, operator and right side of a comparison, brackets included."""
    start, end = source.span(node)
    match = _OPERATOR.fullmatch(source.text, source.span(node.left)[1], source.span(node.comparators[0])[0])
    if match is None:
        raise UnrewritableError("a comment within")
    operator = " ".join(match[1].split())
    return source.text[start : match.start(1)].rstrip(), operator, source.text[match.end(1) : end].lstrip()


class _Walk:
    """The nodes of a region outside of f-strings, their parents, and which are asked for their truth only."""

    def __init__(self, source: Source) -> None:
        self.parents = source.parents()
        self.nodes = [
            node for node in ast.walk(source.tree) if isinstance(node, ast.expr) and not self._in_text(node)
        ]
        self.conditions: set[ast.AST] = set()
        for node in ast.walk(source.tree):
            self._enter(node)

    def _in_text(self, node: ast.AST) -> bool:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.JoinedStr):
                return True
            if isinstance(node, ast.stmt):
                return False
        return False

    def _enter(self, node: ast.AST) -> None:
        """`ast.walk` goes from the outside in, so a condition is known before its parts come."""
        if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
            self.conditions.add(node.test)
        elif isinstance(node, ast.comprehension):
            self.conditions.update(node.ifs)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.conditions.add(node.operand)
        elif isinstance(node, ast.BoolOp) and node in self.conditions:
            self.conditions.update(node.values)


def _undone(text: str, rng: random.Random) -> str | None:
    """The region with some sound conditions in clumsy form; None where it has none."""
    source = read(text)
    if source is None:
        return None
    try:
        choices = _opportunities(source, rng)
    except UnrewritableError:
        return None
    if not choices:
        return None
    if rng.random() < 0.5:
        sort = rng.choice(sorted({form.sort for form in choices}))
        choices = [form for form in choices if form.sort == sort]
    most = rng.choice((1, 2, 3, len(choices)))
    try:
        return apply(text, (form.edit for form in rng.sample(choices, min(most, len(choices)))))
    except UnrewritableError:
        return None


def _opportunities(source: Source, rng: random.Random) -> list[_Form]:
    walk = _Walk(source)
    forms: list[_Form] = []
    for node in walk.nodes:
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            forms += _clumsier_comparisons(source, node, rng)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            forms += _clumsier_truth(source, node, node.operand, rng)
        elif node in walk.conditions and not isinstance(walk.parents[node], ast.UnaryOp):
            assert isinstance(node, ast.expr), "conditions are expressions"
            forms += _clumsier_truth(source, node, node, rng)
    return forms


def _clumsier_comparisons(source: Source, node: ast.Compare, rng: random.Random) -> Iterator[_Form]:
    """At most one form, so that no two claim the same place."""
    operator, right = node.ops[0], node.comparators[0]
    is_none = isinstance(right, ast.Constant) and right.value is None
    if isinstance(operator, ast.Is | ast.IsNot) and is_none and rng.random() < 0.7:
        left, _, none = _sides(source, node)
        sign = "==" if isinstance(operator, ast.Is) else "!="
        yield _Form("none", Edit(*source.span(node), f"{left} {sign} {none}"))
    elif isinstance(operator, ast.NotIn | ast.IsNot) and not _is_truth(right):
        left, _, other = _sides(source, node)
        word, sort = ("in", "membership") if isinstance(operator, ast.NotIn) else ("is", "identity")
        inner = f"{left} {word} {other}"
        yield _Form(
            sort, Edit(*source.span(node), f"not ({inner})" if rng.random() < 0.25 else f"not {inner}")
        )


def _clumsier_truth(source: Source, node: ast.expr, asked: ast.expr, rng: random.Random) -> Iterator[_Form]:
    """`asked` is what is asked for its truth, `node` the same with a `not` before it or not."""
    if not isinstance(asked, ast.Name | ast.Attribute | ast.Call):
        return
    code = source.code(asked)
    # A call's own brackets may hold anything; what stands in brackets of its own would lose them.
    if source.span(asked)[1] != source.span(node)[1] or "\n" in code:
        return
    name = _last_name(asked)
    truth = _TRUTHS.search(name) is not None or isinstance(asked, ast.Call)
    container = not truth and _CONTAINERS.search(name) is not None
    if container or (not truth and rng.random() < 0.15):
        yield _Form("len", Edit(*source.span(node), _clumsy_measure(code, node is asked, rng)))
    elif name != "len" and (truth or rng.random() < 0.4):
        sign, value = rng.choices((("==", True), ("is", True), ("!=", False)), (6, 3, 1))[0]
        yield _Form("bool", Edit(*source.span(node), f"{code} {sign} {value == (node is asked)}"))


def _clumsy_measure(code: str, filled: bool, rng: random.Random) -> str:
    if filled:
        return rng.choices(
            (f"len({code}) > 0", f"len({code}) != 0", f"len({code}) >= 1", f"len({code})"), (5, 2, 1, 2)
        )[0]
    return rng.choices((f"len({code}) == 0", f"not len({code})", f"len({code}) < 1"), (7, 2, 1))[0]


def _last_name(node: ast.expr) -> str:
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
