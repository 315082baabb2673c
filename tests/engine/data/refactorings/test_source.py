import ast

import pytest

from engine.data.refactorings.source import Edit, Source, UnrewritableError, apply, read


def test_occurrences_know_their_role_and_owner() -> None:
    source = Source('def f(x):\n    y.x(x=x)\n    return f"{x!r:>{x}} x" + "x"  # x\n')
    found = [
        (spot.role, spot.owner, source.text[spot.start]) for spot in source.occurrences if spot.name == "x"
    ]
    assert found == [
        ("name", "", "x"),
        ("attribute", "y", "x"),
        ("keyword", "y.x", "x"),
        ("name", "", "x"),
        ("name", "", "x"),
        ("name", "", "x"),
    ]


@pytest.mark.parametrize("indent", ["", "    ", "\t"])
@pytest.mark.parametrize("filler", ["e", "é", "日本", "𝔘"])
def test_offsets_count_characters_of_the_region(indent: str, filler: str) -> None:
    text = f'{indent}def f(a):\n{indent}    b = "{filler}"; target = f"{filler}{{target}}"\n'
    source = Source(text)
    name = next(node for node in ast.walk(source.tree) if isinstance(node, ast.Name) and node.id == "target")
    assert source.code(name) == "target"
    spots = [spot for spot in source.occurrences if spot.name == "target"]
    assert [text[spot.start : spot.start + 6] for spot in spots] == ["target", "target"]


def test_a_region_is_one_definition_or_has_none() -> None:
    one, two = (
        Source("    def f():\n        pass\n").definition,
        Source("def f(): pass\ndef g(): pass\n").definition,
    )
    assert isinstance(one, ast.FunctionDef)
    assert two is None


def test_edits_that_overlap_are_refused() -> None:
    assert apply("abcd", [Edit(3, 4, "D"), Edit(0, 1, "")]) == "bcD"
    with pytest.raises(UnrewritableError):
        apply("abcd", [Edit(0, 2, ""), Edit(1, 3, "")])


def test_broken_text_is_not_read() -> None:
    assert read("def f(:\n") is None
    assert read("a\0b") is None
