"""What a model sees around a region: what it uses, nothing that it does not, and never more than fits."""

from pathlib import Path

import pytest

from seedcli.finding.surroundings import Surroundings
from seedcli.index.store import Store
from seedcli.repository.regions import find_symbol
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace

SHAPES = """import math
from .units import (
    scale, unused)


class Shape:
    sides = 0

    def area(self):
        return helper(scale(self.sides))

    def other(self):
        return 1


def helper(x):
    return math.sqrt(x)


def unrelated():
    return 2
"""
LONG = "def scale(x):\n" + "    x += 1\n" * 30 + "    return x\n"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "project"
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/__init__.py").touch()
    (root / "pkg/shapes.py").write_text(SHAPES)
    (root / "pkg/units.py").write_text(LONG)
    (root / "main.py").write_text("from pkg.shapes import Shape\nprint(Shape().area())\n")
    return Workspace(root.resolve(), is_git=False)


def around(workspace: Workspace, budget: int = 10_000) -> str:
    source = SourceFile.read(workspace, workspace.root / "pkg/shapes.py")
    return Surroundings(workspace, budget)(source, find_symbol(source, "Shape.area"))


def test_imports_what_is_used_and_the_class_around(workspace: Workspace) -> None:
    assert around(workspace) == (
        "import math\nfrom .units import (\n    scale, unused)\n\n"
        "def helper(x):\n    return math.sqrt(x)\n\n"
        "def scale(x):\n\n"  # too long to be shown whole
        "class Shape:\n\n"
    )


def test_callers_are_known_where_an_index_is(workspace: Workspace) -> None:
    assert "used as" not in around(workspace)
    store = Store.open(workspace)
    store.refresh()
    store.close()
    assert around(workspace).endswith("class Shape:\n\n# used as: print(Shape().area())\n\n")
    (workspace.root / "main.py").write_text("from pkg.shapes import Shape\nprint(1)\n")
    assert "used as" not in around(workspace)


@pytest.mark.parametrize("budget", [0, 10, 40, 100, 200])
def test_no_more_than_the_budget_and_what_is_nearest_first(workspace: Workspace, budget: int) -> None:
    text = around(workspace, budget)
    assert len(text) <= budget
    assert (budget < 20) or text.endswith("class Shape:\n\n")
