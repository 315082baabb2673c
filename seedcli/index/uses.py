"""Where a definition is used: every place of a Python repository that means it, over imports and attributes.

A bare name is judged by its scope, `module.name` by what the module's name was imported as, an import by the file that
it means, also through packages that pass a name on. `object.method` is taken where all definitions of that name in the
repository are of one family of classes; else only where the object is known. Places that may mean it and cannot be
judged are named, not guessed. Knows nothing of models or of edits.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from seedcli.errors import TargetError
from seedcli.index.modules import Modules
from seedcli.index.scopes import Binding, Scope, Scoped, Spot, Use, column_of
from seedcli.index.store import Store

_SUFFIXES = (".py", ".pyi")
_BY_NAME = frozenset({"getattr", "setattr", "hasattr", "delattr", "object", "methodcaller", "attrgetter"})
"""Calls that take an attribute's name as a string; `object` is that of `mock.patch.object`."""
_MAKING = ("__init__", "__new__")
"""Methods that calls of their class call."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for."""

    path: str
    symbol: str
    """Of a function, method, class or variable: dotted through classes."""
    parameter: str = ""
    """A parameter of that function, and the keyword that callers give; empty for the definition itself."""

    @property
    def name(self) -> str:
        """What its uses are called."""
        return self.parameter or self.symbol.rpartition(".")[2]


@dataclass(slots=True)
class Uses:
    """What was found."""

    spots: dict[str, list[Spot]] = field(default_factory=dict)
    """For each file, in order of its text, the places that mean the definition; its own name among them."""
    unclear: list[str] = field(default_factory=list)
    """`FILE:LINE text` of places that may mean it."""

    @property
    def count(self) -> int:
        return sum(map(len, self.spots.values()))


class Finder:
    """Finds uses in one repository, as it stands."""

    def __init__(self, store: Store, read: Callable[[str], str]) -> None:
        """
        Args:
            read: the text of a file by its path.
        """
        self._store, self._read = store, read
        self._modules = Modules([path for path in store.files() if path.endswith(_SUFFIXES)])
        self._scoped: dict[str, Scoped | None] = {}
        self._files: dict[str, list[str]] = {}

    def find(self, wanted: Wanted) -> Uses:
        """Every use of a definition.

        Raises:
            TargetError: its file does not parse, or does not define it.
        """
        own = self._load(wanted.path)
        if own is None:
            raise TargetError(f"{wanted.path} does not parse, so uses cannot be told; mend it first")
        scope = _scope_of(own, wanted.symbol)
        search = _Search(self, wanted, Uses())
        if wanted.parameter:
            search.parameter(own)
        elif scope.kind == "class":
            search.member(scope)
        else:
            search.module_name()
        for spots in search.found.spots.values():
            spots[:] = sorted(set(spots), key=lambda s: (s.line, s.column))
        return search.found

    def files_with(self, name: str) -> Iterator[tuple[str, Scoped]]:
        """Every Python file that has a name in its code or in a string, and its scopes, if it parses."""
        for path in self._holding(name):
            if (scoped := self._load(path)) is not None:
                yield path, scoped

    def broken_with(self, name: str) -> list[str]:
        """The Python files that use a name and do not parse."""
        return [path for path in self._holding(name) if self._load(path) is None]

    def _holding(self, name: str) -> list[str]:
        if name not in self._files:
            used = self._store.uses(name)
            quoted = re.compile(rf"""[.'"]{re.escape(name)}['".]""")
            said = (p for p in self._store.mentions(name) if p not in used and p.endswith(_SUFFIXES))
            strings = [path for path in said if quoted.search(self._read(path))]
            self._files[name] = sorted([*(path for path in used if path.endswith(_SUFFIXES)), *strings])
        return self._files[name]

    @property
    def modules(self) -> Modules:
        return self._modules

    @property
    def store(self) -> Store:
        return self._store

    def _load(self, path: str) -> Scoped | None:
        if path not in self._scoped:
            try:
                text = self._read(path)
                # `ast` takes a lone carriage return for the end of a line.
                self._scoped[path] = None if "\r" in text.replace("\r\n", "\n") else Scoped(text)
            except (SyntaxError, ValueError, RecursionError, TargetError):
                self._scoped[path] = None
        return self._scoped[path]


