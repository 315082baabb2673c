"""Real repositories in temporary folders."""

import subprocess
from pathlib import Path

import pytest

from seedcli.repository.workspace import Workspace


@pytest.fixture
def git_root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    subprocess.run(["git", "init", "-q", root], check=True)
    return root.resolve()


@pytest.fixture
def workspace(git_root: Path) -> Workspace:
    return Workspace.discover(git_root)
