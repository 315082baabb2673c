import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seedcli.errors import ConflictError, PatchError, SeedError, TargetError
from seedcli.patches import writing
from seedcli.patches.apply import apply_patch
from seedcli.patches.journal import Journal
from seedcli.patches.patch import Patch, file_patch
from seedcli.repository.workspace import Workspace
from tests.seedcli.patches.conftest import tree

Change = tuple[str, bytes | None, bytes | None]


def _patch(*changes: Change) -> Patch:
    return Patch(tuple(file_patch(*change) for change in changes))


def _write(workspace: Workspace, patch: Patch) -> None:
    """Put the patch's old state on the disk."""
    for file in patch.files:
        if file.old is not None:
            (workspace.root / file.path).parent.mkdir(parents=True, exist_ok=True)
            (workspace.root / file.path).write_bytes(file.old)


def _apply(workspace: Workspace, journal: Journal, *changes: Change) -> str:
    patch = _patch(*changes)
    _write(workspace, patch)
    return apply_patch(workspace, patch, journal, label="test")


_THREE: tuple[Change, ...] = (
    ("a.py", b"old a\n", b"new a\n"),
    ("made/deep/b.py", None, b"new b\n"),
    ("c.py", b"old c\n", None),
)


def test_changes_creates_and_deletes(workspace: Workspace, journal: Journal) -> None:
    run = _apply(workspace, journal, *_THREE)
    assert tree(workspace.root) == {
        "a.py": b"new a\n",
        "made": None,
        "made/deep": None,
        "made/deep/b.py": b"new b\n",
    }
    [found] = journal.runs()
    assert (found.id, found.label, found.state, found.files) == (
        run,
        "test",
        "applied",
        ("a.py", "made/deep/b.py", "c.py"),
    )


def test_keeps_mode_owner_attributes_and_links(workspace: Workspace, journal: Journal) -> None:
    target = workspace.root / "real.py"
    target.write_bytes(b"old\n")
    target.chmod(0o750)
    (workspace.root / "link.py").symlink_to("real.py")
    try:
        os.setxattr(target, "user.note", b"kept")
    except OSError:
        pytest.skip("no extended attributes here")
    if os.geteuid() == 0:
        os.chown(target, 1234, 1234)
    before = target.stat()
    apply_patch(workspace, _patch(("link.py", b"old\n", b"new\n")), journal, label="")
    after = target.stat()
    assert target.read_bytes() == b"new\n"
    assert (workspace.root / "link.py").readlink() == Path("real.py")
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert os.getxattr(target, "user.note") == b"kept"
    assert after.st_ino != before.st_ino
    journal.undo()
    assert (target.read_bytes(), target.stat().st_mode) == (b"old\n", before.st_mode)


def test_new_files_follow_the_umask(workspace: Workspace, journal: Journal) -> None:
    usual = os.umask(0o027)
    try:
        _apply(workspace, journal, ("a.py", None, b"x\n"))
    finally:
        os.umask(usual)
    assert stat.S_IMODE((workspace.root / "a.py").stat().st_mode) == 0o640


def test_undoing_a_deletion_gives_the_mode_back(workspace: Workspace, journal: Journal) -> None:
    (workspace.root / "a.py").write_bytes(b"x\n")
    (workspace.root / "a.py").chmod(0o755)
    apply_patch(workspace, _patch(("a.py", b"x\n", None)), journal, label="")
    journal.undo()
    assert stat.S_IMODE((workspace.root / "a.py").stat().st_mode) == 0o755


def test_warns_of_hard_links(workspace: Workspace, journal: Journal) -> None:
    (workspace.root / "a.py").write_bytes(b"x\n")
    os.link(workspace.root / "a.py", workspace.root / "b.py")
    warnings: list[str] = []
    apply_patch(workspace, _patch(("a.py", b"x\n", b"y\n")), journal, label="", warn=warnings.append)
    assert warnings == ["a.py has 2 names (hard links); only this one changes"]
    assert (workspace.root / "b.py").read_bytes() == b"x\n"


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("../out.py", TargetError),
        ("/tmp/out.py", TargetError),
        (".git/config", TargetError),
        ("pipe", TargetError),
        ("dangling.py", TargetError),
        ("escape.py", TargetError),
        ("sub/x.py", TargetError),
        ("folder", TargetError),
        ("file.py/x.py", SeedError),
    ],
)
def test_refuses_places(workspace: Workspace, journal: Journal, path: str, error: type[SeedError]) -> None:
    root = workspace.root
    (root / "dangling.py").symlink_to("gone")
    (root / "escape.py").symlink_to("../outside.py")
    (root / "folder").mkdir()
    (root / "sub").mkdir()
    (root / "sub/.git").write_text("gitdir: ../.git/modules/sub\n")
    (root / "file.py").write_text("x\n")
    (root.parent / "outside.py").write_text("x\n")
    os.mkfifo(root / "pipe")
    before = tree(root.parent)
    with pytest.raises(error):
        apply_patch(workspace, _patch(("good.py", None, b"x\n"), (path, None, b"evil\n")), journal, label="")
    after = tree(root.parent)
    assert {k: v for k, v in after.items() if not k.startswith("state")} == before