class _Search:
    """One search on its way."""

    def __init__(self, finder: Finder, wanted: Wanted, found: Uses) -> None:
        self.found = found
        self._finder, self._wanted, self._name = finder, wanted, wanted.name
        self._carriers: set[str] = {wanted.path}
        """Files whose global of that name is what is wanted."""

    def module_name(self) -> None:
        """A global of a module: a function, class or variable."""
        files = dict(self._finder.files_with(self._name))
        self._spread(files)
        for path, scoped in files.items():
            for use in scoped.of(self._name):
                self._judge_global(path, scoped, use)

    def member(self, scope: Scope) -> None:
        """A method or attribute of a class."""
        family, others = self._family(scope)
        for path, scoped in self._finder.files_with(self._name):
            for use in scoped.of(self._name):
                verdict = _judge_member(use, family, unique=not others)
                if verdict == "yes":
                    self._take(path, use.spot)
                elif verdict == "unclear":
                    self._doubt(path, scoped, use.spot)

    def parameter(self, own: Scoped) -> None:
        """A parameter: its name in the function, and the keyword in calls of the function."""
        function = self._function_scope(own)
        for use in own.of(self._name):
            if use.role == "name" and use.scope.owner(self._name) is function:
                self._take(self._wanted.path, use.spot)
        holder, _, method = self._wanted.symbol.rpartition(".")
        makes = bool(holder) and method in _MAKING
        places: dict[str, set[tuple[int, int]]] = {}
        for symbol in (self._wanted.symbol, *([holder] if makes else [])):
            calls = self._finder.find(Wanted(self._wanted.path, symbol))
            self.found.unclear += calls.unclear
            for path, spots in calls.spots.items():
                places.setdefault(path, set()).update((spot.line, spot.column) for spot in spots)
        family = self._family_of_method(own)
        elsewhere = {*self._subclasses(holder.rpartition(".")[2]), "cls", *_MAKING} if makes else set()
        overriding = set[Scope]()
        for path, scoped in self._finder.files_with(self._name):
            for use in scoped.of(self._name):
                if use.role == "keyword":
                    if _called_at(use, scoped) in places.get(path, ()):
                        self._take(path, use.spot)
                    elif _called(use) in elsewhere:  # of a subclass, perhaps
                        self._doubt(path, scoped, use.spot)
                elif (
                    use.scope is not function
                    and use.scope not in overriding
                    and _overrides(use, method, family)
                ):
                    overriding.add(use.scope)
                    self._doubt(path, scoped, use.spot)

    def _subclasses(self, name: str) -> set[str]:
        """Names of the classes that have a class of that name among their bases, or one of theirs."""
        found, waiting = set[str](), [name]
        while waiting:
            base = waiting.pop()
            for _, scoped in self._finder.files_with(base):
                for node in (scope.node for scope in scoped.scopes):
                    if not isinstance(node, ast.ClassDef) or node.name in found:
                        continue
                    if any((_dotted(one) or [""])[-1] == base for one in node.bases):
                        found.add(node.name)
                        waiting.append(node.name)
        return found

    def _family_of_method(self, own: Scoped) -> set[str]:
        """Names of the classes that share the function by inheritance; none if it is no method."""
        scope = _scope_of(own, self._wanted.symbol)
        if scope.kind != "class":
            return set()
        method = Wanted(self._wanted.path, self._wanted.symbol)
        return _Search(self._finder, method, Uses())._family(scope)[0]

    def _function_scope(self, own: Scoped) -> Scope:
        for scope in own.scopes:
            if scope.kind == "function" and scope.symbol == self._wanted.symbol and self._name in scope.bound:
                return scope
        raise TargetError(f"{self._wanted.path}::{self._wanted.symbol} has no parameter {self._name!r}")

    def _spread(self, files: dict[str, Scoped]) -> None:
        """Find the files that pass the global on: what imports it into its own globals may be imported from there."""
        grown = True
        while grown:
            grown = False
            for path, scoped in files.items():
                if path in self._carriers:
                    continue
                binding = scoped.root.imported.get(self._name)
                taken = (
                    binding is not None and binding.member == self._name and self._is_carrier(path, binding)
                )
                starred = self._name not in scoped.root.bound and any(
                    self._is_carrier(path, star) for star in scoped.stars
                )
                if taken or starred:
                    self._carriers.add(path)
                    grown = True

    def _is_carrier(self, path: str, binding: Binding) -> bool:
        """Whether what is imported in `path` is a module that has the global."""
        return self._leads_to(path, binding.level, binding.module)

    def _leads_to(self, path: str, level: int, module: str) -> bool:
        modules = self._finder.modules
        if level:
            stem = modules.relative(path, level, module)
            return stem is not None and modules.at(stem) in self._carriers
        return any(module in modules.names(carrier) for carrier in self._carriers)

    def _judge_global(self, path: str, scoped: Scoped, use: Use) -> None:
        if use.role == "import":
            if use.source is not None and self._is_carrier(path, use.source):
                self._take(path, use.spot)
        elif use.role == "name":
            owner = use.scope.owner(self._name)
            if self._means_global(path, scoped, owner):
                self._take(path, use.spot)
        elif use.role == "attribute":
            self._judge_attribute(path, use)
        elif use.role == "string" and self._is_export(path, scoped, use):
            self._take(path, use.spot)

    def _means_global(self, path: str, scoped: Scoped, owner: Scope | None) -> bool:
        if owner is None:
            return path in self._carriers
        binding = owner.imported.get(self._name)
        if binding is not None:
            return binding.member == self._name and self._is_carrier(path, binding)
        return owner is scoped.root and path in self._carriers

    def _judge_attribute(self, path: str, use: Use) -> None:
        assert isinstance(use.node, ast.Attribute)
        dotted = _dotted(use.node.value)
        if dotted is None:
            return
        first, *rest = dotted
        owner = use.scope.owner(first)
        binding = owner.imported.get(first) if owner is not None else None
        if binding is None:
            return
        module = ".".join(filter(None, [binding.module, binding.member, *rest]))
        if self._leads_to(path, binding.level, module):
            self._take(path, use.spot)

    def _is_export(self, path: str, scoped: Scoped, use: Use) -> bool:
        """Whether a string names the global: in a carrier's `__all__`, or by its full dotted name."""
        assert isinstance(use.node, ast.Constant)
        before = scoped.lines[use.spot.line][: use.spot.column]
        value = str(use.node.value)
        if value == self._name:
            return path in self._carriers and any(
                use.node in ast.walk(node) for node in _exports(scoped.tree)
            )
        prefix = _dotted_before(before)
        names = (name for carrier in self._carriers for name in self._finder.modules.names(carrier))
        return bool(prefix) and prefix in set(names)

    def _family(self, scope: Scope) -> tuple[set[str], list[str]]:
        """Names of the classes that share the member by inheritance, and where it is defined besides."""
        places = self._finder.store.definitions(self._name)
        bases = self._bases()
        family = {scope.node.name} if isinstance(scope.node, ast.ClassDef) else set()
        grown = True
        while grown:
            more = {child for child, parents in bases.items() if parents & family}
            holders = {p.symbol.split(".")[-2] for p in places if "." in p.symbol}
            more |= {parent for child in family for parent in bases.get(child, ()) if parent in holders}
            grown = not more <= family
            family |= more
        others = [
            f"{p.path}:{p.start + 1} {p.symbol}"
            for p in places
            if "." not in p.symbol or p.symbol.split(".")[-2] not in family
        ]
        return family, others

    def _bases(self) -> dict[str, set[str]]:
        """Bare names of each class's bases, in the files that use the name or define a class there."""
        found: dict[str, set[str]] = {}
        for _, scoped in self._finder.files_with(self._name):
            for scope in scoped.scopes:
                if isinstance(scope.node, ast.ClassDef):
                    names = {parts[-1] for base in scope.node.bases if (parts := _dotted(base))}
                    found.setdefault(scope.node.name, set()).update(names)
        return found

    def _take(self, path: str, spot: Spot) -> None:
        self.found.spots.setdefault(path, []).append(spot)

    def _doubt(self, path: str, scoped: Scoped, spot: Spot) -> None:
        self.found.unclear.append(f"{path}:{spot.line + 1} {scoped.lines[spot.line].strip()}")


