"""Words of a command line: a recipe with its variables, an instruction, targets, those on stdin among them."""

import functools
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.laws.values import values_fault
from engine.requests import Law
from prompts.recipes import TEXT, Recipe, RecipeError, find_recipe, load_recipes
from seedcli.errors import SeedError, TargetError
from seedcli.repository.quoting import target_unquoted
from seedcli.repository.workspace import Workspace

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*=")
"""How a recipe's variable begins on the command line."""


def refuse_text(recipe: Recipe) -> None:
    """Raises SeedError for a recipe whose answer is no edit."""
    if recipe.gives == TEXT:
        raise SeedError(f"recipe {recipe.name!r} gives text, no edit: `git diff | seed ask {recipe.name} -`")


def render_recipe(workspace: Workspace, name: str, variables: Mapping[str, str]) -> tuple[Recipe, str]:
    """The recipe of that name, the workspace's own among them, and its instruction.

    Raises:
        SeedError: there is no such recipe, or its variables do not fit.
    """
    try:
        recipe = find_recipe(load_recipes([workspace.root / ".seed" / "prompts"]), name)
        instruction = recipe.render(variables)
    except RecipeError as error:
        raise SeedError(str(error)) from error
    if recipe.law and (why := values_fault(recipe.law, variables)):
        raise SeedError(f"recipe {name!r}: {why}")
    return recipe, instruction


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a recipe says of the regions that it is for, and of its edits."""

    concerns: Callable[[str], bool] = lambda _text: True
    """Whether there may be something to do in a text."""
    may_change: tuple[str, ...] | None = None
    """As in `EditRequest`."""
    law: Law | None = None
    """As in `EditRequest`."""


def bounds_of(workspace: Workspace, instruction: str) -> Bounds:
    """Those of the recipe that the instruction says, if it says one.

    With variables only its first phrasing counts: "use enumerate instead of indexing" is none of `rename`.

    Raises:
        SeedError: a recipe of the workspace is broken.
    """
    try:
        recipes = load_recipes([workspace.root / ".seed" / "prompts"]).values()
    except RecipeError as error:
        raise SeedError(str(error)) from error
    for recipe in recipes:
        values = recipe.values_of(instruction, rendered=bool(recipe.variables))
        if values is not None:
            concerns = functools.partial(recipe.concerns, values=values)
            law = Law(recipe.law, tuple(values.items())) if recipe.law else None
            return Bounds(concerns, recipe.changeable(values), law)
    return Bounds()


def pair(word: str) -> tuple[str, str]:
    """Name and value of a recipe's variable as it was typed."""
    name, _, value = word.partition("=")
    return name, value


def with_stdin(targets: Sequence[str], *, missing: str = "", may_lack: bool = False) -> list[str]:
    """The targets, with those on stdin in the place of `-`. Stdin is read only then."""
    if not targets and may_lack:
        return []
    if not targets:
        raise TargetError(
            f"no target {missing}; name a file, FILE::SYMBOL, a directory, - for stdin, or let --top K choose"
        )
    if targets.count("-") > 1:
        raise TargetError("target '-' is given twice; stdin can be read once")
    found: list[str] = []
    for target in targets:
        found += _stdin_lines() if target == "-" else [target]
    if not found:
        raise TargetError("target '-': no targets on stdin; write one a line")
    return found


def stdin_bytes(what: str, cure: str) -> bytes:
    """All of stdin; raises TargetError, which names what was to be read and the cure, where it is closed."""
    if sys.stdin is None:
        raise TargetError(f"{what}: stdin is closed; {cure}")
    return sys.stdin.buffer.read()


def _stdin_lines() -> list[str]:
    printed = os.fsdecode(stdin_bytes("target '-'", "pipe targets into it, one a line"))
    # Not splitlines: a name may hold what else counts as the end of a line.
    lines = [line.removesuffix("\r") for line in printed.split("\n") if line.strip()]
    return [line if os.path.lexists(line) else target_unquoted(line) for line in lines]
