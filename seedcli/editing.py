"""One edit job from words to report: what `seed edit` does, apart from flags, stdout and exit codes.

Cheap refusals come first; the model is loaded last.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from engine.requests import EditOptions
from seedcli.abilities import refuse_untrained
from seedcli.accounting import complaints, fill_in, unedited
from seedcli.checking import Checker, again, check_job, open_checker
from seedcli.delivering import Delivery, Mode, choose_mode, deliver, file_changes, is_terminal, recover
from seedcli.edit_job import (
    NEW_FILES,
    EditJob,
    after_check,
    find_tasks,
    options_of,
    read_context,
    read_words,
    with_bounds,
)
from seedcli.errors import SeedError
from seedcli.finding.across import rename_of
from seedcli.finding.choosing import choose_tasks
from seedcli.finding.renaming import Rename, ask_rename
from seedcli.finding.surroundings import with_surroundings
from seedcli.model_client import ModelClient, open_model
from seedcli.patches.patch import render
from seedcli.proposing import BATCH, Proposed, Task, checked, propose
from seedcli.report import Report, say
from seedcli.repository.workspace import Workspace
from seedcli.settings import load_settings
from seedcli.versioning import commit_run, open_committer


class _NothingToDo(Exception):
    """That is known before the model is asked."""


def run_edit(job: EditJob) -> Report:
    """Do the job. Whatever goes wrong that the user can mend is in the report, not raised."""
    report = Report()
    started = time.perf_counter()
    try:
        _edit(job, report)
    except _NothingToDo as reason:
        report.outcome, report.message = "unchanged", str(reason)
    except SeedError as error:
        report.fail(error)
    report.seconds["total"] = time.perf_counter() - started
    return report


def _edit(job: EditJob, report: Report) -> None:
    mode = choose_mode(apply=job.apply, diff=job.diff, machine=job.machine)
    workspace = Workspace.discover(Path.cwd())
    settings = load_settings(workspace.root, job.sampling, isolated=job.isolated)
    check = check_job(
        job.check,
        all=job.check_all,
        first=job.check_first,
        in_place=job.check_in_place,
        tries=job.tries,
        flags=job.sampling,
    )
    job.git.check(mode, job.recipe)
    recipe, instruction, targets = read_words(job, workspace)
    job.check_reach(targets)
    refuse_untrained(settings.model, recipe, beyond=NEW_FILES if job.new else "")
    committer = open_committer(job.git, workspace, instruction)
    recover(workspace, "write" if job.check_in_place else mode)
    with _timed(report, "context"):
        rename = None
        if job.uses:
            rename = rename_of(workspace, instruction, targets, partial=job.leave_unclear)
        tasks = list(rename.tasks) if rename else find_tasks(job, workspace, recipe, targets)
        context = read_context(job, workspace)
    if not tasks and job.git.finds_targets:
        raise _NothingToDo(f"there is nothing to edit: {job.git.nothing}")
    if rename is None and not job.git.conflicts:
        tasks = with_bounds(workspace, instruction, tasks)
        _end_if_idle(tasks)
    with open_checker(workspace, check, settings) as checker:
        if checker is not None and job.check_first:
            printed = _printed_before(checker, report)
            tasks = after_check(job, workspace, instruction, printed, tasks)
            _end_if_idle(tasks)
        with _timed(report, "load"):
            model = open_model(settings.model, settings.weights)
        report.model_name, report.model_revision = model.info.name, model.info.revision
        if not tasks and not targets:
            with _timed(report, "context"):
                tasks = choose_tasks(workspace, instruction, recipe, model, job.top)
        if (context or any(task.beside for task in tasks)) and not model.info.context_tokens:
            say(f"the model {model.info.name} was trained without context; it sees the regions alone")
        if any(task.hints for task in tasks) and not model.info.hints:
            say(
                f"the model {model.info.name} was not trained to be told of errors; it sees the instruction alone"
            )
            tasks = [replace(task, hints=()) for task in tasks]
        if rename is None:
            tasks = with_surroundings(workspace, tasks, model.info.context_tokens, len(context))
        if job.show_prompt:
            _show_prompt(instruction, context, tasks)
        options = options_of(
            settings,
            new_names=job.allow_new_names,
            judged=job.check is not None,
            needed=job.check_first,
        )
        ask: _Asking | _Renaming = _Asking(tasks, context, model, options, job.allow_broken, report)
        if rename is not None:
            ask = _Renaming(rename, model, options, job.index_rest, report)
        proposed, k = ask(instruction, 1), 0
        if checker is not None and proposed.num_patches:
            try:
                proposed, k = checker.choose(proposed, instruction, ask)
            finally:
                report.candidates, report.seconds["check"] = tuple(checker.candidates), checker.seconds
    if proposed.num_patches:
        delivery = _deliver(job, report, workspace, model, proposed, k, mode, instruction)
        if committer is not None and delivery.run is not None:
            commit_run(committer, delivery, report)
    else:
        _report_no_edit(report, proposed)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks the model about the same regions, once or more often, and reports what that took."""

    tasks: Sequence[Task]
    context: str
    model: ModelClient
    options: EditOptions
    allow_broken: bool
    report: Report

    def __call__(self, instruction: str, attempt: int) -> Proposed:
        """What the model proposes at the n-th time of asking."""
        proposed = propose(
            self.tasks,
            instruction,
            self.model,
            again(self.options, attempt),
            context=self.context,
            allow_broken=self.allow_broken,
            progress=_progress(),
        )
        fill_in(self.report, proposed)
        return proposed


