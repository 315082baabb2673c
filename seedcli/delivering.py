"""What happens to a patch once it is there: it is printed, or reviewed, or written.

Knows nothing of where the patch came from. The screen is imported only when there is one to show.
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from seedcli.errors import SeedError
from seedcli.patches.apply import apply_patch
from seedcli.patches.journal import Journal, state_folder
from seedcli.patches.patch import Patch, counts, render
from seedcli.report import FileChange, Outcome, answer, say
from seedcli.repository.workspace import Workspace

Mode = Literal["print", "review", "write"]
"""Print the diff and write nothing; let the user choose, then write; write at once."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it ended."""

    outcome: Outcome
    message: str
    run: str | None = None
    """Id of the run that wrote; `seed undo` takes it."""
    seconds: float = 0.0
    """Wall time of writing."""
    written: Patch = field(default_factory=lambda: Patch(()))
    """What of the patch was accepted and written."""


def choose_mode(*, apply: bool, diff: bool, machine: bool, keys: bool | None = None) -> Mode:
    """What to do with a patch.

    Args:
        apply: the user wants it written without review.
        diff: the user wants to see it only.
        machine: stdout is for a program (`--json`).
        keys: whether keys can be read for a review; None to look whether stdin is a terminal.
    """
    if apply and diff:
        raise SeedError("--apply writes and --diff writes nothing: give one of them")
    if apply:
        return "write"
    has_keys = is_terminal(sys.stdin) if keys is None else keys
    return "review" if has_keys and is_terminal(sys.stdout) and not diff and not machine else "print"


def is_terminal(stream: object) -> bool:
    """Whether a person is at this stream; a closed one is None."""
    return bool(getattr(stream, "isatty", lambda: False)())


def journal_of(workspace: Workspace) -> Journal:
    """The journal of the runs in this workspace."""
    return Journal(state_folder(), workspace)


def recover(workspace: Workspace, mode: Mode = "write") -> None:
    """Set right what an interrupted run left; every command begins with it that writes.

    One that only reads does so where files may hold a candidate that was being checked.
    """
    journal = journal_of(workspace)
    for message in journal.recover() if mode != "print" or journal.has_trial() else ():
        say(message)


def deliver(
    workspace: Workspace,
    patch: Patch,
    mode: Mode,
    *,
    label: str,
    note: str = "",
    machine: bool = False,
) -> Delivery:
    """Print, review or write `patch`, which changes files as they stand.

    Args:
        label: what the run is called in `seed log` and in the title of the review.
        note: who proposes, for the review.
        machine: stdout is for a program: do not print the diff.

    Raises:
        ConflictError: a file changed underneath or cannot be written; nothing was written.
    """
    if mode != "review":
        for file in patch.files:
            for what in file.notes:
                say(f"{file.path}: {what}")
    if mode == "print":
        if not machine:
            answer(render(patch))
        return Delivery("proposed", f"{summary(patch)}, not written; -y writes")
    accepted = patch
    if mode == "review":
        accepted = ask(patch, label, note, disk_reader(workspace))
    if not accepted.files:
        return Delivery("proposed", "nothing accepted, nothing written")
    started = time.perf_counter()
    run = apply_patch(workspace, accepted, journal_of(workspace), label=label, warn=say)
    seconds = time.perf_counter() - started
    outcome: Outcome = "applied" if num_hunks(accepted) >= num_hunks(patch) else "partly_applied"
    return Delivery(outcome, f"{summary(accepted)}; `seed undo` takes it back", run, seconds, accepted)


def ask(
    patch: Patch,
    title: str,
    note: str,
    read_bytes: Callable[[str], bytes | None],
    *,
    applied: bool = False,
) -> Patch:
    """What the user accepts of `patch`, or does not reject where it is already applied.

    Raises:
        KeyboardInterrupt: they interrupted the review.
    """
    from seedcli.review.choose import review_patch

    accepted = review_patch(patch, title=title, read_bytes=read_bytes, model_note=note, applied=applied)
    if accepted is None:
        raise KeyboardInterrupt
    return accepted


def disk_reader(workspace: Workspace) -> Callable[[str], bytes | None]:
    """A function from a path relative to the root to the file's bytes; None if it is gone."""

    def read(path: str) -> bytes | None:
        try:
            return (workspace.root / path).read_bytes()
        except OSError:
            return None

    return read


def file_changes(patch: Patch) -> tuple[FileChange, ...]:
    """The patch in numbers."""
    return tuple(FileChange(file.path, len(file.hunks), *counts(file)) for file in patch.files)


def num_hunks(patch: Patch) -> int:
    """How many hunks there are in all files."""
    return sum(len(file.hunks) for file in patch.files)


def summary(patch: Patch) -> str:
    """How many files and lines, for people."""
    changes = file_changes(patch)
    added, removed = sum(c.added for c in changes), sum(c.removed for c in changes)
    return f"{len(changes)} file{'s' if len(changes) != 1 else ''} changed (+{added} -{removed})"
