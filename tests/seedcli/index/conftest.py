"""A workspace with files, and its index."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seedcli.index.store import Store
from seedcli.repository.workspace import Workspace

Write = Callable[..., None]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    root = (tmp_path / "project").resolve()
    root.mkdir()
    return Workspace(root, is_git=False)


@pytest.fixture
def write(workspace: Workspace) -> Callable[[dict[str, str]], None]:
    """Write files by their paths."""

    def files(texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = workspace.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return files


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    opened = Store.open(workspace)
    yield opened
    opened.close()
