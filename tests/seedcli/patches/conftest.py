"""A workspace outside git with a journal beside it: git is not needed to write."""

from pathlib import Path

import pytest

from seedcli.patches.journal import Journal
from seedcli.repository.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = tmp_path / "project"
    root.mkdir()
    return Workspace(root.resolve(), is_git=False)


@pytest.fixture
def journal(tmp_path: Path, workspace: Workspace) -> Journal:
    return Journal(tmp_path / "state", workspace)


def tree(root: Path) -> dict[str, bytes | str | None]:
    """Every entry below `root`: bytes of files, targets of links, None for folders."""
    return {
        str(path.relative_to(root)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in sorted(root.rglob("*"))
    }
