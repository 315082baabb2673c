"""How many places of Python text cannot be read."""

import pytest

from seedcli.repository.tree import count_faults, parse


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
