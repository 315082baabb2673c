"""The whole review in a process of its own, on a pseudo-terminal, with its standard streams elsewhere."""

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHILD = """
import os, sys
if len(sys.argv) > 1:
    os.open(sys.argv[1], os.O_RDWR)  # the first terminal that a session's leader opens becomes its own
from seedcli.errors import SeedError
from seedcli.review.choose import review_patch
from tests.seedcli.review.patches import two_files, unchanged
try:
    result = review_patch(two_files(), title="seed edit", read_bytes=unchanged(two_files()))
except SeedError as error:
    sys.exit(str(error))
print("interrupted" if result is None else [file.path for file in result.files])
print("textual" in sys.modules)
print([file.new for file in result.files] if result else "")
"""


class Terminal:
    """A process whose terminal is ours, and whose stdin and stdout are not."""

    def __init__(self, term: str, **variables: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, os.ttyname(slave)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "TERM": term, "PYTHONPATH": str(ROOT), "COLORFGBG": "15;0", **variables},
            start_new_session=True,
        )
        assert self._process.stdin
        self._process.stdin.write(b"a patch, say")
        self._process.stdin.close()
        self._slave = slave
        self._shown = b""

    def wait_for(self, text: str) -> None:
        """Read the terminal until the text was on it since the last wait."""
        end = time.monotonic() + 60
        while text.encode() not in self._shown:
            assert time.monotonic() < end, f"{text!r} did not come: {self._shown!r}"
            if select.select([self._master], [], [], 0.2)[0]:
                self._shown += os.read(self._master, 65536)
        self._shown = b""

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def result(self) -> list[str]:
        assert self._process.stdout
        lines = self._process.stdout.read().decode().splitlines()
        self._process.stdout.close()
        self._process.wait()
        os.close(self._slave)
        os.close(self._master)
        return lines


def test_a_dumb_terminal_gets_the_line_prompt_and_no_textual():
    terminal = Terminal("dumb")
    for key in "ndy":
        terminal.wait_for("Take this hunk")
        terminal.press(f"{key}\n")
    assert terminal.result()[:2] == ["['pkg/beta.py']", "False"]


def test_keys_come_from_the_terminal_when_stdin_is_a_pipe():
    terminal = Terminal("xterm-256color")
    terminal.wait_for("Yes to rest")
    terminal.press("a")
    terminal.wait_for("3 accepted")
    terminal.press("q")
    terminal.wait_for("write nothing")
    terminal.press("y")
    assert terminal.result()[:2] == ["['alpha.txt']", "True"]


def test_the_editor_gets_the_terminal_and_gives_it_back(tmp_path):
    script = tmp_path / "ed.py"
    script.write_text(
        "import os, sys\n"
        "assert all(os.isatty(fd) for fd in range(3))\n"
        "input('the editor asks: ')\n"
        "open(sys.argv[1], 'w').write('    return 0\\n')\n"
    )
    terminal = Terminal("xterm-256color", VISUAL=f"{sys.executable} {script}")
    terminal.wait_for("Yes to rest")
    terminal.press("d")
    terminal.wait_for("3 rejected")
    terminal.press("e")
    terminal.wait_for("the editor asks:")
    terminal.press("\r")
    terminal.wait_for("1 accepted")
    terminal.press("w")
    assert terminal.result()[2] == repr([b"def total(items):\n    return 0\n"])


def test_an_interrupt_on_the_screen_gives_none():
    terminal = Terminal("xterm-256color")
    terminal.wait_for("Yes to rest")
    terminal.press("\x03")
    assert terminal.result()[0] == "interrupted"


@pytest.mark.parametrize("term", ["dumb", "xterm-256color"])
def test_without_a_terminal_there_is_an_error_and_a_cure(term):
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TERM": term, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "there is no terminal to review on: use --diff" in done.stderr
