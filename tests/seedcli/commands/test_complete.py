"""`seed complete`: the place, the text, when there is none, and what is written."""

from pathlib import Path

import pytest

from engine.requests import Completion
from seedcli.model_client import ScriptedModel
from tests.seedcli.commands.conftest import ADD, SUB, Seed


def filling(text: str, score: float = 0.9, *, is_whole: bool = True) -> ScriptedModel:
    completion = Completion(text, score, tokens=3, is_whole=is_whole, rounds=2, forwards=2)
    return ScriptedModel({}, completions=[completion])


@pytest.mark.parametrize(
    ("target", "prefix"),
    [
        ("calc.py:1", "def add(a, b):"),
        ("calc.py:2:12", "def add(a, b):\n    return "),
        ("calc.py:2:1", "def add(a, b):\n"),
        ("calc.py:3", ADD),
        ("calc.py:7", ADD + "\n\n" + SUB),
    ],
)
def test_the_model_sees_what_is_before_and_after_the_place(
    repo: Path, seed: Seed, target: str, prefix: str
) -> None:
    model = filling("pass")
    seed("complete", target, "--allow-broken", model=model)
    (asked,) = model.gaps
    assert asked.prefix == prefix
    assert prefix + (asked.suffix or "") == (repo / "calc.py").read_text()


def test_the_text_is_printed_and_nothing_written(repo: Path, seed: Seed) -> None:
    before = (repo / "calc.py").read_bytes()
    result = seed("complete", "calc.py:2:17", model=filling(" * 2"))
    assert (result.code, result.out) == (0, b" * 2\n")
    assert "calc.py:2:17: score 0.90, not written" in result.err
    assert (repo / "calc.py").read_bytes() == before


def test_apply_writes_and_undo_takes_it_back(repo: Path, seed: Seed) -> None:
    (repo / "dos.py").write_bytes(b"a = 1\r\nb = 2\r\n")
    result = seed("complete", "-y", "dos.py:1", model=filling("\nif a:\n    b = 3"))
    assert result.code == 0
    assert (repo / "dos.py").read_bytes() == b"a = 1\r\nif a:\r\n    b = 3\r\nb = 2\r\n"
    assert seed("undo").code == 0
    assert (repo / "dos.py").read_bytes() == b"a = 1\r\nb = 2\r\n"


@pytest.mark.parametrize(
    ("raw", "place", "after"),
    [
        (b"", "1", b"x = 1\n"),
        (b"a = 1", "1:1", b"x = 1a = 1"),
        (b"a = 1\n", "2", b"a = 1\nx = 1\n"),
        (b"\ta = 1\n\n\tb = 2", "2", b"\ta = 1\nx = 1\n\tb = 2"),
    ],
)
def test_places_at_the_ends_of_a_file(repo: Path, seed: Seed, raw: bytes, place: str, after: bytes) -> None:
    (repo / "x.txt").write_bytes(raw)
    assert seed("complete", "-y", f"x.txt:{place}", model=filling("x = 1")).code == 0
    assert (repo / "x.txt").read_bytes() == after


def test_lines_takes_the_first_lines(repo: Path, seed: Seed) -> None:
    model = filling("\n    # one\n    # two\n    # three", is_whole=False)
    result = seed("complete", "--lines", "2", "calc.py:1", model=model)
    assert (result.code, result.out) == (0, b"\n    # one\n")
    assert seed("complete", "--lines", "4", "calc.py:1", model=model).code == 3
    assert seed("complete", "--lines", "0", "calc.py:1", model=model).code == 2


def test_json_is_the_contracts_object_with_the_text(repo: Path, seed: Seed) -> None:
    result = seed("complete", "--json", "calc.py:2:17", model=filling(" * 2"))
    got = result.json
    assert (got["version"], got["outcome"], got["text"]) == (1, "proposed", " * 2")
    assert got["candidates"] == [{"score": 0.9, "check": None}]
    assert "+    return a - b * 2\n" in got["patch"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (filling("x", 0.3), "the best has a score of 0.30, below 0.50"),
        (filling(""), "would write nothing there"),
        (filling("x", is_whole=False), "came to no end"),
        (filling("(("), "the file would not parse; --allow-broken takes it"),
    ],
)
def test_what_the_model_would_not_stand_by_is_not_printed(
    repo: Path, seed: Seed, model: ScriptedModel, message: str
) -> None:
    result = seed("complete", "calc.py:2:17", model=model)
    assert (result.code, result.out) == (3, b"")
    assert message in result.err
    assert seed("complete", "--json", "calc.py:2:17", model=model).json["text"] == ""


def test_the_threshold_can_be_given(repo: Path, seed: Seed) -> None:
    assert seed("complete", "--threshold", "0.2", "calc.py:2:17", model=filling(" * 2", 0.3)).code == 0


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("calc.py", "'calc.py' names no place; write FILE:LINE or FILE:LINE:COL"),
        ("calc.py:0", "calc.py has 6 lines, not 0"),
        ("calc.py:8", "calc.py has 6 lines, not 8"),
        ("calc.py:1:16", "calc.py:1 has 14 characters; give a column from 1 to 15, not 16"),
        ("clac.py:1", "did you mean calc.py?"),
        (".env:1", "pass --force"),
    ],
)
def test_places_that_are_none(repo: Path, seed: Seed, target: str, message: str) -> None:
    (repo / ".env").write_text("KEY=1\n")
    result = seed("complete", target, model=filling("x"))
    assert (result.code, result.out) == (2, b"")
    assert message in result.err


def test_context_is_left_out_where_the_model_reads_none(repo: Path, seed: Seed) -> None:
    model = filling(" * 2")
    result = seed("complete", "--context", "calc.py", "calc.py:2:17", model=model)
    assert result.code == 0
    assert "trained without context" in result.err
    assert model.gaps[0].prefix.startswith(ADD[:-2])


@pytest.mark.slow
def test_the_model_that_comes_along_says_how_sure_it_is(repo: Path, seed: Seed) -> None:
    (repo / "loop.py").write_text("def show(items):\n    for item in \n        print(item)\n")
    result = seed("complete", "--threshold", "1", "loop.py:2", model=None)
    assert (result.code, result.out) == (3, b"")
    assert "no completion that the model default would stand by: the best has a score of 0." in result.err