@dataclass(frozen=True, slots=True)
class _Renaming:
    """Asks the model for a rename with its uses, and reports who renamed what."""

    rename: Rename
    model: ModelClient
    options: EditOptions
    by_index: bool
    report: Report

    def __call__(self, instruction: str, attempt: int) -> Proposed:
        """The whole rename, at the n-th time of asking.

        Raises:
            RenameError: the model renames some regions wrong, and the index may not.
        """
        for line in self.rename.notes():
            say(line)
        proposed, done = ask_rename(
            self.rename,
            instruction,
            self.model,
            again(self.options, attempt),
            by_index=self.by_index,
            progress=_progress(),
        )
        say(done.note())
        fill_in(self.report, proposed)
        return proposed


def _printed_before(checker: Checker, report: Report) -> str:
    """What the check prints of the tree as it is."""
    try:
        printed = checker.before()
    finally:
        report.seconds["check"] = checker.seconds
    if printed is None:
        raise _NothingToDo("the check succeeds as it is: there is nothing to mend")
    return printed


def _end_if_idle(tasks: Sequence[Task]) -> None:
    """Where there are regions, and nothing to do in any of them."""
    if tasks and all(len(task.idle) == len(task.regions) for task in tasks):
        _, (why,) = unedited(checked(tasks, (), forwards=0, seconds=0.0))
        raise _NothingToDo(why)


def _deliver(
    job: EditJob,
    report: Report,
    workspace: Workspace,
    model: ModelClient,
    proposed: Proposed,
    k: int,
    mode: Mode,
    instruction: str,
) -> Delivery:
    patch = proposed.patch(k)
    report.patch, report.files = render(patch), file_changes(patch)
    report.changed_tokens = sum(candidate.changed_tokens for candidate in proposed.chosen(k))
    notes = proposed.parse_notes(k)
    for line in [*complaints(proposed), *notes]:
        say(line)
    by = [f"{model.info.name} {model.info.revision}", f"score {proposed.score(k):.2f}"]
    passed = [f"passes {job.check}"] if job.check else []
    delivery = deliver(
        workspace, patch, mode, label=instruction, note="; ".join([*by, *passed, *notes]), machine=job.machine
    )
    if job.check and delivery.outcome == "partly_applied":
        say("the check passed with the whole edit, not with the part that was accepted")
    report.outcome, report.message, report.run = delivery.outcome, delivery.message, delivery.run
    report.seconds["apply"] = delivery.seconds
    return delivery


def _report_no_edit(report: Report, proposed: Proposed) -> None:
    report.outcome, lines = unedited(proposed)
    for line in lines[:-1]:
        say(line)
    report.message = lines[-1]


def _show_prompt(instruction: str, context: str, tasks: Sequence[Task]) -> None:
    """What the model is given, on stderr."""
    say(f"instruction: {instruction}")
    for number, line in enumerate(context.splitlines(), 1):
        say(f"context {number}: {line}")
    for task in tasks:
        for k, region in enumerate(task.regions):
            where = f"{task.source.name}:{region.start + 1}"
            for line in task.beside[k].splitlines() if task.beside else ():
                say(f"beside {where}: {line}")
            for line in filter(None, task.hints[k] if task.hints else ()):
                say(f"told of {where}: {line}")
            for number, line in enumerate(region.text.split("\n"), region.start + 1):
                say(f"{task.source.name}:{number}: {line}")


def _progress() -> Callable[[int, int], None]:
    """A line on stderr that counts the regions done, where a person sees it and there are many."""

    def show(done: int, total: int) -> None:
        if total > BATCH and is_terminal(sys.stderr):
            end = "\n" if done == total else ""
            print(f"\rseed: {done} of {total} regions", end=end, file=sys.stderr, flush=True)

    return show


@contextmanager
def _timed(report: Report, phase: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        report.seconds[phase] = time.perf_counter() - started
