"""What is committed is the run's hunks; what was staged, changed or untracked before is so afterwards."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcli.errors import ConflictError
from seedcli.patches.line_diff import changes
from seedcli.patches.patch import Patch, file_patch
from seedcli.repository.workspace import Workspace
from seedcli.versions.committing import Committed, Committer, carry_over
from seedcli.versions.git import GitError
from tests.seedcli.versions.conftest import FIRST, run


def written(root: Path, **files: tuple[str | None, str | None]) -> Patch:
    """A patch of files from one text to another, which has been written."""
    changed = []
    for key, (old, new) in files.items():
        name = key.replace("_", ".")
        sides = [None if text is None else text.encode() for text in (old, new)]
        if sides[1] is None:
            (root / name).unlink()
        else:
            (root / name).write_bytes(sides[1])
        changed.append(file_patch(name, *sides))
    return Patch(tuple(changed))


def commit(root: Path, patch: Patch, message: str = "the run") -> Committed:
    return Committer(Workspace.discover(root), message).commit(patch)


def with_line(text: str, number: int, new: str) -> str:
    lines = text.split("\n")
    lines[number] = new
    return "\n".join(lines)


RUN = with_line(FIRST, 10, "the run's")


def test_a_clean_file(root: Path) -> None:
    made = commit(root, written(root, a_py=(FIRST, RUN)), "subject\n\nbody é\n\n")
    assert made.place == "main"
    assert run(root, "rev-parse", "HEAD").strip() == made.id
    assert run(root, "log", "-1", "--format=%B%an %ce") == "subject\n\nbody é\nT t@example.com\n"
    assert run(root, "show", "HEAD:a.py") == RUN
    assert run(root, "status", "--porcelain") == ""
    assert run(root, "log", "-1", "-g", "--format=%gs") == "commit: subject\n"
    assert run(root, "fsck", "--strict") == ""


def test_what_else_is_staged_or_changed_stays_so(root: Path) -> None:
    staged_b = with_line(FIRST, 1, "staged")
    (root / "b.py").write_text(staged_b)
    (root / "new.py").write_text("x = 1\n")
    run(root, "add", ".")
    (root / "b.py").write_text(with_line(staged_b, 5, "unstaged"))
    (root / "loose.py").write_text("")
    before = run(root, "status", "--porcelain"), run(root, "diff", "--cached"), run(root, "diff")
    commit(root, written(root, a_py=(FIRST, RUN)))
    assert (run(root, "status", "--porcelain"), run(root, "diff", "--cached"), run(root, "diff")) == before
    assert run(root, "show", "--format=", "--name-only", "HEAD") == "a.py\n"


def test_other_hunks_of_the_same_file_stay_staged_and_unstaged(root: Path) -> None:
    staged = with_line(FIRST, 2, "staged")
    (root / "a.py").write_text(staged)
    run(root, "add", ".")
    unstaged = with_line("more\n" + staged, 17, "unstaged")
    after = with_line(unstaged, 11, "the run's")
    commit(root, written(root, a_py=(unstaged, after)))
    assert run(root, "show", "HEAD:a.py") == RUN
    assert run(root, "show", ":a.py") == with_line(RUN, 2, "staged")
    assert (root / "a.py").read_text() == after
    assert run(root, "status", "--porcelain") == "MM a.py\n"


def test_lines_next_to_those_of_the_run(root: Path) -> None:
    mine = with_line(with_line(FIRST, 9, "mine"), 11, "mine")
    commit(root, written(root, a_py=(mine, with_line(mine, 10, "the run's"))))
    assert run(root, "show", "HEAD:a.py") == RUN


@pytest.mark.parametrize("is_staged", [False, True])
def test_hunks_that_overlap_changes_of_the_user(root: Path, is_staged: bool) -> None:
    mine = with_line(FIRST, 10, "mine")
    (root / "a.py").write_text(mine)
    if is_staged:
        run(root, "add", ".")
    head, index = run(root, "rev-parse", "HEAD"), run(root, "ls-files", "-s")
    with pytest.raises(
        ConflictError,
        match=r"not committed: .* overlaps uncommitted changes of yours in a\.py; .* `seed undo`",
    ):
        commit(root, written(root, a_py=(mine, RUN)))
    assert (run(root, "rev-parse", "HEAD"), run(root, "ls-files", "-s")) == (head, index)
    assert (root / "a.py").read_text() == RUN


def test_one_file_that_cannot_be_committed_keeps_the_others_back(root: Path) -> None:
    mine = with_line(FIRST, 10, "mine")
    (root / "b.py").write_text(mine)
    head = run(root, "rev-parse", "HEAD")
    with pytest.raises(ConflictError, match=r"b\.py"):
        commit(root, written(root, a_py=(FIRST, RUN), b_py=(mine, RUN)))
    assert run(root, "rev-parse", "HEAD") == head
    assert run(root, "diff", "--cached") == ""


@pytest.mark.parametrize(
    ("command", "what"),
    [((), "untracked"), (("add", "."), "newly staged"), (("add", "-N", "."), "newly staged")],
)
def test_a_file_that_was_never_committed(root: Path, command: tuple[str, ...], what: str) -> None:
    (root / "new.py").write_text("1\n2\n")
    if command:
        run(root, *command)
    with pytest.raises(ConflictError, match=rf"not committed: new\.py is {what}.*commit the file first"):
        commit(root, written(root, new_py=("1\n2\n", "1\n3\n")))


def test_files_that_the_run_makes_and_deletes(root: Path) -> None:
    commit(root, written(root, c_py=(None, "new\n"), b_py=(FIRST, None)))
    assert run(root, "show", "--format=", "--name-status", "HEAD") == "D\tb.py\nA\tc.py\n"
    assert run(root, "status", "--porcelain") == ""


def test_before_the_first_commit(tmp_path: Path) -> None:
    run(tmp_path, "init", "-q")
    (tmp_path / "mine.py").write_text("mine\n")
    run(tmp_path, "add", "mine.py")
    made = commit(tmp_path, written(tmp_path, c_py=(None, "new\n")))
    assert run(tmp_path, "log", "--format=%H %P") == f"{made.id} \n"
    assert run(tmp_path, "status", "--porcelain") == "A  mine.py\n?? home/\n"


def test_a_detached_head(root: Path) -> None:
    run(root, "checkout", "-q", "--detach")
    assert commit(root, written(root, a_py=(FIRST, RUN))).place == "a detached HEAD"
    assert run(root, "rev-parse", "HEAD~1") == run(root, "rev-parse", "main")


def test_a_linked_work_tree(root: Path, tmp_path: Path) -> None:
    run(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (root / "a.py").write_text("mine\n")
    run(root, "add", ".")
    assert commit(tmp_path / "side", written(tmp_path / "side", a_py=(FIRST, RUN))).place == "side"
    assert run(root, "show", "side:a.py") == RUN
    assert run(tmp_path / "side", "status", "--porcelain") == ""
    assert run(root, "status", "--porcelain") == "M  a.py\n"


def test_a_linked_work_tree_whose_name_breaks_lines(root: Path, tmp_path: Path) -> None:
    side = tmp_path / "new\nline \x1b"
    run(root, "worktree", "add", "-q", "-b", "side", str(side))
    assert commit(side, written(side, a_py=(FIRST, RUN))).place == "side"
    assert run(side, "status", "--porcelain") == ""


def test_a_submodule_commits_in_itself(root: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    run(outer, "init", "-q")
    run(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(root), "sub")
    run(outer, "commit", "-qm", "outer")
    sub = outer / "sub"
    commit(sub, written(sub, a_py=(FIRST, RUN)))
    assert run(sub, "show", "HEAD:a.py") == RUN
    assert run(outer, "log", "--format=%s") == "outer\n"


def test_a_sparse_checkout(root: Path) -> None:
    (root / "in").mkdir()
    (root / "in" / "c.py").write_text(FIRST)
    (root / "out").mkdir()
    (root / "out" / "d.py").write_text(FIRST)
    run(root, "add", ".")
    run(root, "commit", "-qm", "folders")
    run(root, "sparse-checkout", "set", "--cone", "--sparse-index", "in")
    assert not (root / "out").exists()
    commit(root, written(root, a_py=(FIRST, RUN)))
    assert run(root, "show", "--format=", "--name-only", "HEAD") == "a.py\n"
    assert run(root, "status", "--porcelain") == ""
    assert not (root / "out").exists()


def test_what_the_user_has_marked_stays_marked(root: Path) -> None:
    run(root, "update-index", "--skip-worktree", "a.py")
    run(root, "update-index", "--assume-unchanged", "b.py")
    commit(root, written(root, a_py=(FIRST, RUN), b_py=(FIRST, RUN)))
    assert run(root, "ls-files", "-v") == "S a.py\nh b.py\n"
    assert run(root, "show", "HEAD:a.py") == run(root, "show", "HEAD:b.py") == RUN


def test_a_shallow_clone(root: Path, tmp_path: Path) -> None:
    run(root, "commit", "-q", "--allow-empty", "-m", "second")
    run(tmp_path, "clone", "-q", "--depth=1", f"file://{root}", "clone")
    commit(tmp_path / "clone", written(tmp_path / "clone", a_py=(FIRST, RUN)))
    assert run(tmp_path / "clone", "log", "--format=%s") == "the run\nsecond\n"


def test_line_endings_that_git_converts(root: Path) -> None:
    run(root, "config", "core.autocrlf", "true")
    old, new = FIRST.replace("\n", "\r\n"), RUN.replace("\n", "\r\n")
    (root / "a.py").write_bytes(old.encode())
    run(root, "add", ".")
    commit(root, written(root, a_py=(old, new)))
    assert run(root, "show", "HEAD:a.py") == RUN
    assert run(root, "status", "--porcelain") == ""


def test_line_endings_that_were_committed(root: Path) -> None:
    (crlf, edited), own = (text.replace("\n", "\r\n") for text in (FIRST, RUN)), "line 1 of mine\r\n"
    (root / "a.py").write_bytes(crlf.encode())
    (root / "b.py").write_bytes(crlf.encode())
    run(root, "commit", "-qam", "with CRLF")
    run(root, "config", "core.autocrlf", "true")
    mine = crlf.replace("line 1\r\n", own)
    (root / "b.py").write_bytes(mine.encode())
    patch = written(root, a_py=(crlf, edited), b_py=(mine, edited.replace("line 1\r\n", own)))
    commit(root, patch)
    (root.parent / "wanted").write_bytes(edited.encode())
    wanted = run(root, "hash-object", "--no-filters", "../wanted")
    assert [run(root, "rev-parse", f"HEAD:{name}") for name in ("a.py", "b.py")] == [wanted, wanted]
    commit(root, written(root, a_py=(edited, None)))
    assert run(root, "status", "--porcelain") == " M b.py\n"


def test_the_mode_of_a_file_stays(root: Path) -> None:
    run(root, "update-index", "--chmod=+x", "a.py")
    run(root, "commit", "-qm", "mode")
    (root / "a.py").chmod(0o755)
    commit(root, written(root, a_py=(FIRST, RUN)))
    assert run(root, "ls-tree", "HEAD", "a.py").startswith("100755 ")
    assert run(root, "status", "--porcelain") == ""


def test_a_file_named_by_a_link(root: Path) -> None:
    (root / "link.py").symlink_to("a.py")
    run(root, "add", ".")
    run(root, "commit", "-qm", "link")
    (root / "a.py").write_text(RUN)
    commit(root, Patch((file_patch("link.py", FIRST.encode(), RUN.encode()),)))
    assert run(root, "show", "--format=", "--name-only", "HEAD") == "a.py\n"


def test_hooks_are_named_and_not_run(root: Path, tmp_path: Path) -> None:
    for name in ("pre-commit", "post-commit", "commit-msg", "reference-transaction", "post-index-change"):
        hook = root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        hook.chmod(0o755)
    committer = Committer(Workspace.discover(root), "m")
    assert committer.skipped_hooks == ["pre-commit", "commit-msg", "post-commit"]
    committer.commit(written(root, a_py=(FIRST, RUN)))
    assert not (tmp_path / "ran").exists()
    run(root, "config", "core.hooksPath", "elsewhere")
    assert Committer(Workspace.discover(root), "m").skipped_hooks == []


def test_somebody_who_commits_meanwhile(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = written(root, a_py=(FIRST, RUN))
    committer = Committer(Workspace.discover(root), "m")
    make = Committer._make

    def late(self: Committer, tree: str, parent: bytes | None) -> str:
        made = make(self, tree, parent)
        run(root, "commit", "-q", "--allow-empty", "-m", "theirs")
        return made

    monkeypatch.setattr(Committer, "_make", late)
    with pytest.raises(ConflictError, match="not committed: git update-ref refuses"):
        committer.commit(patch)
    assert run(root, "log", "--format=%s") == "theirs\nfirst\n"
    assert run(root, "status", "--porcelain") == " M a.py\n"


def test_an_index_that_is_locked(root: Path) -> None:
    patch = written(root, a_py=(FIRST, RUN))
    (root / ".git" / "index.lock").touch()
    with pytest.raises(ConflictError, match="not committed: git update-index refuses: Unable to create"):
        commit(root, patch)
    assert run(root, "log", "--format=%s") == "first\n"


@pytest.mark.parametrize("what", ["merge", "cherry-pick", "revert", "rebase"])
def test_what_is_under_way_is_left_to_the_user(root: Path, what: str) -> None:
    run(root, "checkout", "-q", "-b", "side")
    (root / "a.py").write_text(with_line(FIRST, 10, "side"))
    run(root, "commit", "-qam", "side")
    run(root, "checkout", "-q", "main")
    (root / "a.py").write_text(with_line(FIRST, 10, "main"))
    run(root, "commit", "-qam", "main")
    run(root, what, "side", check=False)
    if what == "revert":
        run(root, "revert", "HEAD~1", "--no-commit", check=False)
        run(root, "revert", "side", check=False)
    with pytest.raises(GitError, match=f"--commit: a {what} is under way; conclude or abort it first"):
        Committer(Workspace.discover(root), "m")


def test_a_user_whom_git_does_not_know(root: Path, tmp_path: Path) -> None:
    (tmp_path / "home" / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    with pytest.raises(GitError, match=r"does not know who you are; set user\.name"):
        Committer(Workspace.discover(root), "m")


@pytest.mark.parametrize("kind", ["plain", "bare"])
def test_where_there_is_no_work_tree(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if kind == "bare":
        run(folder, "init", "-q", "--bare")
    with pytest.raises(GitError, match=r"--commit asks git, and .* is no work tree of a git repository"):
        Committer(Workspace.discover(folder), "m")


def test_without_git(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace.discover(root)
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(GitError, match="git cannot be started"):
        Committer(workspace, "m")


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"d\n"]), max_size=10)


@given(LINES, LINES, LINES)
def test_carried_changes_are_those_of_the_run_alone(
    base: list[bytes], old: list[bytes], new: list[bytes]
) -> None:
    merged = carry_over(base, old, new)
    if base == old:
        assert merged == b"".join(new)
    if old == new:
        assert merged == b"".join(base)
    if merged is not None:
        # As many lines as the run adds and removes, no others.
        grown = sum(j2 - j1 - (i2 - i1) for i1, i2, j1, j2 in changes(old, new))
        assert merged.count(b"\n") == len(base) + grown
