"""What the edits of a recipe have to keep: for each, whether one text of a region may become another.

A law compares syntax trees in a form in which both are equal if the edit does what the recipe says and nothing else. It
knows nothing of models, and does not make edits: of what a model wrote it says what may be offered. Python only.
"""

import ast
import io
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine.laws import comparisons, defaults, formatting, loops, prints, renaming
from engine.syntax import parse, standing_alone


@dataclass(frozen=True, slots=True)
class Law:
    """What a recipe is about, and what its edits keep."""

    fault: Callable[[ast.Module, ast.Module, Mapping[str, str]], str]
    """From the trees before and after and the recipe's variables to what is wrong with the edit; empty for nothing."""
    places: Callable[[ast.Module, Mapping[str, str]], int]
    """How many places of a tree there are for the recipe. An edit leaves fewer."""


LAWS: dict[str, Law] = {
    "rename": Law(renaming.fault, renaming.places),
    "fstring": Law(formatting.fault, formatting.places),
    "enumerate": Law(loops.fault, loops.places),
    "idioms": Law(comparisons.fault, comparisons.places),
    "remove-prints": Law(prints.fault, prints.places),
    "add-default": Law(defaults.added, defaults.to_add),
    "remove-default": Law(defaults.removed, defaults.to_remove),
}
BROKEN = "it does not parse"
COMMENTS = "it changes comments"
IDLE = "it does nothing that the recipe is about"


def fault(law: str, before: str, after: str, values: Mapping[str, str]) -> str:
    """What is wrong with an edit, for people; empty for nothing, and where the text before does not parse.

    Args:
        law: a key of `LAWS`.
        values: the recipe's variables.
    """
    old, new = parse(before), parse(after)
    if old is None:
        return ""
    if new is None:
        return BROKEN
    said, kept = _comments(before), _comments(after)
    # What a removed print says behind it goes with it.
    if said != kept and not (law == "remove-prints" and _is_part(kept, said)):
        return COMMENTS
    why = LAWS[law].fault(old[0], new[0], values)
    is_idle = LAWS[law].places(new[0], values) >= LAWS[law].places(old[0], values)
    return why or (IDLE if is_idle else "")


def is_idle(law: str, text: str, values: Mapping[str, str]) -> bool:
    """Whether a recipe has nothing to do in a region: it parses, and has no place for it."""
    parsed = parse(text)
    return parsed is not None and not LAWS[law].places(parsed[0], values)


def _comments(text: str) -> list[str]:
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(standing_alone(text)[0]).readline))
    except (tokenize.TokenError, SyntaxError):
        return []
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def _is_part(some: list[str], of: list[str]) -> bool:
    """Whether `some` stand in `of`, in their order."""
    left = iter(of)
    return all(one in left for one in some)
