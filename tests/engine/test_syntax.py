import pytest

from engine.syntax import compiles, complaint, parse, parses


@pytest.mark.parametrize(
    ("text", "is_sound"),
    [("def f(a, a): pass\n", False), ("    def f(self):\n        return 1\n", True), ("x = \n", False)],
)
def test_compiling_refuses_more_than_parsing(text, is_sound):
    assert compiles(text) is is_sound


def test_an_indented_region_parses_with_its_own_columns():
    tree, ahead = parse("    def f(self):\n        return 1\n")
    assert ahead == 1
    assert tree.body[0].body[0].col_offset == 4
    assert not parses("    def f(self):\n        return 1\nx = 2\n")


@pytest.mark.parametrize("text", ["\fdef f():\n    return 1\n", "# x\n\f\nx = 1\n", "\f\f    x = 1\n"])
def test_a_form_feed_is_no_indentation(text):
    assert parses(text)


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
