"""Ignore files in git's syntax (`.gitignore`, `.seedignore`), read without git.

Deeper files win over shallower ones, and nothing inside an ignored folder can be brought back, as in git.
Knows nothing of the index: a tracked file that matches a pattern counts as ignored here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class IgnoreRules:
    """All ignore files of one name below a root; each is read at most once, when a path needs it."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._name = name
        self._folders: dict[str, _Folder] = {}

    def matches(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether `path` (relative to the root, forward slashes) or a folder above it is ignored."""
        parent = self._folder(path.rpartition("/")[0])
        return parent.is_ignored or parent.excludes(path, is_folder=is_folder)

    def _folder(self, name: str) -> "_Folder":
        """A folder's rules, from those of the folders above, top down: a name may have thousands of parts."""
        unknown = []
        while name not in self._folders and name:
            unknown.append(name)
            name = name.rpartition("/")[0]
        if name not in self._folders:
            self._folders[""] = _Folder((), is_ignored=False).below("", _read_spec(self._root / self._name))
        folder = self._folders[name]
        for below in reversed(unknown):
            spec = None if folder.is_ignored else _read_spec(self._root / below / self._name)
            folder = self._folders[below] = folder.below(below, spec)
        return folder


@dataclass(frozen=True, slots=True)
class _Folder:
    """What holds for the entries of one folder."""

    specs: "tuple[tuple[str, GitIgnoreSpec], ...]"
    """The ignore files in it and above it, each with its folder, the deepest first."""
    is_ignored: bool
    """The folder or one above it."""

    def below(self, name: str, spec: "GitIgnoreSpec | None") -> "_Folder":
        """A folder inside this one, with the ignore file that stands in it."""
        is_ignored = bool(name) and (self.is_ignored or self.excludes(name, is_folder=True))
        return _Folder(((name, spec), *self.specs) if spec else self.specs, is_ignored)

    def excludes(self, path: str, *, is_folder: bool) -> bool:
        """Whether one of the ignore files says so of an entry of this folder."""
        for folder, spec in self.specs:
            inside = path[len(folder) + 1 :] if folder else path
            verdict = spec.check_file(inside + ("/" if is_folder else "")).include
            if verdict is not None:
                return verdict
        return False


def _read_spec(file: Path) -> "GitIgnoreSpec | None":
    try:
        text = file.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    # Imported only where an ignore file exists: most starts need none.
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(text.splitlines())
