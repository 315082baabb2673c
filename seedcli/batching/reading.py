"""From a line of the jobs file to the regions that it names and the requests for them.

Knows nothing of answers or results.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.requests import EditOptions, EditRequest
from seedcli.abilities import refuse_untrained
from seedcli.batching.jobs import BatchJob, JobError, JobId, key_of, read_job
from seedcli.batching.state import State
from seedcli.batching.windows import Entry
from seedcli.checking import check_job
from seedcli.edit_job import NEW_FILES, EditJob, options_of, read_context, read_tasks, with_bounds
from seedcli.errors import SeedError, TargetError
from seedcli.proposing import requests_of
from seedcli.repository.targets import parse_target
from seedcli.repository.workspace import Workspace
from seedcli.settings import Settings, load_settings
from seedcli.wording import refuse_text, render_recipe


class JobReader:
    """Reads the jobs of one run."""

    def __init__(
        self,
        workspace: Workspace,
        state: State,
        *,
        sampling: Mapping[str, Any],
        model: str | None,
        isolated: bool,
        is_writing: bool,
    ) -> None:
        """
        Args:
            model: name or folder of the checkpoint that answers.
            sampling: settings of the run, which a job may override; None where nothing is said.
            is_writing: whether jobs are written as they are done: a job that was done cannot be read again.
        """
        self._workspace, self._state = workspace, state
        self._sampling, self._isolated, self._is_writing = sampling, isolated, is_writing
        self._model = model
        self._lines_of_ids: dict[str, int] = {}
        self._settings: dict[str, Settings] = {}

    def read(self, line: bytes, number: int) -> Entry:
        """The job of a line with its regions; its report is complete if it fails already.

        It may be read once more after files have been written.
        """
        try:
            job = read_job(line, number)
            self._refuse_twice(job, number)
        except JobError as error:
            self._note(error.id, number)
            return self._failed(Entry(error.id, key_of(line, number)), error)
        return self._prepared(job, key_of(line))

    def _refuse_twice(self, job: BatchJob, number: int) -> None:
        first = self._note(job.id, number)
        if first != number:
            raise JobError(f"line {number}: the id {job.id!r} stands in line {first} already", job.id)

    def _note(self, id_: JobId, number: int) -> int:
        """The first line with that id, be it a job or not: its result bears the id in either case."""
        # 1 and "1" are one id: there is one patch file for both.
        return number if id_ is None else self._lines_of_ids.setdefault(str(id_), number)

    def _prepared(self, job: BatchJob, key: str) -> Entry:
        entry = Entry(job.id, key, switches=job.switches)
        # A job that is done is read once more where its regions shared model batches with others that are not.
        if self._state.is_settled(key) or (self._is_writing and self._state.is_done(key)):
            entry.is_read = False
            return entry
        started = time.perf_counter()
        try:
            self._fill(entry, job)
        except SeedError as error:
            self._failed(entry, error)
        entry.report.seconds["context"] = time.perf_counter() - started
        return entry

    def _failed(self, entry: Entry, error: SeedError) -> Entry:
        entry.report.fail(error)
        entry.has_failed, entry.tasks = True, ()
        entry.is_read = not self._state.is_settled(entry.key)
        return entry

    def _fill(self, entry: Entry, job: BatchJob) -> None:
        """Read what the job names."""
        recipe, entry.instruction = None, job.instruction
        if job.recipe is not None:
            recipe, entry.instruction = render_recipe(self._workspace, job.recipe, job.variables)
            refuse_text(recipe)
        refuse_untrained(self._model, recipe, beyond=NEW_FILES if job.new else "")
        entry.settings = self._settings_for(job)
        allowed = "allow_new_names" in job.switches
        entry.options = options_of(entry.settings, new_names=allowed, judged=job.check is not None)
        entry.check = check_job(
            job.check, all="check_all" in job.switches, in_place=False, tries=None, flags=job.sampling
        )
        reading = EditJob((), new=job.new, context=job.context, force="force" in job.switches)
        targets = [self._moved(target) for target in job.targets]
        tasks = read_tasks(reading, self._workspace, recipe, targets)
        entry.tasks = with_bounds(self._workspace, entry.instruction, tasks)
        names = [task.source.name for task in entry.tasks]
        entry.versions = {name: self._state.moves.count(name) for name in names}
        context = read_context(reading, self._workspace)
        paths = (self._workspace.resolve(name, relative_to=Path.cwd()) for name in job.context)
        entry.context_files = tuple(self._workspace.relative(path) for path in paths)
        requests = requests_of(
            entry.tasks, entry.instruction, context=context, allow_broken="allow_broken" in job.switches
        )
        entry.order = tuple(_request_key(request, entry.options) for request in requests)
        entry.requests = dict(zip(entry.order, requests, strict=True))

    def _settings_for(self, job: BatchJob) -> Settings:
        key = json.dumps(job.sampling, sort_keys=True)
        if key not in self._settings:
            flags = {**self._sampling, **job.sampling}
            self._settings[key] = load_settings(self._workspace.root, flags, isolated=self._isolated)
        return self._settings[key]

    def _moved(self, target: str) -> str:
        """A target whose lines, if it names any, are those of the file as it is now."""
        parsed = parse_target(target)
        if parsed.lines is None:
            return target
        path = self._workspace.resolve(parsed.path, relative_to=Path.cwd())
        if path.is_dir():
            return target
        first, last = parsed.lines
        start, end = self._state.moves.span(self._workspace.relative(path), first - 1, last)
        if start >= end:
            raise TargetError(f"{target}: an earlier job of this run has removed these lines")
        return f"{parsed.path}:{start + 1}-{end}"


def _request_key(request: EditRequest, options: EditOptions) -> str:
    text = json.dumps([asdict(request), asdict(options)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]
