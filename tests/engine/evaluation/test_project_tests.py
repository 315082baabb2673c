import sys
from pathlib import Path

from engine.evaluation.cage import Cage, Limits, Program, Run
from engine.evaluation.project_tests import FOLDER, REPORT, code_for, passed_tests

PATIENT = Limits(cpu_seconds=60, seconds=600, memory=8 << 30, processes=128)


def run(files, wanted):
    """Run a project of these files; all that are tests are named."""

    def fill(folder):
        for name, text in files.items():
            path = folder / FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    named = [name for name in files if Path(name).name.startswith("test_")]
    return Cage(PATIENT).run(Program(code_for(named, wanted), fill, Path(sys.executable), REPORT))


def test_all_that_passed_is_reported_and_what_is_wanted_decides():
    tests = """
import subprocess, sys, unittest
import pytest

def test_fails():
    assert False

@pytest.mark.skip
def test_skipped():
    pass

@pytest.mark.parametrize("word", ["a", "b c"])
def test_words(word):
    assert word

def test_a_process_of_its_own():
    subprocess.run([sys.executable, "-c", "import numpy; assert numpy.here"], check=True)

class Subtests(unittest.TestCase):
    def test_parts(self):
        for part in range(2):
            with self.subTest(part=part):
                assert not part
"""
    # A package of the project goes before one that is installed.
    found = run(
        {"src/numpy.py": "here = True\n", "tests/test_it.py": tests}, ["tests/test_it.py::test_words[a]"]
    )
    assert found.outcome == "passed", found.output
    names = {"test_words[a]", "test_words[b c]", "test_a_process_of_its_own"}
    assert passed_tests(found) == {f"tests/test_it.py::{name}" for name in names}


def test_the_first_wanted_test_that_fails_is_the_end():
    tests = "def test_other():\n    pass\n\ndef test_wanted():\n    assert 1 == 2, 'no such luck'\n"
    found = run({"test_it.py": tests}, ["test_it.py::test_wanted"])
    assert found.outcome == "failed"
    assert found.last_line == "test_it.py::test_wanted: AssertionError: no such luck"
    assert passed_tests(found) == set()


def test_what_cannot_be_imported_is_named():
    found = run({"test_it.py": "import no_such_module\n"}, ["test_it.py::test_wanted"])
    assert found.last_line == "test_it.py::test_wanted: ModuleNotFoundError: No module named 'no_such_module'"
    found = run({"test_it.py": "", "conftest.py": "1 +\n"}, ["test_it.py::test_wanted"])
    assert found.last_line == "test_it.py::test_wanted: not run; pytest ended with exit code 4"
    broken = {"test_it.py": "", "conftest.py": "def pytest_sessionstart():\n    raise ValueError('early')\n"}
    assert run(broken, ["test_it.py::test_wanted"]).last_line.endswith("ValueError: early")


def test_leaving_early_is_no_pass():
    found = run(
        {"test_it.py": "import os\n\ndef test_wanted():\n    os._exit(0)\n"}, ["test_it.py::test_wanted"]
    )
    assert (found.outcome, passed_tests(found)) == ("failed", set())


def test_a_report_that_is_none_names_no_tests():
    assert passed_tests(Run("failed", "", 0.0, "{")) == passed_tests(Run("failed", "", 0.0, "1")) == set()