def _scope_of(own: Scoped, symbol: str) -> Scope:
    """The scope that holds the symbol's last name."""
    holder, _, name = symbol.rpartition(".")
    for scope in own.scopes:
        is_holder = scope.symbol == holder and scope.kind in ("module", "class")
        if is_holder and name in scope.bound:
            return scope
    raise TargetError(
        f"{symbol!r} is not a name of a module or class; uses of local names are within their region"
    )


def _judge_member(use: Use, family: set[str], *, unique: bool) -> Literal["yes", "no", "unclear"]:
    name = use.spot.name
    if use.role == "name":
        owner = use.scope.owner(name)
        inside = owner is not None and owner.kind == "class" and owner.symbol.rpartition(".")[2] in family
        return "yes" if inside else "no"
    if use.role == "string":
        return "yes" if unique and _names_attribute(use) else "no"
    if use.role != "attribute":
        return "no"
    assert isinstance(use.node, ast.Attribute)
    return _judge_object(use, use.node.value, family, unique=unique)


def _judge_object(
    use: Use, value: ast.expr, family: set[str], *, unique: bool
) -> Literal["yes", "no", "unclear"]:
    around = use.scope.enclosing_class
    inside = around is not None and around.symbol.rpartition(".")[2] in family
    if isinstance(value, ast.Name) and value.id in ("self", "cls"):
        if around is not None:
            return "yes" if inside else "no"
    elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "super":
        return "yes" if inside else "no"
    dotted = _dotted(value)
    if dotted is not None and dotted[-1] in family:
        return "yes"
    if dotted is not None and (owner := use.scope.owner(dotted[0])) is not None:
        binding = owner.imported.get(dotted[0])
        if binding is not None and not binding.member and not binding.level and len(dotted) == 1:
            return "no"  # a module's own function
    if isinstance(value, ast.Constant | ast.JoinedStr | ast.List | ast.Dict | ast.Tuple | ast.Set):
        return "no"
    return "yes" if unique else "unclear"


