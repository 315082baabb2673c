import json

import pytest

from engine.errors import DataError
from engine.evaluation.cage import Cage, Limits
from engine.evaluation.judged import FIX, digest, read_cases

QUIX = {
    "entry_point": "flat",
    "before": "def flat(xs):\n    yield (xs, 1)\n",
    "after": "def flat(xs):\n    for x in xs:\n        yield (x, 1)\n",
    "cases": [[[[3, 4]], [[3, 1], [4, 1]]], [[[]], []]],
}
SQRT = {
    "entry_point": "sqrt",
    "before": "def sqrt(x, epsilon):\n    return x\n",
    "after": "def sqrt(x, epsilon):\n    return x ** 0.5 + epsilon / 2\n",
    "cases": [[[4, 0.2], 2]],
}
PACK = {
    "task_id": "Python/0",
    "declaration": "from typing import List\n\n\ndef half(n):\n    return n / 2\n\n\ndef twice(xs: List):\n",
    "buggy_solution": "    return [half(x) * 2 for x in xs]\n",
    "canonical_solution": "    return [half(x) * 4 for x in xs]\n",
    "test": "\n\ndef check(twice):\n    assert twice([1]) == [2]\n\ncheck(twice)",
    "entry_point": "twice",
}
EDIT = {
    "id": 7,
    "full_name": "7_greet",
    "before": "def hi():\n    return 'hi'",
    "after": "def hi():\n    return 'hello'",
    "tests": "assert hi() == 'hello'",
    "instruction_lazy": "be longer",
    "instruction_descriptive": "Return hello.",
}
COMMIT = {
    "id": "a/b/1",
    "subject": "Say hello",
    "before": "x = 1\n",
    "after": "x = 2\n",
    "repo": "a/b",
    "commit": "0123456789abcdef",
}


def read(tmp_path, *rows, **options):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_cases(path, **options)


def test_published_answers_pass_and_questions_do_not(tmp_path):
    cases = read(tmp_path, QUIX, SQRT, PACK, EDIT)
    cage = Cage(Limits(seconds=60))
    assert [r.last_line for r in cage.run_all([c.program(c.after) for c in cases])] == [""] * 4
    assert [r.outcome for r in cage.run_all([c.program(c.before) for c in cases])] == ["failed"] * 4


def test_the_wrong_function_alone_is_the_region(tmp_path):
    (case,) = read(tmp_path, PACK)
    assert case.before == "def twice(xs: List):\n    return [half(x) * 2 for x in xs]\n"
    assert case.head.endswith("return n / 2\n\n\n")
    assert (case.name, case.instruction) == ("Python/0", FIX)


def test_a_check_that_nobody_calls_is_called(tmp_path):
    (case,) = read(tmp_path, PACK | {"test": "def check(twice):\n    assert twice([1]) == [2]\n"})
    assert case.tests.endswith("check(twice)\n")
    (case,) = read(tmp_path, PACK)
    assert case.tests.count("check(twice)") == 2  # its definition and its call


def test_the_user_chooses_between_two_instructions(tmp_path):
    (lazy,), (long,) = read(tmp_path, EDIT), read(tmp_path, EDIT, instructions="descriptive")
    assert (lazy.instruction, long.instruction) == ("be longer", "Return hello.")
    assert (lazy.name, lazy.before) == ("7_greet", "def hi():\n    return 'hi'\n")


def test_rows_without_an_instruction_are_to_be_fixed(tmp_path):
    (case,) = read(tmp_path, {"before": "x = 1", "after": "x = 2", "tests": "assert x == 2"})
    assert (case.instruction, case.name) == (FIX, "1")


def test_a_commit_is_told_its_subject_and_not_judged_by_tests(tmp_path):
    with_tests, without = read(
        tmp_path, COMMIT | {"exec": {"test_files": ["t.py"]}}, COMMIT | {"id": "a/b/2"}
    )
    assert with_tests.instruction == "Say hello"
    wants = "its tests need a clone of a/b with 0123456789; give a folder of clones by --clones"
    assert with_tests.unjudged == wants
    assert without.unjudged == "it has no tests"


@pytest.mark.parametrize("content", ["", "[1]\n", "{\n", '{"before": "x"}\n'])
def test_what_is_no_case_is_named(tmp_path, content):
    path = tmp_path / "rows.jsonl"
    path.write_text(content)
    with pytest.raises(DataError, match=r"rows\.jsonl"):
        read_cases(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="absent"):
        read_cases(tmp_path / "absent")


def test_the_digest_tells_cases_apart(tmp_path):
    one, other = read(tmp_path, EDIT), read(tmp_path, EDIT | {"tests": "pass"})
    assert digest(one) == digest(list(one))
    assert digest(one) != digest(other)


PLAIN = {"before": "x = 1", "after": "x = 2", "tests": "assert x == 2"}


def test_names_that_are_numbers_are_names(tmp_path):
    cases = read(tmp_path, *({**PLAIN, "id": number} for number in range(3)))
    assert [case.name for case in cases] == ["0", "1", "2"]
    assert [case.name for case in read(tmp_path, PLAIN, PLAIN)] == ["1", "2"]


def test_cases_of_one_name_are_an_error(tmp_path):
    with pytest.raises(DataError, match="2 cases of the name 'a'"):
        read(tmp_path, {**PLAIN, "id": "a"}, {**PLAIN, "id": "a"})


def test_a_row_without_a_text_is_named(tmp_path):
    with pytest.raises(DataError, match="row 1"):
        read(tmp_path, {**PLAIN, "before": None})


def test_line_separators_inside_a_text_end_no_row(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**PLAIN, "before": "x = '\u2028'"}, ensure_ascii=False) + "\n")
    (case,) = read_cases(path)
    assert case.before == "x = '\u2028'\n"
