"""One process at a time works in a folder. Knows nothing of what it writes there."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import DataError


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder, which is made if need be, for as long as the body runs; a process that dies lets go of it.

    Raises:
        DataError: another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # unlike flock: not what its workers inherit
        except (BlockingIOError, PermissionError):
            raise DataError(
                f"another process works in {folder}; wait for it, or name another folder"
            ) from None
        yield
