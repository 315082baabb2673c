"""Small patches for the tests of the review."""

from collections.abc import Callable

from seedcli.patches.patch import Patch, file_patch

ALPHA_OLD = b"".join(b"line %d\n" % number for number in range(1, 41))
ALPHA_NEW = (
    ALPHA_OLD.replace(b"line 5\n", b"line five\n")
    .replace(b"line 20\n", b"")
    .replace(b"line 35\n", b"line 35\nmore\n")
)
BETA_OLD = b"def total(items):\n    return sum(items) + 1\n"
BETA_NEW = b"def total(items):\n    return sum(items)\n"


def two_files() -> Patch:
    """alpha.txt with three hunks, pkg/beta.py with one."""
    return Patch(
        (file_patch("alpha.txt", ALPHA_OLD, ALPHA_NEW), file_patch("pkg/beta.py", BETA_OLD, BETA_NEW))
    )


def unchanged(patch: Patch) -> Callable[[str], bytes | None]:
    """A disk that holds what the patch was made from."""
    return {file.path: file.old for file in patch.files}.__getitem__
