import random

import pytest

from engine.data.refactorings import defaults

CASES = [
    ("def f(a, b):\n    pass\n", "b", "None", "def f(a, b=None):\n    pass\n"),
    ("def f(a: int, b: str) -> None: ...\n", "b", '"x"', 'def f(a: int, b: str = "x") -> None: ...\n'),
    ("def f(a, b=1):\n    pass\n", "a", "0", "def f(a=0, b=1):\n    pass\n"),
    ("def f(a, *, b, c=1):\n    pass\n", "b", "()", "def f(a, *, b=(), c=1):\n    pass\n"),
    ("    def f(\n        self,\n        a,  # why\n    ):\n        pass\n", "a", "-1",
     "    def f(\n        self,\n        a=-1,  # why\n    ):\n        pass\n"),
    ("def f(a, /, b=2):\n    pass\n", "a", "None", "def f(a=None, /, b=2):\n    pass\n"),
]  # fmt: skip


@pytest.mark.parametrize(("without", "parameter", "value", "having"), CASES)
def test_add_and_remove_are_inverse(without: str, parameter: str, value: str, having: str) -> None:
    assert defaults.rewrite_add(without, parameter, value) == having
    assert defaults.rewrite_remove(having, parameter) == without


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("def f(a, b):\n    pass\n", "a"),
        ("    def f(self):\n        pass\n", "self"),
        ("def f(*args, **kw):\n    pass\n", "args"),
        ("def f(a=1):\n    pass\n", "a"),
        ("def f(a):\n    pass\n", "b"),
        ("def f():\n    def g(a):\n        pass\n", "a"),
    ],
)
def test_what_cannot_take_a_default(text: str, parameter: str) -> None:
    assert defaults.rewrite_add(text, parameter, "None") is None


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("def f(a=1, b=2):\n    pass\n", "b"),
        ("def f(a):\n    pass\n", "a"),
        ("def f(a=(1)):\n    pass\n", "a"),
    ],
)
def test_what_cannot_lose_a_default(text: str, parameter: str) -> None:
    assert defaults.rewrite_remove(text, parameter) is None


def test_real_defaults_are_asked_for_and_taken_away() -> None:
    text = "def f(a, timeout=compute()):\n    pass\n"
    adds = [pair for seed in range(30) if (pair := defaults.make_add(text, random.Random(seed)))]
    assert any(pair.variables == {"parameter": "timeout", "value": "compute()"} for pair in adds)
    assert any(pair.variables["parameter"] == "a" for pair in adds)
    removes = [pair for seed in range(30) if (pair := defaults.make_remove(text, random.Random(seed)))]
    assert any(pair.before == text for pair in removes)
    assert any(pair.after == text and pair.variables["parameter"] == "a" for pair in removes)
