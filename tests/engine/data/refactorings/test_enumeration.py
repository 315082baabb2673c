import random

import pytest

from engine.data.refactorings import enumeration
from tests.engine.data.refactorings.real_code import functions


def loop(body: str, header: str = "for i in range(len(xs)):") -> str:
    return f"def f(xs):\n    out = []\n    {header}\n        {body}\n    return out\n"


def test_every_use_of_the_element_is_replaced() -> None:
    before = loop('out.append((i, xs[i], f"{xs[i]} xs[i]", xs[i - 1]))')
    after = loop('out.append((i, row, f"{row} xs[i]", xs[i - 1]))', "for i, row in enumerate(xs):")
    assert enumeration.rewrite(before, "row") == after


def test_the_rule_names_the_item() -> None:
    assert enumeration.rewrite(loop("out.append(xs[i])")) == loop(
        "out.append(item)", "for i, item in enumerate(xs):"
    )
    assert enumeration.rewrite(loop("x = xs[i]\n        out.append(x)")) == loop(
        "out.append(x)", "for i, x in enumerate(xs):"
    )
    assert enumeration.rewrite(loop("x = xs[i]\n        out.append(x)"), "row") == loop(
        "x = row\n        out.append(x)", "for i, row in enumerate(xs):"
    )


@pytest.mark.parametrize(
    "body",
    [
        "xs[i] = 1; out.append(xs[i])",
        "xs[i] += 1",
        "del xs[i]",
        "xs.pop(); out.append(xs[i])",
        "i += 1; out.append(xs[i])",
        "xs = xs[i]",
        "out.append(i)",
        "item = 3; out.append(xs[i])",
    ],
)
def test_loops_that_change_what_they_go_through_are_left_alone(body: str) -> None:
    assert enumeration.rewrite(loop(body)) is None


def test_made_questions_mean_what_their_answers_mean() -> None:
    text = (
        "def f(xs):\n    out = []\n    for i, x in enumerate(xs):\n        if x > 1:\n"
        '            out.append((i, x, f"{x}"))\n    return out\n'
    )
    told = set()
    for seed in range(60):
        pair = enumeration.make(text, random.Random(seed))
        assert pair is not None
        told.add(pair.variables.get("item"))
        results = []
        for code in (pair.before, pair.after):
            scope: dict[str, object] = {}
            exec(code, scope)
            results.append(scope["f"]([0, 2, 5]))  # type: ignore[operator]
        assert results[0] == results[1] == [(1, 2, "2"), (2, 5, "5")]
        assert "range(len(xs))" in pair.before
    assert told == {None, "x", "item"}


def test_without_a_told_name_the_rule_gives_the_answer() -> None:
    for index, text in enumerate(functions(400)):
        pair = enumeration.make(text, random.Random(index))
        if pair is not None and not pair.variables:
            assert enumeration.rewrite(pair.before) == pair.after
