"""Readings of a scan that is under way, in a file, so that one that was killed goes on where it stopped.

A line for each model batch, known by all that its readings rest on: a batch that is asked for again, by whatever run,
gets the readings of the first. Knows nothing of files or findings.
"""

import fcntl
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.requests import EditRequest, Reading, Suspicion
from seedcli.errors import ConflictError, SettingsError


class Readings:
    """Readings by batch; without a path, nothing is kept."""

    def __init__(self, path: Path | None, *, model: str, least: float) -> None:
        """
        Args:
            model: what answers, with its revision.

        Raises:
            SettingsError: the file is something else, or cannot be used.
            ConflictError: another scan works with it.
        """
        self._path, self._basis = path, [model, least]
        self._offsets: dict[str, int] = {}
        self._file = None
        if path is None:
            return
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise SettingsError(
                f"the state {path} cannot be written: {error.strerror}; name another"
            ) from None
        try:
            self._lock()
            self._load()
        except BaseException:
            self._file.close()
            raise

    def of(
        self, requests: Sequence[EditRequest], ask: Callable[[Sequence[EditRequest]], list[Reading]]
    ) -> list[Reading]:
        """The readings of a batch, from the file or else by asking."""
        text = json.dumps([self._basis, [asdict(request) for request in requests]])
        key = hashlib.sha256(text.encode()).hexdigest()
        if self._file and key in self._offsets:
            self._file.seek(self._offsets[key])
            return [_reading(fields) for fields in json.loads(self._file.readline())["readings"]]
        readings = ask(requests)
        self._write({"batch": key, "readings": [asdict(r) for r in readings]})
        return readings

    def remove(self) -> None:
        """The scan is complete."""
        if self._path:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def _write(self, row: dict[str, Any]) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(row).encode() + b"\n")
            self._file.flush()
        except OSError as error:
            raise ConflictError(
                f"the state {self._path} cannot be written: {error.strerror}; make room, then go on"
            ) from None

    def _lock(self) -> None:
        assert self._file is not None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                f"another scan works with the state {self._path}; wait for it, or name another with --state"
            ) from None

    def _load(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        whole = 0
        for line in self._file:
            if not line.startswith(b'{"batch": "'[: len(line)]):
                raise SettingsError(f"{self._path} is no state of a scan; name another file with --state")
            if not line.endswith(b"\n"):
                break
            self._offsets[line.split(b'"')[3].decode()] = whole
            whole += len(line)
        self._file.truncate(whole)


def _reading(fields: dict[str, Any]) -> Reading:
    return Reading(**{**fields, "suspicions": tuple(Suspicion(**s) for s in fields["suspicions"])})
