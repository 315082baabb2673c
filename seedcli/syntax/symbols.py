"""Symbols: what a text defines, which names it uses on which lines, what it imports.

Lines count from 0 and spans are half-open. Damaged text is read as far as its grammar gets over the damage. Knows
nothing of files, and not what a name means: see `seedcli.index.uses` for that.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node, QueryCursor

from seedcli.syntax.languages import Grammar, Language, grammar_of

_WRAPPERS = frozenset({"decorated_definition", "export_statement", "template_declaration"})
"""What stands around a definition and belongs to it."""
_UNNAMED = "impl_item"
"""Rust's `impl T` has no name of its own; its members are T's."""


@dataclass(frozen=True, slots=True)
class Definition:
    """Something with a name."""

    kind: Literal["function", "class"]
    name: str
    symbol: str
    """Dotted through what it stands in: `Class.method`, `function.inner`."""
    start: int
    """First line, decorators included."""
    end: int
    body: int
    """Line after the signature."""
    is_outermost: bool
    """Whether it is not inside a function."""


@dataclass(frozen=True, slots=True)
class Import:
    """One statement that brings in names."""

    text: str
    """The statement, its white space as single spaces."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Symbols:
    """One text's."""

    definitions: tuple[Definition, ...]
    """In order of lines; what holds others stands before them."""
    references: dict[str, tuple[int, ...]]
    """The lines, ascending and each once, on which a name is used or defined; names of imports among them."""
    imports: tuple[Import, ...]


NOTHING = Symbols((), {}, ())


def read(text: str, language: Language | None) -> Symbols:
    """What `text` defines, uses and imports; nothing where its language cannot be read here."""
    grammar = grammar_of(language) if language is not None else None
    return NOTHING if grammar is None else _read(text.encode("utf-8", "replace"), grammar)


def _read(raw: bytes, grammar: Grammar) -> Symbols:
    root = grammar.parser.parse(raw).root_node
    captures = QueryCursor(grammar.query).captures(root)
    return Symbols(
        tuple(_definitions([*captures.get("function", ())], [*captures.get("class", ())])),
        _references(captures.get("reference", ())),
        tuple(_import(node) for node in captures.get("import", ())),
    )


def _definitions(functions: list[Node], classes: list[Node]) -> Iterator[Definition]:
    nodes: list[tuple[Node, Literal["function", "class"]]] = [(n, "function") for n in functions]
    nodes += [(n, "class") for n in classes]
    around: list[tuple[Node, str, bool]] = []  # what is open: node, symbol, whether a function is among them
    for node, kind in sorted(nodes, key=lambda one: (one[0].start_byte, -one[0].end_byte)):
        while around and around[-1][0].end_byte <= node.start_byte:
            around.pop()
        name = _name(node)
        if not name:
            continue
        above, inside = (around[-1][1], around[-1][2]) if around else ("", False)
        symbol = f"{above}.{name}" if above else name
        around.append((node, symbol, inside or kind == "function"))
        if node.type == _UNNAMED:
            continue
        start, end = _lines(_wrapped(node))
        yield Definition(kind, name.rpartition(".")[2], symbol, start, end, _body(node, end), not inside)


def _name(node: Node) -> str:
    """The name that a node defines; empty where the damage took it."""
    found = node.child_by_field_name("name")
    if found is None and node.type == _UNNAMED:
        found = node.child_by_field_name("type")
    inner = node.child_by_field_name("declarator")
    while found is None and inner is not None:
        # C: the name is within as many declarators as it has stars and brackets.
        found = (
            inner
            if inner.child_by_field_name("declarator") is None and inner.type != "parenthesized_declarator"
            else None
        )
        inner = inner.child_by_field_name("declarator") or (inner.named_child(0) if found is None else None)
    text = found.text.decode("utf-8", "replace") if found is not None and found.text else ""
    return text.replace("::", ".").strip("'\"")


def _wrapped(node: Node) -> Node:
    parent = node.parent
    if parent is not None and parent.type in ("lexical_declaration", "variable_declaration"):
        node, parent = parent, parent.parent
    return parent if parent is not None and parent.type in _WRAPPERS else node


def _lines(node: Node) -> tuple[int, int]:
    return node.start_point.row, node.end_point.row + (1 if node.end_point.column else 0)


def _body(node: Node, end: int) -> int:
    body = node.child_by_field_name("body")
    return end if body is None else max(body.start_point.row, node.start_point.row + 1)


def _references(nodes: "list[Node] | tuple[Node, ...]") -> dict[str, tuple[int, ...]]:
    found: dict[bytes, dict[int, None]] = {}
    for node in nodes:
        found.setdefault(node.text or b"", {})[node.start_point.row] = None
    return {_decoded(name): tuple(sorted(lines)) for name, lines in found.items()}


@functools.lru_cache(maxsize=1 << 16)
def _decoded(name: bytes) -> str:
    return name.decode("utf-8", "replace")


def _import(node: Node) -> Import:
    text = (node.text or b"").decode("utf-8", "replace")
    return Import(" ".join(text.split()), *_lines(node))
