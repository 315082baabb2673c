"""Python text as tree-sitter reads it, which is also a tree where the text is defective, and what is wrong in it.
Knows nothing of definitions, files or models.
"""

import functools
import re

import tree_sitter_python
from tree_sitter import Language, Node, Parser

_INDENTED = re.compile(r"(?:[ \t]*\n)*[ \t]+\S")


def parse(text: str) -> Node:
    """The root of the tree."""
    return _parser().parse(text.encode("utf-8", "replace")).root_node


def count_faults(text: str) -> int:
    """In how many places the grammar cannot read whole lines, at any indentation: too much there, or too little."""
    head = "class _:\n" if _INDENTED.match(text) else ""
    return _faults(parse(head + text))


def _faults(node: Node) -> int:
    if not node.has_error:
        return 0
    return int(node.is_error or node.is_missing) + sum(map(_faults, node.children))


@functools.cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_python.language()))
