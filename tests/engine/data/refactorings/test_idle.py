"""Instructions that ask nothing of a region: no rule finds anything to do in it."""

import random

import pytest

from engine.data import refactorings
from engine.data.phrasings import phrase
from engine.data.refactorings import defaults, enumeration, fstring, idioms, prints, rename
from tests.engine.data.refactorings.real_code import functions


@pytest.mark.parametrize("recipe", refactorings.IDLE)
def test_most_real_code_can_be_asked(recipe: str) -> None:
    code = functions(200)
    found = [refactorings.idle(recipe, text, random.Random(i)) for i, text in enumerate(code)]
    assert sum(one is not None for one in found) > 0.7 * len(code)
    for variables in found:
        if variables is not None:
            assert phrase(recipe, variables, random.Random(0))


@pytest.mark.parametrize("seed", range(5))
def test_no_rule_finds_anything(seed: int) -> None:
    for text in functions(120, seed):
        rng = random.Random(seed)
        if (told := refactorings.idle("rename", text, rng)) is not None:
            assert rename.rewrite(text, told["old"], told["new"]) is None
            assert told["old"].removeprefix("self.") not in text.replace(".", " ").split()
        if (told := refactorings.idle("add-default", text, rng)) is not None:
            assert defaults.rewrite_add(text, told["parameter"], told["value"]) is None
        if (told := refactorings.idle("remove-default", text, rng)) is not None:
            assert defaults.rewrite_remove(text, told["parameter"]) is None
        for recipe, rewrite in (
            ("fstring", fstring.rewrite),
            ("idioms", idioms.rewrite),
            ("remove-prints", prints.rewrite),
        ):
            if refactorings.idle(recipe, text, rng) is not None:
                assert rewrite(text) == text
        if (told := refactorings.idle("enumerate", text, rng)) is not None:
            assert enumeration.rewrite(text, told.get("item")) == text


@pytest.mark.parametrize(
    ("recipe", "text"),
    [
        ("fstring", "def f(a):\n    return '%s' % a\n"),
        ("idioms", "def f(a):\n    return a == None\n"),
        ("enumerate", "def f(a):\n    for i in range(len(a)):\n        a[i] = 0\n"),
        ("remove-prints", "def f(a):\n    print(a)\n    return a\n"),
        *((recipe, "def f(:\n") for recipe in refactorings.IDLE),
    ],
)
def test_what_may_be_asked_something_is_not_idle(recipe: str, text: str) -> None:
    assert all(refactorings.idle(recipe, text, random.Random(seed)) is None for seed in range(20))


def test_some_names_are_near_to_one_that_is_there() -> None:
    text = "def f(path, lines):\n    return path.join(lines)\n"
    found = [refactorings.idle("rename", text, random.Random(seed)) for seed in range(300)]
    old = {told["old"].removeprefix("self.") for told in found if told is not None}
    assert {"paths", "line"} <= old
    assert not {"path", "lines", "f", "join"} & old
    assert any(told is not None and told["new"] in ("path", "lines") for told in found)
