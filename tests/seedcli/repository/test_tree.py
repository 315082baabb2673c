"""How many places of Python text cannot be read."""

import pytest

from seedcli.repository.tree import count_faults, parse, prose


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("def f():\n    return 1\n", 0),
        ("    def f(self):\n        return 1\n", 0),
        ("\n    return 1\n", 0),
        ("def f(:\n    return 1\n", 1),
        ("x = a]\n", 1),
        ("x = a]\ny = b)\n", 2),
        ("    x = a]\n    y = (b\n", 2),
    ],
)
def test_faults_are_counted(text: str, count: int) -> None:
    assert count_faults(text) == count


def test_text_of_half_a_character_is_read() -> None:
    assert not parse("x = '\udc80'\n").has_error


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 'no prose'  # some\n", ["# some"]),
        (
            '"""Of a module."""\n\ndef f():\n    """Says."""\n    return "x"\n',
            ['"""Of a module."""', '"""Says."""'],
        ),
        (
            "def f():\n    # gr\u00fcn \u2514\n    '\u2514'\n    g('\u2514')\n",
            ["# gr\u00fcn \u2514", "'\u2514'"],
        ),
        ("def f(:\n    # still\n    return\n", ["# still"]),
        ("", []),
    ],
)
def test_comments_and_docstrings_are_prose(text: str, found: list[str]) -> None:
    assert [text[start:end] for start, end in prose(text)] == found
