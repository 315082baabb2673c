"""Read a unified diff from anywhere and fit it to the files on disk.

unidiff takes the text apart; it is fed Latin-1, in which every byte is one character, so no byte is lost.
"""

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from unidiff import Hunk as UnifiedHunk
from unidiff import PatchedFile, PatchSet
from unidiff.errors import UnidiffParseError

from seedcli.errors import ConflictError, PatchError
from seedcli.patches.line_diff import split_lines
from seedcli.patches.patch import FilePatch, Hunk, Patch, file_patch, splice
from seedcli.report import say
from seedcli.repository.quoting import unquoted
from seedcli.repository.workspace import Workspace

_HIDDEN_SPACE = "\x1f"
"""A control character: git prints names that hold one in quotes and as an escape, never as it is."""

_PREFIXED = re.compile(r"[a-z]/")
"""What git puts before names: `a/` and `b/`; `c/`, `i/`, `o/`, `w/` with `diff.mnemonicPrefix`."""


@dataclass(frozen=True, slots=True)
class _Block:
    """One `@@` block: its lines on both sides, and the runs of changed lines within."""

    old_start: int
    new_start: int
    """From 0."""
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    runs: tuple[Hunk, ...]
    """Positions relative to the block."""

    def reversed(self) -> "_Block":
        runs = tuple(Hunk(r.new_start, r.new_lines, r.old_start, r.old_lines) for r in self.runs)
        return _Block(self.new_start, self.old_start, self.new, self.old, runs)


@dataclass(frozen=True, slots=True)
class _FileDiff:
    """One file of a diff."""

    path: str
    creates: bool
    deletes: bool
    blocks: tuple[_Block, ...]
    notes: tuple[str, ...]


def read_patch(data: bytes, workspace: Workspace, *, start: str = "") -> tuple[Patch, bool]:
    """Fit the unified diff `data` to the files of `workspace`.

    Args:
        start: folder of the user, relative to the root: a diff that does not fit from the root may fit from there
            (`git diff --relative`).

    Returns:
        The patch, and whether it is already applied. Then `new` is what the disk holds and `old` what was
        before, and `reversal` gives the patch that takes back what the user does not keep.

    Raises:
        PatchError: `data` is no unified diff, holds what has no lines (binary, renames, links), or does not
            fit.
        ConflictError: a part of it is applied and another is not.
        TargetError: a path leads out of the root, into `.git` or another repository.
    """
    files = list(_parse(data))
    try:
        return _fit_below(files, workspace, "")
    except PatchError:
        if start in ("", "."):
            raise
        with suppress(PatchError):
            return _fit_below(files, workspace, start + "/")
        raise


def _fit_below(files: Sequence[PatchedFile], workspace: Workspace, below: str) -> tuple[Patch, bool]:
    """`read_patch`, for names relative to `below`, which ends with a slash where it is not empty."""
    read = [_read_file(file, workspace, below) for file in files]
    if not read:
        raise PatchError("the input holds no unified diff; pass what `git diff` prints")
    diffs = [diff for diff in read if diff.blocks or diff.creates or diff.deletes]
    for diff in read:
        if diff not in diffs and not diff.notes:
            raise PatchError(f"the patch has no @@ lines for {diff.path}; make it anew, whole")
    if not diffs:
        raise PatchError(f"the patch changes no line of {read[0].path}, only its mode; chmod does that")
    for diff in read:
        if diff not in diffs:
            say(f"{diff.path}: {diff.notes[0]}")
    disk = [_bytes_on_disk(workspace, diff.path) for diff in diffs]
    # Where the header says first: repeated code may fit elsewhere in either direction.
    for exact in (True, False):
        forward = [_fit(diff, old, exact=exact) for diff, old in zip(diffs, disk, strict=True)]
        if all(forward):
            return Patch(tuple(file for file in forward if file)), False
        backward = [_fit_backward(diff, new, exact=exact) for diff, new in zip(diffs, disk, strict=True)]
        if all(backward):
            return Patch(tuple(file for file in backward if file)), True
    raise _misfit(diffs, forward, backward)


def reversal(patch: Patch, kept: Patch) -> Patch:
    """What to write where `patch` is already applied and the user wants to keep only `kept` of it.

    Args:
        kept: a selection from `patch`, as a review returns it.
    """
    wanted = {file.path: file for file in kept.files}
    files = []
    for file in patch.files:
        goal = wanted[file.path].new if file.path in wanted else file.old
        if goal != file.new:
            files.append(file_patch(file.path, file.new, goal))
    return Patch(tuple(files))


