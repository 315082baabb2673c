"""From lines to the functions that they use, in a folder without git."""

from pathlib import Path

import pytest

from seedcli.finding.reached import MOST, Reached
from seedcli.repository.workspace import Workspace

FILES = {
    "src/app/__init__.py": "",
    "src/app/box.py": """from .store import load, save as keep
import app.other


class Box:
    def __init__(self, size):
        self.size = size

    def fill(self):
        return load(self.size)

    def empty(self):
        return keep(self)


def unused():
    return Box(1).empty()
""",
    "src/app/store.py": "def load(size):\n    return [0] * size\n\n\ndef save(box):\n    return box\n",
    "src/app/other.py": "def far():\n    return 1\n",
    "tests/test_box.py": """from app.box import Box


def make():
    return Box(3)


def test_fill():
    assert make().fill() == [0, 0, 0]


def test_nothing():
    assert 1 == 2
""",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return Workspace(tmp_path.resolve(), is_git=False)


def found(workspace: Workspace, name: str, line: int) -> dict[str, list[str]]:
    reached = Reached(workspace).functions([(workspace.root / name, line)])
    lines = {path: (workspace.root / path).read_text().split("\n") for path in reached}
    return {path: [lines[path][start].strip() for start, _ in spans] for path, spans in reached.items()}


def test_what_a_test_uses_and_what_that_uses(workspace: Workspace) -> None:
    assert found(workspace, "tests/test_box.py", 8) == {
        "tests/test_box.py": ["def make():"],
        "src/app/box.py": ["def __init__(self, size):", "def fill(self):"],
        "src/app/store.py": ["def load(size):"],
    }


def test_what_uses_nothing_reaches_nothing(workspace: Workspace) -> None:
    assert found(workspace, "tests/test_box.py", 12) == {}
    assert found(workspace, "tests/no_file.py", 0) == {}


def test_a_module_that_is_imported_as_a_whole(workspace: Workspace) -> None:
    (workspace.root / "run.py").write_text("import app.other as other, app.box\n\nprint(other.far())\n")
    assert found(workspace, "run.py", 2) == {"src/app/other.py": ["def far():"]}


def test_the_nearest_are_kept(workspace: Workspace) -> None:
    functions = "".join(f"def f{i}():\n    return f{i + 1}()\n\n\n" for i in range(40))
    many = "def test_all():\n    " + "; ".join(f"f{i}()" for i in range(0, 40, 2)) + "\n"
    (workspace.root / "many.py").write_text(functions + many)
    names = found(workspace, "many.py", 161)["many.py"]
    assert names == [f"def f{i}():" for i in range(0, 2 * MOST, 2)]
