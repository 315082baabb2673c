"""From printed places to regions, in a folder without git."""

from pathlib import Path

import pytest

from seedcli.errors import TargetError
from seedcli.finding.traced import Traced
from seedcli.proposing import Task
from seedcli.repository.regions import regions_of
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace

SOURCE = """def first(x):
    return x


LIMIT = 3


class Box:
    size = 1

    def second(self):
        return 2
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "box.py").write_text(SOURCE)
    return Workspace(tmp_path.resolve(), is_git=False)


def read(workspace: Workspace, *lines: int, error: str = "KeyError: 1") -> Traced:
    frames = "".join(f'  File "box.py", line {line}, in f\n' for line in lines)
    return Traced.read(
        workspace, f"Traceback (most recent call last):\n{frames}{error}\n", cwd=workspace.root
    )


def whole(workspace: Workspace) -> Task:
    source = SourceFile.read(workspace, workspace.root / "box.py")
    regions = tuple(regions_of(source))
    return Task(source, regions, beside=tuple(f"beside {i}" for i in range(len(regions))))


def test_the_innermost_place_is_edited(workspace: Workspace) -> None:
    (task,) = read(workspace, 2, 12).tasks()
    assert [(region.symbol, hint) for region, hint in zip(task.regions, task.hints, strict=True)] == [
        ("Box.second", ("return 2", "KeyError: 1"))
    ]


@pytest.mark.parametrize(("line", "text"), [(5, "LIMIT = 3"), (9, "size = 1")])
def test_a_place_outside_of_functions_is_a_region_too(workspace: Workspace, line: int, text: str) -> None:
    (task,) = read(workspace, line).tasks()
    assert [region.text.strip() for region in task.regions] == [text]
    assert task.hints == ((text, "KeyError: 1"),)


def test_targets_keep_what_stands_beside_them(workspace: Workspace) -> None:
    task = whole(workspace)
    (told,) = read(workspace, 12).told([task])
    assert [region.symbol for region in told.regions] == ["Box.second"]
    assert told.beside == (task.beside[task.regions.index(told.regions[0])],)


def test_of_several_targets_that_are_not_named_none_is_told(workspace: Workspace) -> None:
    assert read(workspace, 7).told([whole(workspace)]) == [whole(workspace)]


def test_a_line_that_the_file_has_no_longer_names_nothing(workspace: Workspace) -> None:
    with pytest.raises(TargetError, match="names no code here"):
        read(workspace, 400).tasks()
