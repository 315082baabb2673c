"""Python text of one region with its syntax and the exact place of every identifier.

Structure comes from `ast`; places of identifiers come from tree-sitter, which is exact inside f-strings too
(`ast` is not before Python 3.12). Knows nothing of recipes.
"""

import ast
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import tree_sitter
import tree_sitter_python

Role = Literal["name", "attribute", "keyword", "import"]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_WRAPPER = "if 1:\n"
_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language()))


@dataclass(frozen=True, slots=True)
class Edit:
    """Characters `start` to `end` become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An identifier in the text."""

    name: str
    start: int
    role: Role
    owner: str
    """Of an attribute, the text of the object; of a keyword argument, the text of what is called."""


class UnrewritableError(Exception):
    """The text holds a form that a rule has no one right answer for."""


class Source:
    """A region's text, parsed. Offsets count characters of the region's own text.

    Raises:
        SyntaxError, ValueError: the text is not a piece of Python that stands by itself.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        # An indented region parses inside a block; the block's line is taken off every offset again.
        self.wrapper = _WRAPPER if text[:1] in " \t" else ""
        self.wrapped = self.wrapper + text
        self.tree = parse(self.wrapped)
        self._lines = self.wrapped.split("\n")
        self._starts = [-len(self.wrapper)]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line) + 1)

    @cached_property
    def definition(self) -> Definition | None:
        """The one function or class the region consists of, if that is what it is."""
        body: list[ast.stmt] = self.tree.body
        if self.wrapper:
            block = body[0]
            assert isinstance(block, ast.If), "the wrapper is an if statement"
            body = block.body if len(self.tree.body) == 1 else []
        only = body[0] if len(body) == 1 else None
        return only if isinstance(only, Definition) else None

    def offset(self, line: int, column_bytes: int) -> int:
        """The character at `ast`'s position (lines from 1, columns in UTF-8 bytes)."""
        text = self._lines[line - 1]
        if not text.isascii():
            column_bytes = len(text.encode()[:column_bytes].decode())
        return self._starts[line - 1] + column_bytes

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First character of `node` and the one behind its last; round brackets about it stay outside."""
        start = self.offset(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        return start, self.offset(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]

    def code(self, node: ast.AST) -> str:
        """The text of `node`."""
        start, end = self.span(node)
        return self.text[start:end]

    @cached_property
    def occurrences(self) -> list[Occurrence]:
        """Every identifier in code, in order; none from strings (but from f-strings' fields) and comments."""
        return list(self._find_occurrences())

    def _find_occurrences(self) -> Iterator[Occurrence]:
        for node, parent in self.syntax():
            if node.type == "identifier":
                role, owner = _role(node, parent)
                yield Occurrence(_text(node), self.characters(node.start_byte), role, owner)

    def syntax(self) -> Iterator[tuple[tree_sitter.Node, tree_sitter.Node]]:
        """All nodes of tree-sitter's tree below the root with their parents, in order of text.

        Raises:
            UnrewritableError: tree-sitter does not understand the text.
        """
        root = _PARSER.parse(self.wrapped.encode()).root_node
        if root.has_error:
            raise UnrewritableError("tree-sitter finds errors")
        stack = [(child, root) for child in reversed(root.children)]
        while stack:
            node, parent = stack.pop()
            yield node, parent
            stack.extend((child, node) for child in reversed(node.children))

    def characters(self, byte_offset: int) -> int:
        """The character at a byte of the wrapped text."""
        if self.wrapped.isascii():
            return byte_offset - len(self.wrapper)
        return len(self.wrapped.encode()[:byte_offset].decode()) - len(self.wrapper)

    def parents(self) -> dict[ast.AST, ast.AST]:
        """Each node's parent."""
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}


def _role(node: tree_sitter.Node, parent: tree_sitter.Node) -> tuple[Role, str]:
    first = node.start_byte == parent.start_byte
    if parent.type == "attribute" and not first:
        return "attribute", _text(parent.children[0])
    if parent.type in ("keyword_argument", "keyword_pattern") and first:
        call = parent.parent.parent if parent.parent is not None else None
        called = call.child_by_field_name("function") if call is not None else None
        return "keyword", _text(called) if called is not None else ""
    if parent.type in ("dotted_name", "aliased_import"):
        return "import", ""
    return "name", ""


def _text(node: tree_sitter.Node) -> str:
    return (node.text or b"").decode()


def parse(text: str) -> ast.Module:
    """`ast.parse` without the warnings that somebody else's code gives rise to.

    Raises:
        SyntaxError, ValueError: as `ast.parse`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def read(text: str) -> Source | None:
    """The text, parsed; None where it is no Python."""
    try:
        return Source(text)
    except (SyntaxError, ValueError, RecursionError):
        return None


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made.

    Raises:
        UnrewritableError: two of them overlap.
    """
    pieces: list[str] = []
    position = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < position:
            raise UnrewritableError("edits overlap")
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join(pieces) + text[position:]
