import ast
import random

import pytest

from engine.data import refactorings
from engine.data.refactorings import defaults, enumeration, fstring, idioms, prints, rename
from engine.data.refactorings.source import Source
from tests.engine.data.refactorings.real_code import functions

LEAST_YIELD = {
    "rename": 0.85,
    "fstring": 0.03,
    "idioms": 0.1,
    "enumerate": 0.02,
    "add-default": 0.15,
    "remove-default": 0.15,
    "remove-prints": 0.8,
}


def answer(pair: refactorings.Pair) -> str | None:
    """What the rule itself makes of the question."""
    told = pair.variables
    match pair.recipe:
        case "rename":
            return rename.rewrite(pair.before, told["old"], told["new"])
        case "fstring":
            return fstring.rewrite(pair.before)
        case "idioms":
            return idioms.rewrite(pair.before)
        case "enumerate":
            return enumeration.rewrite(pair.before, told.get("item"))
        case "add-default":
            return defaults.rewrite_add(pair.before, told["parameter"], told["value"])
        case "remove-default":
            return defaults.rewrite_remove(pair.before, told["parameter"])
        case "remove-prints":
            return prints.rewrite(pair.before)
    raise AssertionError(pair.recipe)


@pytest.mark.parametrize("recipe", refactorings.RULES)
def test_pairs_of_real_code_parse_differ_and_have_the_rules_answer(recipe: str) -> None:
    code = functions(400)
    made = [
        pair for i, text in enumerate(code) if (pair := refactorings.make(recipe, text, random.Random(i)))
    ]
    assert len(made) >= LEAST_YIELD[recipe] * len(code)
    for pair in made:
        assert pair.recipe == recipe
        assert pair.before != pair.after
        Source(pair.before)
        Source(pair.after)
        assert answer(pair) == pair.after


@pytest.mark.parametrize("recipe", refactorings.RULES)
def test_same_seed_same_pair(recipe: str) -> None:
    for text in functions(60, seed=1):
        assert refactorings.make(recipe, text, random.Random(5)) == refactorings.make(
            recipe, text, random.Random(5)
        )


@pytest.mark.parametrize("recipe", refactorings.RULES)
def test_what_is_no_python_makes_no_pair(recipe: str) -> None:
    for text in ("", "def f(:\n", "    return 1\n  x\n", "\0", "class A:\n    pass\n", "x = 1\n"):
        assert refactorings.make(recipe, text, random.Random(0)) is None


def test_every_recipe_but_fix_has_a_rule() -> None:
    assert set(refactorings.RECIPES) - {"fix"} == set(refactorings.RULES)


def test_names_of_the_caller_are_drawn_from() -> None:
    text = "def f(a):\n    b = a\n    return b\n"
    news = {
        pair.variables["new"]
        for seed in range(60)
        if (pair := refactorings.make("rename", text, random.Random(seed), names=["zebra_count"]))
    }
    assert "zebra_count" in news
    assert len(news) > 10


def test_comments_and_layout_survive() -> None:
    text = "def f(a,b ):  # odd  layout\n    x = ( a+b )   # kept\n\n    return x\n"
    for recipe in refactorings.RULES:
        for seed in range(20):
            pair = refactorings.make(recipe, text, random.Random(seed))
            if pair is not None:
                assert "# odd  layout" in pair.after
                assert pair.after.count("# kept") == 1
                assert ast.parse(pair.after)