def test_refuses_the_same_file_twice(workspace: Workspace, journal: Journal) -> None:
    (workspace.root / "a.py").write_bytes(b"x\n")
    (workspace.root / "b.py").symlink_to("a.py")
    with pytest.raises(PatchError, match=r"names a\.py twice"):
        apply_patch(workspace, _patch(("a.py", b"x\n", b"y\n"), ("b.py", b"x\n", b"z\n")), journal, label="")


def test_refuses_to_delete_through_a_link(workspace: Workspace, journal: Journal) -> None:
    (workspace.root / "a.py").write_bytes(b"x\n")
    (workspace.root / "b.py").symlink_to("a.py")
    with pytest.raises(TargetError, match="is a link"):
        apply_patch(workspace, _patch(("b.py", b"x\n", None)), journal, label="")


def test_an_empty_patch_is_an_error(workspace: Workspace, journal: Journal) -> None:
    with pytest.raises(PatchError, match="changes nothing"):
        apply_patch(workspace, Patch(()), journal, label="")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda root: (root / "c.py").write_bytes(b"edited\n"), r"c\.py has changed since it was read"),
        (lambda root: (root / "c.py").unlink(), r"c\.py is gone"),
        (lambda root: (root / "c.py").chmod(0o444), r"c\.py is read-only; .*chmod u\+w c\.py"),
        (lambda root: (root / "made").write_bytes(b""), "made is a file|made"),
    ],
)
def test_a_conflict_leaves_every_file_alone(
    workspace: Workspace, journal: Journal, spoil, words: str
) -> None:
    patch = _patch(*_THREE)
    _write(workspace, patch)
    spoil(workspace.root)
    before = tree(workspace.root)
    with pytest.raises(ConflictError, match=words) as caught:
        apply_patch(workspace, patch, journal, label="")
    assert "\n" not in str(caught.value)
    assert tree(workspace.root) == before
    assert journal.runs() == []


def test_a_file_that_appears_is_not_overwritten(workspace: Workspace, journal: Journal) -> None:
    (workspace.root / "a.py").write_bytes(b"mine\n")
    with pytest.raises(ConflictError, match=r"a\.py exists by now"):
        apply_patch(workspace, _patch(("a.py", None, b"x\n")), journal, label="")
    assert (workspace.root / "a.py").read_bytes() == b"mine\n"


