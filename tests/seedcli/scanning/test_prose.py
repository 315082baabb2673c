"""Which findings lie in comments and docstrings."""

from pathlib import Path

import pytest

from engine.requests import Reading, Suspicion
from seedcli.repository.regions import lines_region
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace
from seedcli.scanning.findings import findings_of
from seedcli.scanning.prose import Prose

TEXT = 'x = 1  # grün\n\n\ndef f(a):\n    """Say └\n    more."""\n    return a\n'


def source(folder: Path, name: str) -> SourceFile:
    (folder / name).write_text(TEXT)
    return SourceFile.read(Workspace.discover(folder), folder / name)


@pytest.mark.parametrize(
    ("before", "held"),
    [
        ("grün", True),
        ("# grün", True),
        ("1  # grün", False),
        ("└", True),
        ("└\n    more", True),
        ('more."""', True),
        ('more."""\n    return', False),
        ("return", False),
        ("x", False),
    ],
)
def test_a_finding_in_prose_as_a_whole(tmp_path: Path, before: str, held: bool) -> None:
    file = source(tmp_path, "a.py")
    at = TEXT.index(before)
    reading = Reading((Suspicion(at, at + len(before), 0.9, "y"),), 0.9, 9)
    (finding,) = findings_of(file.name, lines_region(file, 0, 7), reading)
    assert Prose(file).holds(finding) is held
    assert not Prose(source(tmp_path, "a.js")).holds(finding)


def test_what_is_inserted_behind_prose_is_none(tmp_path: Path) -> None:
    file = source(tmp_path, "a.py")
    reading = Reading((Suspicion(at := TEXT.index("\n    return"), at, 0.9, "y"),), 0.9, 9)
    (finding,) = findings_of(file.name, lines_region(file, 0, 7), reading)
    assert not Prose(file).holds(finding)
