"""The recipes suites: rule-made pairs from held-out functions, and functions that offer a recipe nothing; half of the
instructions are in phrasings never trained on."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.data.phrasings import phrase
from engine.data.refactorings import IDLE, RECIPES, idle, make


@dataclass(frozen=True, slots=True)
class RecipeCase:
    """One instruction with its question and answer."""

    recipe: str
    held_out_phrasing: bool
    instruction: str
    before: str
    after: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """What an instruction may tell beside the recipe."""


def recipe_cases(functions: Sequence[str], each: int, seed: int, names: Sequence[str]) -> list[RecipeCase]:
    """`each` cases of every rule-made recipe, as far as the functions offer them.

    Args:
        names: identifiers for the new names of `rename`.
    """
    rng = random.Random(seed)
    found: Counter[str] = Counter()
    cases = []
    for text in functions:
        for recipe in RECIPES[1:]:  # `fix` has a suite of its own
            if found[recipe] >= each:
                continue
            pair = make(recipe, text, rng, names)
            if pair:
                held_out = found[recipe] % 2 == 1
                instruction = phrase(recipe, pair.variables, rng, held_out)
                cases.append(
                    RecipeCase(recipe, held_out, instruction, pair.before, pair.after, pair.variables)
                )
                found[recipe] += 1
    return cases


def idle_cases(functions: Sequence[str], each: int, seed: int) -> list[RecipeCase]:
    """`each` cases of every recipe asked of a function that offers it nothing: the answer is the function itself.

    Every function is asked one of them.
    """
    rng = random.Random(seed)
    found: Counter[str] = Counter()
    cases = []
    for text in functions:
        left = [recipe for recipe in IDLE if found[recipe] < each]
        if not left:
            break
        recipe = rng.choice(left)
        variables = idle(recipe, text, rng)
        if variables is not None:
            held_out = found[recipe] % 2 == 1
            cases.append(RecipeCase(recipe, held_out, phrase(recipe, variables, rng, held_out), text, text))
            found[recipe] += 1
    return cases
