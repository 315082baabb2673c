"""A rename: one name for another, wherever it means the same, and nothing else; the new name meant nothing before."""

import ast
from collections.abc import Iterator, Mapping
from functools import partial

from engine.laws.trees import compared


def fault(before: ast.Module, after: ast.Module, values: Mapping[str, str]) -> str:
    """See `engine.laws.Law`. Variables: `old`, `new`; with a dot an attribute, as `self.size`."""
    owner, _, old = values["old"].rpartition(".")
    new = values["new"].rpartition(".")[2]
    as_attribute = bool(owner) or old not in set(_bound(before))
    there = set(_attributes(before, owner) if as_attribute else _bound(before))
    if new in there:
        return f"{new!r} is there already; choose another name"
    if old in (_attributes(after, owner) if as_attribute else _bound(after)):
        return f"it leaves {old!r} in some places"
    return compared(before, after, partial(_Renamed, old, new, owner, as_attribute=as_attribute))


def places(tree: ast.Module, values: Mapping[str, str]) -> int:
    """See `engine.laws.Law`."""
    owner, _, old = values["old"].rpartition(".")
    bound = 0 if owner else sum(name == old for name in _bound(tree))
    return bound + sum(name == old for name in _attributes(tree, owner))


def _attributes(tree: ast.AST, owner: str) -> Iterator[str]:
    """Names of attributes, with an owner of those that stand behind it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and (not owner or ast.unparse(node.value) == owner):
            yield node.attr


def _bound(tree: ast.AST) -> Iterator[str]:
    """Names that are no attributes and no keywords of calls."""
    for node in ast.walk(tree):
        yield from (value for _, value in _names(node) if value is not None)


def _names(node: ast.AST) -> Iterator[tuple[str, str | None]]:
    """Fields of a node that hold a name, with the names."""
    match node:
        case ast.Name():
            yield "id", node.id
        case ast.arg():
            yield "arg", node.arg
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield "name", node.name
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            yield "name", node.name
        case ast.MatchMapping():
            yield "rest", node.rest
        case ast.alias():
            yield ("asname", node.asname) if node.asname else ("name", node.name)


class _Renamed(ast.NodeTransformer):
    """Every place that may be renamed is."""

    def __init__(self, old: str, new: str, owner: str, *, as_attribute: bool) -> None:
        self._old, self._new, self._owner, self._as_attribute = old, new, owner, as_attribute
        self._defined: set[str] = set()

    def visit_Module(self, node: ast.Module) -> ast.AST:
        definitions = (n for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
        self._defined = {definition.name for definition in definitions}
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not self._as_attribute:
            for field, value in _names(node):
                if value == self._old:
                    setattr(node, field, self._new)
            if isinstance(node, ast.Global | ast.Nonlocal):
                node.names = [self._new if name == self._old else name for name in node.names]
        elif isinstance(node, ast.Attribute) and node.attr == self._old and self._is_owned(node):
            node.attr = self._new
        return super().generic_visit(node)

    def _is_owned(self, node: ast.Attribute) -> bool:
        return not self._owner or ast.unparse(node.value) == self._owner

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The keyword of a call is another function's parameter, unless that function stands here too."""
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for keyword in node.keywords if called in self._defined and not self._as_attribute else ():
            if keyword.arg == self._old:
                keyword.arg = self._new
        return self.generic_visit(node)
