"""Whether a diff is applied already: told by git's names for the bytes, else by lines, else not at all."""

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedcli.errors import ConflictError, PatchError
from seedcli.patches.patch import Patch
from seedcli.patches.reading import read_patch, reversal
from seedcli.repository.workspace import Workspace


def _numbers(first: int, last: int) -> bytes:
    return b"".join(b"%d\n" % i for i in range(first, last + 1))


def _diff(root: Path, old: bytes, new: bytes, *options: str) -> bytes:
    """What git prints for the change of `a.txt` from `old` to `new`, both of which exist."""
    for folder, data in (("before", old), ("after", new)):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "a.txt").write_bytes(data)
    command = ["git", "diff", "--no-index", "--no-prefix", *options, "before/a.txt", "after/a.txt"]
    data = subprocess.run(command, cwd=root, capture_output=True, check=False).stdout
    return data.replace(b"before/a.txt", b"a/a.txt").replace(b"after/a.txt", b"b/a.txt")


def _unnamed(data: bytes) -> bytes:
    """The diff without its index lines."""
    return re.sub(rb"(?m)^index .*\n", b"", data)


@pytest.mark.parametrize("context", [0, 1, 2, 3])
@pytest.mark.parametrize("options", [(), ("--full-index",), ("--abbrev=4",)])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (_numbers(1, 40), _numbers(1, 41)),
        (_numbers(1, 40), _numbers(0, 40)),
        (_numbers(1, 40), _numbers(1, 20) + b"new\n" + _numbers(21, 40)),
        (b"a\n", b"a\nb\n"),
        (b"a\n", b"a\na\n"),
        (b"a", b"a\nb"),
        (b"", b"b\n"),
        (b"b\n", b""),
        (b"a\n" * 20, b"a\n" * 21),
        (b"a\n" * 21, b"a\n" * 20),
    ],
)
def test_what_is_applied_is_not_applied_again(
    workspace: Workspace, tmp_path: Path, old: bytes, new: bytes, context: int, options: tuple[str, ...]
) -> None:
    data = _diff(tmp_path, old, new, f"-U{context}", *options)
    file = workspace.root / "a.txt"
    for content, is_applied in ((new, True), (old, False)):
        file.write_bytes(content)
        patch, applied = read_patch(data, workspace)
        assert (applied, patch.files[0].old, patch.files[0].new) == (is_applied, old, new)


_LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"    c\n", b"d\r\n"]), max_size=12)
_EDITS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 3), _LINES.map(lambda lines: lines[:3])), max_size=4
)


def _edited(lines: list[bytes], edits: list[tuple[int, int, list[bytes]]]) -> list[bytes]:
    lines = list(lines)
    for start, count, new in edits:
        lines[start : start + count] = new
    return lines


def _joined(lines: list[bytes], is_open: bool) -> bytes:
    data = b"".join(lines)
    return data.removesuffix(b"\n") if is_open else data


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    lines=_LINES,
    edits=_EDITS,
    is_open=st.tuples(st.booleans(), st.booleans()),
    context=st.integers(0, 3),
    is_named=st.booleans(),
)
def test_a_diff_of_git_is_told_from_its_own_result(
    workspace: Workspace,
    tmp_path: Path,
    lines: list[bytes],
    edits: list[tuple[int, int, list[bytes]]],
    is_open: tuple[bool, bool],
    context: int,
    is_named: bool,
) -> None:
    old, new = _joined(lines, is_open[0]), _joined(_edited(lines, edits), is_open[1])
    if old == new:
        return
    data = _diff(tmp_path, old, new, f"-U{context}")
    data = data if is_named else _unnamed(data)
    file = workspace.root / "a.txt"
    for content in (new, old):
        file.write_bytes(content)
        try:
            patch, applied = read_patch(data, workspace)
        except ConflictError:
            assert not is_named
            continue
        # Nothing is written where a bare line is taken for the one that the diff inserts.
        assert applied == (content == new) or (applied and not is_named and context == 0)
        if applied == (content == new):
            assert [(f.old, f.new) for f in patch.files] == [(old, new)]
            back = reversal(patch, Patch(()))
            assert [(f.old, f.new) for f in back.files] == [(new, old)]


