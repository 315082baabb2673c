"""Whatever a check does, it is known how it ended and nothing of it is left."""

import time
from pathlib import Path

import pytest

from seedcli.checks.plan import Limits, Namespaces, Plan, View
from seedcli.checks.running import Running, _start, describe
from tests.seedcli.checks.conftest import RunCheck, processes_with

PYTHON_FORKS = (
    "python3 -c 'import os, time\n"
    "for _ in range({count}):\n"
    "    if os.fork() == 0:\n"
    "        os.setsid(); time.sleep(1000)\n"
    "time.sleep(1000)'"
)


@pytest.mark.parametrize(
    ("command", "cause", "code"),
    [
        ("true", "exit", 0),
        ("exit 3", "exit", 3),
        ("no-such-program", "exit", 127),
        ("kill -9 $$", "signal", 9),
        ("exec 1>&- 2>&-; exit 4", "exit", 4),
    ],
)
def test_how_it_ended_is_told(run_check: RunCheck, command: str, cause: str, code: int) -> None:
    ending = run_check(command).ending()
    assert (ending.cause, ending.code) == (cause, code)


def test_output_is_kept_and_stdin_is_empty(run_check: RunCheck, tmp_path: Path) -> None:
    assert run_check("cat; echo out; echo err >&2").ending().code == 0
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_what_hangs_is_interrupted_and_then_killed(run_check: RunCheck, tmp_path: Path) -> None:
    started = time.monotonic()
    ending = run_check("trap 'echo interrupted' INT; while true; do sleep 0.05; done", seconds=0.4).ending()
    assert ending.cause == "late"
    assert time.monotonic() - started < 60
    assert "interrupted" in (tmp_path / "log").read_text()


def test_what_goes_on_in_the_background_is_killed(run_check: RunCheck, mark: str) -> None:
    ending = run_check(
        "sleep 1000 & (setsid sh -c 'trap \"\" TERM HUP INT; sleep 1000 & sleep 1000' &) ; exit 5"
    )
    assert ending.ending().code == 5
    assert not processes_with(mark)


@pytest.mark.parametrize(
    "command",
    ["kill -9 $PPID; sleep 1; exit 7", "kill -9 0; exit 7", "setsid sleep 1000 & kill -9 $PPID; sleep 1"],
)
def test_what_kills_its_parent_does_not_escape(run_check: RunCheck, command: str, mark: str) -> None:
    ending = run_check(command).ending()
    assert ending.cause in ("killed", "exit", "signal")
    assert not processes_with(mark)


def test_killing_all_it_can_kills_only_itself(run_check: RunCheck, namespaces: Namespaces) -> None:
    if not namespaces.processes:
        pytest.skip("it would kill the tests")
    ending = run_check("kill -9 -1; exit 7").ending()
    assert (ending.cause, ending.code) in (("exit", 7), ("signal", 9))


def test_too_many_processes(run_check: RunCheck) -> None:
    assert run_check(PYTHON_FORKS.format(count=60), processes=40).ending().cause == "processes"


def test_too_much_output(run_check: RunCheck) -> None:
    assert run_check("yes", output_bytes=1 << 16).ending().cause == "output"


def test_one_file_cannot_fill_the_disk(run_check: RunCheck, tmp_path: Path) -> None:
    ending = run_check("head -c 100000000 /dev/zero > big", disk=1 << 20).ending()
    assert ending.cause in ("disk", "exit", "signal")
    assert (ending.cause, ending.code) != ("exit", 0)
    assert (tmp_path / "folder" / "big").stat().st_size <= 1 << 20


def test_many_files_cannot_fill_the_disk(run_check: RunCheck) -> None:
    command = "i=0; while true; do head -c 100000 /dev/zero > $i; i=$((i+1)); done"
    assert run_check(command, disk=1 << 20).ending().cause == "disk"


def test_one_that_is_no_longer_wanted(run_check: RunCheck, mark: str) -> None:
    running = run_check("setsid sleep 1000 & sleep 1000")
    deadline = time.monotonic() + 60
    while len(processes_with(mark)) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.stop()
    assert not processes_with(mark)


def test_a_folder_that_is_gone(run_check: RunCheck, tmp_path: Path) -> None:
    (tmp_path / "folder").rmdir()
    ending = run_check("true").ending()
    assert (ending.cause, "No such file" in ending.message) == ("setup", True)


def test_what_is_not_possible_is_told(tmp_path: Path, offered: Namespaces) -> None:
    if not offered.mounts:
        pytest.skip(offered.refusal)
    (tmp_path / "stage").mkdir()
    plan = Plan(
        command="true",
        folder="/",
        log=str(tmp_path / "log"),
        watched=(),
        limits=Limits(9, 1 << 20),
        namespaces=offered,
        view=View(str(tmp_path / "nowhere"), str(tmp_path), str(tmp_path / "stage")),
    )
    running = Running(plan, {})
    ending = running.ending()
    running.stop()
    assert ending.cause == "setup"
    assert "No such file" in describe(ending, plan.limits)


def test_a_caller_that_goes_away_before_it_says_what_to_run(tmp_path: Path) -> None:
    process = _start(["run"], {}, tmp_path / "log")
    process.communicate(b'{"command": ', timeout=60)
    assert process.returncode == 1
    assert "went away" in (tmp_path / "log").read_text()
