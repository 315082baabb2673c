"""Does a region's text parse, and do two trees say the same. Knows nothing of defects."""

import ast
import re
import warnings

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


def same_tree(first: object, second: object, line: int) -> bool:
    """Whether two trees are equal, for texts known to be equal before `line` (counted as the trees do)."""
    if type(first) is not type(second):
        return False
    if isinstance(first, list) and isinstance(second, list):
        if len(first) != len(second):
            return False
        return all(same_tree(a, b, line) for a, b in zip(first, second, strict=True))
    if not isinstance(first, ast.AST):
        return first == second
    if isinstance(first, ast.stmt) and isinstance(second, ast.stmt) and _ends_before(first, second, line):
        return True
    return all(
        same_tree(getattr(first, name, None), getattr(second, name, None), line) for name in first._fields
    )


def _ends_before(first: ast.stmt, second: ast.stmt, line: int) -> bool:
    return (first.end_lineno or line) < line and first.end_lineno == second.end_lineno
