"""One completion from a place in a file to its report: what `seed complete` does, apart from flags and output.

Cheap refusals come first; the model is loaded last.
"""

import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.requests import Completion, CompletionOptions, CompletionRequest, ModelInfo
from seedcli.delivering import deliver, file_changes, recover
from seedcli.errors import ModelError, SeedError, TargetError
from seedcli.model_client import ModelClient, open_model
from seedcli.patches.patch import Patch, file_patch, render
from seedcli.report import CandidateReport, Report, say
from seedcli.repository.regions import parses
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import refuse_protected
from seedcli.repository.workspace import Workspace
from seedcli.settings import Settings, load_settings

_PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(?::(?P<column>\d+))?")


@dataclass(frozen=True, slots=True)
class CompletionJob:
    """Where to complete, and how."""

    target: str
    """`FILE:LINE`, the end of that line, or `FILE:LINE:COL`, before that character; both from 1."""
    apply: bool = False
    """Write the text into the file."""
    lines: int | None = None
    """Lines of the text at most; None for all."""
    context: tuple[str, ...] = ()
    """Files whose text the model sees before that of the file."""
    sampling: dict[str, Any] = field(default_factory=dict)
    """What overrides the settings, by the setting's name; None where nothing does."""
    force: bool = False
    """Read ignored and secret files that are named."""
    allow_broken: bool = False
    """Take a text with which a file no longer parses that did."""
    isolated: bool = False
    """Read no configuration files."""


@dataclass(slots=True)
class Completing:
    """A completion, filled in as it goes."""

    report: Report = field(default_factory=Report)
    text: str = ""
    """What is to stand in the gap; empty unless the model stands by it."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """A place in a file."""

    source: SourceFile
    line: int
    """From 0; one past the last where the file ends in a newline."""
    offset: int
    """In the text of the file."""

    @property
    def name(self) -> str:
        """The place, for people."""
        column = self.offset - self.source.text.rfind("\n", 0, self.offset)
        return f"{self.source.name}:{self.line + 1}:{column}"

    def filled(self, text: str) -> bytes:
        """The file's bytes with `text` in the gap; those of other lines stay."""
        lines = self.source.text.split("\n")
        before = self.source.text.rfind("\n", 0, self.offset) + 1
        column = self.offset - before
        line = lines[self.line]
        is_after_last = self.line == len(lines) - 1 and not line
        end = self.line + (not is_after_last)
        return self.source.replace(self.line, end, line[:column] + text + line[column:])


def run_complete(job: CompletionJob) -> Completing:
    """Do the job. Whatever goes wrong that the user can mend is in the report, not raised."""
    completing = Completing()
    started = time.perf_counter()
    try:
        _complete(job, completing)
    except SeedError as error:
        completing.report.fail(error)
    completing.report.seconds["total"] = time.perf_counter() - started
    return completing


def _complete(job: CompletionJob, completing: Completing) -> None:
    report = completing.report
    workspace = Workspace.discover(Path.cwd())
    settings = load_settings(workspace.root, job.sampling, isolated=job.isolated)
    if job.lines is not None and job.lines < 1:
        raise SeedError(f"--lines must be a whole number from 1, not {job.lines}")
    recover(workspace, "write" if job.apply else "print")
    gap = _read_gap(job, workspace)
    context = _read_context(job, workspace)
    started = time.perf_counter()
    model = open_model(settings.model, settings.weights)
    report.seconds["load"] = time.perf_counter() - started
    report.model_name, report.model_revision = model.info.name, model.info.revision
    if context and not model.info.context_tokens:
        say(f"the model {model.info.name} was trained without context; --context is left out")
        context = ""
    found = _ask(gap, context, model, settings, report)
    text = found.text if job.lines is None else "\n".join(found.text.split("\n")[: job.lines])
    report.candidates = (CandidateReport(found.score),)
    report.outcome, report.message = "no_edit", _complaint(job, gap, found, text, model.info, settings)
    if not report.message:
        completing.text = text
        _deliver(job, completing, gap, workspace)


