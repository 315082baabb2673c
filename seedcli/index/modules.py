"""Which file an import means: paths of Python files and the dotted names that they are imported by.

Judges by paths alone, without running anything; where a folder is put on the path by other means, a file is also known
by the shorter names. Knows nothing of what is in a file.
"""

from collections.abc import Collection
from pathlib import PurePosixPath

_ROOTS = frozenset({"src", "lib", "python"})


class Modules:
    """The Python files of a workspace."""

    def __init__(self, paths: Collection[str]) -> None:
        self._paths = frozenset(paths)
        self._names: dict[str, frozenset[str]] = {}

    def names(self, path: str) -> frozenset[str]:
        """The dotted names that a file may be imported by: from the root, and from its outermost package."""
        if path not in self._names:
            self._names[path] = self._find_names(path)
        return self._names[path]

    def relative(self, path: str, level: int, module: str) -> str | None:
        """The module of `from ..module import`, as a folder or file without suffix; None where it leaves the root."""
        folder = PurePosixPath(path).parent
        for _ in range(level - 1):
            if folder == folder.parent:
                return None
            folder = folder.parent
        return (folder / module.replace(".", "/")).as_posix() if module else folder.as_posix()

    def at(self, stem: str) -> str | None:
        """The file of a module given by its path without suffix."""
        stem = "" if stem == "." else stem
        candidates = (f"{stem}.py", f"{stem}/__init__.py" if stem else "__init__.py", f"{stem}.pyi")
        return next((path for path in candidates if path in self._paths), None)

    def _find_names(self, path: str) -> frozenset[str]:
        pure = PurePosixPath(path)
        parts = list(pure.with_suffix("").parts)
        folders = parts[:-1]
        if parts[-1] == "__init__":
            parts.pop()
        first = len(folders)
        while first and "/".join([*folders[:first], "__init__.py"]) in self._paths:
            first -= 1
        found = {".".join(parts), ".".join(parts[first:])}
        if parts and parts[0] in _ROOTS:
            found.add(".".join(parts[1:]))
        return frozenset(name for name in found if name)
