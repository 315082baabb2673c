"""What `seed edit` does with git: changes and conflicts as targets, what git tells beside them, the commit of a run.

Turns flags into tasks and reports; how git is asked is in `versions`. Knows nothing of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedcli.delivering import Delivery, Mode
from seedcli.errors import ConflictError, SettingsError, TargetError
from seedcli.proposing import Task
from seedcli.report import Report, say
from seedcli.repository.conflicts import conflict_region, conflicts_of
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import Target, expand, parse_target
from seedcli.repository.workspace import Workspace
from seedcli.versions.changed import Choice, FileState, file_states
from seedcli.versions.committing import Committer
from seedcli.versions.git import Git
from seedcli.versions.targets import ChangedTargets
from seedcli.versions.told import Tale
from seedcli.versions.unmerged import unmerged_files, with_bases

RESOLVE = "resolve the merge conflict"
"""The instruction for conflicts."""


@dataclass(frozen=True, slots=True)
class GitWish:
    """What the flags say of git."""

    staged: bool = False
    since: str | None = None
    changed: bool = False
    conflicts: bool = False
    with_diff: bool = False
    with_log: bool = False
    commit: bool = False
    message: str | None = None

    @property
    def finds_targets(self) -> bool:
        """Whether targets may be left out."""
        return self.staged or self.since is not None or self.changed or self.conflicts

    @property
    def nothing(self) -> str:
        """What it means that they found none, for people."""
        if self.conflicts:
            return "no conflicts"
        return f"no code that {Choice(self.staged, self.since, self.changed).flag} finds"

    def check(self, mode: Mode, recipe: str | None) -> None:
        """
        Raises:
            SettingsError: flags make no sense together.
        """
        kinds = {
            "--staged": self.staged,
            "--since": self.since is not None,
            "--changed": self.changed,
            "--conflicts": self.conflicts,
        }
        given = [flag for flag, is_given in kinds.items() if is_given]
        if len(given) > 1:
            raise SettingsError(f"{given[0]} and {given[1]} both say what to edit; give one of them")
        if self.conflicts and recipe is not None:
            raise SettingsError("--conflicts says what to do; leave out --recipe")
        if self.message is not None and not self.commit:
            raise SettingsError("--message is for a commit; give --commit too")
        if self.message is not None and not self.message.strip():
            raise SettingsError("--message is empty; say what the commit does, or leave it out")
        if self.commit and mode == "print":
            raise SettingsError("--commit commits what is written; give -y, or review on a terminal")


def changed_tasks(wish: GitWish, workspace: Workspace, targets: Sequence[str]) -> list[Task]:
    """The regions that changes touch, inside the targets if there are any.

    Raises:
        GitError: git cannot tell.
        TargetError: a target is missing.
    """
    choice = Choice(staged=wish.staged, since=wish.since, changed=wish.changed)
    git = Git.of(workspace, needed_by=choice.flag)
    found = ChangedTargets(workspace, git, Path.cwd(), say).find(choice, [parse_target(t) for t in targets])
    return [Task(source, tuple(regions)) for source, regions in found]


def conflict_tasks(workspace: Workspace, targets: Sequence[str], *, force: bool) -> list[Task]:
    """The conflicts in the targets, else in all files that git could not merge; the model sees their sides.

    Raises:
        GitError: no target is named, and git cannot tell.
        TargetError: a target is missing, or its markers make no sense.
    """
    # Markers can be read without git; where they are, and what stood there before, it alone knows.
    git = Git.of(workspace, needed_by="--conflicts") if workspace.is_git or not targets else None
    sources: dict[Path, tuple[SourceFile, list[Target]]] = {}
    for target in map(parse_target, targets or [str(workspace.root)]):
        for source in _conflicted(workspace, git, target, force=force):
            sources.setdefault(source.path, (source, []))[1].append(target)
    tasks = [_conflict_task(git, source, around) for source, around in sources.values()]
    return [task for task in tasks if task.regions]


def _conflicted(workspace: Workspace, git: Git | None, target: Target, *, force: bool) -> list[SourceFile]:
    """The files of a target that may hold conflicts."""
    if target.symbol:
        raise TargetError(f"{target.path}::{target.symbol}: --conflicts takes files, FILE:LINE and folders")
    path = workspace.resolve(target.path, relative_to=Path.cwd())
    if not path.is_dir():
        found = expand(workspace, [Target(target.path)], cwd=Path.cwd(), force=force)
        return [source for source, _ in found]
    if git is None:
        raise TargetError(f"{target.path} is a folder, and there is no git to tell its conflicts; name files")
    names = [name for name in unmerged_files(git) if (workspace.root / name).is_relative_to(path)]
    return [SourceFile.read(workspace, path) for path in workspace.editable(names, ("",))]


def _conflict_task(git: Git | None, source: SourceFile, around: Sequence[Target]) -> Task:
    conflicts = conflicts_of(source.text, source.name)
    if git is not None:
        conflicts = with_bases(git, source.name, conflicts)
    if not conflicts:
        say(f"{source.name} holds no conflict markers")
    spans = [target.lines for target in around]
    chosen = [
        conflict
        for conflict in conflicts
        if any(span is None or (span[0] <= conflict.end and conflict.start < span[1]) for span in spans)
    ]
    regions = tuple(conflict_region(source, conflict) for conflict in chosen)
    return Task(source, regions, tuple(conflict.told for conflict in chosen))


def with_tales(wish: GitWish, workspace: Workspace, tasks: Sequence[Task]) -> list[Task]:
    """The same tasks; the model also sees what git tells of their regions, if that is wanted.

    Raises:
        GitError: git cannot tell.
    """
    tale = Tale(wish.with_diff, wish.with_log)
    if not (tale.diff or tale.log):
        return list(tasks)
    git = Git.of(workspace, needed_by="--with-diff" if tale.diff else "--with-log")
    states = file_states(git)
    return [replace(task, beside=_beside(git, tale, task, states.get(task.source.name))) for task in tasks]


def _beside(git: Git, tale: Tale, task: Task, state: FileState | None) -> tuple[str, ...]:
    told = tale.of(git, task.source, task.regions, state)
    return tuple(
        "\n".join(part for part in parts if part)
        for parts in zip(task.beside or [""] * len(told), told, strict=True)
    )


def open_committer(wish: GitWish, workspace: Workspace, label: str) -> Committer | None:
    """What will commit the run, if that is wanted.

    Args:
        label: what the run is for: the message, unless there is another.

    Raises:
        GitError: no commit can be made here.
    """
    if not wish.commit:
        return None
    committer = Committer(workspace, wish.message or label)
    if hooks := committer.skipped_hooks:
        say(f"--commit runs no hooks: {', '.join(hooks)}; `git commit --amend` does")
    return committer


def commit_run(committer: Committer, delivery: Delivery, report: Report) -> None:
    """Commit what was written, and report how that went."""
    try:
        made = committer.commit(delivery.written)
    except ConflictError as error:
        report.outcome, report.message = "not_committed", str(error)
        return
    report.commit = made.id
    what = delivery.message.partition(";")[0]
    report.message = (
        f"{what}, committed as {made.id[:10]} on {made.place}; `seed undo` takes back the files only"
    )
