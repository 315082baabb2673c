"""One edit job from words to report: what `seed edit` does, apart from flags, stdout and exit codes.

Cheap refusals come first; the model is loaded last.
"""

import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.requests import EditOptions
from prompts.recipes import TEXT, Recipe, RecipeError, find_recipe, load_recipes
from seedcli.abilities import refuse_untrained
from seedcli.across import rename_of, with_users
from seedcli.checking import again, check_job, open_checker
from seedcli.choosing import can_ask, choose_tasks
from seedcli.delivering import Delivery, Mode, choose_mode, deliver, file_changes, is_terminal, recover
from seedcli.errors import SeedError, TargetError
from seedcli.model_client import ModelClient, open_model
from seedcli.patches.patch import render
from seedcli.proposing import BATCH, Proposed, Task, parse_notes, propose
from seedcli.renaming import Rename, ask_rename
from seedcli.report import CandidateReport, Outcome, Report, say
from seedcli.repository.new_files import WHOLE, new_file
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import expand, parse_target
from seedcli.repository.workspace import Workspace
from seedcli.settings import Settings, load_settings
from seedcli.surroundings import with_surroundings
from seedcli.versioning import (
    RESOLVE,
    GitWish,
    changed_tasks,
    commit_run,
    conflict_tasks,
    open_committer,
    with_tales,
)

NUM_COMPLAINTS = 8
"""Regions without an edit are named one by one up to this many, and counted beyond."""
NEW_FILES = "write new files"
"""What `--new` asks of a model."""
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*=")
"""How a recipe's variable begins on the command line."""


@dataclass(frozen=True, slots=True)
class EditJob:
    """What to edit, and how."""

    words: tuple[str, ...]
    """The instruction and the targets; with a recipe, its variables and the targets."""
    recipe: str | None = None
    apply: bool = False
    """Write without review."""
    diff: bool = False
    """Print the diff and write nothing."""
    machine: bool = False
    """stdout is for a program: neither diff nor screen."""
    new: tuple[str, ...] = ()
    """Files to make."""
    context: tuple[str, ...] = ()
    """Files whose text the model sees beside each region."""
    sampling: dict[str, Any] = field(default_factory=dict)
    """What overrides the settings, by the setting's name; None where nothing does."""
    show_prompt: bool = False
    force: bool = False
    """Edit ignored and secret files that are named."""
    allow_broken: bool = False
    """Offer edits that break a file which parsed."""
    isolated: bool = False
    """Read no configuration files."""
    check: str | None = None
    """The command that decides among the candidates; None for the model alone."""
    check_all: bool = False
    check_in_place: bool = False
    tries: int | None = None
    git: GitWish = field(default_factory=GitWish)
    """What git says to edit, what it tells of that, and whether the edit is committed."""
    top: int | None = None
    """Without targets: take so many regions, the most probable ones, without asking."""
    uses: bool = False
    """Also edit what uses the targets; a rename is whole or not made."""
    index_rest: bool = False
    """Let the index rename what the model does not."""
    leave_unclear: bool = False
    """Rename although some places may mean another name; they stay."""

    def check_reach(self, targets: Sequence[str]) -> None:
        """Refuse flags for what is edited beyond the targets where they make no sense together."""
        if (self.index_rest or self.leave_unclear) and not self.uses:
            raise SeedError("--index-rest and --leave-unclear are for a rename with --uses; add it")
        if self.uses and self.git.finds_targets:
            raise SeedError("--uses needs definitions as targets, not what git says; name them")
        if self.top is not None and (targets or self.git.finds_targets):
            raise TargetError("--top chooses where no target is named; leave one of them out")


def run_edit(job: EditJob) -> Report:
    """Do the job. Whatever goes wrong that the user can mend is in the report, not raised."""
    report = Report()
    started = time.perf_counter()
    try:
        _edit(job, report)
    except SeedError as error:
        report.fail(error)
    report.seconds["total"] = time.perf_counter() - started
    return report


