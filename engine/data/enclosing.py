"""The outermost function or method around some lines of a Python file, sound or not. Knows nothing of git."""

import functools

import tree_sitter
import tree_sitter_python

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))
_FUNCTION = "function_definition"
_BRANCHES = (
    "if_statement",
    "else_clause",
    "elif_clause",
    "for_statement",
    "while_statement",
    "with_statement",
)
_ATTEMPTS = ("try_statement", "except_clause", "finally_clause")
_AROUND = ("module", "class_definition", "decorated_definition", "block", *_BRANCHES, *_ATTEMPTS)
"""What may stand around an outermost function."""


def enclosing_function(text: str, first: int, end: int) -> tuple[int, int] | None:
    """The lines (from 0, end excluded) of the function around other lines, with its decorators.

    Args:
        first, end: lines from 0, end excluded; for `first == end` the place before line `first`.

    Returns:
        None where no one function holds them all.
    """
    root = _parsed(text).root_node
    # Lines taken away at a function's end leave a place that belongs to the line before it.
    for line in dict.fromkeys((first, max(first - 1, 0))):
        span = _around(root, line)
        if span is not None and span[0] <= first and end <= span[1]:
            return span
    return None


@functools.lru_cache(maxsize=1)  # a commit's changes in one file are asked for one after another
def _parsed(text: str) -> tree_sitter.Tree:
    return _PARSER.parse(text.encode())


def _around(root: tree_sitter.Node, line: int) -> tuple[int, int] | None:
    node: tree_sitter.Node | None = root
    while node is not None:
        if node.type == _FUNCTION:
            return node.start_point[0], node.end_point[0] + 1
        if node.type == "decorated_definition":
            definition = node.child_by_field_name("definition")
            if definition is not None and definition.type == _FUNCTION:
                return node.start_point[0], node.end_point[0] + 1
        if node.type not in _AROUND:
            return None
        node = next(
            (child for child in node.children if child.start_point[0] <= line <= child.end_point[0]), None
        )
    return None
