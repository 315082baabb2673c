"""Whether folders have grown beyond a limit, found out without reading them all the time.

Imports nothing but the standard library.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress

RESERVE = 256 << 20
"""Bytes of a disk that are left free; half of what is free where there is less."""
SHARE = 20
"""A measurement is followed by a pause of so many times its length."""
SHORTEST_S = 0.25


class DiskUse:
    """The growth of some folders since this was made."""

    def __init__(self, folders: Sequence[str], limit: int) -> None:
        """`limit`: bytes that all folders together may grow by."""
        self._folders, self._limit = folders, limit
        self._reserves = {folder: min(RESERVE, _free(folder) // 2) for folder in folders}
        self._next = 0.0
        self._before = self._measure()

    def is_exceeded(self) -> bool:
        """Whether they have grown too much, or the disk is nearly full."""
        if any(_is_nearly_full(folder, reserve) for folder, reserve in self._reserves.items()):
            return True
        return time.monotonic() >= self._next and self._measure() - self._before > self._limit

    def _measure(self) -> int:
        started = time.monotonic()
        used = sum(map(disk_bytes, self._folders))
        now = time.monotonic()
        self._next = now + max(SHORTEST_S, SHARE * (now - started))
        return used


def disk_bytes(folder: str) -> int:
    """What the files below a folder take up on the disk, links not followed."""
    total = 0
    waiting = [folder]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):  # it may be gone by now
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
    return total


def _is_nearly_full(folder: str, reserve: int) -> bool:
    try:
        return _free(folder) < reserve
    except OSError:  # the check has removed it: nothing more goes into it
        return False


def _free(folder: str) -> int:
    """Bytes that are left where a folder is."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
