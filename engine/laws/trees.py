"""Syntax trees as laws compare them: places and what a reader does not see left out."""

import ast
import copy
from collections.abc import Callable

OTHER = "it does other things than the recipe says"


def same(before: ast.AST, after: ast.AST) -> bool:
    """Whether two trees say the same."""
    return ast.dump(before) == ast.dump(after)


def compared(before: ast.Module, after: ast.Module, canonical: Callable[[], ast.NodeTransformer]) -> str:
    """`OTHER` unless both are the same in one form.

    Args:
        canonical: makes what brings a tree into it; once for each.
    """
    return "" if same(*(canonical().visit(copy.deepcopy(tree)) for tree in (before, after))) else OTHER


def is_name(node: ast.AST | None, *names: str) -> bool:
    """Whether a node is one of these names."""
    return isinstance(node, ast.Name) and node.id in names


def argument(node: ast.AST | None, function: str) -> ast.expr | None:
    """The one argument of a call of `function`."""
    if (
        isinstance(node, ast.Call)
        and is_name(node.func, function)
        and len(node.args) == 1
        and not node.keywords
    ):
        return None if isinstance(node.args[0], ast.Starred) else node.args[0]
    return None
