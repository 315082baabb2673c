"""`seed edit --traceback`: a failed run says where to edit and what is wrong."""

from pathlib import Path

import pytest

from seedcli.model_client import ScriptedModel
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, SUB, Seed
from tests.seedcli.commands.scripted import replacing

TRACE = """Traceback (most recent call last):
  File "/usr/lib/python3.11/runpy.py", line 88, in _run_code
    exec(code, run_globals)
  File "calc.py", line 2, in add
    return a - b
TypeError: unsupported operand type(s) for -: 'str' and 'str'
"""
TOLD = "fix the bug\nreturn a - b\nTypeError: unsupported operand type(s) for -: 'str' and 'str'"


def repairing() -> ScriptedModel:
    return ScriptedModel(replacing({"a - b": "a + b"}))


def test_what_it_names_is_edited_and_told(repo: Path, seed: Seed) -> None:
    model = repairing()
    result = seed("edit", "-y", "fix the bug", "--traceback", "-", model=model, stdin=TRACE.encode())
    assert result.code == 0
    assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB
    assert [(request.instruction, request.region) for request in model.asked] == [(TOLD, ADD)]


def test_of_the_targets_those_that_it_names(repo: Path, seed: Seed) -> None:
    (repo / "trace.txt").write_text(TRACE)
    model = repairing()
    result = seed("edit", "-y", "fix the bug", ".", "--traceback", "trace.txt", model=model)
    assert result.code == 0
    assert [request.region for request in model.asked] == [ADD]


def test_a_target_that_it_does_not_name_is_told_the_error_alone(repo: Path, seed: Seed) -> None:
    trace = (
        'Traceback (most recent call last):\n  File "test_calc.py", line 3, in test\nAssertionError: 1 != 3\n'
    )
    model = repairing()
    seed("edit", "-y", "fix it", "calc.py::add", "--traceback", "-", model=model, stdin=trace.encode())
    assert [request.instruction for request in model.asked] == ["fix it\nAssertionError: 1 != 3"]


def test_tests_that_fail_are_not_what_is_edited(repo: Path, seed: Seed) -> None:
    (repo / "tests").mkdir()
    (repo / "tests" / "test_calc.py").write_text("def test():\n    assert add(1, 2) == 3\n")
    trace = '  File "tests/test_calc.py", line 2, in test\nAssertionError\n'
    inside = trace.replace("\nA", '\n  File "calc.py", line 6, in sub\nA')
    model = repairing()
    result = seed("edit", "-y", "fix it", "--traceback", "-", model=model, stdin=trace.encode())
    assert result.code == 2
    assert "names no code here that may be edited, but for tests; name a target" in result.err
    seed("edit", "-y", "fix it", "--traceback", "-", model=model, stdin=inside.encode())
    assert [request.region for request in model.asked] == [SUB]


def test_what_a_failing_test_uses_is_edited(repo: Path, seed: Seed) -> None:
    (repo / "test_calc.py").write_text("from calc import add\n\ndef test():\n    assert add(1, 2) == 3\n")
    trace = '  File "test_calc.py", line 4, in test\nAssertionError\n'
    model = repairing()
    result = seed("edit", "-y", "fix it", "--traceback", "-", model=model, stdin=trace.encode())
    assert [request.region for request in model.asked] == [ADD]
    assert "the failure names tests alone: looking at 1 function that they use" in result.err
    assert result.code == 0


def test_files_that_may_not_be_edited_are_passed_over(repo: Path, seed: Seed) -> None:
    (repo / ".gitignore").write_text("lib/\n")
    (repo / "lib").mkdir()
    (repo / "lib" / "calc.py").write_text(SUB)
    trace = TRACE.replace("TypeError", '  File "lib/calc.py", line 2, in sub\nTypeError')
    model = repairing()
    seed("edit", "-y", "fix the bug", "--traceback", "-", model=model, stdin=trace.encode())
    assert [request.region for request in model.asked] == [ADD]


def test_paths_are_those_of_where_it_was_printed_or_of_the_top(
    repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo / "docs").mkdir()
    monkeypatch.chdir(repo / "docs")
    model = repairing()
    seed("edit", "-y", "fix the bug", "--traceback", "-", model=model, stdin=TRACE.encode())
    assert [request.region for request in model.asked] == [ADD]


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["--traceback", "none.txt"], b"", "--traceback none.txt: No such file or directory"),
        (["--traceback", "-"], b"all is well", "names no place and no error"),
        (["--traceback", "-"], b'File "elsewhere.py", line 3\nKeyError: 1\n', "names no code here"),
        (["-", "--traceback", "-"], b"", "both read stdin"),
        (["--traceback", "-", "--changed"], b"", "--traceback says what to edit"),
        (["--traceback", "-", "--top", "3"], b"", "--traceback says what to edit"),
        (["--traceback", "-", "--new", "a.py"], b"", "--traceback says what to edit"),
    ],
)
def test_what_makes_no_sense_is_refused(
    repo: Path, seed: Seed, arguments: list[str], stdin: bytes, said: str
) -> None:
    before = (repo / "calc.py").read_bytes()
    result = seed("edit", "-y", "fix the bug", *arguments, stdin=stdin)
    assert result.code == 2
    assert said in result.err
    assert (repo / "calc.py").read_bytes() == before


def test_bytes_that_are_no_text_do_no_harm(repo: Path, seed: Seed) -> None:
    result = seed("edit", "-y", "fix the bug", "--traceback", "-", stdin=b"\xff\xfe\n" + TRACE.encode())
    assert result.code == 0


def test_what_is_told_is_shown(repo: Path, seed: Seed) -> None:
    result = seed("edit", "--show-prompt", "fix the bug", "--traceback", "-", stdin=TRACE.encode())
    assert "told of calc.py:1: return a - b\n" in result.err
    assert "told of calc.py:1: TypeError: unsupported operand type(s) for -: 'str' and 'str'\n" in result.err


def test_a_model_that_was_not_trained_for_it_is_told_nothing(repo: Path, seed: Seed) -> None:
    model = ScriptedModel(replacing({"a - b": "a + b"}), hints=False)
    result = seed("edit", "-y", "fix the bug", "--traceback", "-", model=model, stdin=TRACE.encode())
    assert [(request.instruction, request.region) for request in model.asked] == [("fix the bug", ADD)]
    assert "was not trained to be told of errors; it sees the instruction alone\n" in result.err
