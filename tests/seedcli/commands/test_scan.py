"""`seed scan`: what is told of a tree, in which order, and how it ends."""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.errors import CheckpointError
from engine.requests import Candidate, EditRequest, Proposal, Reading
from seedcli.model_client import ScriptedModel, open_model
from seedcli.scanning import running
from tests.seedcli.commands.conftest import ADD, SUB, Result, Seed, git
from tests.seedcli.scanning.test_formats import check_sarif

SURE = {"a - b": 0.9, "a + b": 0.3}
"""How sure the model is that this is wrong."""


def suspicious(request: EditRequest) -> Proposal | None:
    for text, probability in SURE.items():
        if text in request.region:
            changed = request.region.replace(text, text.translate(str.maketrans("+-", "-+")))
            return Proposal("edit", (Candidate(changed, probability, 1, 1),), "", probability, 1, 1, 9)
    return None


def unasked(request: EditRequest) -> Proposal | None:
    raise AssertionError(f"asked about {request.text!r}")


MODEL = ScriptedModel(suspicious)


def scan(seed: Seed, *arguments: str, model: ScriptedModel = MODEL) -> Result:
    return seed("scan", *arguments, model=model)


def rows(done: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


def test_places_are_ranked_by_their_probability(repo: Path, seed: Seed) -> None:
    (repo / "more.py").write_text(SUB + "\n\n" + ADD)
    done = scan(seed, ".")
    assert done.code == 0
    assert done.out.decode().splitlines() == [
        "calc.py:2:14: 0.90 '-' -> '+': return a - b",
        "more.py:6:14: 0.90 '-' -> '+': return a - b",
        "calc.py:6:14: 0.30 '+' -> '-': return a + b",
        "more.py:2:14: 0.30 '+' -> '-': return a + b",
    ]
    assert "4 places, in 4 regions of 2 files" in done.err
    assert git(repo, "diff") == b""


def test_symbols_lines_and_files_are_read_once(repo: Path, seed: Seed) -> None:
    assert len(scan(seed, "calc.py::add").out.splitlines()) == 1
    assert len(scan(seed, "calc.py:5-6").out.splitlines()) == 1
    assert len(scan(seed, "calc.py::add", ".", "calc.py:1-2", "calc.py").out.splitlines()) == 2


def test_limit_and_least(repo: Path, seed: Seed) -> None:
    done = scan(seed, "--limit", "1", ".")
    assert len(done.out.splitlines()) == 1
    assert "2 places, 1 shown" in done.err
    assert len(scan(seed, "--limit", "0", ".").out.splitlines()) == 2
    assert len(scan(seed, "--least", "0.5", ".").out.splitlines()) == 1


@pytest.mark.parametrize(("over", "code"), [("0.95", 0), ("0.9", 0), ("0.89", 1), ("0.05", 1)])
def test_fail_over_decides_the_exit_code_whatever_is_shown(
    repo: Path, seed: Seed, over: str, code: int
) -> None:
    assert scan(seed, "--fail-over", over, "--limit", "1", ".").code == code
    assert scan(seed, "--fail-over", over, "--least", "0.95", ".").code == code


def test_formats(repo: Path, seed: Seed) -> None:
    found = rows(scan(seed, "--format", "jsonl", "."))
    assert [(r["path"], r["line"], r["symbol"]) for r in found] == [
        ("calc.py", 2, "add"),
        ("calc.py", 6, "sub"),
    ]
    done = scan(seed, "--format", "sarif", ".")
    check_sarif(json.loads(done.out))
    assert json.loads(done.out)["runs"][0]["results"][0]["rank"] == 90.0


def test_comments_take_places_out(repo: Path, seed: Seed) -> None:
    (repo / "calc.py").write_text(ADD.replace("b\n", "b  # seed: ignore\n") + "\n\n" + SUB)
    assert len(scan(seed, ".").out.splitlines()) == 1
    model = ScriptedModel(suspicious)
    (repo / "calc.py").write_text(ADD.replace(":\n", ":  # seed: ignore\n") + "\n\n" + SUB)
    assert len(scan(seed, ".", model=model).out.splitlines()) == 1
    assert [request.region for request in model.asked] == [SUB]


def test_prose_holds_no_places(repo: Path, seed: Seed) -> None:
    (repo / "calc.py").write_text(ADD.replace("a - b", "a / b  # not a - b") + "\n\n" + SUB)
    assert [row["line"] for row in rows(scan(seed, "--format", "jsonl", "."))] == [6]


class TestBaseline:
    def test_what_is_known_is_left_out_wherever_it_moves(self, repo: Path, seed: Seed) -> None:
        done = scan(seed, "--write-baseline", "../known.json", ".")
        assert (done.code, len(done.out.splitlines())) == (0, 2)
        (repo / "calc.py").write_text("import os\n\n\n" + ADD + "\n\n" + SUB)
        known = scan(seed, "--baseline", "../known.json", "--fail-over", "0.1", ".")
        assert (known.code, known.out) == (0, b"")
        (repo / "new.py").write_text(ADD)
        done = scan(seed, "--baseline", "../known.json", "--fail-over", "0.1", ".")
        assert done.code == 1
        assert done.out.startswith(b"new.py:2:14")
        assert len(done.out.splitlines()) == 1

    def test_a_second_place_alike_is_new(self, repo: Path, seed: Seed) -> None:
        scan(seed, "--write-baseline", "../known.json", "calc.py::add")
        (repo / "calc.py").write_text(ADD + "\n\n" + SUB + "\n\n" + ADD)
        found = rows(scan(seed, "--format", "jsonl", "--baseline", "../known.json", "."))
        assert [(r["line"], r["symbol"]) for r in found] == [(10, "add"), (6, "sub")]

    def test_it_takes_in_what_is_nearly_told(self, repo: Path, seed: Seed) -> None:
        done = scan(seed, "--least", "0.4", "--write-baseline", "../known.json", ".")
        assert len(done.out.splitlines()) == 1
        assert len(json.loads(Path("../known.json").read_text())["findings"]) == 2

    def test_the_same_findings_make_the_same_file(self, repo: Path, seed: Seed) -> None:
        for name in ("a", "b"):
            scan(seed, "--write-baseline", f"../{name}.json", ".")
        assert Path("../a.json").read_bytes() == Path("../b.json").read_bytes()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (None, "cannot be read"),
            ("{", "is no baseline"),
            ("[]", "is no baseline"),
            ('{"version": 2}', "version"),
        ],
    )
    def test_one_that_is_none_is_named(self, repo: Path, seed: Seed, text: str | None, words: str) -> None:
        if text is not None:
            Path("../known.json").write_text(text)
        done = scan(seed, "--baseline", "../known.json", ".")
        assert (done.code, done.out) == (2, b"")
        assert "../known.json" in done.err
        assert words in done.err
        assert "--write-baseline" in done.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("absent.py",), "absent.py does not exist"),
        (("calc.py::absent",), "has no 'absent'"),
        (("--least", "2", "."), "--least must be a number from 0 to 1, not 2"),
        (("--state", "calc.py", "."), "calc.py is no state of a scan"),
        (("--write-baseline", "absent/x", "."), "absent/x cannot be written"),
        (("--write-baseline", "calc.py", "."), "calc.py is there and is no baseline"),
        (("--write-baseline", "empty", "."), "empty cannot be written"),
        (("secret.pem",), "secret.pem looks like it holds secrets"),
        (("empty",), "empty: there is no Python code to read"),
    ],
)
def test_what_is_wrong_is_named(repo: Path, seed: Seed, arguments: tuple[str, ...], words: str) -> None:
    (repo / "secret.pem").write_text("x")
    (repo / "empty").mkdir()
    done = scan(seed, *arguments, model=ScriptedModel(unasked))
    assert (done.code, done.out) == (2, b"")
    assert words in done.err
    assert (repo / "calc.py").read_text() == ADD + "\n\n" + SUB


