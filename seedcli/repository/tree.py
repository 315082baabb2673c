"""Python text as tree-sitter reads it, which is also a tree where the text is defective, and what is wrong in it.
Knows nothing of definitions, files or models.
"""

import functools
import itertools
from collections.abc import Iterator, Sequence

import tree_sitter_python
from tree_sitter import Language, Node, Parser


def parse(text: str) -> Node:
    """The root of the tree."""
    return _parser().parse(text.encode("utf-8", "replace")).root_node


def parse_lines(lines: Sequence[str]) -> Node:
    """Lines as the body of a class, so that any indentation of theirs is right; one line is put before."""
    is_indented = bool(lines) and lines[0][:1] in (" ", "\t") and bool(lines[0].strip())
    return parse("\n".join(["class _:" if is_indented else "", *lines, ""]))


def count_faults(text: str) -> int:
    """In how many places the grammar cannot read whole lines, at any indentation: too much there, or too little."""
    return _faults(parse_lines(list(itertools.dropwhile(lambda line: not line.strip(), text.split("\n")))))


def prose(text: str) -> list[tuple[int, int]]:
    """Where comments and docstrings stand, in order: characters [start, end) of the text.

    Any statement that is nothing but a string counts as a docstring.
    """
    encoded = text.encode("utf-8", "replace")
    spans = [(node.start_byte, node.end_byte) for node in _prose(parse(text))]
    if text.isascii():
        return spans
    return [(len(encoded[:a].decode()), len(encoded[:b].decode())) for a, b in spans]


def _prose(node: Node) -> Iterator[Node]:
    inner = node.named_children
    if node.type == "comment":
        yield node
    elif node.type == "expression_statement" and [child.type for child in inner] == ["string"]:
        yield inner[0]
    else:
        for child in inner:
            yield from _prose(child)


def _faults(node: Node) -> int:
    if not node.has_error:
        return 0
    return int(node.is_error or node.is_missing) + sum(map(_faults, node.children))


@functools.cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_python.language()))
