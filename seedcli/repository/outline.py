"""The outline of Python text: where its functions and classes are, also where it does not parse.

Sound text is read by tree-sitter. Defective text is cut at the lines that open definitions; each piece that
parses alone is read by tree-sitter, and only the broken pieces go by indentation. So damage in one function
leaves all others, and the function's own extent, as they were. Knows nothing of files, encodings or models.
"""

from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from seedcli.repository import indentation
from seedcli.repository.indentation import Layout
from seedcli.repository.tree import parse, parse_lines

DefinitionKind = Literal["function", "method", "class", "block"]

_CLAUSES = {
    "elif_clause",
    "else_clause",
    "except_clause",
    "except_group_clause",
    "finally_clause",
    "case_clause",
}
_COMPOUND = (
    _CLAUSES | {f"{word}_statement" for word in ("if", "try", "with", "for", "while", "match")} | {"block"}
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that is not nested inside a function, with its decorators."""

    kind: DefinitionKind
    """`block` is a compound statement that holds definitions; it has no symbol."""
    symbol: str
    """Dotted through classes: `Class.method`."""
    start: int
    """First line, from 0."""
    end: int
    """Line after the last one; a comment that is indented deeper than the header belongs to the definition.
    """


def outline(text: str) -> list[Definition]:
    """All definitions of `text` in order of their first lines; a class stands before its methods."""
    layout = Layout(text)
    root = parse(text)
    if not root.has_error and not _has_orphans(root) and layout.is_consistent(0, len(layout.lines)):
        found = _from_tree(root, layout, 0, "")
    else:
        found = _Recovery(layout).definitions(0, len(layout.lines), 0, "")
    return sorted(found, key=lambda d: (d.start, -d.end))


def _has_orphans(body: Node) -> bool:
    """Whether a `return` stands outside of functions: the mark of a function's last line that lost its
    indentation."""
    for child in body.named_children:
        inner = _definition_of(child)
        if child.type == "return_statement":
            return True
        if (
            inner.type == "class_definition"
            and (block := inner.child_by_field_name("body"))
            and _has_orphans(block)
        ):
            return True
    return False


def _definition_of(node: Node) -> Node:
    return (node.child_by_field_name("definition") or node) if node.type == "decorated_definition" else node


def _from_tree(body: Node, layout: Layout, shift: int, prefix: str) -> list[Definition]:
    """Definitions directly in `body`, in its classes and in its compound statements.

    Args:
        shift: line of the layout at which the parsed text's line 0 stands.
        prefix: `Class.` within classes.
    """
    found: list[Definition] = []
    for child in body.named_children:
        node = _definition_of(child)
        start = child.start_point.row + shift
        end = layout.with_comments(start, _end_row(child) + shift)
        if node.type not in ("function_definition", "class_definition"):
            inner = _from_tree(child, layout, shift, prefix) if child.type in _COMPOUND else []
            inner = [d for d in inner if d.kind != "block"]
            found += [Definition("block", "", start, end), *inner] if inner else []
            continue
        name = node.child_by_field_name("name")
        symbol = prefix + (name.text.decode() if name is not None and name.text is not None else "")
        if node.type == "function_definition":
            found.append(Definition("method" if prefix else "function", symbol, start, end))
        else:
            found.append(Definition("class", symbol, start, end))
            if block := node.child_by_field_name("body"):
                found += _from_tree(block, layout, shift, symbol + ".")
    return found


def _end_row(node: Node) -> int:
    """The line after the node's last one."""
    return node.end_point.row + (1 if node.end_point.column else 0)


class _Recovery:
    """Definitions of text that does not parse."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def definitions(self, start: int, end: int, indent: int, prefix: str) -> list[Definition]:
        """Definitions in lines [start, end) of a block whose statements stand at column `indent`."""
        found: list[Definition] = []
        for first, last in self._pieces(start, end, indent):
            found += self._of_piece(first, last, indent, prefix)
        return found

    def _pieces(self, start: int, end: int, indent: int) -> list[tuple[int, int]]:
        """Cut before every line that opens a definition, but not where that line is text in a string."""
        cuts = [start, *(a for a in self._layout.anchors(start, end, indent) if a > start), end]
        pieces = []
        i = 0
        while i < len(cuts) - 1:
            j = self._end_of_string(cuts, i)
            if j > i + 1 and not self._joined_is_better(cuts[i : j + 1]):
                j = i + 1
            pieces.append((cuts[i], cuts[j]))
            i = j
        return pieces

    def _end_of_string(self, cuts: list[int], i: int) -> int:
        """Index of the first cut after `i` that no triple-quoted string open since cut `i` reaches over."""
        state = indentation.CLOSED
        for j in range(i, len(cuts) - 1):
            state = self._layout.states(cuts[j], cuts[j + 1], state)[-1]
            if not state.quote:
                return j + 1
        return i + 1

    def _joined_is_better(self, cuts: list[int]) -> bool:
        """Whether the pieces between `cuts` are one, the inner cuts being text in a string."""
        # Cut out of its string, the piece with the closing quotes cannot be sound.
        return self._is_sound(cuts[0], cuts[-1]) or not self._is_sound(cuts[-2], cuts[-1])

    def _tree(self, start: int, end: int) -> Node:
        """The piece by itself, with one line before it."""
        return parse_lines(self._layout.lines[start:end])

    def _of_piece(self, start: int, end: int, indent: int, prefix: str) -> list[Definition]:
        root = self._tree(start, end)
        if not root.has_error and not _has_orphans(root) and self._layout.is_consistent(start, end):
            return _unwrapped(_from_tree(root, self._layout, start - 1, ""), start, prefix)
        header = self._layout.header(start, indent)
        if header is None:
            return self._inside_block(start, end, indent, prefix)
        stop = self._layout.with_comments(
            start, indentation.end_of_body(self._layout, header.line, end, self._is_sound)
        )
        found = [Definition(_kind(header.kind, prefix), prefix + header.name, start, stop)]
        if header.kind == "class" and (
            deeper := self._layout.definition_indent(header.line + 1, stop, indent)
        ):
            found += self.definitions(header.line + 1, stop, deeper, prefix + header.name + ".")
        return found + self._inside_block(stop, end, indent, prefix)

    def _inside_block(self, start: int, end: int, indent: int, prefix: str) -> list[Definition]:
        """Definitions within compound statements of a broken stretch that opens none at its own level."""
        deeper = self._layout.definition_indent(start, end, indent)
        if not deeper:
            return []
        inner = self.definitions(start, end, deeper, prefix)
        if not inner:
            return []
        return [Definition("block", "", min(d.start for d in inner), max(d.end for d in inner)), *inner]

    def _is_sound(self, start: int, end: int) -> bool:
        return not self._tree(start, end).has_error


def _unwrapped(found: list[Definition], start: int, prefix: str) -> list[Definition]:
    """Take away the class that `_tree` put around an indented piece, and say what the piece is really in."""
    wrapped = bool(found) and found[0].start < start
    out = []
    for d in found[1:] if wrapped else found:
        symbol = prefix + (d.symbol.removeprefix("_.") if wrapped else d.symbol)
        kind: DefinitionKind = (
            _kind("function", symbol.rpartition(".")[0]) if d.kind in ("function", "method") else d.kind
        )
        out.append(Definition(kind, symbol if d.kind != "block" else "", d.start, d.end))
    return out


def _kind(kind: Literal["function", "class"], prefix: str) -> DefinitionKind:
    return "method" if kind == "function" and prefix else kind
