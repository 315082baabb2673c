import inspect
import json
import random
import textwrap
from collections import Counter

import pytest

from engine.data.defects import KINDS, parses
from engine.data.phrasings import HELD_OUT, TRAINED
from engine.data.refactorings import IDLE
from engine.evaluation.recipes import idle_cases, recipe_cases
from engine.evaluation.repair import RepairCase, digest, repair_cases
from engine.evaluation.suites import recipe_scores, repair_scores


def functions():
    found = [
        inspect.getsource(f)
        for m in (json, random, textwrap, inspect)
        for _, f in inspect.getmembers(m, inspect.isfunction)
    ]
    return [f for f in found if f.startswith("def") and 5 <= f.count("\n") <= 60]


def test_kinds_have_equal_shares_and_every_defect_its_untouched_twin():
    cases = repair_cases(functions(), 20, seed=1)
    counts = Counter(case.kind for case in cases)
    assert {counts[kind] for kind in KINDS} == {2}
    assert counts["untouched"] == 20
    assert all(case.before != case.after for case in cases if case.kind != "untouched")
    assert all(case.syntax is not parses(case.before) for case in cases)


def test_cases_are_a_function_of_the_seed():
    assert digest(repair_cases(functions(), 10, 1)) == digest(repair_cases(functions(), 10, 1))
    assert digest(repair_cases(functions(), 10, 1)) != digest(repair_cases(functions(), 10, 2))


def test_too_few_functions_are_said_to_be_so():
    with pytest.raises(ValueError, match="draw more"):
        repair_cases(functions()[:3], 20, 1)


def test_only_the_exact_text_counts_as_repaired():
    cases = [
        RepairCase("syntax", True, "x = (1\n", "x = (1)\n"),
        RepairCase("untouched", False, "y\n", "y\n"),
    ]
    scores = repair_scores(cases, ["x = (1) \n", "y\n"])
    assert scores["syntax defects repaired"].hits == 0
    assert scores["untouched left untouched"].value == 1
    assert repair_scores(cases, ["x = (1)\n", "z\n"])["syntax defects repaired"].value == 1


def test_repairs_are_told_apart_by_kind_by_size_and_by_length():
    long = "".join(f"a{i} = {i}\n" for i in range(12))
    cases = [
        RepairCase("syntax", True, "x = (1\n", "x = (1)\n"),
        RepairCase("integer", False, long, long.replace("a3 = 3", "a3 = 4")),
        RepairCase("swap", False, "f(a, b)\n", "f(b, a)\n"),
        RepairCase("untouched", False, "y\n", "y\n"),
    ]
    assert [case.size for case in cases] == [1, 1, 2, 0]
    scores = repair_scores(cases, [cases[0].after, long, cases[2].after, "y\n"])
    found = {name: (score.hits, score.count) for name, score in scores.items()}
    assert list(found)[3:] == [
        "integer", "swap", "syntax (syntax)", "1 word wrong", "2 to 3 words wrong", "up to 5 lines", "11 to 20 lines",
    ]  # fmt: skip
    assert (found["1 word wrong"], found["2 to 3 words wrong"]) == ((1, 2), (1, 1))
    assert (found["up to 5 lines"], found["11 to 20 lines"]) == ((2, 2), (0, 1))


def test_half_of_the_recipes_phrasings_are_held_out():
    cases = recipe_cases(functions(), 6, 3, ["alpha", "beta_gamma", "delta", "count_of_rows"])
    assert {c.recipe for c in cases} >= {"rename", "remove-prints", "add-default"}
    counts = Counter(c.held_out_phrasing for c in cases)
    assert abs(counts[True] - counts[False]) <= len({c.recipe for c in cases})
    assert not set(HELD_OUT["rename"]) & set(TRAINED["rename"])
    scores = recipe_scores(cases, [c.after for c in cases])
    assert all(s.value == 1 for s in scores.values() if s.count)


def test_each_recipe_is_asked_as_often_of_functions_that_offer_it_nothing():
    cases = idle_cases(functions(), 3, 3)
    assert len({c.before for c in cases}) == len(cases)
    assert all(c.before == c.after for c in cases)
    counts = Counter(c.recipe for c in cases)
    assert set(counts) <= set(IDLE)
    assert counts["rename"] == 3
    assert max(counts.values()) == 3
    assert cases == idle_cases(functions(), 3, 3)
