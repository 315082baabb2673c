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


@pytest.mark.parametrize(
    ("where", "words"), [(">/dev/full", "stdout takes no more"), (">&-", "stdout is closed")]
)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("edit fix calc.py", ""),
        ("edit --json fix calc.py", "1 file changed"),
        ("scan calc.py", ""),
        ("prompts list", ""),
        ("models list", ""),
    ],
)
def test_a_stdout_that_takes_nothing_is_named(
    repo: Path, where: str, words: str, arguments: str, said: str
) -> None:
    env = os.environ | {"PYTHONPATH": str(HERE), "SCRIPT": json.dumps({"a - b": "a + b"})}
    command = f"{sys.executable} -m tests.seedcli.commands.scripted {arguments} {where}"
    done = subprocess.run(command, shell=True, cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_batch_whose_stdout_takes_nothing_goes_on_later(repo: Path) -> None:
    (repo / "jobs.jsonl").write_text('{"id": 1, "instruction": "fix the bug", "target": "calc.py"}\n')
    env = os.environ | {"PYTHONPATH": str(HERE), "SCRIPT": json.dumps({"a - b": "a + b"})}
    command = f"{sys.executable} -m tests.seedcli.commands.scripted batch -y jobs.jsonl"
    full = subprocess.run(
        f"{command} > /dev/full", shell=True, cwd=repo, env=env, capture_output=True, text=True, check=False
    )
    assert full.returncode == 2, full.stderr
    assert "the same command goes on" in full.stderr
    done = subprocess.run(command, shell=True, cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "applied")
    assert "a + b" in (repo / "calc.py").read_text()


@pytest.mark.parametrize("arguments", ["log", "edit fix calc.py", "prompts list"])
def test_a_working_folder_that_is_gone_is_named(repo: Path, arguments: str) -> None:
    (repo / "gone").mkdir()
    env = os.environ | {"PYTHONPATH": str(HERE), "SCRIPT": "{}"}
    command = f"cd gone && rmdir ../gone && {sys.executable} -m tests.seedcli.commands.scripted {arguments}"
    done = subprocess.run(command, shell=True, cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "seed: the working folder is gone (No such file or directory); cd to one that exists\n"
    )


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
