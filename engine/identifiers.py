"""Which names a region uses, binds and brings along. Python only; knows nothing of files."""

import ast
import builtins
import itertools
import keyword
import re
import symtable
from difflib import SequenceMatcher

from engine.syntax import parse, read_quietly, standing_alone

_NAME = re.compile(r"[^\W\d]\w*")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_PREFIXES = {"".join(p) for n in (1, 2) for p in itertools.permutations("bfruBFRU", n)}
"""Of strings."""
_EVERYWHERE = {*dir(builtins), "__file__", "__class__"}
"""Names that need no binding."""
_KNOWN = {*keyword.kwlist, *keyword.softkwlist, *_EVERYWHERE, *_PREFIXES}


def names(text: str) -> set[str]:
    """Words of a text that could be names."""
    return set(_NAME.findall(text))


def replaced(before: str, after: str) -> set[tuple[str, str]]:
    """Words for which an edit puts others, one for one: what could be names, and neither is a keyword."""
    old, new = (_TOKEN.findall(text) for text in (before, after))
    pairs = set[tuple[str, str]]()
    for kind, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "replace" and end - start == last - first:
            pairs |= set(zip(old[start:end], new[first:last], strict=True))
    return {
        pair for pair in pairs if all(_NAME.fullmatch(word) and not keyword.iskeyword(word) for word in pair)
    }


def unbound(text: str) -> set[str]:
    """Names that a region uses and nowhere binds, builtins aside; none if it does not parse.

    Scopes are not told apart: a name that any line binds may be used by every other.
    """
    table = read_quietly(lambda source: symtable.symtable(source, "region", "exec"), standing_alone(text)[0])
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


def uses(text: str) -> list[str] | None:
    """Every name that a region says, in the order of its tree, each as often as it stands there; None if it does not
    parse.

    Names of fields are none, which `"{a}".format(a=b)` has and `f"{b}"` has not.
    """
    parsed = parse(text)
    if parsed is None:
        return None
    found, nodes = list[str](), list[ast.AST]([parsed[0]])
    while nodes:  # not by calling itself: code may be nested deeper than Python calls
        node = nodes.pop()
        found += _named(node)
        parts = list(ast.iter_child_nodes(node))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            parts = [part.value if isinstance(part, ast.keyword) else part for part in parts]
        nodes += reversed(parts)
    return found


def _named(node: ast.AST) -> list[str]:
    """The names that a node says by itself."""
    match node:
        case (
            ast.Name(id=name)
            | ast.Attribute(attr=name)
            | ast.FunctionDef(name=name)
            | ast.ClassDef(name=name)
        ):
            return [name]
        case ast.AsyncFunctionDef(name=name) | ast.ExceptHandler(name=str(name)) | ast.arg(arg=name):
            return [name]
        case ast.keyword(arg=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return [name]
        case ast.MatchMapping(rest=str(name)):
            return [name]
        case ast.Global(names=several) | ast.Nonlocal(names=several):
            return [*several]
        case ast.alias(name=name, asname=other):
            return [name, other] if other else [name]
        case ast.ImportFrom(module=str(name)):
            return [name]
    return []


def coined(before: str, after: str) -> set[str]:
    """Words that a region uses after an edit and not before it; keywords and builtins are nobody's coinage."""
    return names(after) - names(before) - _KNOWN
