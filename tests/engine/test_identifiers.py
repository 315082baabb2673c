import pytest

from engine.identifiers import coined, replaced, unbound, uses


def test_prefixes_of_strings_are_nobodys_coinage():
    assert coined("x = '%s' % y\n", "x = f'{y}' + rb'z'\n") == {"z"}


def test_words_that_an_edit_brings_in_are_coined():
    broken = "def load(stock):\n    retrun stock\n"
    assert coined(broken, "def load(stock):\n    retrunock\n") == {"retrunock"}
    assert coined(broken, "def load(stock):\n    return len(stock)\n") == set()


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("def f(a, *, b=c):\n    return len(a) + d\n", {"c", "d"}),
        ("    def f(self):\n        return self.x\n", set()),
        ("    total += price\n", {"price"}),
        ("for i, x in enumerate(xs):\n    import os.path as p\n    p.join(x)\n", {"xs"}),
        ("try:\n    pass\nexcept E as e:\n    print([y for y in e.args if (z := y)])\n", {"E"}),
        ("with open(path) as file:\n    del file\n", {"path"}),
        ("match p:\n    case {'a': [x, *rest], **others}:\n        x, rest, others\n", {"p"}),
        ("class A:\n    def f(self):\n        return __class__, __file__, super().f, b'', b\n", {"b"}),
        ("def f(:\n", set()),
        ("x = '\\d'\n", set()),
    ],
)
def test_names_that_nothing_binds(text, free):
    assert unbound(text) == free


def test_names_are_said_in_the_order_of_the_tree():
    assert uses("x.y = f(x, y=z)\n") == ["y", "x", "f", "x", "y", "z"]
    assert uses("f'{x} {y.z!r}'\n") == uses("'{} {!r}', x, y.z\n") == ["x", "z", "y"]
    assert uses("'{a} {b}'.format(a=x, b=y)\n") == ["format", "x", "y"]
    assert uses("def f(:\n") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def total(a): pass\n", "def count(a): pass\n"),
        ("class A: pass\n", "class B: pass\n"),
        ("async def f(): pass\n", "async def g(): pass\n"),
        ("def g(a, b): pass\n", "def g(a, c): pass\n"),
        ("f(x=1)\n", "f(y=1)\n"),
        ("from os import path\n", "from os import sep\n"),
        ("from os import path\n", "from sys import path\n"),
        ("import a as b\n", "import a as c\n"),
        ("def f():\n    global x\n", "def f():\n    global y\n"),
        ("def f():\n    nonlocal x\n", "def f():\n    nonlocal y\n"),
        ("try: pass\nexcept E as a: pass\n", "try: pass\nexcept E as b: pass\n"),
        ("match x:\n    case [a, *b]: pass\n", "match x:\n    case [a, *c]: pass\n"),
        ("match x:\n    case {'k': a, **b}: pass\n", "match x:\n    case {'k': a, **c}: pass\n"),
        ("'%s %s' % (a, b)\n", "f'{b} {a}'\n"),
    ],
)
def test_no_place_where_a_name_stands_is_passed_over(before, after):
    assert None not in (uses(before), uses(after))
    assert uses(before) != uses(after)


def test_depth_is_no_matter():
    deep = "x = " + "-" * 900 + "y\n"
    assert uses(deep) in (["x", "y"], None)


def test_words_that_stand_for_others_are_told_one_for_one():
    assert replaced("def f(a):\n    return a + len(b)\n", "def f(x):\n    return x + max(b)\n") == {
        ("a", "x"),
        ("len", "max"),
    }
    assert replaced("use(xs[i])\n", "use(x)\n") == set()
    assert replaced("if a: x = 1\n", "while a: x = 2\n") == set()
    assert replaced("a\n", "a\n") == set()
