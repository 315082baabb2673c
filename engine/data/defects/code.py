"""A region's text, read once: its tokens, its tree, its statements and who binds which name.

Knows nothing of defects.
"""

import ast
import bisect
import tokenize
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeVar

from engine.data.defects.lexing import Span, Token, lex
from engine.syntax import parse

_Node = TypeVar("_Node", bound=ast.AST)

LOOPS = (ast.For, ast.AsyncFor, ast.While)
JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_NAMING = {ast.Name, ast.arg, ast.ExceptHandler, ast.Lambda, *_DEFINITIONS, *_COMPREHENSIONS}
"""What binds names or has a scope of its own; most nodes are none, and asking what they are takes time."""
_COMPOUND = (
    *_DEFINITIONS,
    *LOOPS,
    ast.If,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)
# Types are not what runs: a wrong one is no bug that a reader of the function could find.
_ANNOTATIONS = ("annotation", "returns", "type_params")


@dataclass(slots=True, eq=False)
class Scope:
    """Names that a function, a class, a comprehension or the region itself binds."""

    outer: "Scope | None"
    in_function: bool
    bound: dict[str, int] = field(default_factory=dict)
    """Name to the place where it is bound first."""

    def bind(self, name: str, at: int) -> None:
        """Note that `name` is bound at `at`."""
        self.bound[name] = min(at, self.bound.get(name, at))

    def visible(self, at: int) -> list[str]:
        """Names bound before `at`, here and further out, in a fixed order."""
        names: dict[str, None] = {}
        scope: Scope | None = self
        while scope is not None:
            names.update((name, None) for name, place in scope.bound.items() if place < at)
            scope = scope.outer
        return list(names)


@dataclass(slots=True, eq=False)
class Statement:
    """One statement, and where in its block it stands. Decorators belong to it, docstrings are none."""

    node: ast.stmt
    block: list[ast.stmt]
    index: int
    scope: Scope
    in_loop: bool
    start: int
    end: int
    first_line: int
    last_line: int
    own_lines: bool
    """Nothing else, not even a comment, stands on its lines."""

    @property
    def simple(self) -> bool:
        """Whether it has no block of its own."""
        return not isinstance(self.node, _COMPOUND)


