"""Cases whose answers are judged by running tests, read from the files in which benchmarks are published.

Rows are JSON objects, one a line. The formats, told apart by their keys:

- QuixBugs (jkoppel/QuixBugs, its JSON test cases): `entry_point`, `before`, `after`, `cases` = [arguments, result].
- HumanEvalFix (bigcode/humanevalpack, Python): `task_id`, `declaration`, `buggy_solution`, `canonical_solution`,
  `test`, `entry_point`. Asked without the docstring of `prompt`, as published under the name of HumanEvalFix.
- CanItEdit (nuprl/CanItEdit): `full_name`, `before`, `after`, `tests`, `instruction_lazy`, `instruction_descriptive`.
- Real commits: `id`, `subject`, `before`, `after` (one function), `repo`, `commit`, and `exec` where the project has
  tests that the commit turned from failing to passing. Those tests need the project's checkout and what it depends on:
  `engine.evaluation.projects`.
- Plain: `before`, `after`, `tests`, and `id` and `instruction` if there are any.
"""

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.evaluation.cage import Program
from engine.files import read_json_lines

FIX = "fix the bug"

COMPARE = """
import math, types
def _plain(value):
    if isinstance(value, (list, tuple, types.GeneratorType)):
        return [_plain(item) for item in value]
    return value
for _arguments, _wanted in _cases:
    _tolerance = _arguments[-1] if _tolerant else 0
    _found = _plain(_function(*_arguments))
    if isinstance(_wanted, float) or _tolerance:
        assert math.isclose(_found, _wanted, abs_tol=_tolerance), (_found, _wanted)
    else:
        assert _found == _wanted, (_found, _wanted)
"""
"""As QuixBugs' own tests compare: generators by what they give, tuples as lists, `sqrt` up to its epsilon."""

HELPERS = """
import math, re, sys, copy, datetime, itertools, collections, heapq, functools, hashlib
from typing import *
"""
"""What the published harness of HumanEvalFix imports before every Python answer, as far as it is in Python itself."""


@dataclass(frozen=True, slots=True)
class JudgedCase:
    """A region to edit, and how an answer is judged."""

    name: str
    instruction: str
    before: str
    """The region."""
    after: str
    """The published answer."""
    tests: str
    """Code that runs after the answer and raises where it is wrong."""
    head: str = ""
    """Code of the same file before the region."""
    helpers: str = ""
    """Code that runs before everything else."""
    unjudged: str = ""
    """Why no tests can be run here; then only an answer equal to the published one is known to be right."""

    def program(self, answer: str) -> str | Program:
        """What passes if, and only if, the answer does."""
        return f"{self.helpers}{self.head}{answer}\n{self.tests}\n"


def read_cases(path: Path, instructions: str = "lazy") -> list[JudgedCase]:
    """The cases of a file.

    Args:
        instructions: `lazy` or `descriptive`, where rows have both.

    Raises:
        DataError: the file cannot be read, or a row is of no known format.
    """
    cases = []
    for number, row in enumerate(read_rows(path), 1):
        try:
            cases.append(_case(row, number, instructions))
        except (KeyError, TypeError, AttributeError, SyntaxError) as error:
            raise DataError(f"{path}, row {number}: {error} is missing or wrong; see the formats") from error
    check_names(path, [case.name for case in cases])
    return cases


def check_names(path: Path, names: Sequence[str]) -> None:
    """Results are kept by the cases' names.

    Raises:
        DataError: two cases have one name.
    """
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise DataError(f"{path} has {count} cases of the name {name!r}; give each its own `id`")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The JSON objects of a file, one a line.

    Raises:
        DataError: the file cannot be read.
    """
    try:
        rows = read_json_lines(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as one JSON object a line: {error}") from error
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"{path} holds no rows; give a file with one JSON object a line")
    return rows


def digest(cases: Sequence[Any]) -> str:
    """SHA-256 of cases that are data classes with text fields; of fields that are compared, so that places on this
    machine can be left out.
    """
    rows = [[str(getattr(case, field.name)) for field in fields(case) if field.compare] for case in cases]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _case(row: Mapping[str, Any], number: int, instructions: str) -> JudgedCase:
    if "cases" in row:
        return _quixbugs(row)
    if "buggy_solution" in row:
        return _humanevalfix(row)
    if "commit" in row:
        return _commit(row)
    wish = row.get(f"instruction_{instructions}") or row.get("instruction") or FIX
    name = str(next((row[key] for key in ("full_name", "id") if row.get(key) not in (None, "")), number))
    return JudgedCase(name, wish, _whole(row["before"]), _whole(row["after"]), row["tests"])


def _quixbugs(row: Mapping[str, Any]) -> JudgedCase:
    name = row["entry_point"]
    tests = f"_cases = {row['cases']!r}\n_function = {name}\n_tolerant = {name == 'sqrt'}\n{COMPARE}"
    return JudgedCase(name, FIX, _whole(row["before"]), _whole(row["after"]), tests)


def _humanevalfix(row: Mapping[str, Any]) -> JudgedCase:
    """The function that is wrong is the region; imports and other functions stand before it."""
    name, declaration = row["entry_point"], row["declaration"]
    at = declaration.rfind(f"def {name}(")
    if at < 0:
        raise KeyError(f"def {name} in `declaration`")
    tests = row["test"]
    if not _calls(tests, "check"):  # HumanEval itself leaves the call to the harness
        tests += f"\ncheck({name})\n"
    before, after = (_whole(declaration[at:] + row[key]) for key in ("buggy_solution", "canonical_solution"))
    return JudgedCase(row["task_id"], FIX, before, after, tests, declaration[:at], HELPERS)


def _commit(row: Mapping[str, Any]) -> JudgedCase:
    wants = f"its tests need a clone of {row['repo']} with {row['commit'][:10]}; give a folder of clones by --clones"
    why = wants if "exec" in row else "it has no tests"
    return JudgedCase(
        row["id"], row["subject"], _whole(row["before"]), _whole(row["after"]), tests="", unjudged=why
    )


def _calls(code: str, name: str) -> bool:
    """Whether code calls a function at its top level."""
    calls = [
        n.value for n in ast.parse(code).body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)
    ]
    return any(isinstance(call.func, ast.Name) and call.func.id == name for call in calls)


def _whole(text: str) -> str:
    """With a final newline: regions are whole lines."""
    return text if text.endswith("\n") else text + "\n"
