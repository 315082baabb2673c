"""Exercises as Aider's benchmarks use them: folders of Exercism's Python track (Aider-AI/polyglot-benchmark).

An exercise is a folder with `.docs/instructions.md`, `.meta/config.json` (whose `files` name `solution`, `test` and
`example`, and under `editor` what else the tests import), the solution's file to be edited and its `unittest` tests.
The edit is asked for as in Aider's format `whole`: the region is the whole file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import DataError
from engine.evaluation.judged import JudgedCase, check_names
from engine.evaluation.writing_cases import RUN_SUITE

CONFIG = ".meta/config.json"
INSTRUCTIONS = ("introduction.md", "instructions.md", "instructions.append.md")

MODULES = f"""
import importlib as _importlib, os as _os, sys as _sys, unittest as _unittest
for _name, _text in {{**_files, _solution: _source}}.items():
    with open(_name, "w", encoding="utf-8") as _file:
        _file.write(_text)
_sys.path.insert(0, _os.getcwd())
_suite = _unittest.TestSuite(
    _unittest.defaultTestLoader.loadTestsFromModule(_importlib.import_module(_name.removesuffix(".py")))
    for _name in _tests
)
{RUN_SUITE.lstrip()}"""
"""Writes the solution and its tests into the current folder and runs these as modules, as published harnesses do."""


@dataclass(frozen=True, slots=True)
class Exercise(JudgedCase):
    """A file to edit as a whole, which its tests import."""

    def program(self, answer: str) -> str:
        """What passes if, and only if, the answer does."""
        return f"_source = {answer!r}\n{self.tests}\n"


def read_exercises(root: Path) -> list[JudgedCase]:
    """Every Python exercise below a folder, by name.

    Raises:
        DataError: there is none, or one lacks a file.
    """
    cases = []
    for config in sorted(root.rglob(CONFIG)):
        folder = config.parents[1]
        try:
            files = json.loads(config.read_text(encoding="utf-8"))["files"]
            if all(name.endswith(".py") for name in files["solution"]):
                cases.append(_case(folder, files))
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise DataError(f"{folder} is no whole exercise: {error}") from error
    if not cases:
        raise DataError(f"{root} holds no Python exercise; give the folder of a copy of the benchmark")
    check_names(root, [case.name for case in cases])
    return cases


def _case(folder: Path, files: Mapping[str, Sequence[str]]) -> JudgedCase:
    solution, tests, example = (files[kind] for kind in ("solution", "test", "example"))
    docs = [folder / ".docs" / name for name in INSTRUCTIONS]
    instruction = "\n\n".join(path.read_text(encoding="utf-8").strip() for path in docs if path.exists())
    before, after = ((folder / files[0]).read_text(encoding="utf-8") for files in (solution, example))
    helpers = [name for name in files.get("editor", ()) if name.endswith(".py") and (folder / name).exists()]
    beside = {Path(name).name: (folder / name).read_text(encoding="utf-8") for name in (*tests, *helpers)}
    several = len(solution) > 1 or len(example) > 1
    names = [Path(name).name for name in tests if name.endswith(".py")]
    return Exercise(
        folder.name,
        instruction,
        before,
        after,
        f"_files, _solution, _tests = {beside!r}, {Path(solution[0]).name!r}, {names!r}\n{MODULES}",
        unjudged="its solution is several files" if several else "",
    )
