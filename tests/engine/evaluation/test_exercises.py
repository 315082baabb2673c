"""An exercise written here, laid out as in Exercism's Python track."""

import json

import pytest

from engine.errors import DataError
from engine.evaluation.cage import Cage, Limits
from engine.evaluation.exercises import read_exercises

TESTS = """\
import unittest
from two_fer import two_fer
import two_fer as module

class TwoFerTest(unittest.TestCase):
    def test_name(self):
        self.assertEqual(two_fer("Ann"), "One for Ann, one for me.")
        self.assertTrue(module.two_fer)
"""


@pytest.fixture
def exercise(tmp_path):
    folder = tmp_path / "python" / "exercises" / "practice" / "two-fer"
    (folder / ".meta").mkdir(parents=True)
    (folder / ".docs").mkdir()
    files = {"solution": ["two_fer.py"], "test": ["two_fer_test.py"], "example": [".meta/example.py"]}
    (folder / ".meta" / "config.json").write_text(json.dumps({"files": files}))
    (folder / ".docs" / "instructions.md").write_text("# Instructions\n\nShare.\n")
    (folder / ".docs" / "instructions.append.md").write_text("In English.\n")
    (folder / "two_fer.py").write_text("def two_fer(name):\n    pass\n")
    (folder / ".meta" / "example.py").write_text(
        'def two_fer(name):\n    return f"One for {name}, one for me."\n'
    )
    (folder / "two_fer_test.py").write_text(TESTS)
    return folder


def test_an_exercise_is_edited_as_a_whole_file_and_judged_by_its_tests(exercise, tmp_path):
    (case,) = read_exercises(tmp_path)
    assert case.name == "two-fer"
    assert case.instruction == "# Instructions\n\nShare.\n\nIn English."
    cage = Cage(Limits(seconds=60))
    assert cage.run(case.program(case.after)).outcome == "passed"
    assert cage.run(case.program(case.before)).outcome == "failed"


@pytest.mark.parametrize(
    "tests",
    [
        f'{TESTS}\nif __name__ == "__main__":\n    unittest.main()\n',
        f'"""Tests."""\nfrom __future__ import annotations\n{TESTS}',
        f"{TESTS}\ndef setUpModule():\n    global ready\n    ready = True\n\nassert __name__ == 'two_fer_test'\n",
    ],
)
def test_test_files_are_modules_of_their_own(exercise, tmp_path, tests):
    (exercise / "two_fer_test.py").write_text(tests)
    (case,) = read_exercises(tmp_path)
    cage = Cage(Limits(seconds=60))
    found = cage.run(case.program(case.after))
    assert found.outcome == "passed", found.output
    assert cage.run(case.program(case.before)).outcome == "failed"


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("{}\nif __name__ == '__main__':\n    print(two_fer(input()))\n", "passed"),
        ("from __future__ import annotations\n{}", "passed"),
        ("{}\nimport unittest\n", "passed"),
        ("{}\nexit()\n", "failed"),
        ("{}\nquit(0)\n", "failed"),
        ("{}\nimport sys\nsys.exit()\n", "failed"),
        ("{}\nimport os\nos._exit(0)\n", "failed"),
        ("{}\ndef two_fer(name):\n    exit()\n", "failed"),
        ("{}\nraise ImportError\n", "failed"),
        ("", "failed"),
    ],
)
def test_the_solution_is_a_module_too(exercise, tmp_path, answer, outcome):
    (case,) = read_exercises(tmp_path)
    found = Cage(Limits(seconds=60)).run(case.program(answer.format(case.after)))
    assert found.outcome == outcome, found.output


@pytest.mark.parametrize("kind", ["test", "editor"])
def test_tests_may_have_helpers_in_other_files(exercise, tmp_path, kind):
    config = exercise / ".meta" / "config.json"
    files = json.loads(config.read_text())["files"]
    files[kind] = [*files.get(kind, []), "test_utils.py"]
    config.write_text(json.dumps({"files": files}))
    (exercise / "test_utils.py").write_text("import two_fer\nNAME = 'Ann'\n")
    tests = TESTS.replace('"Ann"', "NAME")
    (exercise / "two_fer_test.py").write_text(f"from test_utils import NAME\n{tests}")
    (case,) = read_exercises(tmp_path)
    cage = Cage(Limits(seconds=60))
    assert cage.run(case.program(case.after)).outcome == "passed"
    assert cage.run(case.program(case.before)).outcome == "failed"


def test_an_exercise_without_a_test_does_not_pass(exercise, tmp_path):
    (exercise / "two_fer_test.py").write_text("import two_fer\n")
    (case,) = read_exercises(tmp_path)
    found = Cage(Limits(seconds=60)).run(case.program(case.after))
    assert (found.outcome, found.last_line) == ("failed", "AssertionError: there is no test")


def test_other_languages_are_passed_over_and_several_files_not_judged(exercise, tmp_path):
    config = exercise / ".meta" / "config.json"
    files = json.loads(config.read_text())["files"]
    config.write_text(json.dumps({"files": files | {"solution": ["two_fer.py", "more.py"]}}))
    (case,) = read_exercises(tmp_path)
    assert case.unjudged == "its solution is several files"
    config.write_text(json.dumps({"files": files | {"solution": ["two_fer.go"]}}))
    with pytest.raises(DataError, match="no Python exercise"):
        read_exercises(tmp_path)


def test_a_missing_file_is_named(exercise, tmp_path):
    (exercise / "two_fer_test.py").unlink()
    with pytest.raises(DataError, match=r"two_fer_test\.py"):
        read_exercises(tmp_path)
