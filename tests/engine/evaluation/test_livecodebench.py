"""Rows written here in the format of LiveCodeBench."""

import base64
import json
import os
import pickle
import zlib

import pytest

from engine.evaluation.cage import Cage, Limits
from engine.evaluation.livecodebench import FILE_BYTES, livecodebench, private_cases


def packed(cases):
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(cases)))).decode()


def cases(testtype, *pairs):
    return [{"input": a, "output": b, "testtype": testtype} for a, b in pairs]


STDIN = {
    "question_id": "mine_a",
    "question_content": "Read n, then n numbers; print their sum.",
    "starter_code": "",
    "public_test_cases": json.dumps(cases("stdin", ("2\n1 2\n", "3"))),
    "private_test_cases": packed(cases("stdin", ("3\n1 2 3\n", "6\n"), ("1\n0.5\n", "0.50"))),
    "metadata": "{}",
}
METHOD = {
    "question_id": "17",
    "question_content": 'Join """words""".',
    "starter_code": "class Solution:\n    def join(self, words: List[str], between: str) -> str:\n        ",
    "public_test_cases": json.dumps(cases("functional", ('["a", "b"]\n"-"', '"a-b"'))),
    "private_test_cases": json.dumps(cases("functional", ('["a"]\n"-"', '"a"'))),
    "metadata": json.dumps({"func_name": "join"}),
}


@pytest.fixture(scope="module")
def judge():
    cage = Cage(Limits(seconds=60))
    return lambda row, answer: cage.run(livecodebench(row).program(answer)).outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("input()\nprint(sum(map(float, input().split())))\n", "passed"),
        ("import sys\nsys.stdin.readline()\nprint(sum(map(float, sys.stdin.read().split())))\n", "passed"),
        (
            "import sys\ndef main():\n    n, *rest = map(float, sys.stdin.buffer.read().split())\n"
            "    print(sum(rest))\n    sys.exit()\nif __name__ == '__main__':\n    main()\n",
            "passed",
        ),
        ("input()\nprint(max(map(float, input().split())))\n", "failed"),
        ("input()\nprint(sum(map(float, input().split())))\nprint()\nprint(1)\n", "failed"),
        ("", "failed"),
        ("raise ValueError\n", "failed"),
    ],
)
def test_programs_are_judged_by_what_they_print(judge, answer, outcome):
    assert judge(STDIN, answer) == outcome


@pytest.mark.parametrize(
    "lines",
    [
        "iter(input, '')",  # up to the end of the file
        "iter(__import__('sys').stdin.readline, '')",
        "__import__('sys').stdin",
        "__import__('sys').stdin.readlines()",
        "__import__('sys').stdin.read().split('\\n')",
        "__import__('sys').stdin.buffer.read().split(b'\\n')",
        "stdin.read().split('\\n')",
        "open(0).read().split('\\n')",
        "open(0)",
        "open(0, 'rb').readlines()",
        "open('/dev/stdin').readlines()",
        "BytesIO(os.read(0, os.fstat(0).st_size)).readlines()",
        "__import__('fileinput').input()",
        "__import__('mmap').mmap(0, 0, access=1).read().split(b'\\n')",
    ],
)
def test_the_input_is_there_however_it_is_read(judge, lines):
    answer = f"""\
import os
found = []
try:
    for line in {lines}:
        found += list(map(float, line.split()))
except EOFError:
    pass
print(sum(found[1:]))
"""
    assert judge(STDIN, answer) == "passed"


