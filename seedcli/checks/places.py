"""Where a check sees a candidate: in a copy shown in the repository's place, in a plain copy, or in the repository.

Each place holds a candidate for as long as its check runs, and then the tree as before. Knows nothing of how a check
is run or judged.
"""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from seedcli.checks.plan import Namespaces, View
from seedcli.checks.private_git import common_folder
from seedcli.checks.scratch import remove
from seedcli.checks.snapshot import Snapshot, take_snapshot
from seedcli.errors import ConflictError
from seedcli.patches.apply import located_changes
from seedcli.patches.journal import Journal
from seedcli.patches.patch import Patch
from seedcli.patches.writing import Warn
from seedcli.repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Room:
    """What one check is given."""

    folder: str
    """Where it starts."""
    watched: tuple[str, ...]
    """Folders that it may fill, to a limit."""
    environment: Mapping[str, str]
    namespaces: Namespaces
    view: View | None = None
    writes: tuple[tuple[str, str | None], ...] = ()


@dataclass
class Site:
    """What all places know."""

    workspace: Workspace
    start: Path
    """Where the user is, inside the root."""
    scratch: Path
    """A folder to work in."""
    environment: Mapping[str, str]
    namespaces: Namespaces
    most_bytes: int
    """Of a copy."""
    warn: Warn

    def room_folder(self, number: int) -> Path:
        """A folder for what one candidate needs, with another for its temporary files."""
        folder = self.scratch / str(number)
        (folder / "tmp").mkdir(parents=True)
        return folder


class Place(Protocol):
    """Where candidates are checked."""

    site: Site
    many: bool
    """Whether it holds several at once."""

    def root(self, number: int) -> Path:
        """Where the check of a candidate sees the repository."""

    def holding(self, number: int, patch: Patch) -> AbstractContextManager[Room]:
        """Hold a candidate inside the `with`. Raises SeedError where that is impossible."""


@dataclass
class Covering:
    """A private copy, shown in the repository's own place to the check alone."""

    site: Site
    many: bool = field(default=True, init=False)

    @cached_property
    def _snapshot(self) -> Snapshot:
        return _snapshot(self.site, whole=False, git_at=self.site.scratch / "git")

    def root(self, number: int) -> Path:  # noqa: ARG002
        return self.site.workspace.root

    @contextmanager
    def holding(self, number: int, patch: Patch) -> Iterator[Room]:
        site, snapshot = self.site, self._snapshot
        root = site.workspace.root
        folder = site.room_folder(number)
        try:
            tree = snapshot.folder
            if not site.namespaces.overlay:
                tree = _copied(tree, folder / "tree")
            (folder / "stage").mkdir()
            common = common_folder(root) if site.workspace.is_git else None
            beside = ((str(common), str(site.scratch / "git")),) if common else ()
            yield Room(
                folder=str(site.start),
                watched=(str(folder),),
                environment=_without_git(site.environment)
                | {"TMPDIR": str(folder / "tmp"), "PWD": str(site.start)},
                namespaces=site.namespaces,
                view=View(str(root), str(tree), str(folder / "stage"), tuple(snapshot.layers), beside),
                writes=_staged(site, patch, snapshot.folder, root, folder),
            )
        finally:
            remove(folder)


@dataclass
class Copying:
    """A private copy at a place of its own."""

    site: Site
    many: bool = field(default=True, init=False)

    @cached_property
    def _snapshot(self) -> Snapshot:
        return _snapshot(self.site, whole=True, git_at=None)

    def root(self, number: int) -> Path:
        return self.site.scratch / str(number) / "tree"

    @contextmanager
    def holding(self, number: int, patch: Patch) -> Iterator[Room]:
        site, snapshot = self.site, self._snapshot
        folder = site.room_folder(number)
        try:
            tree = _copied(snapshot.folder, self.root(number))
            start = tree / site.start.relative_to(site.workspace.root)
            yield Room(
                folder=str(start),
                watched=(str(folder),),
                environment=_without_git(site.environment)
                | {
                    "TMPDIR": str(folder / "tmp"),
                    "PWD": str(start),
                    "GIT_CEILING_DIRECTORIES": str(folder),  # there may be a repository around the copy
                },
                namespaces=site.namespaces,
                writes=_staged(site, patch, snapshot.folder, tree, folder),
            )
        finally:
            remove(folder)


@dataclass
class InPlace:
    """The repository itself, journalled; the files get their old bytes back after each check."""

    site: Site
    journal: Journal
    label: str
    many: bool = field(default=False, init=False)

    def root(self, number: int) -> Path:  # noqa: ARG002
        return self.site.workspace.root

    @contextmanager
    def holding(self, number: int, patch: Patch) -> Iterator[Room]:
        site = self.site
        folder = site.room_folder(number)
        try:
            changes = located_changes(site.workspace, patch)
            with self.journal.trial(changes, label=self.label, warn=site.warn):
                yield Room(
                    folder=str(site.start),
                    watched=(str(site.workspace.root), str(folder)),
                    # Compiled code of a candidate must not be left where the user's is looked for.
                    environment={
                        **site.environment,
                        "TMPDIR": str(folder / "tmp"),
                        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
                    },
                    namespaces=site.namespaces,
                )
        finally:
            remove(folder)


_GIT_VARIABLES = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR"})


def _without_git(environment: Mapping[str, str]) -> dict[str, str]:
    """Without the variables that lead git to a folder, as those that its hooks have."""
    return {name: value for name, value in environment.items() if name not in _GIT_VARIABLES}


def _snapshot(site: Site, *, whole: bool, git_at: Path | None) -> Snapshot:
    common = common_folder(site.workspace.root) if site.workspace.is_git else None
    if git_at is not None:
        git_at.mkdir()
    snapshot = take_snapshot(
        site.workspace,
        site.scratch / "base",
        whole=whole,
        git_at=None if common is None else git_at or common,
        most_bytes=site.most_bytes,
    )
    for name in snapshot.left_out:
        site.warn(f"not in the copy for the check: {name}")
    return snapshot


def _copied(tree: Path, into: Path) -> Path:
    return Path(shutil.copytree(tree, into, symlinks=True))


def _staged(
    site: Site, patch: Patch, copy: Path, seen: Path, folder: Path
) -> tuple[tuple[str, str | None], ...]:
    """What the supervisor is to write for a candidate into the tree that is seen at `seen`."""
    staged: list[tuple[str, str | None]] = []
    for number, (_, target, old, new) in enumerate(located_changes(site.workspace, patch)):
        name = site.workspace.relative(target)
        if not _holds(copy / name, old) and not _holds(target, old):
            raise ConflictError(f"{name} has changed since it was read; run again; nothing was written")
        content = None
        if new is not None:
            content = folder / f"new{number}"
            content.write_bytes(new)
        staged.append((str(seen / name), None if content is None else str(content)))
    return tuple(staged)


def _holds(path: Path, content: bytes | None) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return content is None
