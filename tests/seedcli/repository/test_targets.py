from pathlib import Path

import pytest

from seedcli.errors import TargetError
from seedcli.repository.targets import Target, expand, parse_target
from seedcli.repository.workspace import Workspace

_CODE = "X = 1\n\n\ndef f():\n    return 1\n\n\nclass C:\n    def m(self):\n        return 2\n"


@pytest.fixture
def project(workspace: Workspace) -> Workspace:
    root = workspace.root
    (root / "pkg").mkdir()
    (root / "a.py").write_text(_CODE)
    (root / "pkg/b.py").write_text("def g():\n    pass\n")
    (root / "pkg/empty.py").write_text("")
    (root / "pkg/latin.py").write_bytes(b"x = '\xe9'\n")
    (root / "docs").mkdir()
    (root / "docs/readme.md").write_text("hello\n")
    (root / ".env").write_text("KEY=1\n")
    (root / ".gitignore").write_text("ignored.py\n")
    (root / "ignored.py").write_text(_CODE)
    return workspace


def _spans(
    workspace: Workspace, *texts: str, force: bool = False, cwd: str = "."
) -> list[tuple[str, list[tuple[int, int]]]]:
    found = expand(workspace, [parse_target(t) for t in texts], cwd=workspace.root / cwd, force=force)
    return [(source.name, [(r.start + 1, r.end) for r in regions]) for source, regions in found]


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("a.py", Target("a.py")),
        ("a.py::C.m", Target("a.py", symbol="C.m")),
        ("a.py:3", Target("a.py", lines=(3, 3))),
        ("a.py:3-7", Target("a.py", lines=(3, 7))),
        ("dir/", Target("dir/")),
        ("odd:name.py", Target("odd:name.py")),
    ],
)
def test_parse(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["a.py::", "::f", "a.py:0", "a.py:5-3"])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(TargetError, match="write FILE"):
        parse_target(text)


@pytest.mark.parametrize("name", ["x::f.py", "x:3", "x:1-2", "x::"])
def test_a_file_of_exactly_that_name_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text(_CODE)
    (tmp_path / name).write_text(_CODE)
    assert parse_target(name) == Target(name)


def test_file_symbol_lines(project: Workspace) -> None:
    assert _spans(project, "a.py") == [("a.py", [(1, 1), (4, 5), (9, 10)])]
    assert _spans(project, "a.py::f") == [("a.py", [(4, 5)])]
    assert _spans(project, "a.py:2-4") == [("a.py", [(2, 4)])]
    assert _spans(project, "b.py", "../a.py::f", cwd="pkg") == [("pkg/b.py", [(1, 2)]), ("a.py", [(4, 5)])]


def test_targets_of_one_file_are_merged(project: Workspace) -> None:
    assert _spans(project, "a.py::f", "a.py") == [("a.py", [(1, 1), (4, 5), (9, 10)])]
    assert _spans(project, "a.py::C.m", "a.py::C") == [("a.py", [(8, 10)])]
    assert _spans(project, "a.py:5-9", "a.py::f", "a.py::m") == [("a.py", [(4, 10)])]
    assert _spans(project, "pkg", "pkg/b.py::g") == [("pkg/b.py", [(1, 2)])]


def test_folder_skips_what_it_cannot_read_and_says_so(project: Workspace) -> None:
    skipped: list[str] = []
    found = expand(project, [Target("pkg")], cwd=project.root, on_skip=skipped.append)
    assert [source.name for source, _ in found] == ["pkg/b.py"]
    assert len(skipped) == 1
    assert skipped[0].startswith("pkg/latin.py is not utf-8")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("docs", "no Python code"),
        ("gone.py", "does not exist"),
        ("pkg/latin.py", "not utf-8"),
        ("pkg::f", "is a folder"),
        ("a.py::ff", "did you mean f"),
        ("a.py:9-11", "has 10 lines"),
        (".env", "--force"),
        ("ignored.py", "--force"),
        (".git/config", "inside .git"),
    ],
)
def test_refusals(project: Workspace, target: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        _spans(project, target)


def test_force_takes_ignored_files_but_not_git(project: Workspace) -> None:
    assert _spans(project, "ignored.py::f", force=True) == [("ignored.py", [(4, 5)])]
    assert _spans(project, ".env", force=True) == [(".env", [(1, 1)])]
    with pytest.raises(TargetError, match=r"inside \.git"):
        _spans(project, ".git/config", force=True)


def test_a_link_stands_for_its_file(project: Workspace) -> None:
    (project.root / "link.py").symlink_to(Path("a.py"))
    assert _spans(project, "link.py::f", "a.py::f") == [("a.py", [(4, 5)])]
