"""A real repository for each test, with a user that git knows."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from seedcli.repository.workspace import Workspace
from seedcli.versions.git import Git

GitRun = Callable[..., str]
FIRST = "".join(f"line {i}\n" for i in range(20))


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's settings of git."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = T\n\temail = t@example.com\n[init]\n\tdefaultBranch = main\n"
        "[diff]\n\tnoprefix = true\n\tcontext = 7\n\trenames = copies\n\tmnemonicPrefix = true\n"
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with one commit of two files."""
    root = tmp_path / "repo"
    root.mkdir()
    run(root, "init", "-q")
    (root / "a.py").write_text(FIRST)
    (root / "b.py").write_text(FIRST)
    run(root, "add", ".")
    run(root, "commit", "-qm", "first")
    return root


@pytest.fixture
def git(root: Path) -> Git:
    return Git(root)


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return Workspace.discover(root)


def run(root: Path, *arguments: str, check: bool = True) -> str:
    """What git prints in a folder."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout
