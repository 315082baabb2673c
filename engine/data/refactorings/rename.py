"""Rename one variable, parameter, function or attribute throughout a region.

A name is taken only where it has one meaning in the whole region, so that there is one right answer. Strings
and comments stay; so do attributes and keyword names of other calls that happen to be spelled the same.
"""

import random
import symtable
import warnings
from collections.abc import Callable, Iterator, Sequence

from engine.data.refactorings import names as naming
from engine.data.refactorings.pair import Pair
from engine.data.refactorings.source import Edit, Occurrence, Source, UnrewritableError, apply, read

KINDS = {"variable": 0.45, "parameter": 0.30, "function": 0.15, "attribute": 0.10}
"""What is renamed, with shares."""

_REFLECTION = frozenset({"locals", "vars", "globals", "eval", "exec", "match"})
_INSTANCE = ("self", "cls")


def make(text: str, rng: random.Random, names: Sequence[str] = ()) -> Pair | None:
    """A pair with variables `old`, `new` and `kind`; None where nothing in the region has one meaning only.

    Args:
        names: identifiers seen in real code, from which half of the new names are drawn.
    """
    source = read(text)
    if source is None or source.definition is None:
        return None
    try:
        return _make(source, rng, names)
    except UnrewritableError:
        return None


def idle(text: str, rng: random.Random) -> dict[str, str] | None:
    """Variables that ask for a new name of what the region does not hold; None where the dice find none."""
    old = naming.absent_name(text, rng) if read(text) is not None else None
    if old is None:
        return None
    kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
    words = naming.identifiers(text)
    if words and rng.random() < 0.2:
        new: str | None = rng.choice(words)
    else:
        new = naming.fresh_name(old, text, rng, verb=kind == "function")
    if new in (None, old):
        return None
    dot = "self." if kind == "attribute" and rng.random() < 0.5 else ""
    return {"old": dot + old, "new": f"{dot}{new}", "kind": kind}


def rewrite(text: str, old: str, new: str) -> str | None:
    """The region with `old` renamed wherever it means the same; None where it has no or several meanings.

    Args:
        old, new: identifiers, both with `self.` before them for an attribute.
    """
    source = read(text)
    if source is None or source.definition is None:
        return None
    try:
        for finder in _FINDERS.values():
            places = finder(source).get(old.removeprefix("self."))
            if places and (finder is _attributes or not old.startswith("self.")):
                return _renamed(source, places, new.removeprefix("self."))
    except UnrewritableError:
        return None
    return None


def _make(source: Source, rng: random.Random, names: Sequence[str]) -> Pair | None:
    if any(spot.role == "name" and spot.name in _REFLECTION for spot in source.occurrences):
        return None
    for kind in _kinds_by_chance(rng):
        found = _FINDERS[kind](source)
        if found:
            old = rng.choice(sorted(found))
            new = naming.fresh_name(old, source.text, rng, verb=kind == "function", names=names)
            return _pair(source, kind, old, new, found[old], rng) if new is not None else None
    return None


def _kinds_by_chance(rng: random.Random) -> list[str]:
    """All kinds, each first with its share; the others are there for regions that lack it."""
    return sorted(KINDS, key=lambda kind: rng.random() ** (1 / KINDS[kind]), reverse=True)


def _pair(
    source: Source, kind: str, old: str, new: str, places: list[Occurrence], rng: random.Random
) -> Pair | None:
    after = _renamed(source, places, new)
    if after is None:
        return None
    # A bare word means the variable where there is one: then the attribute has to be called self.word.
    bare = any(spot.name == old and spot.role == "name" for spot in source.occurrences)
    dot = "self." if kind == "attribute" and (bare or rng.random() < 0.5) else ""
    return Pair("rename", {"old": dot + old, "new": dot + new, "kind": kind}, source.text, after)


def _renamed(source: Source, places: list[Occurrence], new: str) -> str | None:
    after = apply(source.text, (Edit(spot.start, spot.start + len(spot.name), new) for spot in places))
    return after if read(after) is not None else None


def _variables(source: Source) -> dict[str, list[Occurrence]]:
    return _bound_names(source, parameters=False)


def _parameters(source: Source) -> dict[str, list[Occurrence]]:
    return _bound_names(source, parameters=True)


def _bound_names(source: Source, *, parameters: bool) -> dict[str, list[Occurrence]]:
    """The local names that one scope binds and that mean nothing else anywhere in the region."""
    scopes = list(_scopes(source))
    found = {}
    for scope in scopes:
        if scope.get_type() != "function":
            continue
        for symbol in scope.get_symbols():
            name = symbol.get_name()
            if symbol.is_local() and symbol.is_parameter() == parameters and _renamable(symbol):
                places = [spot for spot in source.occurrences if spot.name == name and spot.role == "name"]
                if places and _one_meaning(scope, name, scopes) and not _imported(source, name):
                    found[name] = places + (_keywords(source, scope, name) if parameters else [])
    return found


