"""Ignore files in git's syntax (`.gitignore`, `.seedignore`), read without git.

Deeper files win over shallower ones, and nothing inside an ignored folder can be brought back, as in git.
Knows nothing of the index: a tracked file that matches a pattern counts as ignored here.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class IgnoreRules:
    """All ignore files of one name below a root; each is read at most once, when a path needs it."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name
        self._specs: dict[str, GitIgnoreSpec | None] = {}

    def matches(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether `path` (relative to the root, forward slashes) or a folder above it is ignored."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            below = depth < len(parts) or is_folder
            if self._decide(parts[:depth], is_folder=below):
                return True
        return False

    def _decide(self, parts: list[str], *, is_folder: bool) -> bool:
        for depth in range(len(parts) - 1, -1, -1):
            spec = self._spec("/".join(parts[:depth]))
            if spec is None:
                continue
            verdict = spec.check_file("/".join(parts[depth:]) + ("/" if is_folder else "")).include
            if verdict is not None:
                return verdict
        return False

    def _spec(self, folder: str) -> "GitIgnoreSpec | None":
        if folder not in self._specs:
            self._specs[folder] = _read_spec(self._root / folder / self._name)
        return self._specs[folder]


def _read_spec(file: Path) -> "GitIgnoreSpec | None":
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    # Imported only where an ignore file exists: most starts need none.
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(text.splitlines())