@pytest.mark.parametrize(
    "new",
    [
        _numbers(1, 41),
        _numbers(1, 20) + b"new\n" + _numbers(21, 40),
        _numbers(1, 20) + _numbers(22, 40),
    ],
)
def test_an_applied_diff_is_known_when_lines_have_moved_since(
    workspace: Workspace, tmp_path: Path, new: bytes
) -> None:
    data = _diff(tmp_path, _numbers(1, 40), new)
    (workspace.root / "a.txt").write_bytes(b"mine\n" + new)
    patch, applied = read_patch(data, workspace)
    assert (applied, patch.files[0].new) == (True, b"mine\n" + new)


def test_a_diff_that_begins_the_file_fits_only_its_beginning(workspace: Workspace, tmp_path: Path) -> None:
    data = _diff(tmp_path, _numbers(1, 40), _numbers(0, 40))
    for content in (_numbers(1, 40), _numbers(0, 40)):
        (workspace.root / "a.txt").write_bytes(b"mine\n" + content)
        with pytest.raises(PatchError, match=r"does not fit a\.txt"):
            read_patch(data, workspace)


def test_a_diff_that_ends_the_file_fits_only_its_end(workspace: Workspace, tmp_path: Path) -> None:
    data = _diff(tmp_path, _numbers(1, 40), _numbers(1, 41))
    (workspace.root / "a.txt").write_bytes(_numbers(1, 40) + b"mine\n")
    with pytest.raises(PatchError, match=r"does not fit a\.txt"):
        read_patch(data, workspace)


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        # Equal lines all around, and neither end of the file in sight.
        (
            b"x\n" + b"a\n" * 20 + b"y\n",
            b"x\n" + b"a\n" * 21 + b"y\n",
            b"@@ -10,2 +10,3 @@\n a\n+a\n a\n",
        ),
        # A line that goes, before one that is equal.
        (b"b\na\na\nc\n", b"b\na\nc\n", b"@@ -2 +1,0 @@\n-a\n"),
    ],
)
def test_what_cannot_be_told_is_refused(workspace: Workspace, old: bytes, new: bytes, lines: bytes) -> None:
    for content in (old, new):
        (workspace.root / "a.txt").write_bytes(content)
        with pytest.raises(ConflictError, match="both as it stands and as already applied") as caught:
            read_patch(b"--- a/a.txt\n+++ b/a.txt\n" + lines, workspace)
        assert "\n" not in str(caught.value)


def test_without_context_nothing_is_put_into_a_file_that_has_changed(
    workspace: Workspace, tmp_path: Path
) -> None:
    old, new = _numbers(1, 40), _numbers(1, 20) + b"new\n" + _numbers(21, 40)
    data = _diff(tmp_path, old, new, "-U0")
    for content in (b"mine\n" + old, b"mine\n" + new):
        (workspace.root / "a.txt").write_bytes(content)
        with pytest.raises(PatchError, match="does not fit"):
            read_patch(data, workspace)
    (workspace.root / "a.txt").write_bytes(b"mine\n" + new)
    with pytest.raises(ConflictError, match="both"):
        read_patch(_unnamed(data), workspace)


def test_several_files_are_decided_together(workspace: Workspace, tmp_path: Path) -> None:
    grown = _diff(tmp_path, _numbers(1, 40), _numbers(1, 41), "-U0")
    other = b"--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-a\n+b\n"
    (workspace.root / "a.txt").write_bytes(_numbers(1, 41))
    (workspace.root / "b.txt").write_bytes(b"a\n")
    with pytest.raises(ConflictError, match=r"applied to a\.txt already"):
        read_patch(grown + other, workspace)
    (workspace.root / "b.txt").write_bytes(b"b\n")
    assert read_patch(grown + other, workspace)[1]
    # Alone it could not be told: `b.txt` speaks for both.
    lines = b"--- a/a.txt\n+++ b/a.txt\n@@ -10,2 +10,3 @@\n a\n+a\n a\n"
    (workspace.root / "a.txt").write_bytes(b"a\n" * 20)
    assert read_patch(lines + other, workspace)[1]
    (workspace.root / "b.txt").write_bytes(b"a\n")
    assert not read_patch(lines + other, workspace)[1]
