"""What Python, pytest and linters really print is read: places outermost first, and the error."""

import subprocess
import sys
from pathlib import Path

import pytest

from seedcli.finding.failures import Failure, Place, read_failures

SOURCE = """def mean(values):
    return total(values) / len(value)


def total(values):
    return sum(values, start=None)
"""
TESTS = """from stats import mean


def test_of_two():
    assert mean([1, 3]) == 2


def test_of_nothing():
    assert 3 == 4
"""
TYPE_ERROR = "unsupported operand type(s) for +: 'NoneType' and 'int'"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "stats.py").write_text(SOURCE)
    (tmp_path / "test_stats.py").write_text(TESTS)
    return tmp_path


def printed(folder: Path, *arguments: str) -> str:
    """Both streams of a run of Python that fails."""
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode
    return done.stdout


def own(failure: Failure) -> list[tuple[str, int]]:
    """The places in the project."""
    named = [(Path(place.path).name, place.line) for place in failure.places]
    return [place for place in named if place[0] in ("stats.py", "test_stats.py")]


def test_a_traceback(project: Path) -> None:
    text = "something before\n" + printed(project, "-c", "import stats\nstats.mean([1])")
    (failure,) = read_failures(text)
    assert failure.places[0] == Place("<string>", 2)
    assert own(failure) == [("stats.py", 2), ("stats.py", 6)]
    assert failure.error == f"TypeError: {TYPE_ERROR}"


def test_errors_that_follow_from_one_another_are_several(project: Path) -> None:
    text = printed(
        project, "-c", "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise KeyError(3) from e"
    )
    assert [failure.error for failure in read_failures(text)] == [
        "ZeroDivisionError: division by zero",
        "KeyError: 3",
    ]


def test_a_syntax_error_has_its_place(project: Path) -> None:
    (project / "broken.py").write_text("def f(:\n    pass\n")
    (failure,) = read_failures(printed(project, "broken.py"))
    assert failure.places == (Place(str(project / "broken.py"), 1),)
    assert failure.error == "SyntaxError: invalid syntax"


@pytest.mark.parametrize("style", ["long", "short", "native", "auto"])
def test_every_test_that_fails_is_a_failure(project: Path, style: str) -> None:
    text = printed(project, "-m", "pytest", "-p", "no:cacheprovider", f"--tb={style}", "--color=yes")
    first, second = read_failures(text)
    assert own(first) == [("test_stats.py", 5), ("stats.py", 2), ("stats.py", 6)]
    assert first.error == f"TypeError: {TYPE_ERROR}"
    assert own(second) == [("test_stats.py", 9)]
    assert second.error in ("assert 3 == 4", "AssertionError: assert 3 == 4")


def test_pytest_in_one_line(project: Path) -> None:
    first, second = read_failures(printed(project, "-m", "pytest", "-p", "no:cacheprovider", "--tb=line"))
    assert first == Failure((Place(str(project / "stats.py"), 6),), f"TypeError: {TYPE_ERROR}")
    assert second.error == "assert 3 == 4"


def test_linters_and_type_checkers() -> None:
    text = (
        "src/app.py:12:5: F821 Undefined name `x`\n"
        'src/app.py:30: error: Name "y" is not defined  [name-defined]\n'
        "src/app.py:31: \n"
        "src/app.py:32: note: See the documentation\n"
        '  /srv/src/app.py:33:9 - error: "z" is possibly unbound (reportPossiblyUnbound)\n'
        "F401 [*] `os` imported but unused\n"
        " --> src/app.py:1:8\n"
        "  |\n"
        "1 | import os\n"
        "  |        ^^\n"
        "help: Remove unused import: `os`\n"
        "Found 2 errors in 1 file (checked 1 source file)\n"
    )
    assert read_failures(text) == [
        Failure((Place("src/app.py", 12),), "F821 Undefined name `x`"),
        Failure((Place("src/app.py", 30),), 'error: Name "y" is not defined  [name-defined]'),
        Failure((Place("/srv/src/app.py", 33),), 'error: "z" is possibly unbound (reportPossiblyUnbound)'),
        Failure((Place("src/app.py", 1),), "F401 [*] `os` imported but unused"),
    ]


@pytest.mark.parametrize("text", ["", "all is well\n", "12 passed in 0.3s\n", "==== 1 passed ====\n"])
def test_what_tells_of_no_failure(text: str) -> None:
    assert read_failures(text) == []
