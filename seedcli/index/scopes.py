"""Python text as its scopes: for each bare name, the scope that it belongs to; each with its exact place.

By the rules of the language reference, section 4.2: what a function binds is its own unless it says otherwise, names
of a class body are not seen from its functions, comprehensions are functions. Knows nothing of files.
"""

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

_NAME = re.compile(r"[^\W\d]\w*")
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, slots=True)
class Spot:
    """Some characters of a text."""

    line: int
    """From 0."""
    column: int
    """Characters from the line's start."""
    name: str


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class or function; its own names."""

    kind: Literal["module", "class", "function"]
    symbol: str
    parent: "Scope | None"
    node: ast.AST
    bound: set[str] = field(default_factory=set)
    imported: dict[str, "Binding"] = field(default_factory=dict)
    outward: dict[str, Literal["global", "nonlocal"]] = field(default_factory=dict)

    def owner(self, name: str) -> "Scope | None":
        """The scope whose name `name` is when it stands here; None for what nobody binds: a builtin, say."""
        scope: Scope | None = self
        while scope is not None:
            if scope.outward.get(name) == "global":
                return scope.module
            sees = scope is self or scope.kind != "class"
            if sees and name in scope.bound and name not in scope.outward:
                return scope
            scope = scope.parent
        return None

    @property
    def module(self) -> "Scope":
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def enclosing_class(self) -> "Scope | None":
        """The innermost class around."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "class":
            scope = scope.parent
        return scope


@dataclass(frozen=True, slots=True)
class Binding:
    """What an import binds a name to."""

    level: int
    module: str
    member: str
    """What is taken out of the module; empty for the module itself."""


@dataclass(frozen=True, slots=True)
class Use:
    """One occurrence of a name that is code."""

    spot: Spot
    scope: Scope
    role: Literal["name", "attribute", "keyword", "import", "string"]
    node: ast.AST
    """The attribute, call, alias or constant that it stands in."""
    source: Binding | None = None
    """For `import`: what it is taken from."""
    argument_of: str = ""
    """For `string`: the bare name of what is called with it."""