def _parse(data: bytes) -> Iterable[PatchedFile]:
    lines = [line.decode("latin-1") for line in split_lines(data)]
    if any(line.startswith(("diff --cc ", "diff --combined ")) for line in lines):
        raise PatchError(
            "the patch holds a combined diff of a merge; make it against one side, with git diff HEAD"
        )
    try:
        return list(PatchSet(_with_solid_names(lines)))
    except UnidiffParseError as error:
        raise PatchError(
            f"the input is not a whole unified diff ({str(error).strip()}); make it anew"
        ) from None


def _with_solid_names(lines: Iterable[str]) -> Iterator[str]:
    """`lines` with the spaces in git's file headers hidden: unidiff cannot tell where the first name ends."""
    solid = False
    for line in lines:
        if line.startswith("diff --git "):
            names = line.removeprefix("diff --git ").rstrip("\r\n")
            middle = len(names) // 2
            # Both names are equally long, except in renames, which are refused anyway.
            solid = names[middle : middle + 1] == " " and len(names) % 2 == 1
            if solid:
                line = f"diff --git {_hide(names[:middle])} {_hide(names[middle + 1 :])}\n"
        elif line.startswith("@@"):
            solid = False
        elif solid and line.startswith(("--- ", "+++ ")):
            line = line[:4] + _hide(line[4:])
        yield line


def _hide(name: str) -> str:
    return name.replace(" ", _HIDDEN_SPACE)


def _read_file(file: PatchedFile, workspace: Workspace, below: str) -> _FileDiff:
    path = _path(file, workspace, below)
    info = "".join(file.patch_info or ())
    if file.is_binary_file or "GIT binary patch" in info:
        raise PatchError(f"{path} is changed as binary; leave it out of the patch")
    if re.search(r"^(rename|copy) (from|to) ", info, re.M):
        raise PatchError(f"{path} is renamed or copied; make the patch with git diff --no-renames")
    if file.is_symlink or file.is_submodule:
        raise PatchError(f"{path} is a link or a submodule; leave it out of the patch")
    creates, deletes = file.source_file == "/dev/null", file.target_file == "/dev/null"
    modes = {file.source_mode or "100644", file.target_mode or "100644"}
    notes = (
        (f"its mode {file.target_mode} is not set; chmod does that",)
        if len(modes) == 2 and file.target_mode
        else ()
    )
    return _FileDiff(
        path=path,
        creates=creates,
        deletes=deletes,
        blocks=tuple(_block(hunk) for hunk in file),
        notes=notes,
    )


def _path(file: PatchedFile, workspace: Workspace, below: str) -> str:
    """The name that the diff means: without `a/` and `b/`, or as it stands where only that exists.

    Two names that are the same have no such prefix (`diff.noprefix`): they are taken as they stand first.
    """
    names = [_unquoted(name) for name in (file.target_file, file.source_file) if name != "/dev/null"]
    names = [name.removeprefix("./") for name in names]
    stripped = [name.partition("/")[2] for name in names if "/" in name]
    bare = names[0] == names[1] if len(names) == 2 else not any(map(_PREFIXED.match, names))
    for candidate in [*names, *stripped] if bare else [*stripped, *names]:
        inside = candidate and not candidate.startswith("/") and ".." not in candidate.split("/")
        if inside and os.path.lexists(workspace.root / below / candidate):
            return below + candidate
    prefixed = _PREFIXED.match(names[0]) if names else None
    return below + (stripped[0] if prefixed else names[0] if names else "")


def _unquoted(name: str) -> str:
    return os.fsdecode(unquoted(name.replace(_HIDDEN_SPACE, " ").encode("latin-1")))


def _block(hunk: UnifiedHunk) -> _Block:
    """Lines come from unidiff; a `\\` line takes the line ending off the line before it."""
    lines: list[tuple[str, bytes]] = []
    for line in hunk:
        if line.line_type == "\\" and lines:
            lines[-1] = (lines[-1][0], lines[-1][1].removesuffix(b"\n"))
        elif line.line_type in (" ", "+", "-"):
            value = line.value.encode("latin-1")
            lines.append((line.line_type, value if value.endswith(b"\n") else value + b"\n"))
    return _Block(
        old_start=hunk.source_start - (1 if hunk.source_length else 0),
        new_start=hunk.target_start - (1 if hunk.target_length else 0),
        old=tuple(value for kind, value in lines if kind != "+"),
        new=tuple(value for kind, value in lines if kind != "-"),
        runs=tuple(_runs(lines)),
    )


