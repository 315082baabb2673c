"""The scripts in real shells."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from seedcli.shell.scripts import split

HERE = Path(__file__).parents[3]
LINES = {
    "seed edit --recipe ren": ["rename"],
    "seed edit 'fix it' src/shop.py::Cart.a": ["src/shop.py::Cart.add"],
    "seed edit fix src/a": ["src/a b.py"],
    "seed edit fix s": ["src/"],
    "seed edit --recipe rename o": ["old="],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/shop.py").write_text("class Cart:\n    def add(self):\n        pass\n")
    (tmp_path / "src/a b.py").write_text("")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "seed"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={HERE} exec {sys.executable} -m seedcli "$@"\n')
    command.chmod(0o755)
    return tmp_path


def run(folder: Path, *command: str) -> str:
    env: Mapping[str, str] = os.environ | {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
    }
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash(folder: Path) -> None:
    """What bash would put in the place of the word after the last break, by its own rules for breaking words."""
    script = ['eval "$(seed completion bash)"', "complete -p seed >/dev/null || exit 1"]
    for line in LINES:
        script += [
            f"COMP_LINE={line!r}" if "'" not in line else f'COMP_LINE="{line}"',
            "COMP_POINT=${#COMP_LINE}",
        ]
        script += [
            "compopt() { echo nospace; }",
            "_seed_complete seed",
            'printf "%s\\n" "${COMPREPLY[@]}" ---',
        ]
    parts = run(folder, "bash", "--norc", "-c", "\n".join(script)).split("---\n")
    assert [part.splitlines() for part in parts[:-1]] == [
        ["rename"],
        ["Cart.add"],
        [r"src/a\ b.py"],
        ["nospace", "src/"],
        ["nospace", "old="],
    ]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_fish(folder: Path) -> None:
    script = ["seed completion fish | source", *(f'complete -C "{line}"; echo ---' for line in LINES)]
    parts = run(folder, "fish", "--no-config", "-c", "\n".join(script)).split("---\n")
    got = [[row.partition("\t")[0] for row in part.splitlines()] for part in parts[:-1]]
    assert got == list(LINES.values())


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_reads_its_script(folder: Path) -> None:
    script = 'autoload -Uz compinit; compinit -u -D; eval "$(seed completion zsh)"; print $_comps[seed]'
    assert run(folder, "zsh", "-f", "-c", script) == "_seed\n"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("seed ", ([], "", "")),
        ("seed edit", ([], "edit", "")),
        ("seed edit ", (["edit"], "", "")),
        ("seed edit 'fix the", (["edit"], "fix the", "'")),
        ('seed edit "fix" a\\ b', (["edit", "fix"], "a b", "")),
        ('seed edit "it\'s" x', (["edit", "it's"], "x", "")),
        ("seed edit \"a 'b", (["edit"], "a 'b", '"')),
    ],
)
def test_split(line: str, expected: tuple[list[str], str, str]) -> None:
    assert split(line) == expected
