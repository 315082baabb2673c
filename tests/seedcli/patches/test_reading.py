import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedcli.errors import ConflictError, PatchError, SeedError, TargetError
from seedcli.patches.patch import Patch, file_patch, render, select
from seedcli.patches.reading import read_patch, reversal
from seedcli.repository.workspace import Workspace

_OLD = b"".join(b"line %d\n" % i for i in range(40))
_NEW = (
    _OLD.replace(b"line 3\n", b"line three\n")
    .replace(b"line 30\n", b"")
    .replace(b"line 20\n", b"line 20\nmore\r\n")
)


def _git(root: Path, *arguments: str) -> bytes:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=false", *arguments]
    return subprocess.run(command, cwd=root, check=True, capture_output=True).stdout


@pytest.fixture
def root(workspace: Workspace) -> Path:
    _git(workspace.root, "init", "-q")
    return workspace.root


def _diff(root: Path, name: str, old: bytes | None, new: bytes | None, *options: str) -> bytes:
    """What git prints for a change of one file; the disk holds the new state then."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if old is not None:
        file.write_bytes(old)
        _git(root, "add", "-A")
    _git(root, "commit", "-q", "--allow-empty", "-m", "before")
    file.unlink(missing_ok=True)
    if new is not None:
        file.write_bytes(new)
    _git(root, "add", "-A")
    return _git(root, "diff", "--cached", *options)


@pytest.mark.parametrize("name", ["a.py", "sub/a b.py", "x b/y b/z.py", "ünï/cødé.py", 'quo"te.py'])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (_OLD, _NEW),
        (None, _NEW),
        (_OLD, None),
        (b"a\nb", b"a\nc"),
        (b"a", b"a\n"),
        (b"a\r\n", b"a\n"),
        (b"\xe9\n", b"\xff\n"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--no-prefix",), ("-U0",)])
def test_reads_what_git_prints_forwards_and_backwards(
    workspace: Workspace,
    root: Path,
    name: str,
    old: bytes | None,
    new: bytes | None,
    options: tuple[str, ...],
) -> None:
    data = _diff(root, name, old, new, *options)
    patch, applied = read_patch(data, workspace)
    assert applied
    assert [(f.path, f.old, f.new) for f in patch.files] == [(name, old, new)]
    if old is None:
        (root / name).unlink()
    else:
        (root / name).write_bytes(old)
    again, applied = read_patch(data, workspace)
    assert not applied
    assert again == patch
    everything = [(0, h) for h in range(len(patch.files[0].hunks))]
    assert select(patch, everything) == patch


def test_reads_plain_diff(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.root / "a.py").write_bytes(_OLD)
    (tmp_path / "new.py").write_bytes(_NEW)
    data = subprocess.run(
        ["diff", "-u", "a.py", "../new.py"], cwd=workspace.root, capture_output=True, check=False
    ).stdout
    patch, _ = read_patch(data, workspace)
    assert [(f.path, f.new) for f in patch.files] == [("a.py", _NEW)]


def test_finds_the_place_of_moved_lines(workspace: Workspace) -> None:
    data = render(Patch((file_patch("a.py", _OLD, _NEW),)))
    (workspace.root / "a.py").write_bytes(b"first\n" * 5 + _OLD + b"last\n")
    patch, applied = read_patch(data, workspace)
    assert not applied
    assert patch.files[0].new == b"first\n" * 5 + _NEW + b"last\n"


def test_several_files_with_mail_around_them(workspace: Workspace) -> None:
    patch = Patch((file_patch("a.py", b"a\n", b"b\n"), file_patch("b.py", None, b"x\n")))
    data = b"From: a@b\nSubject: [PATCH] x\n\n---\n a.py | 2 +-\n\n" + render(patch) + b"-- \n2.39.5\n\n"
    (workspace.root / "a.py").write_bytes(b"a\n")
    assert read_patch(data, workspace) == (patch, False)


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", PatchError, "no unified diff"),
        (b"hello\n", PatchError, "no unified diff"),
        (b"--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-a\n", PatchError, "not a whole unified diff"),
        (b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-zzz\n+y\n", PatchError, r"does not fit a\.py"),
        (b"--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n", PatchError, r"does not fit gone\.py"),
        (b"--- a/../x.py\n+++ b/../x.py\n@@ -1 +1 @@\n-a\n+b\n", TargetError, "below"),
        (b"--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-a\n+b\n", TargetError, r"inside \.git"),
        (b"--- /etc/hosts\n+++ /etc/hosts\n@@ -1 +1 @@\n-a\n+b\n", SeedError, "fit etc/hosts|below"),
        (
            b"diff --git a/a.py b/c.py\nsimilarity index 100%\nrename from a.py\nrename to c.py\n",
            PatchError,
            "renamed",
        ),
        (
            b"diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+a.py\n",
            PatchError,
            "link",
        ),
        (
            b"diff --git a/x.bin b/x.bin\nindex 1..2 100644\nBinary files a/x.bin and b/x.bin differ\n",
            PatchError,
            "binary",
        ),
        (
            b"diff --git a/x.bin b/x.bin\nindex 1..2 100644\nGIT binary patch\nliteral 1\nIcmZ\n\n",
            PatchError,
            "binary",
        ),
    ],
)
def test_refusals(workspace: Workspace, data: bytes, error: type[SeedError], words: str) -> None:
    (workspace.root / "a.py").write_bytes(b"a\n")
    (workspace.root / ".git").mkdir()
    (workspace.root / ".git/config").write_bytes(b"a\n")
    with pytest.raises(error, match=words) as caught:
        read_patch(data, workspace)
    assert "\n" not in str(caught.value)


def test_half_applied_is_a_conflict(workspace: Workspace) -> None:
    patch = Patch((file_patch("a.py", b"a\n", b"A\n"), file_patch("b.py", b"b\n", b"B\n")))
    (workspace.root / "a.py").write_bytes(b"A\n")
    (workspace.root / "b.py").write_bytes(b"b\n")
    with pytest.raises(ConflictError, match=r"applied to a\.py already"):
        read_patch(render(patch), workspace)


def test_two_names_of_one_file_are_refused(workspace: Workspace) -> None:
    (workspace.root / "a.py").write_bytes(b"a\n")
    (workspace.root / "b.py").symlink_to("a.py")
    patch = Patch((file_patch("a.py", b"a\n", b"A\n"), file_patch("b.py", b"a\n", b"B\n")))
    with pytest.raises(PatchError, match=r"names b\.py twice, once as a\.py; merge both parts"):
        read_patch(render(patch), workspace)


def test_a_change_of_mode_is_said_to_be_left_out(workspace: Workspace, root: Path) -> None:
    (root / "a.py").write_bytes(b"a\n")
    _git(root, "add", "-A")
    _git(root, "commit", "-qm", "before")
    (root / "a.py").chmod(0o755)
    (root / "a.py").write_bytes(b"b\n")
    patch, _ = read_patch(_git(root, "diff"), workspace)
    assert patch.files[0].notes == ("its mode 100755 is not set; chmod does that",)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        (lambda p: p, {}),
        (lambda p: Patch(()), {"a.py": b"1\n2\n3\n", "b.py": None}),
        (lambda p: select(p, [(0, 0)]), {"a.py": b"one\n2\n3\n", "b.py": None}),
        (lambda p: select(p, [(0, 1), (1, 0)]), {"a.py": b"1\n2\nthree\n"}),
    ],
)
def test_rejecting_hunks_of_an_applied_patch_reverses_them(
    kept: Callable[[Patch], Patch], expected: dict[str, bytes | None]
) -> None:
    patch = Patch((file_patch("a.py", b"1\n2\n3\n", b"one\n2\nthree\n"), file_patch("b.py", None, b"x\n")))
    written = reversal(patch, kept(patch))
    assert {file.path: file.new for file in written.files} == expected
    assert all(file.old == {"a.py": b"one\n2\nthree\n", "b.py": b"x\n"}[file.path] for file in written.files)


_CONTENT = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"d"]), max_size=20).map(
    lambda lines: (
        b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines[:-1]) + b"".join(lines[-1:])
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(old=_CONTENT, new=_CONTENT)
def test_what_render_prints_is_read_back(workspace: Workspace, old: bytes, new: bytes) -> None:
    file = file_patch("a.py", old, new)
    if old == new:
        return
    (workspace.root / "a.py").write_bytes(old)
    patch, applied = read_patch(render(Patch((file,))), workspace)
    assert not applied
    assert patch == Patch((file,))


@pytest.mark.parametrize("options", [("--no-prefix",), (), ("--src-prefix=i/", "--dst-prefix=w/")])
def test_a_patch_is_for_the_file_that_it_names(
    workspace: Workspace, root: Path, options: tuple[str, ...]
) -> None:
    for name in ("a.py", "sub/a.py"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"x = 1\n")
    _git(root, "add", ".")
    _git(root, "commit", "-qm", "two of one name")
    (root / "sub/a.py").write_bytes(b"x = 2\n")
    data = _git(root, "diff", *options)
    patch, applied = read_patch(data, workspace)
    assert [file.path for file in patch.files] == ["sub/a.py"]
    assert applied


def test_a_combined_diff_is_refused(workspace: Workspace) -> None:
    with pytest.raises(PatchError, match="combined diff of a merge"):
        read_patch(
            b"diff --cc a.py\nindex 1,2..3\n--- a/a.py\n+++ b/a.py\n@@@ -1 -1 +1 @@@\n++x\n", workspace
        )
