"""Folders of a check's own: one to work in, gone when the check is, and one for its logs, of which some are kept.

A working folder that a killed run left behind is known by its lock, which nobody holds, and removed by the next.
"""

import fcntl
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from seedcli.errors import SeedError
from seedcli.folders import user_folder

KEPT_LOGS = 20
"""Checks in one repository whose logs are kept."""


@contextmanager
def scratch_folder(root: Path) -> Iterator[Path]:
    """A new folder outside `root`, removed at the end."""
    parent = _parent(root)
    try:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder, lock = _new(parent)
    except OSError as error:
        raise SeedError(
            f"no room for a copy in {parent}: {error.strerror}; set XDG_CACHE_HOME to a folder with room"
        ) from error
    with lock:
        try:
            yield folder
        finally:
            remove(folder)


def _new(parent: Path) -> tuple[Path, IO[bytes]]:
    """A new folder and its lock, held; what others left behind goes first."""
    with open(parent / ".lock", "ab") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        for old in parent.glob("*/lock"):
            with suppress(OSError), open(old, "ab") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(old.parent)
        folder = parent / secrets.token_hex(4)
        folder.mkdir(mode=0o700)
        lock = open(folder / "lock", "ab")  # noqa: SIM115
        fcntl.flock(lock, fcntl.LOCK_EX)
    return folder, lock


def remove(folder: Path) -> None:
    """Remove a folder whatever a check has made of it: `rm` knows no depth, and modes can be mended."""
    for _ in range(2):
        subprocess.run(["rm", "-rf", "--", folder], stderr=subprocess.DEVNULL, check=False)
        if not folder.exists():
            return
        subprocess.run(["chmod", "-R", "u+rwX", "--", folder], stderr=subprocess.DEVNULL, check=False)


def new_log_folder(folder: Path) -> Path:
    """A new folder for logs below `folder`; the oldest ones there go.

    Raises:
        SeedError: it cannot be made.
    """
    new = folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    try:
        new.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise SeedError(f"cannot keep logs in {folder}: {error.strerror}; set SEED_STATE_DIR") from error
    for old in sorted(folder.iterdir())[:-KEPT_LOGS]:
        shutil.rmtree(old, ignore_errors=True)
    return new


def _parent(root: Path) -> Path:
    """The user's cache folder, which is on a disk, not in memory; it must not be part of what is copied."""
    for folder in (user_folder("cache"), Path(tempfile.gettempdir()) / "seed"):
        if not folder.resolve().is_relative_to(root):
            return folder.resolve() / "checks"
    raise SeedError(f"{root} holds all places for a copy; set XDG_CACHE_HOME to a folder outside of it")