def _read_gap(job: CompletionJob, workspace: Workspace) -> _Gap:
    match = _PLACE.fullmatch(job.target)
    if match is None:
        raise TargetError(f"{job.target!r} names no place; write FILE:LINE or FILE:LINE:COL")
    path = workspace.resolve(match["path"], relative_to=Path.cwd())
    refuse_protected(workspace, path, match["path"], force=job.force)
    source = SourceFile.read(workspace, path)
    lines = source.text.split("\n")
    line = int(match["line"])
    if not 1 <= line <= len(lines):
        # After the last line ending there is a place, but no line.
        count = len(lines) - (not lines[-1])
        raise TargetError(f"{source.name} has {count} lines, not {line}; give a line of the file")
    width = len(lines[line - 1])
    column = int(match["column"] or width + 1)
    if not 1 <= column <= width + 1:
        raise TargetError(
            f"{source.name}:{line} has {width} characters; give a column from 1 to {width + 1}, not {column}"
        )
    offset = sum(len(text) + 1 for text in lines[: line - 1]) + column - 1
    return _Gap(source, line - 1, offset)


def _read_context(job: CompletionJob, workspace: Workspace) -> str:
    texts = []
    for name in job.context:
        path = workspace.resolve(name, relative_to=Path.cwd())
        refuse_protected(workspace, path, name, force=job.force)
        texts.append(SourceFile.read(workspace, path).text)
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts)


def _ask(gap: _Gap, context: str, model: ModelClient, settings: Settings, report: Report) -> Completion:
    text = gap.source.text
    request = CompletionRequest(context + text[: gap.offset], text[gap.offset :])
    options = CompletionOptions(temperature=settings.temperature, top_k=settings.top_k, seed=settings.seed)
    started = time.perf_counter()
    try:
        (completed,) = model.complete([request], options)
    except EngineError as error:
        raise ModelError(str(error)) from error
    report.seconds["model"] = time.perf_counter() - started
    found = completed.samples[0]
    report.forwards, report.rounds = found.forwards, found.rounds
    report.region_tokens, report.changed_tokens = completed.read_tokens, found.tokens
    return found


def _complaint(
    job: CompletionJob, gap: _Gap, found: Completion, text: str, info: ModelInfo, settings: Settings
) -> str:
    """Why the text found is not given; empty if it is."""
    threshold = info.threshold if settings.threshold is None else settings.threshold
    if found.score < threshold:
        return (
            f"{gap.name}: no completion that the model {info.name} would stand by: "
            f"the best has a score of {found.score:.2f}, below {threshold:.2f}"
        )
    if not text:
        return f"{gap.name}: the model {info.name} would write nothing there"
    if not found.is_whole and text == found.text:
        return f"{gap.name}: the completion found came to no end; --lines N takes its first lines"
    name = gap.source.name
    filled = gap.source.text[: gap.offset] + text + gap.source.text[gap.offset :]
    if not job.allow_broken and parses(gap.source.text, name) and not parses(filled, name):
        return f"{gap.name}: with the completion found the file would not parse; --allow-broken takes it"
    return ""


def _deliver(job: CompletionJob, completing: Completing, gap: _Gap, workspace: Workspace) -> None:
    report, source = completing.report, gap.source
    patch = Patch((file_patch(source.name, source.raw, gap.filled(completing.text)),))
    report.patch, report.files = render(patch), file_changes(patch)
    score = f"score {report.candidates[0].score:.2f}"
    report.outcome, report.message = "proposed", f"{gap.name}: {score}, not written; -y writes"
    if job.apply:
        delivery = deliver(workspace, patch, "write", label=f"complete {gap.name}")
        report.outcome, report.run = delivery.outcome, delivery.run
        report.message = f"{gap.name}: {score}; {delivery.message}"
        report.seconds["apply"] = delivery.seconds