def _renamable(symbol: symtable.Symbol) -> bool:
    name = symbol.get_name()
    return not (name in _INSTANCE or name == "_" or name.startswith(("__", ".")) or symbol.is_imported())


def _one_meaning(scope: symtable.SymbolTable, name: str, scopes: list[symtable.SymbolTable]) -> bool:
    """Whether every other scope that uses the name means `scope`'s."""
    inside = {table.get_id() for table in _below(scope)}
    others = [other for other in scopes if other is not scope and name in other.get_identifiers()]
    return all(other.get_id() in inside and other.lookup(name).is_free() for other in others)


def _keywords(source: Source, scope: symtable.SymbolTable, parameter: str) -> list[Occurrence]:
    """The keyword arguments by which the function that has the parameter is called in the region."""
    own = {scope.get_name(), *(f"{instance}.{scope.get_name()}" for instance in _INSTANCE)}
    return [
        spot
        for spot in source.occurrences
        if spot.name == parameter and spot.role == "keyword" and spot.owner in own
    ]


def _imported(source: Source, name: str) -> bool:
    return any(spot.role == "import" and spot.name == name for spot in source.occurrences)


def _scopes(source: Source) -> Iterator[symtable.SymbolTable]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            top = symtable.symtable(source.wrapped, "region", "exec")
    except SyntaxError as error:
        raise UnrewritableError(str(error)) from error
    yield top
    yield from _below(top)


def _below(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _below(child)


def _function(source: Source) -> dict[str, list[Occurrence]]:
    """The region's own function, where it is defined and where it calls itself."""
    definition = source.definition
    if definition is None or not hasattr(definition, "args") or definition.name.startswith("__"):
        return {}
    name = definition.name
    spots = [spot for spot in source.occurrences if spot.name == name]
    if _imported(source, name) or not _clear_owner(source, spots):
        return {}
    scopes = list(_scopes(source))
    if any(name in scope.get_identifiers() and _binds(scope.lookup(name)) for scope in scopes[1:]):
        return {}
    is_definition = next(spot for spot in spots if spot.role == "name" and spot.start >= _def_start(source))
    if _is_method(source):
        calls = [spot for spot in spots if spot.role == "attribute" and spot.owner in _INSTANCE]
        return {name: [is_definition, *calls]}
    return {name: [spot for spot in spots if spot.role == "name"]}


def _def_start(source: Source) -> int:
    """Where `def` stands, behind the decorators."""
    assert source.definition is not None, "asked for a region that is a definition"
    return source.span(source.definition)[0]


def _clear_owner(source: Source, spots: list[Occurrence]) -> bool:
    """Whether neither a decorator nor `super()` ties the function's name to something outside the region."""
    start = _def_start(source)
    return all(spot.start > start and not spot.owner.startswith("super(") for spot in spots)


def _binds(symbol: symtable.Symbol) -> bool:
    return symbol.is_assigned() or symbol.is_parameter()


def _is_method(source: Source) -> bool:
    definition = source.definition
    if definition is None or not source.wrapper or not hasattr(definition, "args"):
        return False
    arguments = [*definition.args.posonlyargs, *definition.args.args]
    return bool(definition.decorator_list) or (bool(arguments) and arguments[0].arg in _INSTANCE)


def _attributes(source: Source) -> dict[str, list[Occurrence]]:
    """Attributes of `self` that hold data and belong to no other object in the region."""
    found: dict[str, list[Occurrence]] = {}
    for spot in source.occurrences:
        if spot.role == "attribute" and not spot.name.startswith("__"):
            found.setdefault(spot.name, []).append(spot)
    classes = [scope for scope in _scopes(source) if scope.get_type() == "class"]
    return {
        name: spots
        for name, spots in found.items()
        if _own_data(source, name, spots) and not any(name in scope.get_identifiers() for scope in classes)
    }


def _own_data(source: Source, name: str, spots: list[Occurrence]) -> bool:
    text = source.text
    if any(spot.owner != "self" or text[spot.start + len(name) :].startswith("(") for spot in spots):
        return False
    return f'"{name}"' not in text and f"'{name}'" not in text


_FINDERS: dict[str, Callable[[Source], dict[str, list[Occurrence]]]] = {
    "variable": _variables,
    "parameter": _parameters,
    "function": _function,
    "attribute": _attributes,
}
