import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcli.patches.line_diff import changes
from seedcli.versions.changed import Choice, Hunk, carried, changed_lines, diff, file_states
from seedcli.versions.git import Git, GitError
from tests.seedcli.versions.conftest import FIRST, run

ODD = 'a "b"\n\té.py'


def lines_of(git: Git, **choice: object) -> dict[str, list[tuple[int, int]] | None]:
    return changed_lines(git, Choice(**choice), file_states(git))  # type: ignore[arg-type]


def change(root: Path, name: str, line: int, text: str = "changed") -> None:
    lines = (root / name).read_text().split("\n")
    lines[line] = text
    (root / name).write_text("\n".join(lines))


def test_the_states_of_files_and_their_names(root: Path, git: Git) -> None:
    change(root, "a.py", 1)
    run(root, "add", "a.py")
    change(root, "a.py", 5)
    change(root, "b.py", 2)
    (root / ODD).write_text("x = 1\n")
    (root / ".gitignore").write_text("*.log\n")
    (root / "x.log").write_text("")
    words = {path: state.words for path, state in file_states(git).items()}
    assert words == {
        "a.py": "staged and unstaged",
        "b.py": "unstaged",
        ODD: "untracked",
        ".gitignore": "untracked",
    }


def test_changed_is_all_that_is_not_committed(root: Path, git: Git) -> None:
    change(root, "a.py", 1)
    run(root, "add", "a.py")
    change(root, "a.py", 5)
    (root / ODD).write_text("x = 1\n")
    assert lines_of(git, changed=True) == {"a.py": [(1, 2), (5, 6)], ODD: None}
    assert (root / ODD).exists()


def test_staged_lines_are_found_where_they_are_in_the_work_tree(root: Path, git: Git) -> None:
    change(root, "a.py", 10)
    run(root, "add", "a.py")
    (root / "a.py").write_text("new 1\nnew 2\n" + (root / "a.py").read_text())
    change(root, "b.py", 3)
    assert lines_of(git, staged=True) == {"a.py": [(12, 13)]}


def test_odd_names_and_lines_that_look_like_a_diff(root: Path, git: Git) -> None:
    (root / ODD).write_text("1\n2\n3\n")
    run(root, "add", "--", ODD)
    run(root, "commit", "-qm", "odd")
    (root / ODD).write_text("1\n++ b/other.py\n@@ -1 +1 @@\n-- a/x\ndiff --git a/x b/x\n3\n4")
    (root / "a.py").write_text(FIRST.removesuffix("\n"))
    assert lines_of(git, changed=True) == {ODD: [(1, 5), (6, 7)], "a.py": [(19, 20)]}


def test_deleted_lines_are_a_place_and_deleted_files_are_left_out(root: Path, git: Git) -> None:
    (root / "a.py").write_text(FIRST.replace("line 3\n", ""))
    (root / "b.py").unlink()
    assert lines_of(git, changed=True) == {"a.py": [(3, 3)]}


def test_since_counts_from_where_the_branches_part(root: Path, git: Git) -> None:
    run(root, "branch", "feature")
    change(root, "b.py", 2)
    run(root, "commit", "-qam", "main goes on")
    run(root, "checkout", "-q", "feature")
    change(root, "a.py", 4)
    run(root, "commit", "-qam", "feature")
    change(root, "a.py", 9)
    (root / "c.py").write_text("")
    assert lines_of(git, since="main") == {"a.py": [(4, 5), (9, 10)], "c.py": None}
    assert lines_of(git, since="HEAD") == {"a.py": [(9, 10)], "c.py": None}


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD~7", ""])
def test_a_revision_that_is_not_there(root: Path, git: Git, revision: str) -> None:
    with pytest.raises(GitError, match=r"is no commit here; see git log"):
        lines_of(git, since=revision)
    assert not (root / "x").exists()