@pytest.mark.parametrize(
    "show",
    [
        "print(found)",
        "print(found, end='', flush=True)",
        "sys.stdout.write(str(found))",
        "stdout.write(str(found))",
        "sys.stdout.buffer.write(str(found).encode())",
        "sys.__stdout__.write(str(found))",
        "os.write(1, str(found).encode())",
        "open(1, 'w').write(str(found))",
        "open('/dev/stdout', 'w').write(str(found))",
        "os.system(f'echo {found}')",
        "__import__('atexit').register(print, found)",
        "threading.Thread(target=lambda: (time.sleep(0.1), print(found))).start()",
        "sys.stdout = BytesIO(); os.write(1, str(found).encode())",
    ],
)
def test_the_output_counts_however_it_is_written(judge, show):
    answer = f"import os, sys, threading, time\ninput()\nfound = sum(map(float, input().split()))\n{show}\n"
    assert judge(STDIN, answer) == "passed"
    assert judge(STDIN, answer.replace("sum(", "max(")) == "failed"


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        ("exit()", "passed"),
        ("quit()", "passed"),
        ("exit(0)", "passed"),
        ("sys.exit()", "passed"),
        ("raise SystemExit", "passed"),
        ("sys.stdout.flush(); os._exit(0)", "passed"),
        ("os._exit(0)", "failed"),  # what was printed is lost
        ("os.abort()", "failed"),
        ("1 / 0", "failed"),
    ],
)
def test_a_program_may_leave_after_its_output(judge, end, outcome):
    sums = "print(sum(map(float, input().split())))\n"
    assert judge(STDIN, f"import os, sys\ninput()\n{sums}{end}\nprint('never')\n") == outcome
    early = f"import os, sys\nif input() == '3':\n    {end}\n{sums}"  # in the second case
    assert judge(STDIN, early) == "failed"
    assert judge(STDIN, early.replace(end, "pass")) == "passed"


def test_no_case_sees_what_another_did(judge):
    once = "import math\nassert math.pi > 3\nmath.pi = 0\n"
    assert judge(STDIN, f"{once}input()\nprint(sum(map(float, input().split())))\n") == "passed"


@pytest.mark.parametrize(
    ("work", "outcome"),
    [
        ("while True: pass", "timed out"),
        ("sum(range(10 ** 12))", "timed out"),  # hears no signal
        ("while time.process_time() < 0.4: pass", "timed out"),  # three times
        ("while time.process_time() < 0.1: pass", "passed"),
    ],
)
def test_all_cases_share_the_time(work, outcome):
    answer = f"import time\ninput()\nprint(sum(map(float, input().split())))\n{work}\n"
    found = Cage(Limits(cpu_seconds=1, seconds=120)).run(livecodebench(STDIN).program(answer))
    assert found.outcome == outcome, found


def test_answers_see_the_published_names(judge):
    names = "assert pow(3, 2, 5) == 4 and stdin and BytesIO and loads and Counter"
    answer = f"{names}\ninput()\nprint(sum(map(float, input().split())))\n"
    assert judge(STDIN, answer) == "passed"
    assert judge(STDIN, f"from __future__ import annotations\n{answer}") == "passed"
    assert judge(METHOD, f"{names}; return between.join(words)\n") == "passed"


@pytest.mark.parametrize(
    "leave", ["exit()", "quit(0)", "__import__('sys').exit()", "__import__('os')._exit(0)"]
)
def test_no_method_passes_by_leaving_before_its_tests(judge, leave):
    assert judge(METHOD, f"return between.join(words)\n{leave}\n") == "failed"
    assert judge(METHOD, f"{leave}; return between.join(words)\n") == "failed"


def test_large_inputs_and_outputs_are_no_errors():
    numbers = " ".join(["123456789"] * 10**6)
    pairs = cases("stdin", (numbers, numbers.replace(" ", "\n")))
    row = STDIN | {"public_test_cases": json.dumps(pairs), "private_test_cases": "[]"}
    cage = Cage(Limits(cpu_seconds=30, seconds=600, file_bytes=FILE_BYTES))
    found = cage.run(livecodebench(row).program("print(*input().split(), sep='\\n')\n"))
    assert found.outcome == "passed", found.output


def test_the_question_is_shown_and_the_starter_code_begins_the_program():
    case = livecodebench(METHOD)
    assert case.prefix.endswith(METHOD["starter_code"])
    assert case.prefix.startswith('"""\nJoin')
    assert case.head == METHOD["starter_code"]
    assert (case.after, case.name) == ("", "17")


class Harmful:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize(
    "text", ["no cases", packed([])[:-9], base64.b64encode(zlib.compress(pickle.dumps(Harmful()))).decode()]
)
def test_packed_cases_are_plain_data_or_nothing(text):
    with pytest.raises(ValueError, match="private_test_cases"):
        private_cases(text)
