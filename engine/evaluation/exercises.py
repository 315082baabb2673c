"""Exercises as Aider's benchmarks use them: folders of Exercism's Python track (Aider-AI/polyglot-benchmark).

An exercise is a folder with `.docs/instructions.md`, `.meta/config.json` (whose `files` name `solution`, `test` and
`example`), the solution's file to be edited and its `unittest` tests. The edit is asked for as in Aider's format
`whole`: the region is the whole file.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.errors import DataError
from engine.evaluation.judged import JudgedCase, check_names
from engine.evaluation.writing_cases import UNITTESTS

CONFIG = ".meta/config.json"
INSTRUCTIONS = ("introduction.md", "instructions.md", "instructions.append.md")

MODULE = """
import sys as _sys, types as _types
_module = _types.ModuleType({name!r})
_module.__dict__.update(globals())
_sys.modules[{name!r}] = _module
"""
"""Lets tests import what was defined before them."""


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
    code = "\n".join((folder / name).read_text(encoding="utf-8") for name in tests)
    several = len(solution) > 1 or len(example) > 1
    return JudgedCase(
        folder.name,
        instruction,
        before,
        after,
        f"{MODULE.format(name=Path(solution[0]).stem)}{code}\n{UNITTESTS}",
        unjudged="its solution is several files" if several else "",
    )
