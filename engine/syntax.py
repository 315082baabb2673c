"""Does a region's text parse, and which names does it use. Python only; knows nothing of files."""

import ast
import builtins
import itertools
import keyword
import re
import symtable
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
_NAME = re.compile(r"[^\W\d]\w*")
_PREFIXES = {"".join(p) for n in (1, 2) for p in itertools.permutations("bfruBFRU", n)}
"""Of strings."""
_EVERYWHERE = {*dir(builtins), "__file__", "__class__"}
"""Names that need no binding."""
_KNOWN = {*keyword.kwlist, *keyword.softkwlist, *_EVERYWHERE, *_PREFIXES}
_FIELD = re.compile(
    r"%(?:\(\w*\))?[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?[diouxXeEfFgGcrsa%]"
    r"|\{[\w.\[\]]*(?:![rsa])?(?::[^{}]*)?\}"
)
"""Of a text that is formatted with `%` or `format`."""
_NO_TEXT = re.compile(r"[\s{}%]")
_LINE_NUMBER = re.compile(r" on line \d+")
_FIRST_CODE_LINE = re.compile(r"^([ \t]*)[^\s#]", re.MULTILINE)


def parse(text: str) -> tuple[ast.Module, int] | None:
    """Tree of a region and how many lines its numbers are ahead of the text's; None if it does not parse.

    An indented region is parsed as the body of a class that is put before it, so that columns stay true.
    """
    source, ahead = _standing_alone(text)
    tree = _read(ast.parse, source)
    # A line left of the region's margin ends the class: then the region is not one block.
    return (tree, ahead) if tree is not None and (not ahead or len(tree.body) == 1) else None


def _standing_alone(text: str) -> tuple[str, int]:
    """A region as a file of its own, and how many lines its numbers are ahead of the text's."""
    first = _FIRST_CODE_LINE.search(text)
    return ("class _:\n" + text, 1) if first and first[1] else (text, 0)


def _read(how: Callable[[str], T], source: str) -> T | None:
    try:
        return _quietly(how, source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _quietly(how: Callable[[str], T], source: str) -> T:
    with warnings.catch_warnings():
        # "\d" in a plain string warns: what the caller's filters say must not decide whether code parses.
        warnings.simplefilter("ignore")
        return how(source)


def complaint(text: str) -> tuple[str, str] | None:
    """What Python says of a region that does not parse, and the line it says it of; None if it says nothing.

    The message does not say "on line 3": lines of a region are not those of its file.
    """
    try:
        _quietly(ast.parse, _standing_alone(text)[0])
    except SyntaxError as error:
        message = _LINE_NUMBER.sub("", error.msg)
        return f"{type(error).__name__}: {message}", (error.text or "").strip()
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


def parses(text: str) -> bool:
    """Whether a region (whole lines, at any indentation) is sound Python syntax."""
    return parse(text) is not None


def names(text: str) -> set[str]:
    """Words of a text that could be names."""
    return set(_NAME.findall(text))


def unbound(text: str) -> set[str]:
    """Names that a region uses and nowhere binds, builtins aside; none if it does not parse.

    Scopes are not told apart: a name that any line binds may be used by every other.
    """
    table = _read(lambda source: symtable.symtable(source, "region", "exec"), _standing_alone(text)[0])
    used, bound = set[str](), set[str]()
    tables = [table] if table else []
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_referenced():
                used.add(symbol.get_name())
            if symbol.is_assigned() or symbol.is_imported() or symbol.is_parameter():
                bound.add(symbol.get_name())
    return used - bound - _EVERYWHERE


def uses(text: str) -> Counter[str] | None:
    """How often a region names each variable and attribute; None if it does not parse."""
    parsed = parse(text)
    if parsed is None:
        return None
    nodes = ast.walk(parsed[0])
    return Counter(
        node.id if isinstance(node, ast.Name) else node.attr
        for node in nodes
        if isinstance(node, ast.Name | ast.Attribute)
    )


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


def coined(before: str, after: str) -> set[str]:
    """Words that a region uses after an edit and not before it; keywords and builtins are nobody's coinage."""
    return names(after) - names(before) - _KNOWN
