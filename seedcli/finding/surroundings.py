"""What a model sees around a region: the file's imports, what the region uses, who calls it, within a budget.

What matters most stands last, next to the region: a model that reads less than it is given loses the beginning. Reads
the region's own file and the files that it imports; callers are known only as far as an index is there already, which
nothing waits for. Knows nothing of tokens but how many characters one has about.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from seedcli.finding.imports import imported
from seedcli.finding.readings import Readings
from seedcli.index.store import Store
from seedcli.proposing import Task
from seedcli.repository.regions import Region
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace
from seedcli.syntax.languages import language_of
from seedcli.syntax.symbols import Definition, Symbols, read

CHARACTERS = 3
"""Of a token of code, rather too few than too many."""
MAX_BODY = 20
"""Lines up to which a definition is shown whole; of a longer one the signature."""
MAX_CALLERS = 8


@dataclass(slots=True)
class Surroundings:
    """Finds what is around regions of one workspace."""

    workspace: Workspace
    budget: int
    """Characters that all of it may have."""

    _read: Readings = field(init=False)

    def __post_init__(self) -> None:
        self._read = Readings(self.workspace)

    def __call__(self, source: SourceFile, region: Region) -> str:
        """The text for one region; empty where nothing is around it that it uses."""
        symbols = read(source.text, language_of(source.name))
        pieces = [*self._imports(source, symbols), *self._used(source, symbols, region)]
        return self._fit([*pieces, *self._callers(source, region)])

    def _imports(self, source: SourceFile, symbols: Symbols) -> Iterator[str]:
        lines = source.text.split("\n")
        text = "\n".join("\n".join(lines[i.start : i.end]) for i in symbols.imports)
        if text:
            yield text

    def _used(self, source: SourceFile, symbols: Symbols, region: Region) -> Iterator[str]:
        """The definitions that the region's names mean, in its own file and in those it imports from."""
        names = {
            name
            for name, lines in symbols.references.items()
            if any(region.start <= line < region.end for line in lines)
        }
        around = [d for d in symbols.definitions if d.start < region.start and region.end <= d.end]
        own = [d for d in symbols.definitions if not region.start <= d.start < region.end]
        yield from (_shown(source, d) for d in own if d.name in names and d not in around)
        for path, name in imported(source.name, symbols):
            if name not in names or (found := self._read(path)) is None:
                continue
            other, its = found
            yield from (_shown(other, d) for d in its.definitions if d.symbol == name)
        yield from ("\n".join(source.text.split("\n")[d.start : d.body]) for d in around)

    def _callers(self, source: SourceFile, region: Region) -> Iterator[str]:
        """Lines that use the region's name, as far as an index knows; none that have changed since."""
        name = region.symbol.rpartition(".")[2]
        if not name or (store := Store.peek(self.workspace)) is None:
            return
        with closing(store):
            uses = store.uses(name)
        found = []
        for path, numbers in uses.items():
            known = self._read(path)
            lines = known[0].text.split("\n") if known is not None else []
            for number in numbers:
                inside = path == source.name and region.start <= number < region.end
                if not inside and number < len(lines) and re.search(rf"\b{name}\(", lines[number]):
                    found.append(lines[number].strip())
        if found:
            yield "\n".join(f"# used as: {line}" for line in dict.fromkeys(found[:MAX_CALLERS]))

    def _fit(self, pieces: list[str]) -> str:
        """The pieces that fit, the last ones first, in their order."""
        kept: list[str] = []
        left = self.budget
        for piece in reversed(pieces):
            if len(piece) + 2 <= left:
                kept.append(piece)
                left -= len(piece) + 2
        return "".join(f"{piece.strip(chr(10))}\n\n" for piece in reversed(kept))


def with_surroundings(workspace: Workspace, tasks: Sequence[Task], tokens: int, taken: int) -> list[Task]:
    """The tasks with what is around their regions beside each.

    Args:
        tokens: what the model reads of context; with 0 nothing is looked for.
        taken: characters that are shown with every region already.
    """
    if not tokens:
        return list(tasks)
    told = max((len(text) for task in tasks for text in task.beside), default=0)
    around = Surroundings(workspace, max(0, tokens * CHARACTERS - taken - told))
    return [replace(task, beside=tuple(_beside(task, around))) for task in tasks]


def _beside(task: Task, around: Surroundings) -> Iterator[str]:
    for i, region in enumerate(task.regions):
        told = task.beside[i] if task.beside else ""
        yield told + around(task.source, region)


def _shown(source: SourceFile, d: Definition) -> str:
    lines = source.text.split("\n")
    return "\n".join(lines[d.start : d.end if d.end - d.start <= MAX_BODY else d.body])
