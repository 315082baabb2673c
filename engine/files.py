"""Files that get their name once they are whole: what is interrupted leaves the old one, or none. Knows nothing of what
they hold."""

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
