"""What may stand for a file, a symbol, a recipe, a model or a run. Asks neither git nor a model, lest TAB be slow."""

import os
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prompts.recipes import Recipe, load_recipes

SHELLS = ("bash", "zsh", "fish")
_HIDDEN = {"__pycache__", ".git"}
_LONGEST = 1 << 20
"""Bytes of a file whose symbols are looked for."""


class Word(NamedTuple):
    """One word that may stand at the cursor."""

    text: str
    help: str = ""


def files(current: str) -> Iterator[Word]:
    """Files and folders whose path begins with `current`; folders end in a slash."""
    folder, _, start = current.rpartition("/")
    where = folder + "/" if "/" in current else ""
    try:
        entries = sorted(os.scandir(os.path.expanduser(where) or "."), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name in _HIDDEN or (entry.name.startswith(".") and not start.startswith(".")):
            continue
        if entry.name.startswith(start):
            yield Word(where + entry.name + ("/" if entry.is_dir() else ""))


def targets(current: str) -> Iterator[Word]:
    """Files and folders; after `FILE::` the symbols of that file."""
    path, colons, _ = current.partition("::")
    if not colons:
        yield from files(current)
        return
    from seedcli.repository.outline import outline

    try:
        if os.path.getsize(path) > _LONGEST:
            return
        with tokenize.open(path) as file:
            text = file.read()
    except (OSError, SyntaxError, UnicodeDecodeError):
        return
    for definition in outline(text):
        if definition.symbol:
            yield Word(f"{path}::{definition.symbol}", f"{definition.kind}, line {definition.start + 1}")


def recipes() -> Iterator[Word]:
    """The recipes, the project's own among them."""
    yield from (Word(name, recipe.summary) for name, recipe in _recipes().items())


def recipe(name: str) -> Recipe:
    """The recipe of that name, which is known."""
    return _recipes()[name]


def variables(name: str, given: Sequence[str]) -> Iterator[Word]:
    """The variables of a recipe that are not given yet; none of what is no recipe."""
    known = _recipes()
    for variable, meaning in known[name].variables.items() if name in known else ():
        if not any(word.startswith(variable + "=") for word in given):
            yield Word(variable + "=", meaning)


def models() -> Iterator[Word]:
    """The models with a name."""
    from seedcli.model_client import known_models

    yield from (Word(name, str(path)) for name, path in known_models().items())


def runs(*, done: bool) -> Iterator[Word]:
    """The runs that can be undone, or those that can be written again."""
    from seedcli.delivering import journal_of
    from seedcli.repository.workspace import Workspace

    for run in journal_of(Workspace.discover(Path.cwd())).runs():
        if run.state == ("applied" if done else "undone"):
            yield Word(run.id, f"{run.label}: {', '.join(run.files)}")


def _recipes() -> dict[str, Recipe]:
    here = Path.cwd()
    tops = (folder for folder in (here, *here.parents) if (folder / ".git").exists())
    return load_recipes([next(tops, here) / ".seed" / "prompts"])