def _runs(lines: Sequence[tuple[str, bytes]]) -> Iterator[Hunk]:
    """Each stretch of lines without context between them."""
    i = j = 0
    for changed, group in itertools.groupby(lines, key=lambda line: line[0] != " "):
        stretch = list(group)
        removed = tuple(value for kind, value in stretch if kind != "+")
        added = tuple(value for kind, value in stretch if kind != "-")
        if changed:
            yield Hunk(i, removed, j, added)
        i, j = i + len(removed), j + len(added)


def _bytes_on_disk(workspace: Workspace, path: str) -> bytes | None:
    target = workspace.locate(path)
    if not target.exists():
        return None
    if not target.is_file():
        raise PatchError(f"{path} is a folder here; the patch does not fit")
    try:
        return target.read_bytes()
    except OSError as error:
        raise PatchError(f"{path} cannot be read: {error.strerror}; check its permissions") from None


def _fit(diff: _FileDiff, old: bytes | None, *, exact: bool) -> FilePatch | None:
    """The patch from `old`, or None if a block finds no place."""
    if (old is None) != diff.creates:
        return None
    hunks = _place(diff.blocks, split_lines(old or b""), exact=exact)
    if hunks is None:
        return None
    new = splice(old or b"", hunks)
    if diff.creates or diff.deletes:
        return (
            None
            if diff.deletes and new
            else file_patch(diff.path, old, None if diff.deletes else new, notes=diff.notes)
        )
    return FilePatch(
        diff.path, old, new, tuple(hunks), file_patch(diff.path, old, new, notes=diff.notes).notes
    )


def _fit_backward(diff: _FileDiff, new: bytes | None, *, exact: bool) -> FilePatch | None:
    """The patch that ends in `new`, or None if a block finds no place."""
    mirrored = replace(
        diff,
        creates=diff.deletes,
        deletes=diff.creates,
        blocks=tuple(block.reversed() for block in diff.blocks),
    )
    back = _fit(mirrored, new, exact=exact)
    if back is None:
        return None
    hunks = tuple(Hunk(h.new_start, h.new_lines, h.old_start, h.old_lines) for h in back.hunks)
    return FilePatch(
        diff.path,
        back.new,
        back.old,
        hunks,
        file_patch(diff.path, back.new, back.old, notes=diff.notes).notes,
    )


def _place(blocks: Sequence[_Block], lines: list[bytes], *, exact: bool) -> list[Hunk] | None:
    """The blocks' runs at the places in `lines` where the blocks' old lines stand, in order."""
    hunks: list[Hunk] = []
    floor = offset = shift = 0
    for block in blocks:
        start = _find(block.old, lines, block.old_start + offset, floor, exact=exact)
        if start is None:
            return None
        offset = start - block.old_start
        for run in block.runs:
            hunks.append(
                Hunk(start + run.old_start, run.old_lines, start + run.old_start + shift, run.new_lines)
            )
            shift += len(run.new_lines) - len(run.old_lines)
        floor = start + len(block.old)
    return hunks


def _find(wanted: tuple[bytes, ...], lines: list[bytes], near: int, floor: int, *, exact: bool) -> int | None:
    """Where `wanted` stands in `lines`, at `near` or else nearest to it, not before `floor`."""
    last = len(lines) - len(wanted)
    places = [near] if exact or not wanted else sorted(range(floor, last + 1), key=lambda i: abs(i - near))
    for i in places:
        if floor <= i <= last and tuple(lines[i : i + len(wanted)]) == wanted:
            return i
    return None


def _misfit(
    diffs: Sequence[_FileDiff], forward: Sequence[FilePatch | None], backward: Sequence[FilePatch | None]
) -> PatchError | ConflictError:
    for diff, ahead, back in zip(diffs, forward, backward, strict=True):
        if not ahead and not back:
            return PatchError(
                f"the patch does not fit {diff.path} as it stands; make it anew from the present file"
            )
    applied = next(diff.path for diff, ahead in zip(diffs, forward, strict=True) if not ahead)
    return ConflictError(f"the patch is applied to {applied} already, but not to all its files; split it")