def test_a_change_between_check_and_write_is_seen(
    workspace: Workspace, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = _patch(("a.py", b"a\n", b"A\n"), ("b.py", b"b\n", b"B\n"))
    _write(workspace, patch)
    replace = os.replace

    def replace_and_meddle(source: Path, target: Path) -> None:
        replace(source, target)
        if Path(target).name == "a.py":
            (workspace.root / "b.py").write_bytes(b"edited meanwhile\n")

    monkeypatch.setattr(os, "replace", replace_and_meddle)
    with pytest.raises(ConflictError, match=r"b\.py has changed"):
        apply_patch(workspace, patch, journal, label="")
    assert tree(workspace.root) == {"a.py": b"a\n", "b.py": b"edited meanwhile\n"}
    assert journal.runs() == []


def test_two_runs_at_once(workspace: Workspace, journal: Journal, tmp_path: Path) -> None:
    _apply(workspace, journal, ("a.py", b"a\n", b"b\n"))
    [lock] = (tmp_path / "state").glob("*/lock")
    with open(lock, "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for attempt in (
            lambda: apply_patch(workspace, _patch(("a.py", b"b\n", b"c\n")), journal, label=""),
            journal.undo,
            journal.recover,
        ):
            with pytest.raises(ConflictError, match="another seed run is writing"):
                attempt()
    assert (workspace.root / "a.py").read_bytes() == b"b\n"
    journal.undo()


def test_a_rollback_that_fails_too_is_finished_later(
    workspace: Workspace, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = _patch(*_THREE)
    _write(workspace, patch)
    before = tree(workspace.root)
    replace = writing._replace

    def failing(change: writing.Change) -> None:
        if change.name == "c.py" or change.after == b"old a\n":
            raise OSError(28, "No space left on device")
        replace(change)

    monkeypatch.setattr(writing, "_replace", failing)
    with pytest.raises(ConflictError, match=r"could not give back a\.py \(No space left on device\)"):
        apply_patch(workspace, patch, journal, label="")
    assert [run.state for run in journal.runs()] == ["applying"]
    with pytest.raises(ConflictError, match=r"could not give back a\.py"):
        journal.recover()
    monkeypatch.undo()
    assert "as they were before" in journal.recover()[0]
    assert tree(workspace.root) == before


def test_an_undo_that_cannot_be_taken_back_is_finished_later(
    workspace: Workspace, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    _apply(workspace, journal, *_THREE)
    after = tree(workspace.root)
    replace = writing._replace

    def failing(change: writing.Change) -> None:
        if change.name == "c.py" or change.after == b"new a\n":
            raise OSError(5, "Input/output error")
        replace(change)

    monkeypatch.setattr(writing, "_replace", failing)
    with pytest.raises(ConflictError, match=r"could not give back a\.py"):
        journal.undo()
    assert [run.state for run in journal.runs()] == ["undoing"]
    monkeypatch.undo()
    journal.recover()
    assert tree(workspace.root) == after
    assert [run.state for run in journal.runs()] == ["applied"]


class _BoomError(Exception):
    pass


@pytest.mark.parametrize(
    "error", [_BoomError("no"), KeyboardInterrupt(), OSError(28, "No space left on device"), SystemExit()]
)
@pytest.mark.parametrize("after", [0, 1, 2])
def test_any_failure_gives_back_the_old_bytes(
    workspace: Workspace, journal: Journal, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int
) -> None:
    patch = _patch(*_THREE)
    _write(workspace, patch)
    before = tree(workspace.root)
    replace = writing._replace
    calls = []

    def failing(change: writing.Change) -> None:
        calls.append(change)
        if len(calls) == after + 1:
            raise error
        replace(change)

    monkeypatch.setattr(writing, "_replace", failing)
    with pytest.raises(ConflictError if isinstance(error, OSError) else type(error)):
        apply_patch(workspace, patch, journal, label="")
    assert tree(workspace.root) == before
    assert journal.runs() == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_takes_everything_back_and_is_then_delivered(
    workspace: Workspace, journal: Journal, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    class DeliveredError(Exception):
        pass

    def deliver(*_: object) -> None:
        raise DeliveredError

    patch = _patch(*_THREE)
    _write(workspace, patch)
    before = tree(workspace.root)
    replace = writing._replace

    def signalling(change: writing.Change) -> None:
        replace(change)
        if not tree(workspace.root).get("c.py"):
            return
        signal.raise_signal(number)

    monkeypatch.setattr(writing, "_replace", signalling)
    usual = signal.signal(number, deliver)
    try:
        with pytest.raises(DeliveredError):
            apply_patch(workspace, patch, journal, label="")
        assert signal.getsignal(number) is deliver
    finally:
        signal.signal(number, usual)
    assert tree(workspace.root) == before
    assert journal.runs() == []


@contextmanager
def _small_disk(folder: Path, num_bytes: int) -> Iterator[Path]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={num_bytes}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_disk_full_in_the_workspace(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk", 64 * 1024) as disk:
        workspace = Workspace(disk.resolve(), is_git=False)
        journal = Journal(tmp_path / "state", workspace)
        patch = _patch(*((f"{i}.py", b"%d\n" % i * 4000, b"%d.\n" % i * 4000) for i in range(5)))
        _write(workspace, patch)
        before = tree(disk)
        with pytest.raises(ConflictError, match="No space left on device; nothing was changed"):
            apply_patch(workspace, patch, journal, label="")
        assert tree(disk) == before
        assert journal.runs() == []


def test_disk_full_in_the_journal(tmp_path: Path) -> None:
    with _small_disk(tmp_path / "disk", 16 * 1024) as disk:
        root = tmp_path / "project"
        root.mkdir()
        workspace = Workspace(root.resolve(), is_git=False)
        patch = _patch(("a.py", b"a\n" * 8000, b"b\n" * 8000))
        _write(workspace, patch)
        journal = Journal(disk, workspace)
        with pytest.raises(ConflictError, match=r"journal .*No space left"):
            apply_patch(workspace, patch, journal, label="")
        assert tree(root) == {"a.py": b"a\n" * 8000}
        assert journal.runs() == []


def test_a_folder_that_forbids_writing(workspace: Workspace, journal: Journal) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    patch = _patch(("d/a.py", b"a\n", b"b\n"))
    _write(workspace, patch)
    (workspace.root / "d").chmod(0o555)
    with pytest.raises(ConflictError, match="folder is not writable"):
        apply_patch(workspace, patch, journal, label="")
    (workspace.root / "d").chmod(0o755)


def test_writing_imports_little() -> None:
    code = "import sys, seedcli.patches.apply; print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert "seedcli.patches.apply" in loaded
    assert loaded.isdisjoint(
        {"git", "tree_sitter", "unidiff", "pathspec", "platformdirs", "textual", "torch"}
    )


def test_many_files_with_odd_bytes(workspace: Workspace, journal: Journal) -> None:
    odd = [b"\xef\xbb\xbfx\r\n", b"\xe9\xff\n", b"\ttab", b"", b"\r\r\n\n", b"a\0b"]
    changes: list[Change] = [(f"{i}.py", old, old + b"\nmore\r\n") for i, old in enumerate(odd)]
    _apply(workspace, journal, *changes)
    assert tree(workspace.root) == {path: new for path, _, new in changes}
    journal.undo()
    assert tree(workspace.root) == {path: old for path, old, _ in changes}