def test_a_model_that_cannot_scan_is_no_model_for_it(repo: Path, seed: Seed) -> None:
    class Twin(ScriptedModel):
        def scan(self, requests: object, *, least: float) -> list[Reading]:
            raise CheckpointError("it writes regions token after token")

    done = scan(seed, ".", model=Twin({}))
    assert (done.code, done.out) == (3, b"")
    assert "token after token" in done.err


def test_a_file_that_cannot_be_read_stops_no_other(repo: Path, seed: Seed) -> None:
    (repo / "binary.py").write_bytes(b"\0\0")
    done = scan(seed, ".")
    assert len(done.out.splitlines()) == 2
    assert "binary.py is binary" in done.err
    assert scan(seed, "binary.py").code == 2


def test_what_does_not_fit_is_counted(repo: Path, seed: Seed) -> None:
    long = ScriptedModel(lambda _: Proposal("too_long", (), "", 0.0, 0, 0, 9999))
    done = scan(seed, ".", model=long)
    assert (done.code, done.out) == (0, b"")
    assert "2 are too long for the model" in done.err


def test_a_scan_that_was_stopped_reads_on(repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    for i in range(5):
        (repo / f"f{i}.py").write_text(
            ADD.replace("add", f"add{i}" + i * "x") + "\n\n" + SUB.replace("sub", f"s{i}")
        )
    whole = scan(seed, "--format", "jsonl", ".")

    def interrupted(request: EditRequest) -> Proposal | None:
        if len(stopped.asked) > 6:
            raise KeyboardInterrupt
        return suspicious(request)

    stopped, second = ScriptedModel(interrupted), ScriptedModel(suspicious)
    assert scan(seed, "--state", "../scan.state", ".", model=stopped).code == 130
    done = scan(seed, "--state", "../scan.state", "--format", "jsonl", ".", model=second)
    assert done.out == whole.out
    assert len(second.asked) == 12 - 6
    assert not Path("../scan.state").exists()


def test_two_scans_do_not_share_a_state(repo: Path, seed: Seed) -> None:
    with open("../scan.state", "ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        done = scan(seed, "--state", "../scan.state", ".")
    assert (done.code, done.out) == (4, b"")
    assert "another scan works with the state ../scan.state" in done.err


def test_symbols_that_are_not_there_are_told_before_anything_is_read(repo: Path, seed: Seed) -> None:
    (repo / "more.py").write_text(SUB)
    model = ScriptedModel(suspicious)
    done = scan(seed, "more.py", "calc.py::nothing", model=model)
    assert (done.code, model.asked) == (2, [])


@pytest.mark.slow
def test_a_scan_that_is_killed_reads_on(repo: Path) -> None:
    for i in range(130):
        (repo / f"f{i}.py").write_text(ADD.replace("add", f"add{i}"))
    here = Path(__file__).parents[3]
    env = os.environ | {"PYTHONPATH": str(here), "SCRIPT": '{"a - b": "a + b"}', "ASKED_LOG": "../asked"}
    command = [sys.executable, "-m", "tests.seedcli.commands.scripted", "scan", "--state", "../state", "."]
    process = subprocess.Popen(command, cwd=repo, env=env | {"THINK_S": "0.005"}, stderr=subprocess.DEVNULL)
    state = Path("../state")
    while not (state.exists() and state.stat().st_size):
        time.sleep(0.005)
    process.kill()
    process.wait()
    done = subprocess.run(command, cwd=repo, env=env, capture_output=True, check=True)
    assert len(done.stdout.splitlines()) == 100
    assert b"131 places, 100 shown" in done.stderr
    # No more than the one batch that was under way is read again.
    assert len(Path("../asked").read_text().splitlines()) <= 132 + 64


@pytest.mark.slow
def test_the_checkpoint_that_comes_along(repo: Path, seed: Seed) -> None:
    (repo / "broken.py").write_text(
        "def area(width, height)\n    result = width * height\n    return result\n"
    )
    model = open_model(None)
    done = seed("scan", "--fail-over", "0.9", ".", model=model)
    assert done.code == 1
    first = done.out.decode().splitlines()[0]
    assert first.startswith("broken.py:1:24: ")
    assert first.endswith(" insert '…': def area(width, height)")
