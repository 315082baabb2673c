"""Read a unified diff from anywhere and fit it to the files on disk.

unidiff takes the text apart; it is fed Latin-1, in which every byte is one character, so no byte is lost.
"""

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from unidiff import Hunk as UnifiedHunk
from unidiff import PatchedFile, PatchSet
from unidiff.errors import UnidiffParseError

from seedcli.errors import ConflictError, PatchError
from seedcli.patches.fitting import Block, FileDiff, Fit, fit_file
from seedcli.patches.line_diff import split_lines
from seedcli.patches.patch import Hunk, Patch, file_patch
from seedcli.report import say
from seedcli.repository.quoting import unquoted
from seedcli.repository.workspace import Workspace

_HIDDEN_SPACE = "\x1f"
"""A control character: git prints names that hold one in quotes and as an escape, never as it is."""

_PREFIXED = re.compile(r"[a-z]/")
"""What git puts before names: `a/` and `b/`; `c/`, `i/`, `o/`, `w/` with `diff.mnemonicPrefix`."""

_INDEX = re.compile(r"^index ([0-9a-f]{4,})\.\.([0-9a-f]{4,})(?: \d+)?\s*$", re.M)
"""Git's names for the bytes before and after."""


def read_patch(data: bytes, workspace: Workspace, *, start: str = "") -> tuple[Patch, bool]:
    """Fit the unified diff `data` to the files of `workspace`.

    Args:
        start: folder of the user, relative to the root: a diff that does not fit from the root may fit from there
            (`git diff --relative`).

    Returns:
        The patch, and whether it is already applied. Then `new` is what the disk holds and `old` what was
        before, and `reversal` gives the patch that takes back what the user does not keep.

    Raises:
        PatchError: `data` is no unified diff, holds what has no lines (binary, renames, links), names a file
            twice, or does not fit.
        ConflictError: a part of it is applied and another is not, or it fits either way.
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
    disk = _bytes_on_disk(workspace, diffs)
    fits = [fit_file(diff, data) for diff, data in zip(diffs, disk, strict=True)]
    forward = [fit.forward for fit in fits if fit.forward]
    backward = [fit.backward for fit in fits if fit.backward]
    # A patch is applied or it is not: the file that can tell speaks for those that cannot.
    if len(forward) == len(backward) == len(diffs):
        raise ConflictError(
            f"the patch fits {diffs[0].path} both as it stands and as already applied; "
            "make it anew with git diff and lines of context; nothing was written"
        )
    if len(forward) == len(diffs):
        return Patch(tuple(forward)), False
    if len(backward) == len(diffs):
        return Patch(tuple(backward)), True
    raise _misfit(diffs, fits)


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


def _read_file(file: PatchedFile, workspace: Workspace, below: str) -> FileDiff:
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
    named = _INDEX.search(info) if info.startswith("diff --git ") else None
    return FileDiff(
        path=path,
        creates=creates,
        deletes=deletes,
        blocks=tuple(_block(hunk) for hunk in file),
        notes=notes,
        old_id=named[1] if named else "",
        new_id=named[2] if named else "",
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


def _block(hunk: UnifiedHunk) -> Block:
    """Lines come from unidiff; a `\\` line takes the line ending off the line before it."""
    lines: list[tuple[str, bytes]] = []
    for line in hunk:
        if line.line_type == "\\" and lines:
            lines[-1] = (lines[-1][0], lines[-1][1].removesuffix(b"\n"))
        elif line.line_type in (" ", "+", "-"):
            value = line.value.encode("latin-1")
            lines.append((line.line_type, value if value.endswith(b"\n") else value + b"\n"))
    return Block(
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


def _bytes_on_disk(workspace: Workspace, diffs: Sequence[FileDiff]) -> list[bytes | None]:
    """What each file of the diff holds, None where there is none; each file may be named only once."""
    targets: dict[Path, str] = {}
    for diff in diffs:
        target = workspace.locate(diff.path)
        if target in targets:
            also = f", once as {targets[target]}" if targets[target] != diff.path else ""
            raise PatchError(
                f"the patch names {diff.path} twice{also}; merge both parts, "
                "those of several commits with: git diff OLDEST~ NEWEST"
            )
        targets[target] = diff.path
    return [_read(target, path) for target, path in targets.items()]


def _read(target: Path, path: str) -> bytes | None:
    if not target.exists():
        return None
    if not target.is_file():
        raise PatchError(f"{path} is a folder here; the patch does not fit")
    try:
        return target.read_bytes()
    except OSError as error:
        raise PatchError(f"{path} cannot be read: {error.strerror}; check its permissions") from None


def _misfit(diffs: Sequence[FileDiff], fits: Sequence[Fit]) -> PatchError | ConflictError:
    for diff, fit in zip(diffs, fits, strict=True):
        if not fit.forward and not fit.backward:
            return PatchError(
                f"the patch does not fit {diff.path} as it stands; make it anew from the present file"
            )
    applied = next(diff.path for diff, fit in zip(diffs, fits, strict=True) if not fit.forward)
    return ConflictError(f"the patch is applied to {applied} already, but not to all its files; split it")
