import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedcli.errors import CheckFailed, ConflictError, ModelError, TargetError
from seedcli.report import CandidateReport, FileChange, Outcome, Report, one_line, say

HERE = Path(__file__).parents[2]


def test_the_json_object_has_every_key_of_the_contract() -> None:
    report = Report(
        outcome="applied",
        message="done",
        run="r1",
        patch=b"diff \xe9\n",
        files=(FileChange("a.py", 2, 3, 4),),
        candidates=(CandidateReport(0.98765), CandidateReport(0.5, "failed")),
        model_name="default",
        model_revision="0123456789ab",
        forwards=2,
        rounds=3,
        region_tokens=40,
        changed_tokens=5,
    )
    report.seconds["model"] = 0.25
    got = json.loads(report.as_json())
    assert got.pop("patch").encode("utf-8", "surrogateescape") == b"diff \xe9\n"
    assert got == {
        "version": 1,
        "run": "r1",
        "commit": None,
        "outcome": "applied",
        "message": "done",
        "files": [{"path": "a.py", "hunks": 2, "added": 3, "removed": 4}],
        "candidates": [{"score": 0.9877, "check": None}, {"score": 0.5, "check": "failed"}],
        "model": {"name": "default", "revision": "0123456789ab"},
        "forwards": 2,
        "rounds": 3,
        "tokens": {"region": 40, "changed": 5},
        "seconds": {"load": 0, "context": 0, "model": 0.25, "check": 0, "apply": 0, "total": 0},
    }
    assert "\n" not in report.as_json()


@pytest.mark.parametrize(
    ("outcome", "plain", "exit_zero", "expect_change"),
    [
        ("applied", 0, 0, 0),
        ("partly_applied", 1, 0, 1),
        ("proposed", 1, 0, 1),
        ("unchanged", 0, 0, 3),
        ("no_edit", 3, 3, 3),
        ("conflict", 4, 4, 4),
        ("not_committed", 4, 4, 4),
        ("check_failed", 5, 5, 5),
        ("error", 2, 2, 2),
    ],
)
def test_exit_codes(outcome: Outcome, plain: int, exit_zero: int, expect_change: int) -> None:
    report = Report(outcome=outcome)
    assert report.exit_code() == plain
    assert report.exit_code(exit_zero=True) == exit_zero
    assert report.exit_code(expect_change=True) == expect_change


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (TargetError("no x"), "error", 2),
        (ModelError("no x"), "error", 3),
        (ConflictError("no x"), "conflict", 4),
        (CheckFailed("no x"), "check_failed", 5),
    ],
)
def test_an_error_becomes_outcome_message_and_code(error: TargetError, outcome: str, code: int) -> None:
    report = Report()
    report.fail(error)
    assert (report.outcome, report.message, report.exit_code()) == (outcome, "no x", code)


def test_a_line_for_people_drives_no_terminal() -> None:
    assert one_line(" a\x1b[2Jb\nc\u202ed é ") == "a\\x1b[2Jb\\nc\\u202ed é"


def test_a_reader_that_stops_reading_is_no_error() -> None:
    code = "from seedcli.report import answer\nfor _ in range(9): answer(b'x' * 100_000)\nraise SystemExit(7)"
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=pipe, stderr=subprocess.PIPE, check=False, cwd=HERE
        )
    assert (done.returncode, done.stderr) == (7, b"")


def test_nothing_is_said_on_stdout_where_stderr_is_closed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", None)
        say("the patch is empty")
    assert capsys.readouterr().out == ""
