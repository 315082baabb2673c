"""Which names a region uses, binds and brings along. Python only; knows nothing of files."""

import ast
import builtins
import itertools
import keyword
import re
import symtable
from collections import Counter

from engine.syntax import parse, read_quietly, standing_alone

_NAME = re.compile(r"[^\W\d]\w*")
_PREFIXES = {"".join(p) for n in (1, 2) for p in itertools.permutations("bfruBFRU", n)}
"""Of strings."""
_EVERYWHERE = {*dir(builtins), "__file__", "__class__"}
"""Names that need no binding."""
_KNOWN = {*keyword.kwlist, *keyword.softkwlist, *_EVERYWHERE, *_PREFIXES}


def names(text: str) -> set[str]:
    """Words of a text that could be names."""
    return set(_NAME.findall(text))


def spoken(text: str) -> Counter[str]:
    """How often a text says each word that could be a name; keywords and builtins are nobody's."""
    return Counter(word for word in _NAME.findall(text) if word not in _KNOWN)


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


def coined(before: str, after: str) -> set[str]:
    """Words that a region uses after an edit and not before it; keywords and builtins are nobody's coinage."""
    return spoken(after).keys() - spoken(before).keys()
