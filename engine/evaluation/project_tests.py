"""The program that runs a project's tests in the cage, and what it reports. Knows no git and no cases."""

import json
from collections.abc import Sequence

from engine.evaluation.cage import Run

FOLDER = "project"
"""Where the program finds the project, in its own folder."""
REPORT = "passed.json"
"""Where it says which tests passed."""

RUN = """
import json, os, sys

_report = os.path.abspath(_report)
os.chdir(_folder)
_paths = [os.path.abspath("src"), os.getcwd()]
sys.path[:0] = _paths
os.environ["PYTHONPATH"] = os.pathsep.join(_paths)

import pytest


class _Tests:
    def __init__(self):
        self.passed, self.failed, self.broken = set(), {}, ""

    def pytest_sessionstart(self, session):
        self.session = session

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: item.nodeid not in _wanted)

    def pytest_internalerror(self, excinfo):
        self.broken = excinfo.exconly().splitlines()[0]

    def pytest_collectreport(self, report):
        if report.failed:
            self.broken = _error(report)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = _error(report)
            if report.nodeid in _wanted:
                self.session.shouldfail = "a test that has to pass has failed"
        elif report.passed and report.when == "call":
            self.passed.add(report.nodeid)


def _error(report):
    lines = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
    return lines[0] if lines else "failed"


_tests = _Tests()
_options = ["-q", "--tb=short", "--rootdir=.", "-p", "no:cacheprovider", "-p", "no:randomly"]
_code = int(pytest.main([*_options, "--", *_files], plugins=[_tests]))
_passed = sorted(_tests.passed - set(_tests.failed))
with open(_report, "w") as _file:
    json.dump(_passed, _file)
sys.stdout.flush()
for _name in _wanted:
    if _name not in _passed:
        _why = _tests.failed.get(_name) or _tests.broken or f"not run; pytest ended with exit code {_code}"
        sys.exit(f"{_name}: {_why}")
"""
"""Wanted tests first, and an end with the first of them that fails: most wrong answers are found out soon. The paths of
the project are absolute and go before an installed copy of it, in processes that its tests start too.
"""


def code_for(files: Sequence[str], wanted: Sequence[str]) -> str:
    """Code that passes if the wanted tests do, and reports all tests of the files that passed."""
    names = {"_folder": FOLDER, "_report": REPORT, "_files": list(files), "_wanted": list(wanted)}
    return "".join(f"{name} = {value!r}\n" for name, value in names.items()) + RUN


def passed_tests(run: Run) -> set[str]:
    """Names of the tests that passed; none where the program came to no report."""
    try:
        return set(json.loads(run.report))
    except (ValueError, TypeError):
        return set()
