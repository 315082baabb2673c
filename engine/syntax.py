"""Does a region's text parse, and what does Python say if not. Python only; knows nothing of files."""

import ast
import re
import warnings
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_LINE_NUMBER = re.compile(r" on line \d+")
_FIRST_CODE_LINE = re.compile(r"^\f*([ \t]*)[^\s#]", re.MULTILINE)
"""A form feed before it counts as no indentation."""


def parse(text: str) -> tuple[ast.Module, int] | None:
    """Tree of a region and how many lines its numbers are ahead of the text's; None if it does not parse.

    An indented region is parsed as the body of a class that is put before it, so that columns stay true.
    """
    source, ahead = standing_alone(text)
    tree = read_quietly(ast.parse, source)
    # A line left of the region's margin ends the class: then the region is not one block.
    return (tree, ahead) if tree is not None and (not ahead or len(tree.body) == 1) else None


def standing_alone(text: str) -> tuple[str, int]:
    """A region as a file of its own, and how many lines its numbers are ahead of the text's."""
    first = _FIRST_CODE_LINE.search(text)
    return ("class _:\n" + text, 1) if first and first[1] else (text, 0)


def read_quietly(how: Callable[[str], T], source: str) -> T | None:
    """What `how` makes of source code, warnings unheard; None if it does not parse."""
    try:
        return _quietly(how, source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _quietly(how: Callable[[str], T], source: str) -> T:
    with warnings.catch_warnings():
        # "\d" in a plain string warns: what the caller's filters say must not decide whether code parses.
        warnings.simplefilter("ignore")
        return how(source)


def compiles(text: str) -> bool:
    """Whether Python compiles a region by itself: it refuses some of what parses, such as a parameter named twice."""
    source = standing_alone(text)[0]
    return read_quietly(lambda code: compile(code, "region", "exec", dont_inherit=True), source) is not None


def complaint(text: str) -> tuple[str, str] | None:
    """What Python says of a region that does not parse, and the line it says it of; None if it says nothing.

    The message does not say "on line 3": lines of a region are not those of its file.
    """
    try:
        _quietly(ast.parse, standing_alone(text)[0])
    except SyntaxError as error:
        message = _LINE_NUMBER.sub("", error.msg)
        return f"{type(error).__name__}: {message}", (error.text or "").strip()
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


def parses(text: str) -> bool:
    """Whether a region (whole lines, at any indentation) is sound Python syntax."""
    return parse(text) is not None
