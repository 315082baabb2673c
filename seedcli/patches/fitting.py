"""Fit one file's part of a diff to the bytes that the file holds: as they stand, or as already patched.

Knows nothing of the text of diffs, of the disk or of the patch's other files.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from seedcli.patches.line_diff import split_lines
from seedcli.patches.patch import FilePatch, Hunk, file_patch, splice


@dataclass(frozen=True, slots=True)
class Block:
    """One `@@` block: its lines on both sides, and the runs of changed lines within."""

    old_start: int
    new_start: int
    """From 0."""
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]
    runs: tuple[Hunk, ...]
    """Positions relative to the block."""

    @property
    def leading(self) -> int:
        """Lines of context before the first change."""
        return self.runs[0].old_start if self.runs else len(self.old)

    @property
    def trailing(self) -> int:
        """Lines of context after the last change."""
        last = self.runs[-1] if self.runs else Hunk(0, (), 0, ())
        return len(self.old) - last.old_start - len(last.old_lines)

    def reversed(self) -> "Block":
        return Block(self.new_start, self.old_start, self.new, self.old, _flipped(self.runs))


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file of a diff."""

    path: str
    creates: bool
    deletes: bool
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    old_id: str = ""
    new_id: str = ""
    """Git's names for the bytes before and after, perhaps abbreviated; empty where the diff has no index line."""

    def reversed(self) -> "FileDiff":
        return FileDiff(
            path=self.path,
            creates=self.deletes,
            deletes=self.creates,
            blocks=tuple(block.reversed() for block in self.blocks),
            notes=self.notes,
            old_id=self.new_id,
            new_id=self.old_id,
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """The ways in which a diff fits a file; both where nothing tells which is meant."""

    forward: FilePatch | None
    """From the file as it stands."""
    backward: FilePatch | None
    """To the file as it stands: the diff is already applied."""


_Ways = tuple[FilePatch | None, FilePatch | None]
"""Patches from the present bytes: by the diff, and by the diff reversed."""

_Anchors = Callable[[Block], tuple[bool, bool]]
"""Whether a block must stand at the beginning of the file, and at its end."""


def fit_file(diff: FileDiff, data: bytes | None) -> Fit:
    """How `diff` fits a file that holds `data`, None where there is no file."""
    sides = (diff, diff.reversed())
    forward, back = _by_id(sides, data) or _by_lines(sides, data)
    if back is None:
        return Fit(forward, None)
    patched = file_patch(diff.path, back.new, back.old, notes=diff.notes)
    return Fit(forward, replace(patched, hunks=_flipped(back.hunks)))


def _by_id(sides: tuple[FileDiff, FileDiff], data: bytes | None) -> _Ways | None:
    """The way from the bytes that the index line names; None if `data` is neither or the lines say otherwise."""
    ids = _git_ids(data or b"")
    named = [bool(side.old_id) and any(name.startswith(side.old_id) for name in ids) for side in sides]
    if named[0] == named[1]:
        return None
    found = _fit(sides[named.index(True)], data, exact=True, anchors=_nowhere)
    return None if found is None else (found, None) if named[0] else (None, found)


def _by_lines(sides: tuple[FileDiff, FileDiff], data: bytes | None) -> _Ways:
    """The ways in which the lines fit: where the header says first, for repeated code may fit elsewhere too."""
    ways = _clearer(sides, data, exact=True)
    idle = [_compares_nothing(side) for side in sides]
    if idle[0] != idle[1]:
        if idle[0] and ways[1]:
            return None, ways[1]
        # Lines that are to go may stand there after their twins have gone: then both ways remain.
        if ways[idle.index(False)] or not any(ways):
            return ways
        # Any file would fit. The index line names another one; where there is none, the lines may have moved.
        if sides[0].old_id:
            return None, None
        elsewhere = [way or _fit(side, data, exact=False) for way, side in zip(ways, sides, strict=True)]
        return elsewhere[0], elsewhere[1]
    # Without context there is too little to know moved lines by.
    bare = not any(block.leading or block.trailing for block in sides[0].blocks)
    return ways if any(ways) or bare else _clearer(sides, data, exact=False)


def _clearer(sides: tuple[FileDiff, FileDiff], data: bytes | None, *, exact: bool) -> _Ways:
    """The ways in which the lines fit; of two, the one that alone accounts for context that the file's ends cut."""
    loose = [_fit(side, data, exact=exact, anchors=_as_git) for side in sides]
    if all(loose):
        strict = [_fit(side, data, exact=exact, anchors=_where_context_is_short) for side in sides]
        if any(strict):
            return strict[0], strict[1]
    return loose[0], loose[1]


def _git_ids(data: bytes) -> tuple[str, str]:
    """Git's names for a file that holds `data`, in repositories of either kind."""
    blob = b"blob %d\0" % len(data) + data
    return hashlib.sha1(blob, usedforsecurity=False).hexdigest(), hashlib.sha256(blob).hexdigest()


def _compares_nothing(diff: FileDiff) -> bool:
    """Whether `diff` only inserts, without context: it fits any file that is long enough."""
    return not (diff.creates or diff.deletes or any(block.old for block in diff.blocks))


def _nowhere(block: Block) -> tuple[bool, bool]:  # noqa: ARG001
    return False, False


def _as_git(block: Block) -> tuple[bool, bool]:
    """As `git apply`; a block that starts in the first line may move all the same if its context is whole."""
    return block.old_start == 0 and block.leading < block.trailing, block.trailing == 0 < block.leading


def _where_context_is_short(block: Block) -> tuple[bool, bool]:
    """A block of the first lines that has no context is the whole file where that is possible."""
    is_whole = block.old_start == block.leading == block.trailing == 0
    return is_whole or block.leading < block.trailing, is_whole or block.trailing < block.leading


def _fit(diff: FileDiff, old: bytes | None, *, exact: bool, anchors: _Anchors = _as_git) -> FilePatch | None:
    """The patch from `old`, or None if a block finds no place."""
    if (old is None) != diff.creates:
        return None
    hunks = _place(diff.blocks, split_lines(old or b""), exact=exact, anchors=anchors)
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


def _place(
    blocks: Sequence[Block], lines: list[bytes], *, exact: bool, anchors: _Anchors
) -> list[Hunk] | None:
    """The blocks' runs at the places in `lines` where the blocks' old lines stand, in order."""
    hunks: list[Hunk] = []
    floor = offset = shift = 0
    for block in blocks:
        start = _find(block, lines, block.old_start + offset, floor, exact=exact, anchors=anchors)
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


def _find(
    block: Block, lines: list[bytes], near: int, floor: int, *, exact: bool, anchors: _Anchors
) -> int | None:
    """Where the block's old lines stand in `lines`, at `near` or else nearest to it, not before `floor`."""
    wanted = block.old
    last = len(lines) - len(wanted)
    at_start, at_end = anchors(block)
    places = [near] if exact or not wanted else sorted(range(floor, last + 1), key=lambda i: abs(i - near))
    for i in places:
        if (at_start and i) or (at_end and i != last):
            continue
        if floor <= i <= last and tuple(lines[i : i + len(wanted)]) == wanted:
            return i
    return None


def _flipped(hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    return tuple(Hunk(h.new_start, h.new_lines, h.old_start, h.old_lines) for h in hunks)