def test_before_the_first_commit(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("1\n2\n")
    run(tmp_path, "add", "a.py")
    (tmp_path / "b.py").write_text("1\n")
    git = Git(tmp_path)
    assert lines_of(git, staged=True) == {"a.py": [(0, 2)]}
    found = lines_of(git, changed=True)
    assert found["a.py"] == [(0, 2)]
    assert found["b.py"] is None


def test_a_shallow_clone(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for i in range(3):
        change(root, "a.py", i)
        run(root, "commit", "-qam", f"{i}")
    run(tmp_path, "clone", "-q", "--depth=1", f"file://{root}", "clone")
    git = Git(tmp_path / "clone")
    change(tmp_path / "clone", "a.py", 7)
    assert lines_of(git, since="HEAD") == {"a.py": [(7, 8)]}
    with pytest.raises(GitError, match="the clone is shallow: git fetch --unshallow"):
        lines_of(git, since="HEAD~1")


def test_histories_that_never_met(root: Path, git: Git, capsys: pytest.CaptureFixture[str]) -> None:
    run(root, "checkout", "-q", "--orphan", "other")
    change(root, "a.py", 3)
    run(root, "commit", "-qam", "other")
    assert lines_of(git, since="main") == {"a.py": [(3, 4)]}
    assert "compared with main itself" in capsys.readouterr().err


def test_no_program_of_the_repository_is_started(root: Path, git: Git, tmp_path: Path) -> None:
    """Diff drivers, monitors and hooks are the repository's, not the user's choice."""
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\ncat\n")
    script.chmod(0o755)
    (root / ".gitattributes").write_text("*.py diff=odd\n")
    for key in ("diff.external", "diff.odd.command", "diff.odd.textconv", "core.fsmonitor"):
        run(root, "config", key, str(script))
    change(root, "a.py", 3)
    assert lines_of(git, changed=True)["a.py"] == [(3, 4)]
    assert not (tmp_path / "ran").exists()


def test_the_variables_of_a_hook_lead_nowhere(
    root: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(root, "a.py", 3)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert lines_of(git, changed=True) == {"a.py": [(3, 4)]}


@pytest.mark.parametrize("command", [("-a",), ("-o", "a.py")])
def test_a_hook_is_told_what_its_commit_takes(root: Path, git: Git, command: tuple[str, ...]) -> None:
    change(root, "a.py", 3)
    change(root, "b.py", 5)
    run(root, "add", "b.py")
    ask = (
        "from pathlib import Path;from seedcli.repository.workspace import Workspace;"
        "from seedcli.versions.changed import *;"
        "git = Git.of(Workspace.discover(Path.cwd()), needed_by='');print(changed_lines(git, Choice(staged=True), {}))"
    )
    hook = root / ".git/hooks/pre-commit"
    hook.write_text(
        f'#!/bin/sh\nPYTHONPATH="{Path.cwd()}" "{sys.executable}" -c "{ask}" > "{root}/../said"\n'
    )
    hook.chmod(0o755)
    run(root, "commit", "-qm", "more", *command)
    said = (root.parent / "said").read_text()
    assert said == str({"a.py": [(3, 4)]} | ({"b.py": [(5, 6)]} if command == ("-a",) else {})) + "\n"


def test_asking_writes_nothing(root: Path, git: Git) -> None:
    change(root, "a.py", 3)
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    lines_of(git, changed=True)
    lines_of(git, staged=True)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_git_that_is_missing(git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GitError, match="git cannot be started: No such file"):
        file_states(git)


def test_what_git_says_against_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="git status refuses: not a git repository"):
        file_states(Git(tmp_path))


LINES = st.lists(st.sampled_from("abcd"), max_size=12)


@given(LINES, LINES, st.integers(0, 12), st.integers(0, 12))
def test_a_line_that_stays_is_carried_to_where_it_stands(
    old: list[str], new: list[str], start: int, end: int
) -> None:
    raw_old, raw_new = [c.encode() for c in old], [c.encode() for c in new]
    hunks = [Hunk(i1, i2, j1, j2) for i1, i2, j1, j2 in changes(raw_old, raw_new)]
    start, end = sorted((min(start, len(old)), min(end, len(old))))
    first, last = carried((start, end), hunks)
    assert 0 <= first <= last <= len(new)
    kept: dict[int, int] = {}
    old_at = new_at = 0
    for hunk in [*hunks, Hunk(len(old), len(old), len(new), len(new))]:
        kept |= zip(range(old_at, hunk.old_start), range(new_at, hunk.new_start), strict=True)
        old_at, new_at = hunk.old_end, hunk.new_end
    for i, at in kept.items():
        assert (first <= at < last) == (start <= i < end)


def test_diff_takes_paths_as_they_are(root: Path, git: Git) -> None:
    (root / "[a].py").write_text("1\n")
    (root / "a*").write_text("1\n")
    run(root, "--literal-pathspecs", "add", "[a].py", "a*")
    change(root, "a.py", 3)
    assert list(diff(git, "--cached", paths=["[a].py"])) == ["[a].py"]
    assert list(diff(git, "HEAD", paths=["a*"])) == ["a*"]
    assert subprocess.run(["git", "status"], cwd=root, capture_output=True, check=True)
