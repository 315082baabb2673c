"""From the answers for a job to its result: the patch, written or not, and the report.

Knows nothing of windows, of other jobs' lines, or of who hears of results.
"""

import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from seedcli.accounting import complaints, fill_in, unedited
from seedcli.batching.jobs import JobId
from seedcli.batching.moves import edits_of
from seedcli.batching.state import Intent, State
from seedcli.batching.windows import Entry
from seedcli.checking import open_checker
from seedcli.delivering import file_changes, journal_of, recover, summary
from seedcli.errors import ConflictError, SeedError, TargetError
from seedcli.patches.apply import apply_patch
from seedcli.patches.patch import Patch, render
from seedcli.proposing import Proposed, Task, checked
from seedcli.report import Report, say
from seedcli.repository.regions import lines_region
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace

LONGEST_NAME = 200
"""Characters of a patch's file name; longer ids are cut and told apart by a hash."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What happens to a job's patch."""

    apply: bool = False
    """It is written."""
    exit_zero: bool = False
    """A proposal that was not written counts as success."""
    patch_folder: Path | None = None
    """Where it is also put, as a patch."""


class ResultMaker:
    """Makes the results of one run; whatever it does is in the state when it is done."""

    def __init__(self, workspace: Workspace, state: State, delivery: Delivery) -> None:
        self._workspace, self._state, self._delivery = workspace, state, delivery
        self._journal = journal_of(workspace)

    def recover(self) -> None:
        """Set right what a run that was cut short left half written, and finish the job whose files it did write."""
        recover(self._workspace, "write" if self._delivery.apply else "print")
        if not self._delivery.apply:
            return
        intent = self._state.intent
        if intent is not None and all(self._holds(name, digest) for name, digest in intent.files.items()):
            runs = (
                run.id
                for run in self._journal.runs()
                if run.state == "applied" and set(run.files) == set(intent.files)
            )
            result = {**intent.result, "run": next(runs, None)}
            self._state.finish(intent.job, intent.code, json.dumps(result), intent.edits)

    def _holds(self, name: str, digest: str) -> bool:
        try:
            held = self._workspace.locate(name).read_bytes()
        except (OSError, TargetError):
            return False
        return hashlib.sha256(held).hexdigest() == digest

    def make(self, entry: Entry) -> tuple[int, str]:
        """Exit code and result of a job whose answers are known; what fails is in the result."""
        report, patch = entry.report, Patch(())
        try:
            if not entry.has_failed:
                patch = self._propose(entry)
        except SeedError as error:
            report.fail(error)
        report.seconds["total"] = sum(report.seconds.values())
        edits = edits_of(patch) if report.outcome == "applied" else {}
        code, result = self._code(entry), _as_json(entry.id, report)
        self._state.finish(entry.key, code, result, edits)
        return code, result

    def _propose(self, entry: Entry) -> Patch:
        """Fill in the report; the patch, if there is one. With `apply` it has been written."""
        report = entry.report
        if entry.order:
            report.model_name, report.model_revision = self._state.model
        proposed = self._proposed(entry)
        fill_in(report, proposed)
        if not proposed.num_patches:
            report.outcome, lines = unedited(proposed)
            report.message = "; ".join(lines)
            return Patch(())
        proposed, k = self._chosen(entry, proposed)
        patch = proposed.patch(k)
        report.changed_tokens = sum(candidate.changed_tokens for candidate in proposed.chosen(k))
        report.patch, report.files = render(patch), file_changes(patch)
        ending = "`seed undo` takes it back" if self._delivery.apply else "not written; -y writes"
        report.message = "; ".join([f"{summary(patch)}, {ending}", *complaints(proposed)])
        report.outcome = "applied" if self._delivery.apply else "proposed"
        self._save_patch(entry)
        if self._delivery.apply:
            self._write(entry, patch)
        return patch

    def _chosen(self, entry: Entry, proposed: Proposed) -> tuple[Proposed, int]:
        """Which of the changes is the job's: the best, or the first that passes its check."""
        with open_checker(self._workspace, entry.check, entry.settings) as checker:
            if checker is None:
                return proposed, 0
            try:
                return checker.choose(proposed, entry.instruction, _draw_no_more)
            finally:
                entry.report.candidates = tuple(checker.candidates)
                entry.report.seconds["check"] = checker.seconds

    def _proposed(self, entry: Entry) -> Proposed:
        answers = [self._state.answers[key] for key in entry.order]
        tasks = [self._current(task, entry) for task in entry.tasks] if self._delivery.apply else entry.tasks
        forwards: dict[int, int] = {}
        for answer in answers:
            forwards[answer.batch] = max(forwards.get(answer.batch, 0), answer.proposal.forwards)
        return checked(
            tasks,
            [answer.proposal for answer in answers],
            forwards=sum(forwards.values()),
            seconds=sum(answer.seconds for answer in answers),
            allow_broken="allow_broken" in entry.switches,
            most=entry.options.candidates,
        )

    def _current(self, task: Task, entry: Entry) -> Task:
        """The task in its file as it is after the edits of jobs before; they left its regions alone."""
        name = task.source.name
        since, moves = entry.versions[name], self._state.moves
        if moves.count(name) == since:
            return task
        source = SourceFile.read(self._workspace, task.source.path)
        regions = []
        for region in task.regions:
            start, end = moves.span(name, region.start, region.end, since)
            found = lines_region(source, start, end)
            if found.text != region.text:
                raise ConflictError(
                    f"{name} changed since it was read; nothing was written; run the job again"
                )
            regions.append(replace(region, start=start, end=end))
        return replace(task, source=source, regions=tuple(regions))

    def _write(self, entry: Entry, patch: Patch) -> None:
        """Write the patch; should the run be cut short, it can tell whether it was."""
        report = entry.report
        files = {file.path: hashlib.sha256(file.new or b"").hexdigest() for file in patch.files}
        result = json.loads(_as_json(entry.id, report))
        self._state.intend(Intent(entry.key, files, self._code(entry), result, edits_of(patch)))
        started = time.perf_counter()
        report.run = apply_patch(self._workspace, patch, self._journal, label=entry.instruction, warn=say)
        report.seconds["apply"] = time.perf_counter() - started

    def _code(self, entry: Entry) -> int:
        return entry.report.exit_code(
            exit_zero=self._delivery.exit_zero or "exit_zero" in entry.switches,
            expect_change="expect_change" in entry.switches,
        )

    def _save_patch(self, entry: Entry) -> None:
        if self._delivery.patch_folder is None:
            return
        path = self._delivery.patch_folder / patch_name(entry.id)
        try:
            path.write_bytes(entry.report.patch)
        except OSError as error:
            raise ConflictError(
                f"the patch {path} cannot be written: {error.strerror}; nothing was written"
            ) from None


def _draw_no_more(*again: object) -> Proposed:
    raise AssertionError(f"a job's candidates are drawn once; asked for more with {again}")


def patch_name(id_: JobId) -> str:
    """The name of a job's patch file: its id, with what no file name should hold as `%XX`."""
    name = quote(str(id_), safe=" +=,@")
    name = name.replace(".", "%2E", 1) if name.startswith(".") else name
    if len(name) > LONGEST_NAME:
        name = name[:LONGEST_NAME] + "-" + hashlib.sha256(name.encode()).hexdigest()[:16]
    return name + ".patch"


def _as_json(id_: JobId, report: Report) -> str:
    """The object of the contract with the job's id before all."""
    return json.dumps({"id": id_, **json.loads(report.as_json())})
