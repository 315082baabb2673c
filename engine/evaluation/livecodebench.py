"""LiveCodeBench, code generation: rows of `livecodebench/code_generation` and of its lite version.

Columns: `question_id`, `question_content`, `starter_code`, `public_test_cases`, `private_test_cases`, `metadata`. Test
cases are JSON lists of `{"input", "output", "testtype": "stdin" | "functional"}`; the lite version packs the private
ones as base64 of zlib of a pickled string of that JSON. No answers are published.
"""

import base64
import io
import json
import pickle
import zlib
from collections.abc import Mapping
from typing import Any

from engine.evaluation.writing_cases import WritingCase

IMPORTS = """
from string import *
from re import *
from datetime import *
from collections import *
from heapq import *
from bisect import *
from copy import *
from math import *
from random import *
from statistics import *
from itertools import *
from functools import *
from operator import *
from io import *
from sys import *
from json import *
from builtins import *
from typing import *
import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, itertools, functools, operator
import io, sys, json
sys.setrecursionlimit(50000)
"""
"""What answers may use without importing it, as in the published harness."""

FUNCTIONAL = """
import json as _json
_function = getattr(Solution(), _name) if "Solution" in globals() else globals()[_name]
for _input, _output in _cases:
    _found = _function(*[_json.loads(line) for line in _input.split("\\n")])
    _found = list(_found) if isinstance(_found, tuple) else _found
    assert _found == _json.loads(_output), (_input[:200], _output[:200])
"""

STANDARD_INPUT = """
import gc as _gc, os as _os, resource as _resource, signal as _signal, tempfile as _tempfile
from decimal import Decimal as _Decimal

def _printed(input):
    spent = sum(_resource.getrusage(_resource.RUSAGE_CHILDREN)[:2])
    left = max(_signal.getitimer(_signal.ITIMER_PROF)[0] - spent, 0.001)
    with _tempfile.TemporaryFile() as given, _tempfile.TemporaryFile() as written:
        given.write(input.encode())
        given.seek(0)
        child = _os.fork()
        if not child:
            _os.dup2(given.fileno(), 0)
            _os.dup2(written.fileno(), 1)
            _signal.setitimer(_signal.ITIMER_PROF, left)
            try:
                exec(_code, _names)
            except SystemExit:
                pass
            raise SystemExit
        status = _os.waitstatus_to_exitcode(_os.waitpid(child, 0)[1])
        assert not status, f"the answer ended with {status}"
        written.seek(0)
        return written.read().decode()

def _values(line):
    try:
        return [_Decimal(part) for part in line.split()]
    except ArithmeticError:
        return line

_names = {"__name__": "__main__"}
exec(_imports, _names)
_code = compile(_source, "answer.py", "exec")
_gc.freeze()
for _input, _output in _cases:
    _lines = [[_line.strip() for _line in _text.strip().split("\\n")] for _text in (_printed(_input), _output)]
    assert len(_lines[0]) == len(_lines[1]), (_lines[0][:5], _lines[1][:5])
    for _a, _b in zip(*_lines):
        assert _a == _b or _values(_a) == _values(_b), (_a[:200], _b[:200])
"""
"""Runs the answer once a test case, in a process of its own, which reads and writes files as in a contest.

So input and output count however they are read and written, a program may end as it likes, and no case sees what
another has left. A child has no timer from its parent: it gets what is left of the time that all cases share. Frozen
objects are not collected at a child's end, which halves what a case costs.
"""

FILE_BYTES = 64 << 20
"""Of a test case's input, and of what is printed for it; published ones have megabytes."""


def livecodebench(row: Mapping[str, Any], variant: str = "") -> WritingCase:  # noqa: ARG001
    """A program that reads from standard input, or a method of a class whose beginning is given.

    Raises:
        ValueError: the test cases cannot be read.
    """
    cases = [*json.loads(row["public_test_cases"]), *private_cases(row["private_test_cases"])]
    if not cases:
        raise ValueError(f"no test case of {row['question_id']}")
    pairs = [(case["input"], case["output"]) for case in cases]
    functional = cases[0]["testtype"] == "functional"
    name = json.loads(row["metadata"] or "{}").get("func_name", "")
    harness = f"_name = {name!r}\n{FUNCTIONAL}" if functional else f"_imports = {IMPORTS!r}\n{STANDARD_INPUT}"
    starter = row["starter_code"]
    prefix = f'"""\n{row["question_content"].strip()}\n"""\n{starter}'
    stops = ("\nif __name__", "\nprint(", '\n"""') if functional else ('\n"""',)
    return WritingCase(
        str(row["question_id"]),
        prefix,
        "",
        f"_cases = {pairs!r}\n{harness}",
        head=starter,
        helpers=IMPORTS if functional else "",
        stops=stops,
        is_quoted=not functional,
    )


def private_cases(packed: str) -> list[dict[str, Any]]:
    """Test cases as plain JSON, or packed as in the lite version.

    Raises:
        ValueError: neither.
    """
    try:
        return list(json.loads(packed))
    except ValueError:
        pass
    try:
        text = _Strings(io.BytesIO(zlib.decompress(base64.b64decode(packed)))).load()
        return list(json.loads(text))
    except (ValueError, TypeError, EOFError, zlib.error, pickle.UnpicklingError) as error:
        raise ValueError(f"private_test_cases: {error}") from error


class _Strings(pickle.Unpickler):
    """Reads plain values only: a file from elsewhere must not be able to run anything."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} is no test case")
