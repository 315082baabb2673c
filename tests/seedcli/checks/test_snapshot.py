"""A copy holds what the work tree holds, and nothing leads back from it."""

import os
import subprocess
from pathlib import Path

import pytest

from seedcli.checks.private_git import common_folder
from seedcli.checks.snapshot import LARGE, Snapshot, take_snapshot
from seedcli.errors import SeedError
from seedcli.repository.workspace import Workspace
from tests.seedcli.checks.tree import Seen, read_tree

IDENTITY = ("-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always")


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / "src").mkdir(parents=True)
    (root / "src" / "a.py").write_text("A = 1\n")
    (root / ".gitignore").write_text("build/\n*.so\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


def of_git(root: Path) -> Seen:
    """The tree, but for the times of objects: git renews them when it would write the same object again."""
    seen = read_tree(root)
    return {name: (mode, 0 if "objects" in name else t, data) for name, (mode, t, data) in seen.items()}


def snapshot(root: Path, into: Path, *, whole: bool = False, most: int = 1 << 30) -> Snapshot:
    workspace = Workspace.discover(root)
    return take_snapshot(workspace, into, whole=whole, git_at=common_folder(root), most_bytes=most)


def test_everything_that_is_not_ignored_is_copied(root: Path, tmp_path: Path) -> None:
    (root / "src" / "a.py").write_text("A = 2\n")
    (root / "un\ntracked \x1b.txt").write_text("x")
    (root / "empty" / "deep").mkdir(parents=True)
    (root / "run.sh").write_text("true\n")
    (root / "run.sh").chmod(0o755)
    (root / "link").symlink_to("src/a.py")
    (root / "nowhere").symlink_to("/no/such/place")
    (root / "loop").symlink_to(".")
    os.mkfifo(root / "pipe")
    (root / "src" / "__pycache__").mkdir()
    (root / "src" / "__pycache__" / "a.pyc").write_bytes(b"1")
    (root / "x.so").write_bytes(b"2")
    for path in root.rglob("*"):
        os.utime(path, ns=(10**18, 10**18), follow_symlinks=False)
    made = snapshot(root, tmp_path / "copy")
    original, copy = read_tree(root), read_tree(tmp_path / "copy")
    links = {"link", "nowhere", "loop"}
    for name, seen in original.items():
        if name in links:
            assert copy[name][2] == seen[2]
        elif name not in (".", "pipe") and not name.startswith(".git/") and name != ".git":
            assert copy[name] == seen, name
    assert "pipe" not in copy
    assert (made.layers, made.left_out) == ([], [])


def test_what_is_ignored_is_a_layer_or_copied_too(root: Path, tmp_path: Path) -> None:
    (root / "build" / "deep").mkdir(parents=True)
    (root / "build" / "deep" / "x").write_text("x")
    with open(root / "big.so", "wb") as file:
        file.truncate(LARGE + 1)
    (root / "other").mkdir()
    git(root / "other", "init", "-q")
    (root / "other" / "b.py").write_text("B = 1\n")
    made = snapshot(root, tmp_path / "copy")
    assert made.layers == ["big.so", "build", "other"]
    assert [(tmp_path / "copy" / name).exists() for name in made.layers] == [True] * 3
    assert not list((tmp_path / "copy" / "build").iterdir())
    made = snapshot(root, tmp_path / "whole", whole=True)
    assert made.layers == []
    assert (tmp_path / "whole" / "build" / "deep" / "x").read_text() == "x"
    assert (tmp_path / "whole" / "other" / "b.py").exists()


def test_no_link_of_a_whole_copy_leads_back(root: Path, tmp_path: Path) -> None:
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "er" / "link").symlink_to(root / "src" / "a.py")
    snapshot(root, tmp_path / "copy", whole=True)
    (tmp_path / "copy" / "deep" / "er" / "link").write_text("changed")
    assert (root / "src" / "a.py").read_text() == "A = 1\n"
    assert (tmp_path / "copy" / "src" / "a.py").read_text() == "changed"