def _names_attribute(use: Use) -> bool:
    """Whether a string is the attribute's name in a call like `getattr(x, "name")`."""
    assert isinstance(use.node, ast.Constant)
    return use.node.value == use.spot.name and use.argument_of in _BY_NAME


def _called(use: Use) -> str:
    """The last name of the function that a keyword is given to."""
    assert isinstance(use.node, ast.Call)
    function = use.node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _overrides(use: Use, method: str, family: set[str]) -> bool:
    """Whether a name is the parameter of a method of that name in a class of the family."""
    *_, holder, name = ["", *use.scope.symbol.split(".")][-2:]
    return (
        use.scope.kind == "function"
        and name == method
        and holder in family
        and use.spot.name in use.scope.bound
    )


def _called_at(use: Use, scoped: Scoped) -> tuple[int, int]:
    """Where the name of the function stands that a keyword is given to."""
    assert isinstance(use.node, ast.Call)
    function = use.node.func
    line = function.end_lineno or 1
    return line - 1, column_of(scoped.lines, line, function.end_col_offset or 0) - len(_called(use))


def _dotted(node: ast.expr) -> list[str] | None:
    """The names of `a.b.c`; None for anything else."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return [node.id, *reversed(names)] if isinstance(node, ast.Name) else None


def _dotted_before(text: str) -> str:
    """The dotted name that a text ends in, before its last dot; empty where there is none."""
    end = len(text)
    start = end
    while start and (text[start - 1].isalnum() or text[start - 1] in "._"):
        start -= 1
    return text[start:end].removesuffix(".") if text[:end].endswith(".") else ""


def _exports(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a module that give `__all__` its value."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        called = value.func if isinstance(node, ast.Expr) and isinstance(value, ast.Call) else None
        if isinstance(called, ast.Attribute):
            targets = [called.value]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            yield node
