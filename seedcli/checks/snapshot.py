"""A private copy of a work tree as it stands: tracked, changed and untracked files, and a git folder of its own.

Knows nothing of checks: only of what belongs into a copy, and of what is better shown from the original.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from seedcli.checks.private_git import make_private_git
from seedcli.errors import SeedError
from seedcli.repository.workspace import Workspace

LARGE = 32 << 20
"""Bytes above which an ignored file is shown from the original."""
_ALWAYS_COPIED = "__pycache__"
"""Many and small, and next to the sources: too many to be shown one by one."""


@dataclass(slots=True)
class Snapshot:
    """What was copied, and what was not."""

    folder: Path
    layers: list[str] = field(default_factory=list)
    """Ignored folders, large ignored files and other repositories, relative to the root: empty in the copy."""
    left_out: list[str] = field(default_factory=list)
    """What cannot be read, with the reason."""


def take_snapshot(
    workspace: Workspace, into: Path, *, whole: bool, git_at: Path | None, most_bytes: int
) -> Snapshot:
    """Copy the work tree to `into`, a folder that is made.

    Args:
        whole: copy what is ignored too, and make absolute links into the tree relative, so that they stay in the copy.
        git_at: where the copy's user will find the repository's common git folder; None without git.
        most_bytes: the most that may be copied.

    Raises:
        SeedError: there is more than that, or the disk refuses.
    """
    copier = _Copier(workspace, into, whole, most_bytes)
    try:
        copier.copy_folder("")
        if git_at is not None:
            make_private_git(workspace.root, into / ".git", git_at)
    except (OSError, RecursionError) as error:
        why = str(error) if isinstance(error, OSError) else "folders in it are nested too deep"
        raise SeedError(
            f"cannot copy {workspace.root} for the check: {why}; --check-in-place needs no copy"
        ) from error
    return copier.made


class _Copier:
    def __init__(self, workspace: Workspace, into: Path, whole: bool, most_bytes: int) -> None:
        self._root, self._into, self._whole = workspace.root, into, whole
        self._ignored = frozenset(workspace.ignored())
        self._most, self._copied = most_bytes, 0
        self.made = Snapshot(into)

    def copy_folder(self, name: str) -> None:
        """Copy a folder and all below it; `name` is relative to the root, empty for the root."""
        source, target = self._root / name, self._into / name
        target.mkdir()
        with os.scandir(source) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            if name or entry.name != ".git":
                try:
                    self._copy_entry(entry, f"{name}/{entry.name}" if name else entry.name)
                except FileNotFoundError:
                    continue  # it went away while we were reading
                except PermissionError as error:
                    self.made.left_out.append(f"{error.filename} ({error.strerror})")
        # Last, for it may forbid to add anything.
        shutil.copystat(source, target)

    def _copy_entry(self, entry: "os.DirEntry[str]", name: str) -> None:
        if entry.is_symlink():
            self._link(name)
        elif entry.is_dir():
            if self._is_layer(entry, name):
                (self._into / name).mkdir()
                self.made.layers.append(name)
            else:
                self.copy_folder(name)
        elif entry.is_file():
            self._copy_file(entry, name)

    def _is_layer(self, entry: "os.DirEntry[str]", name: str) -> bool:
        if self._whole or entry.name == _ALWAYS_COPIED:
            return False
        return name in self._ignored or os.path.lexists(os.path.join(entry.path, ".git"))

    def _copy_file(self, entry: "os.DirEntry[str]", name: str) -> None:
        size = entry.stat().st_size
        if size > LARGE and not self._whole and name in self._ignored:
            (self._into / name).touch()
            self.made.layers.append(name)
            return
        self._copied += size
        if self._copied > self._most:
            raise SeedError(
                f"{self._root} holds more than {self._most / (1 << 30):.3g} GiB to copy for the check; "
                "raise --check-disk, or use --check-in-place"
            )
        shutil.copy2(entry.path, self._into / name)

    def _link(self, name: str) -> None:
        target = os.readlink(self._root / name)
        if self._whole and Path(target).is_relative_to(self._root):
            target = os.path.relpath(target, (self._root / name).parent)
        os.symlink(target, self._into / name)
