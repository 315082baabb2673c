"""What the literal texts of a region say, however they are formatted. Python only; knows nothing of files."""

import ast
import re
from collections import Counter
from collections.abc import Iterable

from engine.syntax import parse

_FIELD = re.compile(
    r"%(?:\(\w*\))?[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?[diouxXeEfFgGcrsa%]"
    r"|\{[\w.\[\]]*(?:![rsa])?(?::[^{}]*)?\}"
)
"""Of a text that is formatted with `%` or `format`."""
_NO_TEXT = re.compile(r"[\s{}%]")


def said(text: str) -> Counter[str]:
    """How often each character stands in the literal texts of a region, fields to be formatted and blanks aside.

    So `"%s: %d" % (a, b)`, `"{}: {}".format(a, b)` and `f"{a}: {b}"` say the same. Nothing if it does not parse.
    """
    parsed = parse(text)
    found, nodes = list[str](), list[ast.AST]([parsed[0]] if parsed else [])
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            value = node.value
            found.append(value if isinstance(value, str) else value.decode("latin-1"))
        nodes += _saying(node)
    return Counter(_NO_TEXT.sub("", "\n".join(_FIELD.sub("", one) for one in found)))


def _saying(node: ast.AST) -> Iterable[ast.AST]:
    """Parts of a node that may say something; fields and their names say nothing, whatever form they have."""
    if isinstance(node, ast.FormattedValue):
        return [node.value]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) and isinstance(node.right, ast.Dict):
        return [node.left, *node.right.values]
    return ast.iter_child_nodes(node)
