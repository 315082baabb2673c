import os
import pty
import threading
import time
import tty

import pytest

from seedcli.review.background import is_light


@pytest.fixture(autouse=True)
def no_hint(monkeypatch):
    monkeypatch.delenv("COLORFGBG", raising=False)


@pytest.mark.parametrize(
    ("colours", "light"), [("0;15", True), ("15;0", False), ("0;default;7", True), ("7;8", False)]
)
def test_the_environment_is_believed(monkeypatch, colours, light):
    monkeypatch.setenv("COLORFGBG", colours)
    assert is_light() is light


@pytest.mark.parametrize(
    ("answer", "light"),
    [
        (b"\x1b]11;rgb:ffff/fafa/e0e0\x1b\\\x1b[?62;c", True),
        (b"\x1b]11;rgb:1e/1e/2e\x07\x1b[?6c", False),
        (b"\x1b[?6c", False),
        (b"", False),
    ],
)
def test_the_terminal_is_asked(answer, light):
    master, slave = pty.openpty()
    tty.setraw(slave)

    def reply():
        assert b"\x1b]11;?" in os.read(master, 100)
        os.write(master, answer)

    terminal = threading.Thread(target=reply)
    terminal.start()
    start = time.monotonic()
    try:
        assert is_light(slave) is light
    finally:
        terminal.join()
        os.close(master)
        os.close(slave)
    assert time.monotonic() - start < 5


def test_what_is_no_terminal_is_dark():
    read, write = os.pipe()
    assert is_light(read) is False
    os.close(read)
    os.close(write)
