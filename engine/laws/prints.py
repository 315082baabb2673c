"""Prints removed: the same statements but for calls that print, `pass` where a block would be empty."""

import ast
from collections.abc import Mapping

from engine.laws.trees import compared, is_name

PRINTERS = ("print", "pprint", "pp")


def fault(before: ast.Module, after: ast.Module, _values: Mapping[str, str]) -> str:
    """See `engine.laws.Law`."""
    return compared(before, after, _Silent)


def places(tree: ast.Module, _values: Mapping[str, str]) -> int:
    """See `engine.laws.Law`."""
    return sum(isinstance(node, ast.stmt) and is_print(node) for node in ast.walk(tree))


def is_print(statement: ast.stmt) -> bool:
    """Whether all that a statement does is to print."""
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    return (
        is_name(called.value, "pprint") if isinstance(called, ast.Attribute) else is_name(called, *PRINTERS)
    )


class _Silent(ast.NodeTransformer):
    """Nothing is printed; a block holds `pass` only where it holds nothing else."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body:
                left = [s for s in body if not isinstance(s, ast.Pass) and not is_print(s)]
                # An `else` in which nothing is done may as well not be there.
                setattr(node, name, left or ([ast.Pass()] if name == "body" else []))
        return node
