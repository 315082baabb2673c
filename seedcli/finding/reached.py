"""The functions that some lines use, and what these use in turn: where to look for what a failing test is about.

Names and paths tell, no types: of a class that is used, the methods whose names stand on the way there. Knows nothing
of failures or models.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seedcli.finding.imports import imported
from seedcli.finding.readings import Readings
from seedcli.repository.workspace import Workspace
from seedcli.syntax.symbols import Definition, Symbols

STEPS = 3
"""From a test to what it uses, to what that uses, and once more."""
MOST = 12
"""Functions; those that are fewer steps away come first."""
Lines = tuple[int, int]


@dataclass(slots=True)
class Reached:
    """Follows names in one workspace."""

    workspace: Workspace
    _read: Readings = field(init=False)

    def __post_init__(self) -> None:
        self._read = Readings(self.workspace)

    def functions(self, places: Sequence[tuple[Path, int]]) -> dict[str, list[Lines]]:
        """Functions that are reached from those around the places, by file, without them.

        Args:
            places: files, and lines from 0.
        """
        found: dict[tuple[str, Lines], None] = {}
        around = [(self.workspace.relative(path), line) for path, line in places]
        ring = list(dict.fromkeys((path, self._around(path, line)) for path, line in around))
        seen, said = set(ring), set[str]()
        for _ in range(STEPS):
            said.update(*(self._names(*start) for start in ring))
            ring = [one for start in ring for one in self._used(*start, said)]
            ring = [one for one in dict.fromkeys(ring) if one not in seen]
            seen.update(ring)
            found |= dict.fromkeys(ring)
        by_file: dict[str, list[Lines]] = {}
        for path, lines in list(found)[:MOST]:
            by_file.setdefault(path, []).append(lines)
        return by_file

    def _around(self, path: str, line: int) -> Lines:
        """The outermost function around a line; else the line."""
        symbols = self._symbols(path)
        holding = (
            (d for d in symbols.definitions if d.kind == "function" and d.start <= line < d.end)
            if symbols
            else ()
        )
        return next(((d.start, d.end) for d in holding), (line, line + 1))

    def _names(self, path: str, lines: Lines) -> set[str]:
        symbols = self._symbols(path)
        spots = symbols.references.items() if symbols else ()
        return {name for name, where in spots if any(lines[0] <= line < lines[1] for line in where)}

    def _used(self, path: str, lines: Lines, said: set[str]) -> Iterator[tuple[str, Lines]]:
        """The functions that some lines name, in their own file and in those it imports from.

        Args:
            said: names on the way there: `make().fill()` names a method of a class that `make` names.
        """
        symbols, names = self._symbols(path), self._names(path, lines)
        if symbols is None:
            return
        for definition in _meant(symbols, names, said):
            if not lines[0] <= definition.start < lines[1]:
                yield path, (definition.start, definition.end)
        for file, name in imported(path, symbols):
            other = self._symbols(file) if not name or name in names else None
            if other is not None:
                for definition in _meant(other, {name} if name else names, said):
                    yield file, (definition.start, definition.end)

    def _symbols(self, path: str) -> Symbols | None:
        found = self._read(path)
        return found[1] if found is not None else None


def _meant(symbols: Symbols, names: set[str], used: set[str]) -> Iterator[Definition]:
    """Functions of these names; of classes of these names what is used, and what makes one."""
    for d in symbols.definitions:
        owner = d.symbol.rpartition(".")[0]
        if d.kind == "function" and d.is_outermost:
            is_method = owner in names and (d.name in used or d.name == "__init__")
            if (not owner and d.name in names) or is_method:
                yield d
