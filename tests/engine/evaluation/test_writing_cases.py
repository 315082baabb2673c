"""Rows written here in the formats of the benchmarks; none is theirs."""

import json

import pytest

from engine.errors import DataError
from engine.evaluation.cage import Cage, Limits
from engine.evaluation.writing_cases import (
    WritingCase,
    bigcodebench,
    humaneval,
    infilling,
    mbpp,
    read_writing,
)

PROMPT = 'def double(n):\n    """Twice n.\n\n    >>> double(2)\n    4\n    """\n'
CHECK = "def check(candidate):\n    assert candidate(3) == 6\n"
PUBLISHED = {
    "task_id": "Mine/0",
    "prompt": PROMPT,
    "canonical_solution": "    return 2 * n\n",
    "test": CHECK,
    "entry_point": "double",
}
PLAIN = {
    "id": "Mine/0",
    "before": PROMPT,
    "after": PROMPT + "    return 2 * n\n",
    "tests": CHECK + "\ncheck(double)\n",
}
TASK = {
    "task_id": 12,
    "text": "Write a function that doubles a number.",
    "code": "def double(n):\r\n  return 2 * n",
    "test_list": ["assert double(3) == SIX"],
    "test_setup_code": "SIX = 6",
}
UNITTEST = (
    "import unittest\nclass TestCases(unittest.TestCase):\n"
    "    def test_three(self):\n        self.assertEqual(task_func(3), 6)\n"
)
LIBRARY = {
    "task_id": "BigMine/0",
    "complete_prompt": 'import math\n\ndef task_func(n):\n    """Twice n."""\n',
    "instruct_prompt": "Return twice n.\nYou should write self-contained code starting with: ...",
    "code_prompt": "import math\n\ndef task_func(n):\n",
    "canonical_solution": "    return math.floor(2 * n)\n",
    "test": UNITTEST,
}


@pytest.fixture(scope="module")
def judge():
    cage = Cage(Limits(seconds=60))

    def outcome(case, answer):
        return cage.run(case.program(case.kept(answer))).outcome

    return outcome


@pytest.mark.parametrize(
    ("read", "variant", "row", "wrong"),
    [
        (humaneval, "", PUBLISHED, "    return n\n"),
        (humaneval, "", PLAIN, "    return n\n"),
        (mbpp, "test", TASK, "def double(n):\n    return n\n"),
        (bigcodebench, "complete", LIBRARY, "    return n\n"),
        (bigcodebench, "instruct", LIBRARY, "    return n\n"),
    ],
)
def test_published_answers_pass_and_others_do_not(judge, read, variant, row, wrong):
    case = read(row, variant)
    assert judge(case, case.after) == "passed"
    assert judge(case, wrong) == "failed"
    assert judge(case, "") == "failed"


@pytest.mark.parametrize(
    "leave", ["exit()", "quit(0)", "__import__('sys').exit()", "__import__('os')._exit(0)"]
)
@pytest.mark.parametrize(("read", "row"), [(humaneval, PUBLISHED), (mbpp, TASK), (bigcodebench, LIBRARY)])
def test_no_answer_passes_by_leaving_before_its_tests(judge, read, row, leave):
    case = read(row)
    assert judge(case, f"{case.after}\n{leave}\n") == "failed"
    assert judge(case, case.after.replace("return", f"{leave}; return")) == "failed"


def test_both_forms_of_a_row_are_the_same_case():
    published, plain = humaneval(PUBLISHED), humaneval(PLAIN)
    assert (published.prefix, published.after) == (plain.prefix, plain.after)


@pytest.mark.parametrize("form", ["published", "plain"])
def test_a_gap_has_text_on_both_sides(judge, form):
    prefix, middle, suffix = PROMPT + "    m = ", "2 * n", "\n    return m\n"
    row = (
        PUBLISHED | {"prompt": prefix, "canonical_solution": middle, "suffix": suffix}
        if form == "published"
        else {"id": "x", "prefix": prefix, "middle": middle, "suffix": suffix, "tests": PLAIN["tests"]}
    )
    case = infilling(row)
    assert (case.prefix, case.after, case.suffix) == (prefix, middle, suffix)
    assert judge(case, middle) == "passed"
    assert judge(case, "n + n") == "passed"
    assert judge(case, "n") == "failed"


def test_the_task_and_its_tests_are_shown():
    case = mbpp(TASK, "test")
    assert case.prefix == '"""\nWrite a function that doubles a number.\nassert double(3) == SIX\n"""\n'
    assert case.head == ""
    assert bigcodebench(LIBRARY, "instruct").prefix.endswith(f'...\n"""\n{LIBRARY["code_prompt"]}')


@pytest.mark.parametrize(
    ("number", "split", "asked"),
    [(12, "test", True), (12, "train", False), (601, "train", True), (3, "prompt", True), (510, "", True)],
)
def test_splits_go_by_number_unless_the_row_says(number, split, asked):
    assert (mbpp(TASK | {"task_id": number}, split) is not None) == asked
    assert mbpp(TASK | {"task_id": number, "split": "own"}, "own") is not None


def test_what_follows_the_answer_is_cut_off(judge):
    case = humaneval(PUBLISHED)
    written = "    return 2 * n\n\ndef other():\n    raise SystemExit\n"
    assert case.kept(written) == "    return 2 * n\n\n"
    assert judge(case, written + "\nassert False\n") == "passed"


def test_a_program_without_tests_does_not_pass(judge):
    case = bigcodebench(LIBRARY | {"test": "import unittest\n"}, "complete")
    assert judge(case, case.after) == "failed"


def test_what_cannot_be_read_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(PUBLISHED) + "\n" + json.dumps({"id": "y"}) + "\n")
    with pytest.raises(DataError, match=r"row 2: 'tests'|row 2: 'before'"):
        read_writing(path, humaneval)
    path.write_text(json.dumps(TASK) + "\n")
    with pytest.raises(DataError, match="no row of 'train'"):
        read_writing(path, mbpp, "train")
    assert [case.name for case in read_writing(path, mbpp, "test")] == ["MBPP/12"]
    assert isinstance(read_writing(path, mbpp)[0], WritingCase)
