import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcli.patches.patch import (
    FilePatch,
    Hunk,
    Patch,
    counts,
    file_patch,
    render,
    replace_hunk,
    select,
    splice,
)

_LINE = st.one_of(
    st.sampled_from(
        [b"a", b"b", b"", b"\tx", b"-- ", b"++ b", b"@@ -1 +1 @@", b"\\ No newline", b"--- a/x", b"x\r"]
    ),
    st.binary(max_size=6).map(lambda b: b.replace(b"\n", b"").replace(b"\0", b"")),
)
_CONTENT = st.tuples(st.lists(_LINE, max_size=25), st.booleans()).map(
    lambda parts: b"\n".join(parts[0]) + (b"\n" if parts[1] and parts[0] else b"")
)
_NAMES = ["a.py", "sub dir/b c.py", 'quo"te\\.py', "ünï/cødé.py", "tab\tname.py", "b/a.py"]


@st.composite
def _edited(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Old and new content, of which a part is common."""
    old = draw(_CONTENT)
    lines = old.split(b"\n")
    for _ in range(draw(st.integers(0, 4))):
        i = draw(st.integers(0, len(lines)))
        j = draw(st.integers(i, min(len(lines), i + 3)))
        lines[i:j] = draw(st.lists(_LINE, max_size=3))
    return old, b"\n".join(lines)


_PAIR = st.one_of(_edited(), st.tuples(_CONTENT, _CONTENT))


@given(_PAIR)
def test_all_is_new_and_none_is_nothing(pair: tuple[bytes, bytes]) -> None:
    old, new = pair
    file = file_patch("a.py", old, new)
    patch = Patch((file,))
    everything = [(0, h) for h in range(len(file.hunks))]
    assert splice(old, file.hunks) == new
    assert select(patch, everything) == (patch if old != new else Patch(()))
    assert select(patch, []) == Patch(())


@given(_PAIR, st.data())
def test_bytes_outside_accepted_hunks_stay(pair: tuple[bytes, bytes], data: st.DataObject) -> None:
    old, new = pair
    file = file_patch("a.py", old, new)
    chosen = data.draw(st.sets(st.sampled_from(range(len(file.hunks))))) if file.hunks else set()
    result = select(Patch((file,)), [(0, h) for h in chosen])
    if not chosen:
        assert result == Patch(())
        return
    got = result.files[0]
    assert got.new is not None
    # Walk over the old file: what no accepted hunk covers must come again, byte for byte.
    *closed, last = old.split(b"\n")
    old_lines, rest = [*(line + b"\n" for line in closed), last], got.new
    position = 0
    for h in sorted(chosen):
        hunk = file.hunks[h]
        kept = b"".join(old_lines[position : hunk.old_start])
        assert rest.startswith(kept + b"".join(hunk.new_lines))
        rest = rest[len(kept) + sum(map(len, hunk.new_lines)) :]
        position = hunk.old_start + len(hunk.old_lines)
    assert rest == b"".join(old_lines[position:])
    assert [h.new_lines for h in got.hunks] == [file.hunks[h].new_lines for h in sorted(chosen)]
    assert got.old == old


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(_PAIR, st.sampled_from(["edit", "edit", "create", "delete"])), min_size=1, max_size=6)
)
def test_git_apply_takes_what_render_prints(cases: list[tuple[tuple[bytes, bytes], str]]) -> None:
    files = []
    for name, ((old, new), what) in zip(_NAMES, cases, strict=False):
        before, after = (None, new) if what == "create" else (old, None) if what == "delete" else (old, new)
        if before != after:
            files.append(file_patch(name, before, after))
    if not files:
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        subprocess.run(["git", "init", "-q", root], check=True)
        for file in files:
            (root / file.path).parent.mkdir(exist_ok=True)
            if file.old is not None:
                (root / file.path).write_bytes(file.old)
        _git_apply(root, render(Patch(tuple(files))))
        for file in files:
            assert ((root / file.path).read_bytes() if (root / file.path).exists() else None) == file.new
        _git_apply(root, render(Patch(tuple(files))), "-R")
        for file in files:
            assert ((root / file.path).read_bytes() if (root / file.path).exists() else None) == file.old


def _git_apply(root: Path, diff: bytes, *options: str) -> None:
    command = ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", *options]
    done = subprocess.run(command, cwd=root, input=diff, capture_output=True)
    assert done.returncode == 0, (done.stderr, diff)


def test_render_looks_like_git(tmp_path: Path) -> None:
    old = "".join(f"{i}\n" for i in range(30))
    new = old.replace("\n5\n", "\nfive\n").replace("\n8\n", "\n").replace("\n25\n", "\n25\n25.5\n")[:-1]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / "a b.txt").write_text(old)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    (tmp_path / "a b.txt").write_text(new)
    git = subprocess.run(["git", "diff", "--no-color"], cwd=tmp_path, capture_output=True, check=True).stdout
    ours = render(Patch((file_patch("a b.txt", old.encode(), new.encode()),)))
    lines = [line for line in git.splitlines(keepends=True) if not line.startswith(b"index ")]
    assert ours == b"".join(
        line.split(b" @@ ")[0].rstrip(b"\n") + b" @@\n" if b" @@ " in line else line for line in lines
    )


@pytest.mark.parametrize(
    ("new_lines", "expected"),
    [
        ((b"x\r\n",), b"a\r\nx\r\nc"),
        ((b"x", b"y"), b"a\r\nx\r\ny\r\nc"),
        ((), b"a\r\nc"),
        ((b"b\r\n",), b"a\r\nb\r\nc"),
    ],
)
def test_replace_hunk(new_lines: tuple[bytes, ...], expected: bytes) -> None:
    file = file_patch("a.py", b"a\r\nb\r\nc", b"a\r\nB\r\nc")
    changed = replace_hunk(file, 0, new_lines)
    assert changed.new == expected
    assert len(changed.hunks) == 1
    assert counts(changed) == (len(new_lines), 1)


def test_replace_hunk_at_a_bare_end_keeps_it_bare() -> None:
    file = file_patch("a.py", b"a\nb", b"a\nB")
    assert replace_hunk(file, 0, (b"x\n", b"y\n")).new == b"a\nx\ny"


def test_replace_hunk_moves_those_after_it() -> None:
    file = file_patch("a.py", b"1\n2\n3\n4\n5\n", b"one\n2\n3\n4\nfive\n")
    changed = replace_hunk(file, 0, (b"x\n", b"y\n", b"z\n"))
    assert changed.new == b"x\ny\nz\n2\n3\n4\nfive\n"
    assert [h.new_start for h in changed.hunks] == [0, 6]


def test_editing_the_hunk_of_a_new_file() -> None:
    created = replace_hunk(file_patch("a.py", None, b"x\n"), 0, (b"y\n",))
    assert (created.old, created.new) == (None, b"y\n")
    spared = replace_hunk(file_patch("a.py", b"x\ny\n", None), 0, (b"x\n",))
    assert (spared.old, spared.new) == (b"x\ny\n", b"x\n")


@pytest.mark.parametrize("pair", [(None, b""), (b"", None), (None, b"x"), (b"x\ny\n", None)])
def test_creating_and_deleting_is_one_hunk(pair: tuple[bytes | None, bytes | None]) -> None:
    patch = Patch((file_patch("a.py", *pair),))
    assert len(patch.files[0].hunks) == 1
    assert select(patch, [(0, 0)]) == patch


@pytest.mark.parametrize(
    ("old", "new", "notes"),
    [
        (b"a\r\nb\r\n", b"a\nb\n", ("line endings change from CRLF to LF",)),
        (b"a\nb\n", b"a\nb", ("the final newline is removed",)),
        (b"a", b"a\n", ("the final newline is added",)),
        (b"\xef\xbb\xbfa\n", b"a\n", ("the byte order mark is removed",)),
        (b"a\n", b"a\xff\n", ("the file is no longer valid UTF-8",)),
        (b"a\n", b"b\n", ()),
        (b"", b"b\n", ()),
    ],
)
def test_notes(old: bytes, new: bytes, notes: tuple[str, ...]) -> None:
    assert file_patch("a.py", old, new).notes == notes
    assert file_patch("a.py", old, new, notes=("first",)).notes == ("first", *notes)


def test_notes_follow_the_selection() -> None:
    patch = Patch((file_patch("a.py", b"1\n2\n3\n4", b"one\n2\n3\n4\n", notes=("given",)),))
    assert patch.files[0].notes == ("given", "the final newline is added")
    assert select(patch, [(0, 0)]).files[0].notes == ("given",)
    assert select(patch, [(0, 1)]).files[0].notes == ("given", "the final newline is added")


def test_select_counts_new_positions_anew() -> None:
    file = file_patch("a.py", b"1\n2\n3\n4\n5\n", b"0\n1\n2\n3\n5\n")
    assert [h.new_start for h in file.hunks] == [0, 4]
    [got] = select(Patch((file,)), [(0, 1)]).files
    assert got == FilePatch("a.py", file.old, b"1\n2\n3\n5\n", (Hunk(3, (b"4\n",), 3, ()),))
