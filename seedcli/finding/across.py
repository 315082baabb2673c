"""Edits that reach beyond the targets: what an instruction without targets may mean, and what uses a target.

Opens the index of the repository and brings it up to date; nothing else waits for it. Knows nothing of flags.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from prompts.recipes import Recipe, find_recipe, load_recipes
from seedcli.errors import TargetError
from seedcli.finding.picking import Picked, pick, region_of
from seedcli.finding.renaming import Rename, plan
from seedcli.index.search import gather
from seedcli.index.store import Store
from seedcli.index.uses import Finder, Wanted
from seedcli.model_client import ModelClient
from seedcli.proposing import Task
from seedcli.report import say
from seedcli.repository.regions import Region, find_symbol, regions_of
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import parse_target
from seedcli.repository.workspace import Workspace
from seedcli.syntax.languages import language_of

LOOKED_AT = 300
"""Regions that are weighed, of those that have most words in common with the instruction."""
RENAME = "rename"
"""The recipe whose result the index knows beforehand."""
_SLOW = 500
"""Files from which on a person is told that the index is being made."""


@contextmanager
def opened_index(workspace: Workspace) -> Iterator[Store]:
    """The repository's index as of now."""
    with closing(Store.open(workspace)) as store:
        store.refresh(_progress)
        yield store


def candidates(
    workspace: Workspace, instruction: str, recipe: Recipe | None, model: ModelClient
) -> list[Picked]:
    """The regions that the instruction is most probably about, best first.

    Raises:
        TargetError: nothing in the repository has a word of it.
    """
    read = _reader(workspace)
    with opened_index(workspace) as store:
        found = gather(store, instruction, LOOKED_AT)
    may = [(unit, one) for unit, one in found if recipe is None or recipe.accepts(unit.path)]
    placed = []
    seen: set[tuple[str, int]] = set()
    for unit, one in may:
        source = read(unit.path)
        region = region_of(source, unit.start, unit.end)
        if (unit.path, region.start) not in seen:
            seen.add((unit.path, region.start))
            placed.append((one, source, region))
    known = recipe is not None and recipe.name in model.info.recipes
    return pick(placed, instruction, model, known=known)


def rename_of(
    workspace: Workspace, instruction: str, targets: Sequence[str], *, partial: bool
) -> Rename | None:
    """The rename of one definition, or of one of its parameters, with all its uses; None if it is no rename.

    Args:
        partial: leave alone what may mean another name, instead of refusing.

    Raises:
        TargetError: not exactly one symbol is named, or the rename cannot be whole.
    """
    words = find_recipe(load_recipes(), RENAME).values_of(instruction)
    if words is None or not all(re.fullmatch(r"[\w.]+", word) for word in words.values()):
        return None
    if len(targets) != 1 or parse_target(targets[0]).symbol is None:
        raise TargetError("a rename with its uses needs the one definition as target, as FILE::SYMBOL")
    old, new = (words[name].removeprefix("self.") for name in ("old", "new"))
    wanted = _wanted(workspace, targets[0], old)
    with opened_index(workspace) as store:
        return plan(store, _reader(workspace), wanted, new, partial=partial)


def with_users(workspace: Workspace, targets: Sequence[str]) -> list[Task]:
    """The regions of some definitions and all regions that use them, by file.

    Raises:
        TargetError: a target is no symbol of a Python file.
    """
    read = _reader(workspace)
    files: dict[str, dict[int, Region]] = {}
    with opened_index(workspace) as store:
        finder = Finder(store, lambda path: read(path).text)
        for target in targets:
            uses = finder.find(_wanted(workspace, target))
            for line in uses.unclear:
                say(f"left alone, may be another: {line}")
            for path, spots in uses.spots.items():
                whole = regions_of(read(path))
                lines = {spot.line for spot in spots}
                using = [r for r in whole if any(r.start <= line < r.end for line in lines)]
                files.setdefault(path, {}).update({r.start: r for r in using})
    return [
        Task(read(path), tuple(regions[start] for start in sorted(regions)))
        for path, regions in sorted(files.items())
        if regions
    ]


def _wanted(workspace: Workspace, target: str, old: str = "") -> Wanted:
    """What a target names: a definition, or with another name `old` one of its parameters."""
    named = parse_target(target)
    if named.symbol is None:
        raise TargetError(f"{target}: uses are those of a definition; write FILE::SYMBOL")
    path = workspace.resolve(named.path, relative_to=Path.cwd())
    name = workspace.relative(path)
    language = language_of(name)
    if language is None or language.name != "python":
        raise TargetError(f"{name} is not Python; uses can be told in Python only")
    source = SourceFile.read(workspace, path)
    symbol = _symbol(source, named.symbol)
    if old and old != symbol.rpartition(".")[2]:
        return Wanted(name, symbol, old)
    return Wanted(name, symbol)


def _symbol(source: SourceFile, symbol: str) -> str:
    """The full symbol; a name that is no function or class may be a variable of the module."""
    try:
        return find_symbol(source, symbol).symbol
    except TargetError:
        if re.search(rf"^{re.escape(symbol)}\b\s*[:=]", source.text, re.M):
            return symbol
        raise


def _reader(workspace: Workspace) -> Callable[[str], SourceFile]:
    """A function that reads a file by its path relative to the root, each once."""
    known: dict[str, SourceFile] = {}

    def read(path: str) -> SourceFile:
        if path not in known:
            known[path] = SourceFile.read(workspace, workspace.root / path)
        return known[path]

    return read


def _progress(done: int, total: int) -> None:
    if total >= _SLOW and sys.stderr.isatty():
        print(f"\rseed: index: {done} of {total} files", end="\n" if done == total else "", file=sys.stderr)
