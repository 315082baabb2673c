"""Pairs of code before and after an instruction, made by rules, for training and evaluation only.

A region's text is whole lines with their own indentation. Most pairs are made backwards: real code is the
answer, and the rule's inverse made the question. Every pair has one right answer: the rule itself gives it.
"""

import random
from collections.abc import Callable, Sequence

from engine.data.refactorings import defaults, enumeration, fstring, idioms, prints, rename
from engine.data.refactorings.pair import Pair

__all__ = ["IDLE", "RECIPES", "RULES", "Pair", "idle", "make"]

RECIPES = (
    "fix",
    "rename",
    "fstring",
    "idioms",
    "enumerate",
    "add-default",
    "remove-default",
    "remove-prints",
)
"""Everything the model is trained for. The pairs of `fix` are injected defects, made elsewhere."""

RULES: dict[str, Callable[[str, random.Random], Pair | None]] = {
    "rename": rename.make,
    "fstring": fstring.make,
    "idioms": idioms.make,
    "enumerate": enumeration.make,
    "add-default": defaults.make_add,
    "remove-default": defaults.make_remove,
    "remove-prints": prints.make,
}


IDLE: dict[str, Callable[[str, random.Random], dict[str, str] | None]] = {
    "rename": rename.idle,
    "fstring": fstring.idle,
    "idioms": idioms.idle,
    "enumerate": enumeration.idle,
    "add-default": defaults.idle_add,
    "remove-default": defaults.idle_remove,
    "remove-prints": prints.idle,
}


def idle(recipe: str, text: str, rng: random.Random) -> dict[str, str] | None:
    """Variables with which a recipe asks nothing of a region, or None where it asks something, or may.

    Raises:
        KeyError: there is no rule for the recipe.
    """
    return IDLE[recipe](text, rng)


def make(recipe: str, text: str, rng: random.Random, names: Sequence[str] = ()) -> Pair | None:
    """A pair of one recipe from a region of real code, or None where the code does not offer one.

    Args:
        names: identifiers seen in real code, for the new names of `rename`.

    Raises:
        KeyError: there is no rule for the recipe.
    """
    if recipe == "rename":
        return rename.make(text, rng, names)
    return RULES[recipe](text, rng)
