"""A region's text, read once: its tokens, its tree, its statements and who binds which name.

Knows nothing of defects.
"""

import ast
import bisect
import io
import keyword
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

from engine.data.defects.parsing import parse

_Node = TypeVar("_Node", bound=ast.AST)

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
JUMPS = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_COMPOUND = (
    *FUNCTIONS,
    *LOOPS,
    ast.ClassDef,
    ast.If,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.TryStar,
    ast.Match,
)
# Types are not what runs: a wrong one is no bug that a reader of the function could find.
_ANNOTATIONS = ("annotation", "returns", "type_params", "type_comment")
_LAYOUT = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


class Token(NamedTuple):
    """One token with its place in the text, in characters."""

    kind: str
    """`name`, `keyword`, `number`, `string` or `operator`."""
    text: str
    start: int
    end: int


class Span(NamedTuple):
    """A run of characters of the text."""

    start: int
    end: int


@dataclass(slots=True, eq=False)
class Scope:
    """Names that a function, a comprehension or the region itself binds."""

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
    """One statement, and where in its block it stands."""

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
        self.tree, self.lines_ahead = parsed
        self.line_starts = [0]
        for line in self.lines:
            self.line_starts.append(self.line_starts[-1] + len(line) + 1)
        self.nodes: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self.scopes: dict[ast.AST, Scope] = {}
        self.parents: dict[ast.AST, ast.AST] = {}
        self.docstrings: list[Span] = []
        self.notes: dict[str, object] = {}
        """What makers found out about the code and want to find again."""
        self.statements: list[Statement] = []
        self._read_tokens()
        body = self.tree.body
        if self.lines_ahead and isinstance(body[0], ast.ClassDef):
            body = body[0].body
        self._read_block(body, self.tree, Scope(None, False), False)

    # -- places ------------------------------------------------------------------------------------------------

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

    def line_span(self, first: int, last: int) -> Span:
        """Lines `first` to `last` with the line break that goes when they go."""
        start, end = self.line_starts[first], self.line_starts[last + 1]
        if end > len(self.text):
            return Span(max(start - 1, 0), len(self.text))
        return Span(start, end)

    def indent_of(self, line: int) -> str:
        """The blanks that a line starts with."""
        content = self.lines[line]
        return content[: len(content) - len(content.lstrip(" \t"))]

    @cached_property
    def indent_unit(self) -> str:
        """What one level of indentation is here."""
        levels = sorted({self.indent_of(s.first_line) for s in self.statements}, key=len)
        steps = [b[len(a) :] for a, b in zip(levels, levels[1:], strict=False) if b.startswith(a)]
        return min(steps, key=len, default="    ")

    # -- what stands where -------------------------------------------------------------------------------------

    def find(self, kind: type[_Node]) -> list[_Node]:
        """Every node of exactly this type outside annotations, f-strings and docstrings."""
        return self.nodes.get(kind, [])  # type: ignore[return-value]

    def token_index(self, at: int) -> int:
        """Index of the first token at or after a character."""
        return bisect.bisect_left(self.token_starts, at)

    def tokens_between(self, start: int, end: int) -> list[Token]:
        """Tokens that start in [start, end)."""
        return self.tokens[self.token_index(start) : self.token_index(end)]

    def operator_between(self, left: ast.expr, right: ast.expr) -> Span:
        """The operator between two operands (`not in` is one)."""
        found = self.tokens_between(self.span(left).end, self.span(right).start)
        found = [token for token in found if token.text not in "()"]
        return Span(found[0].start, found[-1].end)

    def items(self, opening: int) -> list[Span]:
        """What the commas part in the brackets that the token of index `opening` opens."""
        spans: list[Span] = []
        index, closing, first = opening + 1, self.brackets[opening], opening + 1
        while index <= closing:
            if index == closing or self.tokens[index].text == ",":
                if index > first:
                    spans.append(Span(self.tokens[first].start, self.tokens[index - 1].end))
                first = index + 1
            index = self.brackets.get(index, index) + 1
        return spans

    def arguments(self, call: ast.Call) -> list[Span]:
        """Arguments of a call in order; nothing where commas do not tell them apart."""
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

    def touches(self, start: int, end: int, spans: list[Span]) -> bool:
        """Whether [start, end) overlaps one of some spans."""
        return any(start < span.end and span.start < end for span in spans)

    # -- reading -----------------------------------------------------------------------------------------------

    def _read_tokens(self) -> None:
        self.tokens: list[Token] = []
        self.comments: list[Span] = []
        self.brackets: dict[int, int] = {}
        open_brackets: list[int] = []
        try:
            for kind, token in self._tokenized():
                if kind == "comment":
                    self.comments.append(Span(token.start, token.end))
                    continue
                if token.text in ("(", "[", "{"):
                    open_brackets.append(len(self.tokens))
                elif token.text in (")", "]", "}"):
                    self.brackets[open_brackets.pop()] = len(self.tokens)
                self.tokens.append(token)
        except (tokenize.TokenError, SyntaxError, IndexError) as error:
            raise ValueError(f"does not tokenize: {error}") from error
        self.token_starts = [token.start for token in self.tokens]
        self.comment_lines = {self.line_of(span.start) for span in self.comments}

    def _tokenized(self) -> Iterator[tuple[str, Token]]:
        depth, opened = 0, 0
        for kind, text, (line, column), (end_line, end_column), _ in tokenize.generate_tokens(
            io.StringIO(self.text).readline
        ):
            if kind in _LAYOUT:
                continue
            start, end = self.line_starts[line - 1] + column, self.line_starts[end_line - 1] + end_column
            # From Python 3.12 on an f-string comes in pieces: here it is one token, as before.
            piece = tokenize.tok_name[kind]
            if piece == "FSTRING_START":
                opened = start if not depth else opened
                depth += 1
            elif piece == "FSTRING_END":
                depth -= 1
                if not depth:
                    yield "string", Token("string", self.text[opened:end], opened, end)
            elif not depth:
                name = _kind_of(kind, text)
                yield name, Token(name, text, start, end)

    def _read_block(self, block: list[ast.stmt], parent: ast.AST, scope: Scope, in_loop: bool) -> None:
        for index, node in enumerate(block):
            self.parents[node] = parent
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                if isinstance(node.value.value, str):
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
            not self.text[self.line_starts[first] : start].strip()
            and not self.text[end : self.line_starts[last + 1]].strip()
            and not any(line in self.comment_lines for line in range(first, last + 1))
        )
        return Statement(node, block, index, scope, in_loop, start, end, first, last, own_lines)

    def _read(self, node: ast.AST, scope: Scope, in_loop: bool) -> None:
        self.nodes[type(node)].append(node)
        self.scopes[node] = scope
        if isinstance(node, ast.JoinedStr):
            return
        self._bind(node, scope)
        inner = self._inner_scope(node, scope)
        if isinstance(node, LOOPS):
            in_loop = True
        elif inner is not scope:
            in_loop = False
        for name in node._fields:
            if name in _ANNOTATIONS:
                continue
            value = getattr(node, name, None)
            # Decorators and defaults belong outside, and so do names bound there; nobody suffers if they do not.
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                self._read_block(value, node, inner, in_loop)
            elif isinstance(value, list):
                for child in value:
                    if isinstance(child, ast.AST):
                        self.parents[child] = node
                        self._read(child, inner, in_loop)
            elif isinstance(value, ast.AST):
                self.parents[value] = node
                self._read(value, inner, in_loop)

    def _inner_scope(self, node: ast.AST, scope: Scope) -> Scope:
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            return Scope(scope, True)
        if isinstance(node, ast.ClassDef):
            return Scope(scope, False)
        if isinstance(node, _COMPREHENSIONS):
            inner = Scope(scope, scope.in_function)
            for part in node.generators:
                for target in ast.walk(part.target):
                    if isinstance(target, ast.Name):
                        inner.bind(target.id, self.span(node).start - 1)
            return inner
        return scope

    def _bind(self, node: ast.AST, scope: Scope) -> None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            scope.bind(node.id, self.span(node).start)
        elif isinstance(node, ast.arg):
            scope.bind(node.arg, self.span(node).start)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            scope.bind(node.name, self.place(node.lineno, node.col_offset))


def _kind_of(kind: int, text: str) -> str:
    if kind == tokenize.COMMENT:
        return "comment"
    if kind == tokenize.NUMBER:
        return "number"
    if kind == tokenize.STRING:
        return "string"
    if kind == tokenize.NAME:
        return "keyword" if keyword.iskeyword(text) else "name"
    if kind == tokenize.OP:
        return "operator"
    raise SyntaxError(f"stray character {text!r}")
