"""On a real terminal: the review is shown, keys decide, what was accepted is written."""

import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.seedcli.commands.conftest import ADD, ADD_FIXED, SUB, git

HERE = Path(__file__).parents[3]


class Terminal:
    """A process that has a terminal of 80 by 24 for itself, and the person before it."""

    def __init__(self, folder: Path, term: str, *arguments: str, stdin: bytes | None = None) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        env = os.environ | {"PYTHONPATH": str(HERE), "TERM": term, "SCRIPT": json.dumps({"a - b": "a + b"})}
        command = [sys.executable, "-m", "tests.seedcli.commands.scripted", *arguments]
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=slave if stdin is None else subprocess.PIPE,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        if self._process.stdin is not None:
            self._process.stdin.write(stdin or b"")
            self._process.stdin.close()
        self.seen = b""

    def wait_for(self, text: bytes) -> None:
        """Read what is shown until `text` is there."""
        while text not in self.seen:
            assert self._read(60), f"{text!r} is not shown: {self.seen!r}"

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read(60):
            pass
        return self._process.wait(60)

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self._master], [], [], timeout_s)[0]:
            return False
        with contextlib.suppress(OSError):  # the process closed its side
            data = os.read(self._master, 65536)
            self.seen += data
            return bool(data)
        return False

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)


@pytest.fixture
def at_terminal(repo: Path) -> Iterator[type[Terminal]]:
    """Makes terminals that are gone after the test."""
    made: list[Terminal] = []

    class Made(Terminal):
        def __init__(self, *arguments: str, term: str = "dumb", stdin: bytes | None = None) -> None:
            super().__init__(repo, term, *arguments, stdin=stdin)
            made.append(self)

    yield Made
    for terminal in made:
        terminal.close()


@pytest.fixture
def two_hunks(repo: Path) -> Path:
    """A file in which two functions are to be repaired."""
    filler = "".join(f"x{i} = {i}\n" for i in range(12))
    path = repo / "two.py"
    path.write_text(ADD + "\n\n" + filler + "\n\n" + ADD.replace("add", "plus"))
    return path


def test_line_prompt(at_terminal: type, two_hunks: Path) -> None:
    terminal = at_terminal("edit", "fix the bug", "two.py")
    terminal.wait_for(b"(1/2) Take this hunk")
    terminal.type(b"n\n")
    terminal.wait_for(b"(2/2) Take this hunk")
    terminal.type(b"y\n")
    assert terminal.end() == 1
    assert two_hunks.read_text().startswith(ADD)
    assert two_hunks.read_text().endswith("def plus(a, b):\n    return a + b\n")
    assert b"`seed undo` takes it back" in terminal.seen


def test_line_prompt_of_a_patch_on_stdin(at_terminal: type, repo: Path) -> None:
    (repo / "calc.py").write_text(ADD_FIXED + "\n\n" + SUB)
    diff = git(repo, "diff")
    git(repo, "checkout", "-q", ".")
    terminal = at_terminal("review", "-", stdin=diff)
    terminal.wait_for(b"(1/1) Take this hunk")
    terminal.type(b"y\n")
    assert terminal.end() == 0
    assert git(repo, "diff") == diff


@pytest.mark.parametrize(("keys", "code", "left"), [(b"q\n", 0, True), (b"y\n", 0, True), (b"n\n", 1, False)])
def test_line_prompt_of_a_patch_that_is_applied(
    at_terminal: type, repo: Path, keys: bytes, code: int, left: bool
) -> None:
    (repo / "calc.py").write_text(ADD_FIXED + "\n\n" + SUB)
    diff = git(repo, "diff")
    terminal = at_terminal("review", "-", stdin=diff)
    terminal.wait_for(b"(1/1) Keep this hunk")
    terminal.type(keys)
    assert terminal.end() == code
    assert git(repo, "diff") == (diff if left else b"")


def test_interrupted_review(at_terminal: type, repo: Path) -> None:
    terminal = at_terminal("edit", "fix the bug", "calc.py")
    terminal.wait_for(b"Take this hunk")
    terminal.type(b"\x03")
    assert terminal.end() == 130
    assert git(repo, "status", "--porcelain") == b""


@pytest.mark.slow
def test_screen(at_terminal: type, repo: Path) -> None:
    terminal = at_terminal("edit", "fix the bug", "calc.py", term="xterm-256color")
    terminal.wait_for(b"calc.py")
    terminal.type(b"y")
    terminal.type(b"w")
    assert terminal.end() == 0
    assert (repo / "calc.py").read_text() == ADD_FIXED + "\n\n" + SUB


@pytest.mark.slow
def test_quitting_the_screen_writes_nothing(at_terminal: type, repo: Path) -> None:
    terminal = at_terminal("edit", "fix the bug", "calc.py", term="xterm-256color")
    terminal.wait_for(b"calc.py")
    terminal.type(b"q")
    assert terminal.end() == 1
    assert git(repo, "status", "--porcelain") == b""
