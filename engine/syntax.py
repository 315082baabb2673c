"""Does a region's text parse, and which names does it use. Python only; knows nothing of files."""

import ast
import builtins
import itertools
import keyword
import re
import warnings

_NAME = re.compile(r"[^\W\d]\w*")
_PREFIXES = {"".join(p) for n in (1, 2) for p in itertools.permutations("bfruBFRU", n)}
"""Of strings."""
_KNOWN = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *_PREFIXES}
_FIRST_CODE_LINE = re.compile(r"^([ \t]*)[^\s#]", re.MULTILINE)


def parse(text: str) -> tuple[ast.Module, int] | None:
    """Tree of a region and how many lines its numbers are ahead of the text's; None if it does not parse.

    An indented region is parsed as the body of a class that is put before it, so that columns stay true.
    """
    first = _FIRST_CODE_LINE.search(text)
    indented = bool(first and first[1])
    try:
        with warnings.catch_warnings():
            # "\d" in a plain string warns: what the caller's filters say must not decide whether code parses.
            warnings.simplefilter("ignore")
            tree = ast.parse("class _:\n" + text if indented else text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not indented:
        return tree, 0
    # A line left of the region's margin ends the class: then the region is not one block.
    return (tree, 1) if len(tree.body) == 1 else None


def parses(text: str) -> bool:
    """Whether a region (whole lines, at any indentation) is sound Python syntax."""
    return parse(text) is not None


def names(text: str) -> set[str]:
    """Words of a text that could be names."""
    return set(_NAME.findall(text))


def coined(before: str, after: str) -> set[str]:
    """Words that a region uses after an edit and not before it; keywords and builtins are nobody's coinage."""
    return names(after) - names(before) - _KNOWN
