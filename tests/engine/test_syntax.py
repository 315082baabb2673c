import pytest

from engine.syntax import coined, complaint, parse, parses, said, unbound, uses


def test_an_indented_region_parses_with_its_own_columns():
    tree, ahead = parse("    def f(self):\n        return 1\n")
    assert ahead == 1
    assert tree.body[0].body[0].col_offset == 4
    assert not parses("    def f(self):\n        return 1\nx = 2\n")


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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", None),
        ("    def f(self):\n        return (1\n", ("SyntaxError: '(' was never closed", "return (1")),
        ("if x:\ny = 2\n", ("IndentationError: expected an indented block after 'if' statement", "y = 2")),
        ("return 'x\n", ("SyntaxError: unterminated string literal (detected at line 1)", "return 'x")),
    ],
)
def test_what_python_says_of_a_region(text, said):
    assert complaint(text) == said


def test_variables_and_attributes_are_counted_where_they_are_used():
    assert uses("    x.y = f(x, y=z)\n") == {"x": 2, "y": 1, "f": 1, "z": 1}
    assert uses("f'{x} {y.z!r}'\n") == uses("'{} {!r}', x, y.z\n")
    assert uses("def f(:\n") is None


@pytest.mark.parametrize(
    "same",
    [
        [
            "'%s: %d of %%' % (a, b)",
            "'{}: {} of %'.format(a, b)",
            "f'{a}: {b} of %'",
            "f'{a}' ': ' f'{b:>4} of %'",
        ],
        ["'<%-10.3f>' % x", "'<{0:-10.3f}>'.format(x)", "f'<{x:-10.3f}>'"],
        ["'a{{%s_k}}' % x", "f'a{{{{{x}_k}}}}'", "'a{%s_k}' % x"],
        ["'<%(size)s>' % {'size': x}", "f'<{x}>'", "'<{size}>'.format(size=x)"],
        ["print('a', 'b')", "print('ab')", "print('b a')"],
        ["f(b'ab')", "f(b'a', b'b')"],
    ],
)
def test_literal_texts_say_the_same_however_they_are_formatted(same):
    first, *others = (said(text) for text in same)
    assert first
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("text", "other"), [("'<%s>' % x", "f'<{x}'"), ("'a: %s' % x", "f'A: {x}'"), ("f('x')", "f()")]
)
def test_a_text_that_is_changed_says_something_else(text, other):
    assert said(text) != said(other)
