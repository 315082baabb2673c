"""Finished cases of a long run, kept in a file so that an interrupted run goes on where it stopped.

One JSON object a line: first the header, which says what the rows rest on, then a row for each finished case. A row
that was cut off while it was written does not count. Knows nothing of what rows hold.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.files import replacing


class Ledger:
    """Rows by key, in memory and, with a path, in a file."""

    def __init__(self, path: Path | None, header: Mapping[str, Any], *, resume: bool = True) -> None:
        """
        Args:
            header: what makes rows comparable, as JSON values: model, options, data. A file with another header is
                begun anew; the other is kept beside it, with `.before` at the end of its name, until the next.
            resume: whether the rows of a file that is there are taken.
        """
        self.rows: dict[str, dict[str, Any]] = {}
        self._file = None
        if path is None:
            return
        top = {"header": dict(header)}
        kept = _read(path, top) if resume else []
        self.rows = {row["key"]: row["row"] for row in kept}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Rows of other settings, which may be asked for again; a header alone is worth no older file.
        if not kept and path.exists() and path.read_bytes().count(b"\n") > 1:
            os.replace(path, path.with_name(path.name + ".before"))
        # Written anew: a line that was cut off must not meet the next one.
        with replacing(path) as partial:
            partial.write_text("".join(json.dumps(line) + "\n" for line in [top, *kept]), encoding="utf-8")
        self._file = path.open("a", encoding="utf-8")

    def add(self, key: str, row: dict[str, Any]) -> None:
        """Keep the row of a finished case."""
        self.rows[key] = row
        self._write({"key": key, "row": row})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._file:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def _read(path: Path, top: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The whole rows of a file that begins with this header; none of another."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            break
    return found[1:] if found and found[0] == json.loads(json.dumps(top)) else []
