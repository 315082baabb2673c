"""Cases in which code is written: continued, or filled into a gap; read from files as benchmarks are published.

Rows are JSON objects, one a line. Each format has a reader, by the suite's name:

- HumanEval (openai/human-eval): `task_id`, `prompt`, `canonical_solution`, `test`, `entry_point`; or `before`, `after`,
  `tests`, where `after` begins with `before` and the tests call the function themselves.
- MBPP (google-research): `task_id`, `text` (or `prompt`), `code`, `test_list`, `test_setup_code`; or `instruction`,
  `after`, `tests`, `split`. Tasks 11 to 510 are the split named test. The model is shown the task and its tests.
- HumanEval-Infilling (openai/human-eval-infilling): `task_id`, `prompt`, `suffix`, `canonical_solution`, `test`,
  `entry_point`; or `prefix`, `suffix`, `middle`, `tests`.
- BigCodeBench (bigcode/bigcodebench): `task_id`, `complete_prompt`, `instruct_prompt`, `code_prompt`,
  `canonical_solution`, `test` (a `unittest.TestCase` named `TestCases`).

LiveCodeBench has a module of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import DataError
from engine.evaluation.judged import HELPERS, check_names, read_rows

RUN_SUITE = """
assert _suite.countTestCases(), "there is no test"
_result = _unittest.TestResult()
_suite.run(_result)
assert _result.wasSuccessful(), (_result.failures + _result.errors + _result.unexpectedSuccesses)[0]
"""
"""Runs the `unittest` tests of `_suite`."""

UNITTESTS = f"""
import unittest as _unittest
_suite = _unittest.TestSuite(
    _unittest.defaultTestLoader.loadTestsFromTestCase(_case)
    for _case in list(globals().values())
    if isinstance(_case, type) and issubclass(_case, _unittest.TestCase) and _case is not _unittest.TestCase
)
{RUN_SUITE.lstrip()}"""
"""Runs every `unittest` test that is defined before it."""

FUNCTION_STOPS = ("\nclass ", "\ndef ", "\n#", "\n@", "\nif ", "\nprint(", "\nassert ")
"""What begins after a function's body, as HumanEval's authors cut samples (Chen et al. 2021)."""
PROGRAM_STOPS = ('\n"""', "\nassert ", "\nprint(", "\nif __name__")
"""What begins after the code that a task asks for."""
MBPP_SPLITS = {"prompt": (1, 10), "test": (11, 510), "validation": (511, 600), "train": (601, 974)}
"""First and last task of each split (Austin et al. 2021)."""


@dataclass(frozen=True, slots=True)
class WritingCase:
    """A text to complete, and how what is written is judged."""

    name: str
    prefix: str
    """What the model sees before the place where it writes."""
    after: str
    """The published text; empty where none is published."""
    tests: str
    """Code that runs after the program and raises where it is wrong."""
    suffix: str | None = None
    """What stands after that place; None if nothing does."""
    head: str = ""
    """The program's code before what is written: the prefix, or the part of it that is code."""
    helpers: str = ""
    """Code that runs before everything else."""
    stops: tuple[str, ...] = ()
    """Before the first of these what is written is cut off."""
    is_quoted: bool = False
    """Whether the tests run the program themselves, from its text in `_source`."""
    unjudged: str = ""

    def kept(self, written: str) -> str:
        """What counts of a written text: whole lines up to what is no part of the answer."""
        places = [at for stop in self.stops if (at := written.find(stop)) >= 0]
        return written[: min(places) + 1] if places else written

    def program(self, answer: str) -> str:
        """What passes if, and only if, the answer does."""
        code = f"{self.helpers}{self.head}{answer}{self.suffix or ''}\n"
        return f"_source = {code!r}\n{self.tests}\n" if self.is_quoted else f"{code}{self.tests}\n"


Reader = Callable[[Mapping[str, Any], str], WritingCase | None]
"""A row and the variant asked for to a case; None for a row that is not asked for."""


def read_writing(path: Path, read: Reader, variant: str = "") -> list[WritingCase]:
    """The cases of a file.

    Args:
        variant: what a suite offers a choice of: a split, a prompt.

    Raises:
        DataError: the file cannot be read, a row is of another format, or no row is asked for.
    """
    cases = []
    for number, row in enumerate(read_rows(path), 1):
        try:
            case = read(row, variant)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path}, row {number}: {error} is missing or wrong; see the formats") from error
        if case:
            cases.append(case)
    if not cases:
        raise DataError(f"{path} has no row of {variant!r}")
    check_names(path, [case.name for case in cases])
    return cases


def humaneval(row: Mapping[str, Any], variant: str = "") -> WritingCase:  # noqa: ARG001
    """A function's body after its signature and docstring."""
    if "canonical_solution" in row:
        name, prefix, after = row["task_id"], row["prompt"], row["canonical_solution"]
        tests = f"{row['test']}\ncheck({row['entry_point']})\n"
    else:
        name, prefix, tests = row["id"], row["before"], row["tests"]
        after = row["after"].removeprefix(prefix)
    return WritingCase(str(name), prefix, after, tests, None, prefix, HELPERS, FUNCTION_STOPS)


def mbpp(row: Mapping[str, Any], split: str = "") -> WritingCase | None:
    """A whole program from one sentence and the tests it has to pass, shown as its docstring."""
    number = int(row["task_id"] if "task_id" in row else row["id"])
    if split and split != (row.get("split") or _split(number)):
        return None
    if "code" in row:
        task, after = row.get("text") or row["prompt"], row["code"]
        tests, setup = "\n".join(row["test_list"]), row.get("test_setup_code") or ""
    else:
        task, after, tests, setup = row["instruction"], row["after"], row["tests"], ""
    prefix = f'"""\n{task.strip()}\n{tests.strip()}\n"""\n'
    after = after.replace("\r\n", "\n").rstrip() + "\n"
    return WritingCase(
        f"MBPP/{number}", prefix, after, f"{setup}\n{tests}", helpers=HELPERS, stops=PROGRAM_STOPS
    )


def _split(number: int) -> str:
    return next((name for name, (low, high) in MBPP_SPLITS.items() if low <= number <= high), "")


def infilling(row: Mapping[str, Any], variant: str = "") -> WritingCase:  # noqa: ARG001
    """A stretch that is missing in a function."""
    if "canonical_solution" in row:
        name, prefix, after = row["task_id"], row["prompt"], row["canonical_solution"]
        tests = f"{row['test']}\ncheck({row['entry_point']})\n"
    else:
        name, prefix, after, tests = row["id"], row["prefix"], row["middle"], row["tests"]
    return WritingCase(str(name), prefix, after, tests, row["suffix"], prefix, HELPERS)


def bigcodebench(row: Mapping[str, Any], prompt: str = "complete") -> WritingCase:
    """A function after its docstring (`complete`), or after a task in prose (`instruct`)."""
    code = row["complete_prompt"] if prompt == "complete" else row["code_prompt"]
    prefix = code if prompt == "complete" else f'"""\n{row["instruct_prompt"].strip()}\n"""\n{code}'
    stops = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ", "\nassert ", "\nprint(", "\nif __name__")
    tests = f"{row['test']}\n{UNITTESTS}"
    return WritingCase(row["task_id"], prefix, row["canonical_solution"], tests, None, code, stops=stops)
