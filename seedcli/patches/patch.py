"""A patch: for each file, the old bytes, the new bytes and the hunks between them.

Hunks are computed from the real bytes, split at `\\n`; accepting some of them splices bytes, so bytes outside
accepted hunks are identical by construction. Knows nothing of git, of screens or of writing files.
"""

import codecs
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from seedcli.patches.line_diff import changes, split_lines
from seedcli.repository.quoting import quoted

_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Hunk:
    """One contiguous change. Lines keep their line ending; the last line of a file may lack one."""

    old_start: int
    """Index of the first old line, from 0; for a pure insertion, the line before which it is made."""
    old_lines: tuple[bytes, ...]
    new_start: int
    """Index of the first new line, from 0, in the wholly patched file."""
    new_lines: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class FilePatch:
    """The change of one file."""

    path: str
    """Relative to the root, with forward slashes."""
    old: bytes | None
    """The file as it stands; None if the patch creates it."""
    new: bytes | None
    """The file with every hunk accepted; None if the patch deletes it."""
    hunks: tuple[Hunk, ...]
    notes: tuple[str, ...] = ()
    """Changes that no line shows: of line ending, encoding or mode. One sentence each."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Changes of several files that are reviewed and written together."""

    files: tuple[FilePatch, ...]


def file_patch(path: str, old: bytes | None, new: bytes | None, *, notes: tuple[str, ...] = ()) -> FilePatch:
    """The change of `path` from `old` to `new`, each None where the file does not exist.

    A file that is created or deleted has one hunk, even an empty file.

    Args:
        notes: sentences on what the bytes do not show; what the bytes show of endings and encoding is added.
    """
    old_lines, new_lines = split_lines(old or b""), split_lines(new or b"")
    hunks: tuple[Hunk, ...]
    if old is None or new is None:
        hunks = (Hunk(0, tuple(old_lines), 0, tuple(new_lines)),)
    else:
        hunks = tuple(
            Hunk(i1, tuple(old_lines[i1:i2]), j1, tuple(new_lines[j1:j2]))
            for i1, i2, j1, j2 in changes(old_lines, new_lines)
        )
    return FilePatch(path, old, new, hunks, (*notes, *_notes(old, new)))


def select(patch: Patch, accepted: Collection[tuple[int, int]]) -> Patch:
    """The part of `patch` with the hunks in `accepted`, pairs of file index and hunk index.

    Files without an accepted hunk are left out; of the others, only the bytes of accepted hunks change.
    """
    chosen = set(accepted)
    files = []
    for f, file in enumerate(patch.files):
        hunks = [hunk for h, hunk in enumerate(file.hunks) if (f, h) in chosen]
        if hunks:
            files.append(file if len(hunks) == len(file.hunks) else _with_hunks(file, hunks))
    return Patch(tuple(files))


def replace_hunk(file: FilePatch, index: int, new_lines: Sequence[bytes]) -> FilePatch:
    """`file` with the new side of one hunk written by the user.

    Lines need no endings: those without one take the hunk's, save the last line of a file that ends without
    one.
    """
    hunk = file.hunks[index]
    ending = _ending_of([*hunk.old_lines, *hunk.new_lines], file.old or file.new or b"")
    lines = [line if line.endswith(b"\n") else line + ending for line in new_lines]
    bare = [side[-1:] for side in (hunk.new_lines, hunk.old_lines) if side]
    if lines and bare and bare[0] and not bare[0][0].endswith(b"\n"):
        lines[-1] = lines[-1].removesuffix(ending)
    hunks = list(file.hunks)
    hunks[index] = replace(hunk, new_lines=tuple(lines))
    changed = _with_hunks(file, hunks)
    return replace(changed, new=changed.new or b"") if lines else changed


def render(patch: Patch) -> bytes:
    """The unified diff of `patch` with three lines of context."""
    return b"".join(part for file in patch.files for part in _render_file(file))


def counts(file: FilePatch) -> tuple[int, int]:
    """How many lines are added and removed."""
    return sum(len(h.new_lines) for h in file.hunks), sum(len(h.old_lines) for h in file.hunks)


def splice(old: bytes, hunks: Iterable[Hunk]) -> bytes:
    """`old` with `hunks`, in order, put in; everything else is copied."""
    lines = split_lines(old)
    out: list[bytes] = []
    position = 0
    for hunk in hunks:
        end = hunk.old_start + len(hunk.old_lines)
        assert lines[hunk.old_start : end] == list(hunk.old_lines), "hunks are made from these very bytes"
        out += [*lines[position : hunk.old_start], *hunk.new_lines]
        position = end
    return b"".join([*out, *lines[position:]])