def _edit(job: EditJob, report: Report) -> None:
    mode = choose_mode(apply=job.apply, diff=job.diff, machine=job.machine)
    workspace = Workspace.discover(Path.cwd())
    settings = load_settings(workspace.root, job.sampling, isolated=job.isolated)
    check = check_job(
        job.check, all=job.check_all, in_place=job.check_in_place, tries=job.tries, flags=job.sampling
    )
    job.git.check(mode, job.recipe)
    recipe, instruction, targets = _read_words(job, workspace)
    job.check_reach(targets)
    refuse_untrained(settings.model, recipe, beyond=NEW_FILES if job.new else "")
    committer = open_committer(job.git, workspace, instruction)
    recover(workspace, "write" if job.check_in_place else mode)
    with _timed(report, "context"):
        rename = _rename(job, workspace, instruction, targets)
        tasks = list(rename.tasks) if rename else _find_tasks(job, workspace, recipe, targets)
        context = read_context(job, workspace)
    if not tasks and job.git.finds_targets:
        report.outcome, report.message = "unchanged", f"there is nothing to edit: {job.git.nothing}"
        return
    with open_checker(workspace, check, settings) as checker:
        with _timed(report, "load"):
            model = open_model(settings.model)
        report.model_name, report.model_revision = model.info.name, model.info.revision
        if not tasks and not targets:
            with _timed(report, "context"):
                tasks = choose_tasks(workspace, instruction, recipe, model, job.top)
        if (context or any(task.beside for task in tasks)) and not model.info.context_tokens:
            say(f"the model {model.info.name} was trained without context; it sees the regions alone")
        if rename is None:
            tasks = with_surroundings(workspace, tasks, model.info.context_tokens, len(context))
        if job.show_prompt:
            _show_prompt(instruction, context, tasks)
        options = options_of(settings)
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
    notes = parse_notes(proposed, k)
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


def _read_words(job: EditJob, workspace: Workspace) -> tuple[Recipe | None, str, list[str]]:
    """The recipe if there is one, the instruction, and the targets."""
    may_lack = job.git.finds_targets or bool(job.new) or (not job.uses and (job.top is not None or can_ask()))
    if job.git.conflicts:
        return None, RESOLVE, _with_stdin([word for word in job.words if word], may_lack=may_lack)
    if job.recipe is None:
        instruction, *targets = job.words
        if not instruction.strip():
            raise SeedError("the instruction is empty; say what to do, or give --recipe NAME")
        missing = f"after the instruction {instruction!r}"
        return None, instruction, _with_stdin(targets, missing=missing, may_lack=may_lack)
    variables = dict(pair(word) for word in job.words if VARIABLE.match(word))
    targets = [word for word in job.words if word and not VARIABLE.match(word)]
    recipe, instruction = render_recipe(workspace, job.recipe, variables)
    refuse_text(recipe)
    missing = f"for the recipe {job.recipe!r}"
    return recipe, instruction, _with_stdin(targets, missing=missing, may_lack=may_lack)


def refuse_text(recipe: Recipe) -> None:
    """Raises SeedError for a recipe whose answer is no edit."""
    if recipe.gives == TEXT:
        raise SeedError(f"recipe {recipe.name!r} gives text, no edit: `git diff | seed ask {recipe.name} -`")


def render_recipe(workspace: Workspace, name: str, variables: Mapping[str, str]) -> tuple[Recipe, str]:
    """The recipe of that name, the workspace's own among them, and its instruction.

    Raises:
        SeedError: there is no such recipe, or its variables do not fit.
    """
    try:
        recipe = find_recipe(load_recipes([workspace.root / ".seed" / "prompts"]), name)
        return recipe, recipe.render(variables)
    except RecipeError as error:
        raise SeedError(str(error)) from error


def pair(word: str) -> tuple[str, str]:
    """Name and value of a recipe's variable as it was typed."""
    name, _, value = word.partition("=")
    return name, value


def _with_stdin(targets: Sequence[str], *, missing: str = "", may_lack: bool = False) -> list[str]:
    """The targets, with those on stdin in the place of `-`. Stdin is read only then."""
    if not targets and may_lack:
        return []
    if not targets:
        raise TargetError(
            f"no target {missing}; name a file, FILE::SYMBOL, a directory, - for stdin, or let --top K choose"
        )
    if targets.count("-") > 1:
        raise TargetError("target '-' is given twice; stdin can be read once")
    found: list[str] = []
    for target in targets:
        found += _stdin_lines() if target == "-" else [target]
    if not found:
        raise TargetError("target '-': no targets on stdin; write one a line")
    return found


def _stdin_lines() -> list[str]:
    if sys.stdin is None:
        raise TargetError("target '-': stdin is closed; pipe targets into it, one a line")
    return [line for line in os.fsdecode(sys.stdin.buffer.read()).splitlines() if line.strip()]


def _rename(job: EditJob, workspace: Workspace, instruction: str, targets: Sequence[str]) -> Rename | None:
    """The rename with its uses that the job asks for; None if it asks for something else."""
    return rename_of(workspace, instruction, targets, partial=job.leave_unclear) if job.uses else None


