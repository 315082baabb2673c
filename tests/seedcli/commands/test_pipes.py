"""Behaviour between other programs: stdin that nobody asked to read, stdout that nobody reads."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.seedcli.commands.conftest import ADD

HERE = Path(__file__).parents[3]


def start(
    folder: Path, *arguments: str, stdin: int, stdout: int = subprocess.PIPE
) -> "subprocess.Popen[bytes]":
    """`seed` as a process with a model that repairs `add`."""
    env = os.environ | {"PYTHONPATH": str(HERE), "SCRIPT": json.dumps({"a - b": "a + b"})}
    command = [sys.executable, "-m", "tests.seedcli.commands.scripted", *arguments]
    return subprocess.Popen(command, cwd=folder, env=env, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)


@pytest.mark.parametrize("flags", [(), ("-y",), ("--json",), ("--diff",)])
def test_an_open_stdin_that_nobody_asked_to_read_does_not_hang(repo: Path, flags: tuple[str, ...]) -> None:
    read, write = os.pipe()
    try:
        process = start(repo, "edit", *flags, "fix the bug", "calc.py", stdin=read)
        process.communicate(timeout=30)
        assert process.returncode in (0, 1)
    finally:
        os.close(read)
        os.close(write)


def test_a_closed_stdout_is_no_error(repo: Path) -> None:
    (repo / "many.py").write_text("\n\n".join(ADD.replace("add", f"add{i}") for i in range(2000)))
    read, write = os.pipe()
    os.close(read)
    process = start(repo, "edit", "fix the bug", "many.py", stdin=subprocess.DEVNULL, stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.decode() == "seed: 1 file changed (+2000 -2000), not written; -y writes\n"


def test_head_of_help_is_no_error(repo: Path) -> None:
    process = start(repo, "--help", stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=30)
    assert b"Traceback" not in err


def test_a_closed_stdin_is_named(repo: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(HERE), "SCRIPT": "{}"}
    command = f"{sys.executable} -m tests.seedcli.commands.scripted edit fix - <&-"
    done = subprocess.run(command, shell=True, cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "stdin is closed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_is_animated_when_stderr_is_no_terminal(repo: Path) -> None:
    (repo / "many.py").write_text("\n\n".join(ADD.replace("add", f"add{i}") for i in range(200)))
    process = start(repo, "edit", "fix the bug", "many.py", stdin=subprocess.DEVNULL)
    _, err = process.communicate(timeout=60)
    assert b"\r" not in err
    assert b"\x1b" not in err
