"""What one edit is to do: its options, and the instruction, files and regions that they come to.

Knows nothing of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.requests import EditOptions
from prompts.recipes import Recipe
from seedcli.errors import SeedError, TargetError
from seedcli.finding.across import with_users
from seedcli.finding.choosing import can_ask
from seedcli.finding.traced import Traced
from seedcli.proposing import Task
from seedcli.report import say
from seedcli.repository.new_files import WHOLE, new_file
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import expand, parse_target
from seedcli.repository.workspace import Workspace
from seedcli.settings import Settings
from seedcli.versioning import RESOLVE, GitWish, changed_tasks, conflict_tasks, with_tales
from seedcli.wording import VARIABLE, bounds_of, pair, refuse_text, render_recipe, stdin_bytes, with_stdin

NEW_FILES = "write new files"
"""What `--new` asks of a model."""


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
    allow_new_names: bool = False
    """Offer edits with names that nothing defines, also where no check judges them."""
    isolated: bool = False
    """Read no configuration files."""
    check: str | None = None
    """The command that decides among the candidates; None for the model alone."""
    check_all: bool = False
    check_first: bool = False
    """Check the tree as it is, too: what fails says what is edited, and what is wrong."""
    check_in_place: bool = False
    tries: int | None = None
    traceback: str | None = None
    """A file with what a run that failed printed, or `-` for stdin: it says what is edited, and what is wrong."""
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
        elsewhere = self.uses or self.top is not None or bool(self.new)
        if self.traceback is not None and (elsewhere or self.git.finds_targets):
            raise TargetError(
                "--traceback says what to edit; leave out --uses, --top, --new and what git finds"
            )
        if self.check_first and (elsewhere or self.git.conflicts or self.traceback is not None):
            raise TargetError(
                "--check-first says what to edit; leave out --uses, --top, --new, --conflicts and --traceback"
            )


def read_words(job: EditJob, workspace: Workspace) -> tuple[Recipe | None, str, list[str]]:
    """The recipe if there is one, the instruction, and the targets."""
    if job.traceback == "-" and "-" in job.words:
        raise TargetError("--traceback - and target '-' both read stdin; give one of them as a file")
    may_lack = bool(job.traceback or job.check_first or job.git.finds_targets or job.new)
    may_lack = may_lack or (not job.uses and (job.top is not None or can_ask()))
    if job.git.conflicts:
        return None, RESOLVE, with_stdin([word for word in job.words if word], may_lack=may_lack)
    if job.recipe is None:
        instruction, *targets = job.words
        if not instruction.strip():
            raise SeedError("the instruction is empty; say what to do, or give --recipe NAME")
        _refuse_half_characters(instruction)
        missing = f"after the instruction {instruction!r}"
        return None, instruction, with_stdin(targets, missing=missing, may_lack=may_lack)
    variables = dict(pair(word) for word in job.words if VARIABLE.match(word))
    targets = [word for word in job.words if word and not VARIABLE.match(word)]
    recipe, instruction = render_recipe(workspace, job.recipe, variables)
    refuse_text(recipe)
    _refuse_half_characters(instruction)
    missing = f"for the recipe {job.recipe!r}"
    return recipe, instruction, with_stdin(targets, missing=missing, may_lack=may_lack)


def _refuse_half_characters(instruction: str) -> None:
    try:
        instruction.encode()
    except UnicodeEncodeError:
        raise SeedError(f"the instruction {instruction!r} is not UTF-8; give it in UTF-8") from None


def find_tasks(
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
    if job.traceback is not None:
        tasks = after_failure(workspace, _printed(job.traceback), tasks)
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


def with_bounds(workspace: Workspace, instruction: str, tasks: Sequence[Task]) -> list[Task]:
    """The tasks, with the bounds of a recipe that the instruction says: where it finds nothing to do, what may go.

    Raises:
        SeedError: a recipe of the workspace is broken.
    """
    bounds = bounds_of(workspace, instruction)
    return [
        task
        if task.creates
        else replace(
            task,
            idle=frozenset(i for i, region in enumerate(task.regions) if not bounds.concerns(region.text)),
            may_change=bounds.may_change,
            law=bounds.law,
        )
        for task in tasks
    ]


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


def after_check(
    job: EditJob, workspace: Workspace, instruction: str, printed: str, tasks: Sequence[Task]
) -> list[Task]:
    """The tasks after a check of the tree as it is has failed; raises as `after_failure` does."""
    found = after_failure(workspace, printed, tasks)
    return with_bounds(workspace, instruction, found if tasks else with_tales(job.git, workspace, found))


def after_failure(workspace: Workspace, printed: str, tasks: Sequence[Task]) -> list[Task]:
    """What is edited after a failed run, and what is told of it: of the tasks, if there are any.

    Raises:
        TargetError: what it printed tells nothing, or names no code that may be edited where there are no tasks.
    """
    traced = Traced.read(workspace, printed, cwd=Path.cwd())
    if not tasks:
        found = traced.tasks()
        if traced.is_of_tests:
            count = sum(len(task.regions) for task in found)
            say(
                f"the failure names tests alone: looking at {count} function{'s' * (count > 1)} that they use"
            )
        return found
    told = traced.told(tasks)
    if not any(task.hints for task in told):
        say("nothing in the targets came up in the failure: the model is told nothing of it")
    return told


def _printed(name: str) -> str:
    """What a run printed, from a file or from stdin."""
    if name != "-":
        try:
            return Path(name).read_text(errors="replace")
        except OSError as error:
            raise TargetError(f"--traceback {name}: {error.strerror}; give a file, or - for stdin") from error
    return stdin_bytes("--traceback -", "pipe into it what the run printed").decode(errors="replace")


def read_context(job: EditJob, workspace: Workspace) -> str:
    """The text of the files given with --context."""
    paths = [workspace.resolve(name, relative_to=Path.cwd()) for name in job.context]
    for path in paths:
        if workspace.is_secret(path) and not job.force:
            raise TargetError(
                f"context {workspace.relative(path)!r} looks like a secret; --force shows it to the model"
            )
    return "\n".join(SourceFile.read(workspace, path).text for path in paths)


def options_of(settings: Settings, *, new_names: bool, judged: bool, needed: bool = False) -> EditOptions:
    """How the model samples under these settings.

    Args:
        new_names: whether names that nothing defines are allowed.
        judged: whether a check decides: it may find them defined, and right what the model is not sure of.
        needed: whether it has failed, so that something must change.
    """
    return EditOptions(
        new_names=new_names or judged,
        judged=judged,
        needed=needed,
        candidates=settings.candidates,
        temperature=settings.temperature,
        top_k=settings.top_k,
        threshold=settings.threshold,
        max_rounds=settings.max_rounds,
        seed=settings.seed,
    )