def _find_tasks(
    job: EditJob, workspace: Workspace, recipe: Recipe | None, targets: Sequence[str]
) -> list[Task]:
    """The files and regions known before the model is there; raises as `read_tasks` does."""
    if job.git.conflicts:
        tasks = conflict_tasks(workspace, targets, force=job.force)
    elif job.git.finds_targets:
        tasks = [*changed_tasks(job.git, workspace, targets), *_new_tasks(job, workspace)]
        _refuse_unfit(recipe, tasks)
    elif job.uses:
        tasks = with_users(workspace, targets)
    else:
        tasks = read_tasks(job, workspace, recipe, targets) if targets or job.new else []
    return with_tales(job.git, workspace, tasks)


def read_tasks(
    job: EditJob, workspace: Workspace, recipe: Recipe | None, targets: Sequence[str]
) -> list[Task]:
    """The files and regions that targets name, and the files to make.

    Raises:
        TargetError: one is missing, may not be edited or made, or is not for the recipe.
    """
    parsed = [parse_target(target) for target in targets]
    expanded = expand(workspace, parsed, cwd=Path.cwd(), force=job.force, on_skip=say)
    tasks = [Task(source, tuple(regions)) for source, regions in expanded]
    tasks += _new_tasks(job, workspace)
    _refuse_unfit(recipe, tasks)
    return tasks


def _new_tasks(job: EditJob, workspace: Workspace) -> list[Task]:
    """The files to make."""
    sources = {new_file(workspace, name, cwd=Path.cwd(), force=job.force): None for name in job.new}
    return [Task(source, (WHOLE,), creates=True) for source in sources]


def _refuse_unfit(recipe: Recipe | None, tasks: Sequence[Task]) -> None:
    for task in tasks:
        if recipe is not None and not recipe.accepts(task.source.name):
            raise TargetError(
                f"recipe {recipe.name!r} is for {recipe.needs}; {task.source.name!r} is not: leave it out"
            )


def read_context(job: EditJob, workspace: Workspace) -> str:
    """The text of the files given with --context."""
    paths = [workspace.resolve(name, relative_to=Path.cwd()) for name in job.context]
    for path in paths:
        if workspace.is_secret(path) and not job.force:
            raise TargetError(
                f"context {workspace.relative(path)!r} looks like a secret; --force shows it to the model"
            )
    return "\n".join(SourceFile.read(workspace, path).text for path in paths)


def options_of(settings: Settings) -> EditOptions:
    """How the model samples under these settings."""
    return EditOptions(
        candidates=settings.candidates,
        temperature=settings.temperature,
        top_k=settings.top_k,
        threshold=settings.threshold,
        max_rounds=settings.max_rounds,
        seed=settings.seed,
    )


def fill_in(report: Report, proposed: Proposed) -> None:
    """Put the model's part into a report: candidates, counts, seconds."""
    proposals = [result.proposal for result in proposed.regions]
    report.candidates = tuple(CandidateReport(proposed.score(k)) for k in range(proposed.num_patches))
    report.forwards += proposed.forwards
    report.rounds = max((proposal.rounds for proposal in proposals), default=0)
    report.region_tokens = sum(proposal.region_tokens for proposal in proposals)
    report.changed_tokens = sum(candidate.changed_tokens for candidate in proposed.chosen(0))
    report.seconds["model"] += proposed.seconds


def _report_no_edit(report: Report, proposed: Proposed) -> None:
    report.outcome, lines = unedited(proposed)
    for line in lines[:-1]:
        say(line)
    report.message = lines[-1]


def unedited(proposed: Proposed) -> tuple[Outcome, list[str]]:
    """What it means that there is no edit, and why, in one line or more."""
    regions = proposed.regions
    if all(result.is_unchanged for result in regions):
        where = regions[0].place if len(regions) == 1 else f"{len(regions)} regions"
        return "unchanged", [
            f"nothing to change in {where}" if regions else "there is no code in the targets"
        ]
    return "no_edit", complaints(proposed)


def complaints(proposed: Proposed) -> list[str]:
    """Why regions have no edit: a line for each when they are few, for each reason when they are many."""
    without = [result for result in proposed.regions if result.complaint and not result.is_unchanged]
    reasons = Counter(result.complaint for result in without)
    if len(without) == 1 or 1 < len(reasons) <= len(without) <= NUM_COMPLAINTS:
        return [f"{result.place}: {result.complaint}" for result in without]
    return [
        f"{count} region{'s' * (count > 1)}: {reason}"
        for reason, count in reasons.most_common(NUM_COMPLAINTS)
    ]


def _show_prompt(instruction: str, context: str, tasks: Sequence[Task]) -> None:
    """What the model is given, on stderr."""
    say(f"instruction: {instruction}")
    for number, line in enumerate(context.splitlines(), 1):
        say(f"context {number}: {line}")
    for task in tasks:
        for k, region in enumerate(task.regions):
            for line in task.beside[k].splitlines() if task.beside else ():
                say(f"beside {task.source.name}:{region.start + 1}: {line}")
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