class Code:
    """A region's text, read once for any number of defects.

    Raises ValueError where the text is not sound Python (at any common indentation) with `\\n` line endings.
    """

    def __init__(self, text: str) -> None:
        parsed = parse(text) if "\r" not in text else None
        if parsed is None:
            raise ValueError(f"not sound Python with \\n line endings: {text[:40]!r}")
        self.text = text
        self.lines = text.split("\n")
        self.line_starts = [0]
        for line in self.lines:
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)
        self.tree, self.lines_ahead = parsed
        self.scopes: dict[ast.AST, Scope] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self.statements: list[Statement] = []
        self.docstrings: list[Span] = []
        self._nodes: dict[type[ast.AST], list[Any]] = defaultdict(list)
        self._read_tokens()
        body = self.tree.body
        if self.lines_ahead and isinstance(body[0], ast.ClassDef):
            body = body[0].body
        self._read_block(body, self.tree, Scope(None, False), False)

    # -- places ----------------------------------------------------------------------------------------------

    def place(self, line: int, byte: int) -> int:
        """Character offset of a line number and a column in bytes, as trees give them."""
        row = line - 1 - self.lines_ahead
        content = self.lines[row]
        column = byte if content.isascii() else len(content.encode()[:byte].decode())
        return self.line_starts[row] + column

    def span(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> Span:
        """Where a node stands, without brackets around it."""
        return Span(
            self.place(node.lineno, node.col_offset),
            self.place(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
        )

    def source(self, node: ast.expr | ast.stmt | ast.keyword | ast.arg) -> str:
        """The text of a node."""
        return self.text[slice(*self.span(node))]

    def line_of(self, at: int) -> int:
        """Index of the line that holds a character."""
        return bisect.bisect_right(self.line_starts, at) - 1

    def line_end(self, line: int) -> int:
        """Place of the line break that ends a line."""
        return self.line_starts[line] + len(self.lines[line])

    def line_span(self, first: int, last: int) -> Span:
        """Lines `first` to `last` with the line break that goes when they go."""
        start, end = self.line_starts[first], self.line_starts[last + 1]
        if end > len(self.text):
            return Span(max(start - 1, 0), len(self.text))
        return Span(start, end)

    def starts_line(self, at: int) -> bool:
        """Whether only blanks stand before a character in its line."""
        return not self.text[self.line_starts[self.line_of(at)] : at].strip()

    def rest_of_line(self, at: int) -> str:
        """What stands from a character to the end of its line, without blanks around it."""
        return self.text[at : self.line_end(self.line_of(at))].strip()

    def indent_of(self, line: int) -> str:
        """The blanks that a line starts with."""
        content = self.lines[line]
        return content[: len(content) - len(content.lstrip(" \t"))]

    @cached_property
    def indent_unit(self) -> str:
        """What one level of indentation is here."""
        levels = sorted({self.indent_of(s.first_line) for s in self.statements}, key=len)
        steps = [b[len(a) :] for a, b in pairwise(levels) if b.startswith(a)]
        return min(steps, key=len, default="    ")

    # -- what stands where -----------------------------------------------------------------------------------

    def find(self, kind: type[_Node]) -> list[_Node]:
        """Every node of exactly this type outside annotations, f-strings and docstrings."""
        return self._nodes.get(kind, [])

    @cached_property
    def typing_places(self) -> list[Token]:
        """Tokens on lines that hold no docstring."""
        lines: set[int] = set()
        for span in self.docstrings:
            lines.update(range(self.line_of(span.start), self.line_of(span.end - 1) + 1))
        return [token for token in self.tokens if self.line_of(token.start) not in lines]

    def token_index(self, at: int) -> int:
        """Index of the first token at or after a character."""
        return bisect.bisect_left(self._token_starts, at)

    def operator_between(self, left: ast.expr, right: ast.expr) -> Span:
        """The operator between two operands (`not in` is one)."""
        first, last = self.token_index(self.span(left).end), self.token_index(self.span(right).start)
        found = [token for token in self.tokens[first:last] if token.text not in "()"]
        return Span(found[0].start, found[-1].end)

    def items(self, opening: int) -> list[Span]:
        """What the commas part in the brackets that the token of index `opening` opens."""
        spans: list[Span] = []
        index, closing, first = opening + 1, self._closing[opening], opening + 1
        while index <= closing:
            if index == closing or self.tokens[index].text == ",":
                if index > first:
                    spans.append(Span(self.tokens[first].start, self.tokens[index - 1].end))
                first = index + 1
            index = self._closing.get(index, index) + 1
        return spans

    def arguments(self, call: ast.Call) -> list[Span]:
        """Arguments of a call in order; none where commas do not tell them apart (a lambda among them)."""
        index = self.token_index(self.span(call.func).end)
        while self.tokens[index].text == ")":
            index += 1
        spans = self.items(index)
        return spans if len(spans) == len(call.args) + len(call.keywords) else []

    def parameters(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Span]:
        """Parameters of a function in order, each with its annotation and default."""
        index = self.token_index(self.place(function.lineno, function.col_offset))
        while self.tokens[index].text != "(":
            index += 1
        return self.items(index)

    @cached_property
    def uses(self) -> dict[str, set[str]]:
        """What each name is read for: to be called, as an argument, for its attribute `x`, ..."""
        uses: dict[str, set[str]] = defaultdict(set)
        for node in self.find(ast.Name):
            if isinstance(node.ctx, ast.Load):
                uses[node.id].add(_use(node, self.parents[node]))
        return uses

    # -- reading ---------------------------------------------------------------------------------------------

    def _read_tokens(self) -> None:
        self.tokens: list[Token] = []
        self.comments: list[Span] = []
        self._closing: dict[int, int] = {}
        opened: list[int] = []
        try:
            for token in lex(self.text, self.line_starts):
                if token.kind == "comment":
                    self.comments.append(Span(token.start, token.end))
                    continue
                if token.text in ("(", "[", "{"):
                    opened.append(len(self.tokens))
                elif token.text in (")", "]", "}"):
                    self._closing[opened.pop()] = len(self.tokens)
                self.tokens.append(token)
        except (tokenize.TokenError, SyntaxError) as error:
            raise ValueError(f"does not tokenize: {error}") from error
        self._token_starts = [token.start for token in self.tokens]
        self._comment_lines = {self.line_of(span.start) for span in self.comments}

    def _read_block(self, block: list[ast.stmt], parent: ast.AST, scope: Scope, in_loop: bool) -> None:
        for index, node in enumerate(block):
            self.parents[node] = parent
            if is_docstring(node):
                self.docstrings.append(self.span(node))
                continue
            statement = self._statement(node, block, index, scope, in_loop)
            # An `elif` is an `if` to the tree, but no statement to the reader.
            if not self.text.startswith("elif", statement.start):
                self.statements.append(statement)
            self._read(node, scope, in_loop)

    def _statement(
        self, node: ast.stmt, block: list[ast.stmt], index: int, scope: Scope, in_loop: bool
    ) -> Statement:
        start, end = self.span(node)
        decorators = getattr(node, "decorator_list", ())
        if decorators:
            start = self.tokens[self.token_index(self.span(decorators[0]).start) - 1].start
        first, last = self.line_of(start), self.line_of(end - 1)
        own_lines = (
            self.starts_line(start)
            and not self.rest_of_line(end)
            and self._comment_lines.isdisjoint(range(first, last + 1))
        )
        return Statement(node, block, index, scope, in_loop, start, end, first, last, own_lines)

    def _read(self, node: ast.AST, scope: Scope, in_loop: bool) -> None:
        self._nodes[type(node)].append(node)
        self.scopes[node] = scope
        if isinstance(node, ast.JoinedStr):
            return
        inner = scope
        if type(node) in _NAMING:
            self._bind(node, scope)
            inner = self._inner_scope(node, scope)
        looping = isinstance(node, LOOPS) or (in_loop and inner is scope)
        for name in node._fields:
            value = getattr(node, name, None)
            if name in _ANNOTATIONS or value is None:
                continue
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                left_loop = name == "orelse" and isinstance(node, LOOPS)
                self._read_block(value, node, inner, in_loop if left_loop else looping)
                continue
            for child in value if isinstance(value, list) else (value,):
                if isinstance(child, ast.AST):
                    self.parents[child] = node
                    self._read(child, inner, looping)

    def _inner_scope(self, node: ast.AST, scope: Scope) -> Scope:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return Scope(scope, True)
        if isinstance(node, ast.ClassDef):
            return Scope(scope, False)
        if not isinstance(node, _COMPREHENSIONS):
            return scope
        inner = Scope(scope, scope.in_function)
        # What a comprehension binds is seen by the element that stands before the binding.
        for target in (name for part in node.generators for name in ast.walk(part.target)):
            if isinstance(target, ast.Name):
                inner.bind(target.id, self.span(node).start - 1)
        return inner

    def _bind(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            scope.bind(node.id, self.span(node).start)
        elif isinstance(node, ast.arg):
            scope.bind(node.arg, self.span(node).start)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            scope.bind(node.name, self.place(node.lineno, node.col_offset))
        elif isinstance(node, _DEFINITIONS) and scope.in_function:
            scope.bind(node.name, self.span(node).start)


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is nothing but a plain string."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _use(node: ast.Name, parent: ast.AST) -> str:
    if isinstance(parent, ast.Call):
        return "called" if parent.func is node else "argument"
    return f".{parent.attr}" if isinstance(parent, ast.Attribute) else type(parent).__name__