class Scoped:
    """A text that parses, with its scopes and every occurrence of names."""

    def __init__(self, text: str) -> None:
        """
        Raises:
            SyntaxError: the text is no Python of this version.
        """
        self.lines = text.split("\n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tree = ast.parse(text)
        self.root = Scope("module", "", None, self.tree)
        self.scopes: list[Scope] = [self.root]
        self.stars: list[Binding] = []
        """Modules of which all names are taken in."""
        self.uses: list[Use] = []
        self._format: _Fields | None = None
        self._called: dict[ast.AST, str] = {}
        self._visit_body(self.tree.body, self.root)

    def of(self, name: str) -> Iterator[Use]:
        """Every occurrence of a name in code, and strings that are it or end in it after a dot."""
        return (use for use in self.uses if use.spot.name == name)

    def _visit_body(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self._visit(statement, scope)

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                self._function(node, scope)
            case ast.ClassDef():
                self._class(node, scope)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, scope)
            case ast.Import() | ast.ImportFrom():
                self._import(node, scope)
            case ast.Global() | ast.Nonlocal():
                self._outward(node, scope)
            case ast.JoinedStr() if self._format is None:
                self._format = _Fields(self.lines, node)
                self._children(node, scope)
                self._format = None
            case _:
                self._leaf(node, scope)
                self._children(node, scope)

    def _children(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            self._visit(child, scope)

    def _leaf(self, node: ast.AST, scope: Scope) -> None:
        match node:
            case ast.Name():
                if not isinstance(node.ctx, ast.Load):
                    _bind(scope, node.id)
                self._use(node.lineno, node.col_offset, node.id, scope, "name", node)
            case ast.Attribute():
                line, end = node.end_lineno or 1, node.end_col_offset or 0
                self._use(line, end - len(node.attr.encode()), node.attr, scope, "attribute", node)
            case ast.Call():
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                self._called |= dict.fromkeys(node.args, called)
                for keyword in node.keywords:
                    if keyword.arg is not None:
                        self._use(keyword.lineno, keyword.col_offset, keyword.arg, scope, "keyword", node)
            case ast.NamedExpr():
                # In a comprehension it is the function around that gets the name.
                holder = scope
                while isinstance(holder.node, _COMPREHENSIONS) and holder.parent is not None:
                    holder = holder.parent
                _bind(holder, node.target.id)
            case ast.Constant(value=str() as value) if re.fullmatch(r"\w+(\.\w+)*", value):
                self._string(node, value, scope)
            case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
                self._named(node, name, scope)
            case ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
                self._named(node, name, scope)
            case _:
                pass

    def _named(self, node: ast.AST, name: str, scope: Scope) -> None:
        """A name that its node has no place for: it is looked for in the node's text."""
        _bind(scope, name)
        assert isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar | ast.MatchMapping)
        if isinstance(node, ast.MatchAs | ast.MatchStar) and node.end_lineno and node.end_col_offset:
            end = column_of(self.lines, node.end_lineno, node.end_col_offset)
            spot = Spot(node.end_lineno - 1, end - len(name), name)  # both end with it
            if self._stands_at(spot):
                self.uses.append(Use(spot, scope, "name", node))
                return
        after = r"\bas\s+" if isinstance(node, ast.ExceptHandler) else ""
        last = (
            node.body[0].lineno if isinstance(node, ast.ExceptHandler) else (node.end_lineno or node.lineno)
        )
        for line in range(node.lineno - 1, last):
            for match in re.finditer(rf"{after}\b({re.escape(name)})\b", self.lines[line]):
                self.uses.append(Use(Spot(line, match.start(1), name), scope, "name", node))
                return

    def _string(self, node: ast.Constant, value: str, scope: Scope) -> None:
        if node.lineno != node.end_lineno:
            return
        line = self.lines[node.lineno - 1]
        start = column_of(self.lines, node.lineno, node.col_offset)
        place = line.find(value, start)
        if place < 0:
            return
        for match in _NAME.finditer(value):
            spot = Spot(node.lineno - 1, place + match.start(), match[0])
            called = self._called.get(node, "")
            self.uses.append(Use(spot, scope, "string", node, argument_of=called))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> None:
        arguments = node.args
        for outer in [*arguments.defaults, *(d for d in arguments.kw_defaults if d is not None)]:
            self._visit(outer, scope)
        name = "" if isinstance(node, ast.Lambda) else node.name
        inner = Scope("function", f"{scope.symbol}.{name}".strip("."), scope, node)
        self.scopes.append(inner)
        if not isinstance(node, ast.Lambda):
            for outside in [*node.decorator_list, *([node.returns] if node.returns else [])]:
                self._visit(outside, scope)
            self._definition(node, scope)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        for argument in [*every, *(a for a in (arguments.vararg, arguments.kwarg) if a)]:
            inner.bound.add(argument.arg)
            self._use(argument.lineno, argument.col_offset, argument.arg, inner, "name", argument)
            if argument.annotation is not None:
                self._visit(argument.annotation, scope)
        if isinstance(node, ast.Lambda):
            self._visit(node.body, inner)
        else:
            self._visit_body(node.body, inner)

    def _class(self, node: ast.ClassDef, scope: Scope) -> None:
        for outside in [*node.decorator_list, *node.bases, *node.keywords]:
            self._visit(outside, scope)
        self._definition(node, scope)
        inner = Scope("class", f"{scope.symbol}.{node.name}".strip("."), scope, node)
        self.scopes.append(inner)
        self._visit_body(node.body, inner)

    def _definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, scope: Scope) -> None:
        _bind(scope, node.name)
        for line in range(node.lineno - 1, node.body[0].lineno):
            match = re.search(rf"\b(?:def|class)\s+({re.escape(node.name)})\b", self.lines[line])
            if match:
                self.uses.append(Use(Spot(line, match.start(1), node.name), scope, "name", node))
                return

    def _comprehension(self, node: ast.expr, scope: Scope) -> None:
        assert isinstance(node, _COMPREHENSIONS)
        inner = Scope("function", scope.symbol, scope, node)
        self.scopes.append(inner)
        for i, part in enumerate(node.generators):
            self._visit(part.iter, inner if i else scope)
            for piece in (part.target, *part.ifs):
                self._visit(piece, inner)
        results = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        for result in results:
            self._visit(result, inner)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                binding = Binding(0, alias.name, "")
                name = alias.asname or alias.name.partition(".")[0]
                if alias.asname is None:
                    binding = Binding(0, name, "")
            else:
                binding = Binding(node.level, node.module or "", alias.name)
                name = alias.asname or alias.name
                if alias.name == "*":
                    self.stars.append(Binding(node.level, node.module or "", ""))
                    continue
                self._use(alias.lineno, alias.col_offset, alias.name, scope, "import", alias, source=binding)
            _bind(scope, name)
            scope.imported[name] = binding
            if alias.asname is not None:
                end = (alias.end_col_offset or 0) - len(alias.asname.encode())
                self._use(alias.end_lineno or alias.lineno, end, alias.asname, scope, "name", alias)

    def _outward(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> None:
        for name in node.names:
            scope.outward[name] = "global" if isinstance(node, ast.Global) else "nonlocal"
            if isinstance(node, ast.Global):
                scope.module.bound.add(name)
            start = column_of(self.lines, node.lineno, node.col_offset)
            last = (node.end_lineno or node.lineno) - 1
            for line in range(node.lineno - 1, last + 1):
                end = (
                    column_of(self.lines, last + 1, node.end_col_offset or 0)
                    if line == last
                    else len(self.lines[line])
                )
                words = re.compile(rf"\b{re.escape(name)}\b")
                for match in words.finditer(self.lines[line], start if line == node.lineno - 1 else 0, end):
                    self.uses.append(Use(Spot(line, match.start(), name), scope, "name", node))

    def _use(
        self,
        line: int,
        offset: int,
        name: str,
        scope: Scope,
        role: Literal["name", "attribute", "keyword", "import"],
        node: ast.AST,
        source: Binding | None = None,
    ) -> None:
        spot: Spot | None = Spot(line - 1, column_of(self.lines, line, offset), name)
        if self._format is not None and not self._stands_at(spot):
            spot = self._format.next(name)
        if spot is not None:
            self.uses.append(Use(spot, scope, role, node, source))

    def _stands_at(self, spot: Spot | None) -> bool:
        return (
            spot is not None
            and spot.line < len(self.lines)
            and self.lines[spot.line].startswith(spot.name, spot.column)
        )


def column_of(lines: Sequence[str], line: int, offset: int) -> int:
    """`offset` in UTF-8 bytes of a line, numbered from 1, as `ast` counts, in characters."""
    text = lines[line - 1]
    return offset if text.isascii() else len(text.encode()[:offset].decode("utf-8", "replace"))


def _bind(scope: Scope, name: str) -> None:
    if scope.outward.get(name) == "global":
        scope.module.bound.add(name)
    else:
        scope.bound.add(name)


class _Fields:
    """The replacement fields of an f-string, in which Python before 3.12 gives nodes wrong places."""

    def __init__(self, lines: list[str], node: ast.JoinedStr) -> None:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        self._text: list[tuple[int, int, str]] = []  # line, column, what stands there within braces
        depth, piece, start = 0, "", 0
        for number in range(first, last + 1):
            line = lines[number]
            begin = column_of(lines, node.lineno, node.col_offset) if number == first else 0
            for column in range(begin, len(line)):
                char = line[column]
                if char == "{":
                    depth += 1
                elif char == "}":
                    depth = max(0, depth - 1)
                if depth and not piece:
                    start = column
                piece = piece + char if depth else piece
                if piece and (not depth or column == len(line) - 1):
                    self._text.append((number, start, piece))
                    piece = ""
        self._given: dict[str, int] = {}

    def next(self, name: str) -> Spot | None:
        """Where the name stands for the first, second, ... time of asking."""
        found = [
            Spot(line, column + match.start(), name)
            for line, column, text in self._text
            for match in re.finditer(rf"\b{re.escape(name)}\b", text)
        ]
        number = self._given.get(name, 0)
        self._given[name] = number + 1
        return found[number] if number < len(found) else None