def test_too_much_is_refused(root: Path, tmp_path: Path) -> None:
    (root / "data").write_bytes(b"x" * 4000)
    with pytest.raises(SeedError, match="raise --check-disk, or use --check-in-place"):
        snapshot(root, tmp_path / "copy", most=2000)


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_named(root: Path, tmp_path: Path) -> None:
    (root / "closed").write_text("x")
    (root / "closed").chmod(0)
    (left,) = snapshot(root, tmp_path / "copy").left_out
    assert "closed (Permission denied)" in left


def test_without_git_the_ignore_file_counts(tmp_path: Path) -> None:
    root = tmp_path / "plain"
    (root / "build").mkdir(parents=True)
    (root / "a.py").write_text("A = 1\n")
    (root / ".gitignore").write_text("build/\n")
    workspace = Workspace(root.resolve(), is_git=False)
    made = take_snapshot(workspace, tmp_path / "copy", whole=False, git_at=None, most_bytes=1 << 20)
    assert made.layers == ["build"]
    assert sorted(path.name for path in (tmp_path / "copy").iterdir()) == [".gitignore", "a.py", "build"]


class TestGit:
    """The copy's git knows what the original's knows, and its changes stay its own."""

    def meddle(self, copy: Path) -> None:
        (copy / "src" / "a.py").write_text("A = 3\n")
        git(copy, "commit", "-qam", "second")
        git(copy, "tag", "mine")
        git(copy, "gc", "-q")

    def test_history_is_there_and_the_original_stays(self, root: Path, tmp_path: Path) -> None:
        (root / "src" / "a.py").write_text("A = 2\n")
        before = of_git(root)
        copy = tmp_path / "copy"
        snapshot(root, copy)
        assert git(copy, "status", "--porcelain") == " M src/a.py\n"
        assert git(copy, "log", "--format=%s") == "first\n"
        self.meddle(copy)
        assert git(copy, "log", "--format=%s") == "second\nfirst\n"
        assert of_git(root) == before

    def test_a_linked_work_tree(self, root: Path, tmp_path: Path) -> None:
        git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
        linked = tmp_path / "linked"
        (linked / "src" / "a.py").write_text("A = 2\n")
        git(linked, "commit", "-qam", "on the side")
        before = of_git(root), of_git(linked)
        copy = tmp_path / "copy"
        snapshot(linked, copy)
        assert git(copy, "status", "--porcelain", "--branch") == "## side\n"
        assert git(copy, "rev-parse", "--show-toplevel").strip() == str(copy)
        assert git(copy, "log", "--format=%s") == "on the side\nfirst\n"
        self.meddle(copy)
        assert (of_git(root), of_git(linked)) == before

    def test_a_submodule_and_what_holds_it(self, root: Path, tmp_path: Path) -> None:
        outer = tmp_path / "outer"
        outer.mkdir()
        git(outer, "init", "-q")
        git(outer, "submodule", "--quiet", "add", str(root), "sub")
        git(outer, "commit", "-qm", "outer")
        before = of_git(outer)
        snapshot(outer / "sub", tmp_path / "inner copy")
        assert git(tmp_path / "inner copy", "log", "--format=%s") == "first\n"
        assert git(tmp_path / "inner copy", "rev-parse", "--show-toplevel").strip() == str(
            tmp_path / "inner copy"
        )
        # A sparse submodule says in another file where its work tree is.
        git(outer / "sub", "sparse-checkout", "set", "src")
        snapshot(outer / "sub", tmp_path / "sparse")
        assert git(tmp_path / "sparse", "rev-parse", "--show-toplevel").strip() == str(tmp_path / "sparse")
        before = of_git(outer)
        assert snapshot(outer, tmp_path / "outer copy").layers == ["sub"]
        snapshot(outer, tmp_path / "whole", whole=True)
        assert git(tmp_path / "whole" / "sub", "log", "--format=%s") == "first\n"
        self.meddle(tmp_path / "whole" / "sub")
        assert of_git(outer) == before
