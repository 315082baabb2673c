"""A patch: for each file, the old bytes, the new bytes and the hunks between them.

Hunks are computed from the real bytes, split at `\\n`; accepting some of them splices bytes, so bytes outside
accepted hunks are identical by construction. Knows nothing of git, of screens or of writing files.
"""

from dataclasses import dataclass


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
