import dis
import random
import types
from collections.abc import Iterator

import pytest

from engine.data.refactorings import rename
from engine.data.refactorings.source import Source
from tests.engine.data.refactorings.real_code import functions

LOCAL = ("FAST", "DEREF", "CLASSDEREF")
ORDERED_BY_NAME = ("MAKE_CELL", "LOAD_CLOSURE")


def meaning(code: types.CodeType, names: dict[str, str], keys: dict[str, str]) -> Iterator[object]:
    """The instructions, with local names replaced; globals, attributes and strings as they are.

    Args:
        keys: replaces names in tuples; keys of keyword-only defaults and annotations are renamed, those of calls not.
    """
    for step in dis.get_instructions(code):
        value = step.argval
        if step.opname in ORDERED_BY_NAME:
            continue
        if isinstance(value, types.CodeType):
            yield from meaning(value, names, keys)
        elif any(kind in step.opname for kind in LOCAL):
            yield step.opname, names.get(value, value) if isinstance(value, str) else value
        elif isinstance(value, tuple):
            yield step.opname, [keys.get(part, part) for part in value]
        else:
            yield step.opname, value


@pytest.mark.parametrize("seed", range(3))
def test_renamed_real_code_compiles_to_the_same(seed: int) -> None:
    checked = 0
    for text in functions(300):
        pair = rename.make(text, random.Random(seed))
        if pair is None or pair.variables["kind"] not in ("variable", "parameter"):
            continue
        old, new = pair.variables["old"], pair.variables["new"]
        # Names of functions, classes and annotated parameters are constants of the code, too.
        if any(f"{word} {old}" in text for word in ("def", "class")) or "->" in text or f"{old}:" in text:
            continue
        before, after = (compile(Source(code).wrapped, "x", "exec") for code in (pair.before, pair.after))
        keys = {old: new}
        assert list(meaning(before, {old: new}, keys)) == list(meaning(after, {}, keys))
        checked += 1
    assert checked > 120


CASES = [
    # before, old, new, after
    ("def f(a):\n    return a.a + g(a=a)\n", "a", "b", "def f(b):\n    return b.a + g(a=b)\n"),
    ('def f(a):\n    return f"{a!r} a"  # a\n', "a", "b", 'def f(b):\n    return f"{b!r} a"  # a\n'),
    ("def f(a):\n    return lambda x: x + a\n", "a", "b", "def f(b):\n    return lambda x: x + b\n"),
    ("def f(n):\n    return n and f(n=n - 1)\n", "n", "m", "def f(m):\n    return m and f(m=m - 1)\n"),
    ("def f(n):\n    return n and f(n - 1)\n", "f", "g", "def g(n):\n    return n and g(n - 1)\n"),
    (
        "    def f(self):\n        return self.f() or f()\n",
        "f",
        "g",
        "    def g(self):\n        return self.g() or f()\n",
    ),
    (
        "    def f(self, n):\n        self.f(n=n)\n        h(n=n)\n",
        "n",
        "m",
        "    def f(self, m):\n        self.f(m=m)\n        h(n=m)\n",
    ),
    ("    def f(self, x):\n        self.x = x\n", "x", "y", "    def f(self, y):\n        self.x = y\n"),
    (
        "    def f(self, x):\n        self.x = x\n",
        "self.x",
        "self.y",
        "    def f(self, x):\n        self.y = x\n",
    ),
    (
        "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    g()\n    return n\n",
        "n",
        "m",
        "def f():\n    m = 0\n    def g():\n        nonlocal m\n        m += 1\n    g()\n    return m\n",
    ),
    ("def f(xs):\n    return [x for x in xs]\n", "x", "y", "def f(xs):\n    return [y for y in xs]\n"),
    (
        "def f():\n    try:\n        g()\n    except E as e:\n        raise X from e\n",
        "e",
        "error",
        "def f():\n    try:\n        g()\n    except E as error:\n        raise X from error\n",
    ),
    (
        "def f(x):\n    del x, y[x]\n    if (z := x):\n        print(z)\n",
        "z",
        "w",
        "def f(x):\n    del x, y[x]\n    if (w := x):\n        print(w)\n",
    ),
    (
        "def f(*args, **kw):\n    return g(*args, **kw)\n",
        "args",
        "rest",
        "def f(*rest, **kw):\n    return g(*rest, **kw)\n",
    ),
]


@pytest.mark.parametrize(("before", "old", "new", "after"), CASES)
def test_scoping(before: str, old: str, new: str, after: str) -> None:
    assert rename.rewrite(before, old, new) == after


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("def f(x):\n    return [x for x in x]\n", "x"),  # two scopes
        ("def f(x=x):\n    return x\n", "x"),  # the default is another x
        ("def f():\n    return x\n", "x"),  # not bound here
        ("def f():\n    global x\n    x = 1\n", "x"),
        ("def f():\n    import x\n    return x\n", "x"),
        ("    def f(self):\n        super().f()\n", "f"),
        ("    @f.setter\n    def f(self, v):\n        self._f = v\n", "f"),
        ("    def __init__(self):\n        pass\n", "__init__"),
        ("    def f(self, other):\n        return self.x == other.x\n", "self.x"),
        ("    def f(self):\n        return self.x()\n", "self.x"),
    ],
)
def test_names_with_several_meanings_are_left_alone(text: str, name: str) -> None:
    assert rename.rewrite(text, name, "fresh") is None


def test_the_new_name_is_new_even_to_strings_and_attributes() -> None:
    text = 'def f(a):\n    return a.node, "value", g(item=1)  # result\n'
    for seed in range(300):
        pair = rename.make(
            text, random.Random(seed), names=["node", "value", "item", "result", "self", "list"]
        )
        assert pair is not None
        assert pair.variables["new"] not in ("node", "value", "item", "result", "self", "list", "a", "f")


def test_code_that_looks_at_its_own_names_makes_no_pair() -> None:
    assert rename.make('def f(a):\n    return "%(a)s" % locals()\n', random.Random(0)) is None


def test_an_attribute_beside_a_variable_of_its_name_is_told_with_self() -> None:
    text = "    def f(self, x):\n        self.x = x\n"
    olds = {
        pair.variables["old"]
        for seed in range(200)
        if (pair := rename.make(text, random.Random(seed))) and pair.variables["kind"] == "attribute"
    }
    assert olds == {"self.x"}


def test_kinds_come_in_their_shares() -> None:
    text = "    def f(self, p):\n        self.a = p\n        v = p\n        return v\n"
    pairs = [rename.make(text, random.Random(seed)) for seed in range(2000)]
    for kind, share in rename.KINDS.items():
        count = sum(pair is not None and pair.variables["kind"] == kind for pair in pairs)
        assert abs(count / 2000 - share) < 0.05
