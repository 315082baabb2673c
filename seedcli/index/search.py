"""Where an instruction may be meant to apply: units of the index by what the instruction names and says.

Knows nothing of models; see `seedcli.finding.picking` for what a model adds, and for the weights.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from seedcli.index.store import Store, Unit
from seedcli.index.words import names_in, parts, query_terms

TEXT, SYMBOL = (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)
"""What BM25 looks at: the words of a unit's text; of its symbol."""
EVERYTHING = (2.0, 0.5, 1.0)
"""For finding candidates: symbol, path and text together."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for one unit, apart from a model's reading; each to be weighed."""

    text: float
    """BM25 of its text over the best unit's, in [0, 1]."""
    symbol: float
    """BM25 of its symbol over the best unit's, in [0, 1]."""
    named: float
    """1 if the instruction names the unit's symbol, 0.5 if what it stands in, 0.25 if something it uses, else 0."""
    covered: float
    """Share of the parts of the symbol's own name that the instruction says, in [0, 1]."""
    length: float
    """Logarithm of the number of lines."""
    is_definition: float
    """1 for a function, 0 for what stands between."""


def gather(store: Store, instruction: str, limit: int) -> list[tuple[Unit, Evidence]]:
    """The units that have most words in common with the instruction, or are named in it, and what speaks for them."""
    found = [unit for unit, _ in store.search(query_terms(instruction), EVERYTHING, limit)]
    named = [unit for name in names_in(instruction) for unit in _named_units(store, name)]
    units = list(dict.fromkeys([*found, *named[:limit]]))
    return list(zip(units, evidence(store, instruction, units, limit), strict=True))


def evidence(store: Store, instruction: str, units: Sequence[Unit], limit: int) -> list[Evidence]:
    """What speaks for each of some units.

    Args:
        limit: units that BM25 is worked out for; beyond the best that many it counts as 0.
    """
    names, terms = names_in(instruction), query_terms(instruction)
    text, symbol = (_relative(store.search(terms, fields, limit)) for fields in (TEXT, SYMBOL))
    users = {name: store.uses(name.rpartition(".")[2]) for name in names}
    stems = {_stem(term) for term in terms}
    return [
        Evidence(
            text.get(unit, 0.0),
            symbol.get(unit, 0.0),
            max((_named(unit, name, users[name]) for name in names), default=0.0),
            _covered(unit, stems),
            math.log(unit.end - unit.start),
            float(bool(unit.symbol)),
        )
        for unit in units
    ]


def _relative(found: Sequence[tuple[Unit, float]]) -> dict[Unit, float]:
    best = found[0][1] if found else 0.0
    return {unit: score / best if best > 0 else 0.0 for unit, score in found}


def _named_units(store: Store, name: str) -> list[Unit]:
    """The units in which a definition of that name begins."""
    places = store.definitions(name.rpartition(".")[2])
    return [
        unit
        for place in places
        if f".{place.symbol}".endswith(f".{name}") or "." not in name
        for unit in store.units(place.path)
        if unit.start <= place.start < unit.end
    ]


def _named(unit: Unit, name: str, users: dict[str, list[int]]) -> float:
    if unit.symbol and f".{unit.symbol}".endswith(f".{name}"):
        return 1.0
    if unit.symbol and name.rpartition(".")[2] in unit.symbol.split("."):
        return 0.5
    return 0.25 if any(unit.start <= line < unit.end for line in users.get(unit.path, ())) else 0.0


def _covered(unit: Unit, terms: set[str]) -> float:
    own = parts(unit.symbol.rpartition(".")[2]).split()
    own = own[:-1] if len(own) > 1 else own  # the last is the whole name
    return sum(_stem(part) in terms for part in own) / len(own) if unit.symbol and own else 0.0


def _stem(word: str) -> str:
    """Enough to take plurals and simple verb forms together."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
