"""Comparisons in idiomatic form: with None by identity, truth and emptiness plain where only truth is asked for.

A comparison with None stays where its result is handed to a call, to `&` or `|`, or to an index: there libraries give
`==` another meaning (`.filter(User.name == None)`, `frame[frame.name == None]`).
"""

import ast
import builtins
import copy
from collections.abc import Mapping

from engine.laws.trees import argument, compared

_EMPTY = ((ast.Eq, 0), (ast.Lt, 1), (ast.LtE, 0))
_FILLED = ((ast.NotEq, 0), (ast.Gt, 0), (ast.GtE, 1))
_TRUTHS: dict[type[ast.cmpop], bool] = {ast.Eq: True, ast.Is: True, ast.NotEq: False, ast.IsNot: False}
_IDENTITY: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Eq: ast.Is, ast.NotEq: ast.IsNot}
_NEGATED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.In: ast.NotIn, ast.Is: ast.IsNot}


def fault(before: ast.Module, after: ast.Module, _values: Mapping[str, str]) -> str:
    """See `engine.laws.Law`."""
    return compared(before, after, _Idiomatic)


def places(tree: ast.Module, _values: Mapping[str, str]) -> int:
    """See `engine.laws.Law`."""
    form = _Idiomatic()
    form.visit(copy.deepcopy(tree))
    return form.made


class _Idiomatic(ast.NodeTransformer):
    """The form in which all is idiomatic that may be."""

    def __init__(self) -> None:
        self._handed = False
        """Whether the expression's value goes to something that may give comparisons a meaning of its own."""
        self.made = 0
        """Places where the form is another than it was."""

    def visit_If(self, node: ast.If) -> ast.AST:
        return self._tested(node)

    def visit_While(self, node: ast.While) -> ast.AST:
        return self._tested(node)

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        return self._tested(node)

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return self._tested(node)

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.ifs = [self._truth(test) for test in node.ifs]
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        known = isinstance(node.func, ast.Name) and node.func.id in dir(builtins)
        return self._within(node, handed=self._handed or not known)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._within(node, handed=True)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._within(node, handed=True)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if not isinstance(node.op, ast.Not):
            return self.generic_visit(node)
        return self._negated(self._truth(self._visited(node.operand)))

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) > 1:
            return node
        operator, right = node.ops[0], node.comparators[0]
        if isinstance(right, ast.Constant) and right.value is None and not self._handed:
            self.made += type(operator) in _IDENTITY
            node.ops = [_IDENTITY.get(type(operator), type(operator))()]
        if (measured := argument(node.left, "len")) is not None and _is_test(node, _EMPTY):
            self.made += 1
            return self._negated(self._truth(measured))
        return node

    def _tested(self, node: ast.AST) -> ast.AST:
        """A node whose `test` is asked for its truth only."""
        handed, self._handed = self._handed, False
        node.test = self._truth(self._visited(node.test))  # type: ignore[attr-defined]
        self._handed = handed
        for name, value in list(ast.iter_fields(node)):
            if name != "test":
                setattr(node, name, self._all(value))
        return node

    def _all(self, value: object) -> object:
        if isinstance(value, list):
            return [self.visit(one) if isinstance(one, ast.AST) else one for one in value]
        return self.visit(value) if isinstance(value, ast.AST) else value

    def _within(self, node: ast.AST, *, handed: bool) -> ast.AST:
        before, self._handed = self._handed, handed
        self.generic_visit(node)
        self._handed = before
        return node

    def _visited(self, node: ast.expr) -> ast.expr:
        found = self.visit(node)
        assert isinstance(found, ast.expr), "an expression stays one"
        return found

    def _truth(self, node: ast.expr) -> ast.expr:
        """The plain form of what is asked for its truth only."""
        if isinstance(node, ast.BoolOp):
            node.values = [self._truth(value) for value in node.values]
            return node
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = node.operand
            if not isinstance(inner, ast.UnaryOp) or not isinstance(inner.op, ast.Not):
                return node
            self.made += 1
            return self._truth(inner.operand)
        if (measured := argument(node, "len")) is not None:
            self.made += 1
            return self._truth(measured)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            right = node.comparators[0]
            if (
                isinstance(right, ast.Constant)
                and isinstance(right.value, bool)
                and type(node.ops[0]) in _TRUTHS
            ):
                self.made += 1
                positive = _TRUTHS[type(node.ops[0])] is right.value
                return self._truth(node.left) if positive else self._negated(self._truth(node.left))
            if (measured := argument(node.left, "len")) is not None and _is_test(node, _FILLED):
                self.made += 1
                return self._truth(measured)
        return node

    def _negated(self, node: ast.expr) -> ast.expr:
        """`not` before it, or within: `not x in y` is `x not in y`."""
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _NEGATED:
            self.made += 1
            node.ops = [_NEGATED[type(node.ops[0])]()]
            return node
        return ast.UnaryOp(ast.Not(), node)


def _is_test(node: ast.Compare, tests: tuple[tuple[type[ast.cmpop], int], ...]) -> bool:
    right = node.comparators[0]
    if not isinstance(right, ast.Constant) or type(right.value) is not int:
        return False
    return (type(node.ops[0]), right.value) in tests
