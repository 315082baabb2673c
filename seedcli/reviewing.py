"""One review of a unified diff, from its bytes to a report: `seed review` apart from flags and output."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from seedcli.delivering import (
    Delivery,
    Mode,
    ask,
    choose_mode,
    deliver,
    disk_reader,
    file_changes,
    is_terminal,
    journal_of,
    num_hunks,
    recover,
    summary,
)
from seedcli.errors import PatchError, SeedError
from seedcli.patches.apply import apply_patch
from seedcli.patches.patch import Patch, render
from seedcli.patches.reading import read_patch, reversal
from seedcli.report import Report, answer, say
from seedcli.repository.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ReviewJob:
    """Which patch to review, and how."""

    source: str
    """A path, or `-` for stdin."""
    apply: bool = False
    """Write without review."""
    diff: bool = False
    """Print the diff and write nothing."""
    machine: bool = False
    """stdout is for a program: neither diff nor screen."""


def run_review(job: ReviewJob) -> Report:
    """Do the job. Whatever goes wrong that the user can mend is in the report, not raised."""
    report = Report()
    started = time.perf_counter()
    try:
        _review(job, report)
    except SeedError as error:
        report.fail(error)
    report.seconds["total"] = time.perf_counter() - started
    return report


def _review(job: ReviewJob, report: Report) -> None:
    keys = is_terminal(sys.stdin) or (job.source == "-" and _has_keyboard())
    mode = choose_mode(apply=job.apply, diff=job.diff, machine=job.machine, keys=keys)
    workspace = Workspace.discover(Path.cwd())
    recover(workspace, mode)
    data = _read(job.source)
    if not data.strip():
        report.outcome, report.message = "unchanged", "the patch is empty"
        return
    patch, is_applied = read_patch(data, workspace, start=workspace.relative(Path.cwd().resolve()))
    report.patch, report.files = render(patch), file_changes(patch)
    label = "review of stdin" if job.source == "-" else f"review of {job.source}"
    if is_applied:
        delivery = _keep_or_reverse(workspace, patch, mode, label=label, machine=job.machine)
    else:
        delivery = deliver(workspace, patch, mode, label=label, machine=job.machine)
    report.outcome, report.message, report.run = delivery.outcome, delivery.message, delivery.run
    report.seconds["apply"] = delivery.seconds


def _read(source: str) -> bytes:
    try:
        if source != "-":
            return Path(source).read_bytes()
        if sys.stdin is not None:
            return sys.stdin.buffer.read()
    except OSError as error:
        raise PatchError(
            f"cannot read the patch {source!r}: {error.strerror}; name a unified diff"
        ) from error
    raise PatchError("cannot read the patch '-': stdin is closed; pipe a unified diff into it")


def _has_keyboard() -> bool:
    """Whether the process has a terminal of its own, whatever its streams are."""
    try:
        with open("/dev/tty", "rb"):
            return True
    except OSError:
        return False


def _keep_or_reverse(
    workspace: Workspace, patch: Patch, mode: Mode, *, label: str, machine: bool
) -> Delivery:
    """Review a patch that the files already hold: what is rejected is taken back."""
    kept = patch
    if mode == "print" and not machine:
        answer(render(patch))
    if mode == "review":
        kept = ask(
            patch,
            f"{label} (already applied)",
            "rejecting a hunk reverses it",
            _reader_of_old(workspace, patch),
            applied=True,
        )
    if kept == patch:
        return Delivery("applied", "the patch is already applied; left as it is")
    back = reversal(patch, kept)
    started = time.perf_counter()
    run = apply_patch(workspace, back, journal_of(workspace), label=label, warn=say)
    seconds = time.perf_counter() - started
    return Delivery(
        _outcome(patch, kept), f"reversed: {summary(back)}; `seed undo` takes it back", run, seconds
    )


def _outcome(patch: Patch, kept: Patch) -> Literal["applied", "partly_applied", "proposed"]:
    if num_hunks(kept) >= num_hunks(patch):
        return "applied"
    return "partly_applied" if kept.files else "proposed"


def _reader_of_old(workspace: Workspace, patch: Patch) -> Callable[[str], bytes | None]:
    """Shows a review each file as it was before the patch, while it still holds what the patch made of it."""
    read = disk_reader(workspace)
    files = {file.path: file for file in patch.files}

    def read_old(path: str) -> bytes | None:
        now = read(path)
        return files[path].old if now == files[path].new else now

    return read_old
