"""Files that get their name once they are whole: what is interrupted leaves the old one, or none; and files of one JSON
value a line. Knows nothing of what they hold."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; at the end of the block, if nothing is raised, it takes the place of `path`."""
    partial = path.with_name(path.name + ".partial")
    yield partial
    os.replace(partial, path)


def write_json(path: Path, value: Any) -> None:
    """An object as indented JSON."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=1) + "\n")


def read_json_lines(path: Path) -> list[Any]:
    """The values of a file of one a line; empty lines are none. Inside a text U+2028 and its like end no line.

    Raises:
        OSError: the file cannot be read.
        ValueError: a line is no JSON, or no UTF-8.
    """
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
