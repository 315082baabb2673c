"""Bad input: one line on stderr that names the value and the cure, the right exit code, nothing lost."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.requests import EditRequest
from seedcli.model_client import ScriptedModel, open_model
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, Result, Seed, git
from tests.seedcli.commands.scripted import replacing

HERE = Path(__file__).parents[3]


def contents(root: Path) -> dict[str, bytes]:
    """Every file of the work tree."""
    files = (path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


def assert_refused(result: Result, code: int, *words: str) -> None:
    assert result.code == code, result.err
    assert result.out == b""
    assert result.err.count("\n") == 1, result.err
    for word in words:
        assert word in result.err


@pytest.fixture
def odd_files(repo: Path) -> Path:
    """A repository with files that cannot be edited."""
    (repo / "image.py").write_bytes(b"\x89PNG\r\n\x00\x00")
    (repo / "latin.py").write_bytes("# größe\nx = 1\n".encode("latin-1"))
    (repo / "docs").mkdir()
    (repo / "docs" / "notes.txt").write_text("hello\n")
    (repo / "loop.py").symlink_to("loop.py")
    (repo / "nowhere.py").symlink_to("absent.py")
    (repo / "outside.py").symlink_to("/etc/hostname")
    os.mkfifo(repo / "pipe.py")
    return repo


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("clac.py", ("clac.py does not exist", "did you mean calc.py?")),
        ("docs", ("docs holds no Python code",)),
        ("image.py", ("image.py", "binary")),
        ("latin.py", ("latin.py is not utf-8: byte 0xf6 in line 1",)),
        ("calc.py::ad", ("calc.py has no 'ad'", "did you mean add")),
        ("calc.py:90-95", ("calc.py has", "90-95")),
        ("calc.py:5-2", ("calc.py:5-2",)),
        ("../repo/../secret.py", ("secret.py",)),
        ("/etc/hostname", ("outside",)),
        ("outside.py", ("outside",)),
        (".git/config", (".git",)),
        ("loop.py", ("loop.py",)),
        ("nowhere.py", ("nowhere.py", "link")),
        ("pipe.py", ("pipe.py", "regular file")),
        ("", ("''",)),
        ("a\nb.py", ("does not exist",)),
    ],
)
@pytest.mark.parametrize("flags", [(), ("-y",)])
def test_targets(odd_files: Path, seed: Seed, target: str, words: tuple[str, ...], flags: tuple[str]) -> None:
    before = git(odd_files, "status", "--porcelain")
    assert_refused(seed("edit", *flags, "fix the bug", target), 2, *words)
    assert git(odd_files, "status", "--porcelain") == before


def test_one_bad_target_stops_all(repo: Path, seed: Seed) -> None:
    before = contents(repo)
    assert_refused(seed("edit", "-y", "fix the bug", "calc.py", "clac.py"), 2, "clac.py")
    assert contents(repo) == before


def test_an_empty_instruction(repo: Path, seed: Seed) -> None:
    assert_refused(seed("edit", " ", "calc.py"), 2, "the instruction is empty")


def test_an_empty_file_has_nothing_to_change(repo: Path, seed: Seed) -> None:
    (repo / "empty.py").write_text("")
    result = seed("edit", "fix the bug", "empty.py")
    assert (result.code, result.out) == (0, b"")


def test_a_broken_configuration_key(repo: Path, seed: Seed) -> None:
    (repo / "seed.toml").write_text("treshold = 0.5\n")
    assert_refused(seed("edit", "-y", "fix the bug", "calc.py"), 2, "seed.toml", "treshold", "'threshold'")
    assert (repo / "calc.py").read_text().startswith(ADD)


class TestModels:
    """A model that is not there: exit code 3."""

    @pytest.fixture
    def real(self, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> Seed:
        """`seed` that looks for real models."""

        def run(*arguments: str) -> Result:
            monkeypatch.setattr("seedcli.model_client.ScriptedModel", None)
            with monkeypatch.context() as patch:
                result: Result = _with_real_models(seed, patch, arguments)
            return result

        return run

    def test_an_unknown_name(self, repo: Path, real: Seed) -> None:
        assert_refused(real("edit", "-y", "--model", "nosuch", "fix", "calc.py"), 3, "'nosuch'", "seed models")
