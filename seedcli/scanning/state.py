"""Readings of a scan that is under way, in a file, so that one that was killed goes on where it stopped.

A line for each model batch, known by all that its readings rest on: a batch that is asked for again, by whatever run,
gets the readings of the first. Knows nothing of files or findings.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.requests import EditRequest, Reading, Suspicion
from seedcli.errors import SettingsError
from seedcli.kept_lines import KeptLines

BEGINNING = b'{"batch": "'


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
        self._lines = None if path is None else KeptLines(path, BEGINNING, "scan")
        self._offsets: dict[str, int] = {}
        for offset, row in self._lines.read() if self._lines else ():
            if "batch" not in row:
                self.close()
                raise SettingsError(f"{path} is no state of a scan; name another file with --state")
            self._offsets[row["batch"]] = offset

    def of(
        self, requests: Sequence[EditRequest], ask: Callable[[Sequence[EditRequest]], list[Reading]]
    ) -> list[Reading]:
        """The readings of a batch, from the file or else by asking."""
        text = json.dumps([self._basis, [asdict(request) for request in requests]])
        key = hashlib.sha256(text.encode()).hexdigest()
        if self._lines and key in self._offsets:
            return [_reading(fields) for fields in self._lines.at(self._offsets[key])["readings"]]
        readings = ask(requests)
        if self._lines:
            self._lines.append({"batch": key, "readings": [asdict(r) for r in readings]})
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
        self.close()

    def close(self) -> None:
        if self._lines:
            self._lines.close()


def _reading(fields: dict[str, Any]) -> Reading:
    return Reading(**{**fields, "suspicions": tuple(Suspicion(**s) for s in fields["suspicions"])})