def _with_hunks(file: FilePatch, hunks: Sequence[Hunk]) -> FilePatch:
    """`file` with only `hunks`, whose new positions are counted anew, and the notes that are still true."""
    shift = 0
    placed = []
    for hunk in hunks:
        placed.append(replace(hunk, new_start=hunk.old_start + shift))
        shift += len(hunk.new_lines) - len(hunk.old_lines)
    new = splice(file.old or b"", placed)
    deletes = file.new is None and not new
    given = [note for note in file.notes if note not in _notes(file.old, file.new)]
    result = None if deletes else new
    return FilePatch(file.path, file.old, result, tuple(placed), (*given, *_notes(file.old, result)))


def _ending_of(lines: Sequence[bytes], whole: bytes) -> bytes:
    for line in [*lines, *split_lines(whole)]:
        if line.endswith(b"\n"):
            return b"\r\n" if line.endswith(b"\r\n") else b"\n"
    return b"\n"


def _notes(old: bytes | None, new: bytes | None) -> tuple[str, ...]:
    if old is None or new is None:
        return ()
    notes = []
    if old.startswith(codecs.BOM_UTF8) != new.startswith(codecs.BOM_UTF8):
        notes.append(f"the byte order mark is {'added' if new.startswith(codecs.BOM_UTF8) else 'removed'}")
    before, after = _endings(old), _endings(new)
    if old and new and before and after and before != after:
        notes.append(f"line endings change from {before} to {after}")
    if old and new and old.endswith(b"\n") != new.endswith(b"\n"):
        notes.append("the final newline is removed" if old.endswith(b"\n") else "the final newline is added")
    if _is_utf8(old) and not _is_utf8(new):
        notes.append("the file is no longer valid UTF-8")
    return tuple(notes)


def _endings(data: bytes) -> str:
    crlf = data.count(b"\r\n")
    lf = data.count(b"\n") - crlf
    return "mixed" if crlf and lf else "CRLF" if crlf else "LF" if lf else ""


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _render_file(file: FilePatch) -> Iterator[bytes]:
    hunks = [h for h in file.hunks if h.old_lines != h.new_lines]
    if not hunks and file.old is not None and file.new is not None:
        return
    a, b = quoted("a/" + file.path), quoted("b/" + file.path)
    yield f"diff --git {a} {b}\n".encode()
    if file.old is None:
        yield b"new file mode 100644\n"
    if file.new is None:
        yield b"deleted file mode 100644\n"
    if not hunks:
        # Without lines to show, git takes the empty file from the object names.
        yield b"index 0000000..e69de29\n" if file.old is None else b"index e69de29..0000000\n"
        return
    # As git does, a tab ends a name with a space, so that no tool takes what follows for a date.
    tab = "\t" if " " in file.path else ""
    yield f"--- {'/dev/null' if file.old is None else a + tab}\n".encode()
    yield f"+++ {'/dev/null' if file.new is None else b + tab}\n".encode()
    lines = split_lines(file.old or b"")
    for group in _groups(hunks):
        yield from _render_group(lines, group)


def _groups(hunks: Sequence[Hunk]) -> Iterator[list[Hunk]]:
    """Hunks whose context would touch or overlap are printed as one."""
    group: list[Hunk] = []
    for hunk in hunks:
        if group and hunk.old_start - _old_end(group[-1]) > 2 * _CONTEXT:
            yield group
            group = []
        group.append(hunk)
    yield group


def _old_end(hunk: Hunk) -> int:
    return hunk.old_start + len(hunk.old_lines)


def _render_group(lines: Sequence[bytes], group: Sequence[Hunk]) -> Iterator[bytes]:
    first, last = group[0], group[-1]
    start = max(0, first.old_start - _CONTEXT)
    end = min(len(lines), _old_end(last) + _CONTEXT)
    num_old = end - start
    num_new = num_old + sum(len(h.new_lines) - len(h.old_lines) for h in group)
    new_start = start + first.new_start - first.old_start
    yield f"@@ -{_range(start, num_old)} +{_range(new_start, num_new)} @@\n".encode()
    position = start
    for hunk in group:
        yield from (_line(b" ", line) for line in lines[position : hunk.old_start])
        yield from (_line(b"-", line) for line in hunk.old_lines)
        yield from (_line(b"+", line) for line in hunk.new_lines)
        position = _old_end(hunk)
    yield from (_line(b" ", line) for line in lines[position:end])


def _range(start: int, count: int) -> str:
    # An empty range names the line before it.
    return f"{start + 1}" if count == 1 else f"{start + 1 if count else start},{count}"


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + b"\n\\ No newline at end of file\n"
