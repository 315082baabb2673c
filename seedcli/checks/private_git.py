"""A `.git` of one's own that borrows the objects of another: a check can read history and commit, and nobody sees it.

Made from files, without running git. Knows nothing of work trees.
"""

import os
import re
import shutil
from pathlib import Path

_LEFT_OUT = frozenset({"objects", "worktrees", "lfs", "annex", "commondir", "gitdir"})
_WORKTREE = re.compile(rb"^\s*worktree\s*=.*\n?", re.MULTILINE)


def common_folder(root: Path) -> Path | None:
    """The repository's own folder: `.git` of the main work tree; None where there is none that can be read."""
    own = _own_folder(root)
    if own is None:
        return None
    try:
        return (own / (own / "commondir").read_text().strip()).resolve()
    except OSError:
        return own


def make_private_git(root: Path, into: Path, objects_at: Path) -> None:
    """Make `into` a git folder like that of `root`.

    Args:
        objects_at: where whoever uses it will find `common_folder(root)`.
    """
    own, common = _own_folder(root), common_folder(root)
    if own is None or common is None:
        return
    _copy(common, into, objects_at)
    if own != common:  # a linked work tree has its own HEAD and index
        _copy(own, into, objects_at)
    # Those of a submodule say where its work tree is, seen from there.
    for config in (into / "config", into / "config.worktree"):
        if config.exists():
            config.write_bytes(_WORKTREE.sub(b"", config.read_bytes()))


def _own_folder(root: Path) -> Path | None:
    place = root / ".git"
    if place.is_file():
        target = place.read_text(errors="surrogateescape").removeprefix("gitdir:").strip()
        place = root / target
    return place.resolve() if (place / "HEAD").exists() else None


def _copy(source: Path, into: Path, seen_at: Path) -> None:
    """Copy a git folder; in it and in those of submodules below it, objects are borrowed."""
    into.mkdir(exist_ok=True)
    has_objects = (source / "objects").is_dir()
    is_git = (source / "HEAD").exists() and (has_objects or (source / "commondir").exists())
    for entry in os.scandir(source):
        target = into / entry.name
        if is_git and (entry.name in _LEFT_OUT or entry.name.endswith(".lock")):
            continue
        if entry.is_symlink():
            target.unlink(missing_ok=True)
            target.symlink_to(os.readlink(entry.path))
        elif entry.is_dir():
            _copy(Path(entry.path), target, seen_at / entry.name)
        elif entry.is_file():
            shutil.copy2(entry.path, target)
    if is_git and has_objects:
        info = into / "objects" / "info"
        info.mkdir(parents=True, exist_ok=True)
        (info / "alternates").write_bytes(os.fsencode(seen_at / "objects") + b"\n")
