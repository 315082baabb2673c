"""A file of JSON objects, a line each, that one process at a time appends to. A line that was cut off while it was
written does not count, and is cut away. Knows nothing of what the lines say.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seedcli.errors import ConflictError, SettingsError


class KeptLines:
    """The file, locked until it is closed."""

    def __init__(self, path: Path, beginning: bytes, who: str) -> None:
        """
        Args:
            beginning: of every file of the kind; nothing else is ever cut or appended to.
            who: works with it, for messages: `run`, `scan`.

        Raises:
            SettingsError: the file is something else, or cannot be used.
            ConflictError: another process works with it.
        """
        self._path = path
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise SettingsError(
                f"the state {path} cannot be written: {error.strerror}; name another file with --state"
            ) from None
        try:
            self._lock(who)
            self._file.seek(0)
            if not beginning.startswith(self._file.read(len(beginning))):
                raise SettingsError(f"{path} is no state of a {who}; name another file with --state")
        except BaseException:
            self._file.close()
            raise

    def read(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Where each whole line begins, and what it says; what follows the last of them is cut away."""
        self._file.seek(0)
        whole = 0
        for line in self._file:
            try:
                row = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                row = None
            if not isinstance(row, dict):
                break
            yield whole, row
            whole += len(line)
        self._file.truncate(whole)

    def at(self, offset: int) -> dict[str, Any]:
        """What the line says that begins there."""
        self._file.seek(offset)
        row: dict[str, Any] = json.loads(self._file.readline())
        return row

    def append(self, row: Mapping[str, Any]) -> int:
        """Add a line; where it begins.

        Raises:
            ConflictError: the disk refuses.
        """
        try:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(json.dumps(row).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise ConflictError(
                f"the state {self._path} cannot be written: {error.strerror}; make room, then go on"
            ) from None
        return offset

    def sync(self) -> None:
        """Bring what was added through to the disk."""
        os.fsync(self._file.fileno())

    def clear(self) -> None:
        self._file.truncate(0)

    def close(self) -> None:
        self._file.close()

    def _lock(self, who: str) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                f"another {who} works with the state {self._path}; wait for it, or name another with --state"
            ) from None
