"""What commands say of themselves: examples that can be typed, and the manual page made of it."""

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from seedcli.main import COMMANDS, app

HERE = Path(__file__).parents[2]
MAN = HERE / "docs" / "seed.1"
ROOT: Any = get_command(app)


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if not command.hidden:
            yield (*path, name), command
            if hasattr(command, "list_commands"):
                yield from commands(command, (*path, name))


ALL = dict(commands(ROOT))


def examples(command: Any) -> list[str]:
    """The lines below `Examples:`, up to the next blank one, without what is said of them."""
    _, _, rest = (command.help or "").partition("Examples:\n")
    lines = [line.strip() for line in rest.split("\n\n")[0].splitlines()]
    return [re.split(r" {2,}", line)[0] for line in lines]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_command_has_examples_that_can_be_typed(path: tuple[str, ...]) -> None:
    found = [call for line in examples(ALL[path]) for call in re.findall(r"\bseed( [^|>;)]*)", line)]
    assert found, "no example"
    for call in found:
        words = re.sub(r"\"[^\"]*\"|'[^']*'", "quoted", call).split()
        named = next(p for p in (tuple(words[:2]), tuple(words[:1])) if p in ALL)
        options = {
            opt for p in ALL[named].params for opt in (*p.opts, *p.secondary_opts) if opt.startswith("-")
        }
        given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert given <= options, f"`seed{call}` has options that `seed {' '.join(named)}` lacks"


def test_the_manual_page_is_current() -> None:
    env = os.environ | {"PYTHONPATH": str(HERE)}
    done = subprocess.run(
        [sys.executable, HERE / "docs" / "man.py"], capture_output=True, check=True, env=env
    )
    assert done.stdout == MAN.read_bytes(), "run `make man`"
    text = MAN.read_text()
    assert all(f".SS seed {name}" in text for name in COMMANDS)


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here")
def test_the_manual_page_can_be_set() -> None:
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", MAN], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert "seed edit -y --recipe rename old=a new=b x.py" in done.stdout


def test_no_colours_on_a_terminal_that_wants_none(tmp_path: Path) -> None:
    """With NO_COLOR nothing but text reaches a terminal, from help to errors."""
    ours, theirs = pty.openpty()
    env = os.environ | {"PYTHONPATH": str(HERE), "NO_COLOR": "1", "TERM": "xterm-256color"}
    for arguments in (("--help",), ("edit", "--help"), ("edit", "fix", "absent.py"), ("nonsense",)):
        command = [sys.executable, "-m", "seedcli", *arguments]
        subprocess.run(command, stdout=theirs, stderr=theirs, env=env, cwd=tmp_path, check=False)
    os.close(theirs)
    shown = b""
    with open(ours, "rb", buffering=0) as terminal:
        try:
            while part := terminal.read(65536):
                shown += part
        except OSError:  # the other end is closed
            pass
    assert b"did you mean" in shown or b"absent.py does not exist" in shown
    assert b"\x1b" not in shown
