"""Which files no longer hold the bytes that a patch was made from.

Knows nothing of decisions or of screens; reads only through the function that it is given.
"""

from collections.abc import Callable

from seedcli.errors import SeedError
from seedcli.patches.patch import FilePatch, Patch

ReadBytes = Callable[[str], bytes | None]
"""A file's bytes by its name in the patch; None if there is no such file."""


def is_stale(file: FilePatch, read_bytes: ReadBytes) -> bool:
    """Does the file differ from what the patch was made from? One that can no longer be read does."""
    try:
        return read_bytes(file.path) != file.old
    except (OSError, SeedError):
        return True


def stale_files(patch: Patch, read_bytes: ReadBytes) -> frozenset[int]:
    """Indices of the files that changed."""
    return frozenset(i for i, file in enumerate(patch.files) if is_stale(file, read_bytes))
