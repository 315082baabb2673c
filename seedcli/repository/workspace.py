"""The workspace: which folder may be edited, and which files in it.

Every path that the tool reads or writes comes from here, so that nothing outside the root, nothing inside
`.git` and nothing of another repository is ever touched. Asks git only questions; knows nothing of file
contents.
"""

import difflib
import fnmatch
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from seedcli.errors import TargetError
from seedcli.repository.ignore_rules import IgnoreRules

if TYPE_CHECKING:
    from git import Repo

_SECRET_NAMES = (
    ".env*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.asc", "*.gpg",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*",
    ".netrc", "_netrc", ".npmrc", ".pypirc", ".pgpass", ".my.cnf", ".htpasswd", ".git-credentials",
    "credentials", "credentials.json", "secrets.json", "secrets.y*ml", "secrets.toml",
)  # fmt: skip
_SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".kube", ".docker"})
_BUILT_FOLDERS = frozenset({"__pycache__", "node_modules"})


class _MissingError(TargetError):
    """There is nothing of that name, or no longer."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder that may be edited, and the rules for what in it."""

    root: Path
    """Absolute, links resolved: the git top level, or the start folder outside git."""
    is_git: bool
    listed: frozenset[str] = frozenset()
    """Files that git is known not to ignore, relative to the root."""

    @classmethod
    def discover(cls, start: Path) -> "Workspace":
        """The repository around `start`, or the plain folder where git has none that can be read.

        Raises:
            TargetError: `start` does not exist.
        """
        try:
            folder = start.resolve(strict=True)
        except OSError as error:
            raise TargetError(f"{start}: {_reason(error)}; start in a folder that exists") from None
        folder = folder if folder.is_dir() else folder.parent
        top = _git_top(folder)
        return cls(root=top or folder, is_git=top is not None)

    def with_listing(self) -> "Workspace":
        """The same, having asked git about all files at once: for a run that would ask about many one by one."""
        names = _ask_git_files(self.root, self.root) if self.is_git else None
        return replace(self, listed=frozenset(names or ()))

    def relative(self, path: Path) -> str:
        """`path`, which lies inside, relative to the root with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def resolve(self, name: str, *, relative_to: Path) -> Path:
        """The existing file or folder that a user calls `name`: absolute, links resolved.

        Raises:
            TargetError: it is missing, outside the root, inside `.git` or another repository, a dangling or
                looping link, or neither a regular file nor a folder.
        """
        if not name or "\0" in name:
            raise TargetError(f"{name!r} is not a file name; name a file or a folder")
        return self._resolve_existing(relative_to / name, name)

    def locate(self, path: str) -> Path:
        """Where a patch's `path` (relative, forward slashes) is to be written: links resolved; need not
        exist.

        Raises:
            TargetError: as for `resolve`, save that the file may be missing; also for absolute paths and
                `..`.
        """
        if (
            not path
            or "\0" in path
            or path.startswith("/")
            or not {"", ".", ".."}.isdisjoint(path.split("/"))
        ):
            raise TargetError(
                f"{path!r} is not a path below {self.root}; patches may only name files inside it"
            )
        full = self.root / path
        if os.path.lexists(full):
            # it may go away in between, and is missing then like any other
            with suppress(_MissingError):
                return self._resolve_existing(full, path)
        for parent in full.relative_to(self.root).parents:
            self._refuse_dangling(self.root / parent, path)
        resolved = full.resolve()
        self._refuse_foreign(resolved, path)
        return resolved

    def is_ignored(self, path: Path) -> bool:
        """Whether `.gitignore`, as git sees it, or `.seedignore` excludes `path`, which lies inside."""
        name = self.relative(path)
        if IgnoreRules(self.root, ".seedignore").matches(name, is_folder=path.is_dir()):
            return True
        if name in self.listed:
            return False
        if self.is_git:
            answer = _ask_git_ignored(self.root, name)
            if answer is not None:
                return answer
        return IgnoreRules(self.root, ".gitignore").matches(name, is_folder=path.is_dir())

    def is_secret(self, path: Path) -> bool:
        """Whether the name says that `path` holds keys or passwords."""
        *folders, name = self.relative(path).lower().split("/")
        return not _SECRET_FOLDERS.isdisjoint(folders) or any(
            fnmatch.fnmatchcase(name, p) for p in _SECRET_NAMES
        )

    def files(self, folder: Path, suffixes: tuple[str, ...] = (".py", ".pyi")) -> Iterator[Path]:
        """The files below `folder` with one of `suffixes` that may be edited, sorted.

        Left out: ignored and secret files, links, other repositories, virtual environments, built folders.
        """
        listed = _ask_git_files(self.root, folder) if self.is_git else None
        yield from self.editable(_walk(self.root, folder) if listed is None else listed, suffixes)

    def editable(self, names: Iterable[str], suffixes: tuple[str, ...] = (".py", ".pyi")) -> Iterator[Path]:
        """Those of `names`, relative to the root and not ignored by git, that `files` would give; sorted."""
        seed_rules = IgnoreRules(self.root, ".seedignore")
        foreign: dict[Path, bool] = {}
        for name in sorted(names):
            path = self.root / name
            if not name.endswith(suffixes) or self.is_secret(path) or seed_rules.matches(name):
                continue
            if not self._is_foreign(path.parent, foreign) and _is_plain_file(path):
                yield path

    def ignored(self) -> list[str]:
        """The files and folders that `.gitignore` excludes, relative to the root; nothing below such a folder."""
        if self.is_git:
            answer = _ask_git(
                self.root,
                *("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"),
            )
            if answer is not None and answer[0] == 0:
                return [os.fsdecode(name).removesuffix("/") for name in answer[1].split(b"\0") if name]
        return _walk_ignored(self.root)

    def _is_foreign(self, folder: Path, known: dict[Path, bool]) -> bool:
        """Whether `folder` is, or is inside, a link, another repository, an environment or a built folder."""
        unknown = []
        while folder != self.root and folder not in known:
            unknown.append(folder)
            folder = folder.parent
        is_foreign = folder != self.root and known[folder]
        for below in reversed(unknown):
            is_foreign = is_foreign or (
                below.name in _BUILT_FOLDERS
                or below.is_symlink()
                or os.path.lexists(below / ".git")
                or os.path.lexists(below / "pyvenv.cfg")
            )
            known[below] = is_foreign
        return is_foreign

    def _resolve_existing(self, path: Path, name: str) -> Path:
        try:
            resolved = path.resolve(strict=True)
            mode = resolved.stat().st_mode
        except FileNotFoundError:
            self._refuse_dangling(path, name)
            raise _MissingError(f"{name} does not exist{_near_names(path)}") from None
        except (OSError, RuntimeError) as error:
            raise TargetError(f"{name}: {_reason(error)}; name a regular file") from None
        self._refuse_foreign(resolved, name)
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise TargetError(f"{name} is a device, pipe or socket; name a regular file or a folder")
        return resolved

    def _refuse_dangling(self, path: Path, name: str) -> None:
        if path.is_symlink() and not path.exists():
            raise TargetError(
                f"{name} goes through the link {path.name} to nowhere; repair or remove the link"
            )

    def _refuse_foreign(self, resolved: Path, name: str) -> None:
        if not resolved.is_relative_to(self.root):
            raise TargetError(f"{name} is outside {self.root}; run seed in the folder that holds it")
        parts = resolved.relative_to(self.root).parts
        if any(part.casefold() == ".git" for part in parts):
            raise TargetError(
                f"{name} is inside .git, which seed never touches; name a file of the work tree"
            )
        folder = self.root
        for part in parts:
            folder = folder / part
            if os.path.lexists(folder / ".git"):
                raise TargetError(f"{name} belongs to another repository at {folder}; run seed there")


def _git_top(folder: Path) -> Path | None:
    repo = _open_repo(folder)
    if repo is None:
        return None
    with repo:
        top = repo.working_tree_dir
    return Path(top).resolve() if top is not None else None


def _open_repo(folder: Path) -> "Repo | None":
    # GitPython refuses to be imported where there is no git executable; discovery needs none.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from git import GitError, Repo

    try:
        return Repo(folder, search_parent_directories=True)
    except (GitError, OSError, ValueError):
        return None


def _ask_git(root: Path, *arguments: str) -> tuple[int, bytes] | None:
    """Exit code and stdout of a git command that only reads; None if git cannot run here.

    No program that the repository's configuration names is started.
    """
    repo = _open_repo(root)
    if repo is None:
        return None
    from git import GitError

    with repo:
        try:
            code, out, _ = repo.git.execute(
                ["git", "-c", "core.fsmonitor=false", *arguments],
                with_extended_output=True,
                with_exceptions=False,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
        except (GitError, OSError):
            return None
    return int(code), bytes(out)


def _ask_git_ignored(root: Path, name: str) -> bool | None:
    answer = _ask_git(root, "check-ignore", "-q", "--", f"./{name}")
    return None if answer is None or answer[0] not in (0, 1) else answer[0] == 0


def _ask_git_files(root: Path, folder: Path) -> list[str] | None:
    where = f":(literal){folder.relative_to(root).as_posix()}"
    answer = _ask_git(
        root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", where
    )
    if answer is None or answer[0] != 0:
        return None
    return [os.fsdecode(name) for name in answer[1].split(b"\0") if name]


def _walk(root: Path, folder: Path) -> list[str]:
    return [name for name, is_ignored in _listed(root, folder) if not is_ignored]


def _walk_ignored(root: Path) -> list[str]:
    return [name for name, is_ignored in _listed(root, root) if is_ignored]


def _listed(root: Path, start: Path) -> Iterator[tuple[str, bool]]:
    """Files below a folder, and folders that `.gitignore` excludes, relative to the root; whether it excludes them."""
    rules = IgnoreRules(root, ".gitignore")
    waiting = ["" if start == root else start.relative_to(root).as_posix()]
    while waiting:  # not `os.walk`, which calls itself for every level
        inside = waiting.pop()
        with suppress(OSError), os.scandir(root / inside) as entries:
            for entry in entries:
                name = f"{inside}/{entry.name}" if inside else entry.name
                is_folder = entry.is_dir(follow_symlinks=False)
                is_ignored = rules.matches(name, is_folder=is_folder)
                if not is_folder or is_ignored:
                    yield name, is_ignored
                elif entry.name != ".git":
                    waiting.append(name)


def _is_plain_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _reason(error: Exception) -> str:
    if isinstance(error, RuntimeError):
        return "a link that leads to itself"
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _near_names(path: Path) -> str:
    try:
        names = os.listdir(path.parent)
    except OSError:
        return "; check the spelling of its folder"
    file, colon, rest = path.name.partition(":")
    if colon and file in names:
        symbol = rest.strip(":") or "SYMBOL"
        return f"; write {file}::{symbol} for a symbol, {file}:START-END for lines"
    near = difflib.get_close_matches(path.name, names, n=3)
    return f"; did you mean {', '.join(sorted(near))}?" if near else "; check the spelling"
