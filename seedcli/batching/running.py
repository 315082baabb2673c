"""A run of many jobs: lines -> windows -> model batches -> patches -> results, each result once.

The tree is only read, or with `apply` written job by job; a job that fails stops no other. Whatever is done is in the
state before anybody hears of it. Knows nothing of flags.
"""

import fcntl
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.requests import ModelInfo
from seedcli.batching.distributed import Answered, Batch, RayWorkers
from seedcli.batching.reading import JobReader
from seedcli.batching.results import Delivery, ResultMaker
from seedcli.batching.state import State
from seedcli.batching.windows import Entry, Window
from seedcli.errors import SettingsError, TargetError
from seedcli.model_client import ModelClient, open_model
from seedcli.progress import Progress
from seedcli.report import say
from seedcli.repository.workspace import Workspace
from seedcli.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class BatchWish:
    """What the whole run is to do."""

    delivery: Delivery
    unordered: bool = False
    """Tell results as they are known, not in the order of the jobs."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """What overrides the settings, the model among them; None where nothing does."""
    isolated: bool = False
    """Read no configuration files."""
    ray: str | None = None
    """Address of the Ray cluster whose machines hold the model; None for this process."""
    workers: int | None = None
    """How many of them."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a run keeps what it has done."""

    path: Path | None = None
    """None for next to the jobs; of jobs on stdin, nowhere."""
    resume: bool = True
    """Go on with what is there."""


@dataclass(slots=True)
class Totals:
    """What became of the jobs."""

    jobs: int = 0
    failed: int = 0
    """Those whose exit code is not 0."""


def run_batch(jobs: str, wish: BatchWish, resumption: Resumption, tell: Callable[[bytes], None]) -> Totals:
    """Do the jobs of a file, or of stdin for `-`.

    Args:
        tell: given each result, a JSON object on a line, each once; those of the run that this one goes on with come
            again, so that the whole answer is told.

    Raises:
        SeedError: the run cannot begin or go on. What fails in one job is in its result.
    """
    workspace = Workspace.discover(Path.cwd()).with_listing()
    settings = load_settings(workspace.root, wish.sampling, isolated=wish.isolated)
    if wish.delivery.patch_folder:
        _make_folder(wish.delivery.patch_folder)
    with open_lines(jobs) as (lines, total):
        path = resumption.path or (None if jobs == "-" else Path(jobs + ".state"))
        header = {
            "version": 1,
            "root": str(workspace.root),
            "folder": str(Path.cwd()),
            "apply": wish.delivery.apply,
            "exit_zero": wish.delivery.exit_zero,
            "settings": asdict(settings),
        }
        with (
            State(path, header, resume=resumption.resume) as state,
            Progress(total, "jobs", "regions") as progress,
        ):
            if state.num_done or state.answers:
                _refuse_doubling(state)
                say(f"going on with {path}: {state.num_done} jobs are done")
            with ExitStack() as stack:
                totals = BatchRun(wish, workspace, settings, state, progress, stack).run(lines, tell)
            state.remove()
    return totals


@contextmanager
def open_lines(jobs: str) -> Iterator[tuple[Iterable[bytes], int | None]]:
    """The lines of a jobs file, or of stdin for `-`, and how many jobs there are, where that is known."""
    if jobs == "-":
        if sys.stdin is None:
            raise TargetError("jobs '-': stdin is closed; pipe jobs into it, one a line")
        yield sys.stdin.buffer, None
        return
    try:
        with open(jobs, "rb") as file:
            total = sum(bool(line.strip()) for line in file)
            file.seek(0)
            yield file, total
    except OSError as error:
        if error.filename != jobs:
            raise
        raise TargetError(
            f"the jobs {jobs!r} cannot be read: {error.strerror}; name a file of jobs"
        ) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TargetError(f"the folder {folder} cannot be made: {error.strerror}; name another") from None


def _refuse_doubling(state: State) -> None:
    """A run that goes on tells all results: appended to those of the run before they would stand twice."""
    try:
        descriptor = sys.__stdout__.fileno() if sys.__stdout__ else -1
        found = os.fstat(descriptor)
    except (OSError, ValueError):
        return
    appends = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
    if stat.S_ISREG(found.st_mode) and appends and found.st_size:
        raise SettingsError(
            f"stdout is appended to a file that holds results; {state.path} holds them too: write with > anew"
        )


class Alone:
    """Answers in this process, batch after batch."""

    def __init__(self, model: ModelClient) -> None:
        self._model = model

    def ask(self, batches: Sequence[Batch], know: Callable[[ModelInfo], None]) -> Iterator[Answered]:
        """The answers to every batch, in order; `know` is told before who answers."""
        know(self._model.info)
        for number, (options, requests) in enumerate(batches):
            started = time.perf_counter()
            proposals = self._model.propose(requests, options)
            yield Answered(number, proposals, time.perf_counter() - started)


class BatchRun:
    """One run over a jobs file."""

    def __init__(
        self,
        wish: BatchWish,
        workspace: Workspace,
        settings: Settings,
        state: State,
        progress: Progress,
        stack: ExitStack,
    ) -> None:
        """
        Args:
            stack: ends what the run starts.
        """
        self._wish, self._settings = wish, settings
        self._state, self._progress = state, progress
        self._jobs = JobReader(
            workspace,
            state,
            sampling=wish.sampling,
            model=settings.model,
            isolated=wish.isolated,
            is_writing=wish.delivery.apply,
        )
        self._results = ResultMaker(workspace, state, wish.delivery)
        self._stack = stack
        self._asker: Alone | RayWorkers | None = None
        self._totals = Totals()

    def run(self, lines: Iterable[bytes], tell: Callable[[bytes], None]) -> Totals:
        """Do every job.

        Args:
            tell: given each result, a JSON object on a line, once it is in the state.

        Raises:
            ModelError: there is no usable model.
        """
        self._results.recover()
        window = Window(is_writing=self._wish.delivery.apply)
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            entry = self._jobs.read(line, number)
            if not window.takes(entry):
                window = self._work(window, tell)
                entry = self._jobs.read(line, number)
            window.add(entry)
            if window.is_full or window.needs_nothing or entry.key == self._state.last_of_window:
                window = self._work(window, tell)
        self._work(window, tell)
        return self._totals

    def _work(self, window: Window, tell: Callable[[bytes], None]) -> Window:
        """Bring a window's jobs to their results; the next window."""
        if window.needs_nothing:
            self._tell_ready(window, tell)
        else:
            self._state.begin_window(window.entries[-1].key)
            if not self._wish.delivery.apply:
                self._tell_ready(window, tell)
            for _ in self._answered(window):
                if not self._wish.delivery.apply:
                    self._tell_ready(window, tell)
            self._tell_ready(window, tell)
            self._state.settle()
        return Window(is_writing=self._wish.delivery.apply)

    def _answered(self, window: Window) -> Iterator[None]:
        """Ask what is not answered yet; goes on after each model batch."""
        batches = [
            (options, requests)
            for options, requests in window.batches()
            if not all(key in self._state.answers for key in requests)
        ]
        if not batches:
            return
        asker = self._opened()
        asked = [(options, list(requests.values())) for options, requests in batches]
        for number, proposals, seconds in asker.ask(asked, self._know):
            requests = batches[number][1]
            self._state.add_answers(dict(zip(requests, proposals, strict=True)), seconds)
            self._progress.advance(parts=len(requests))
            yield

    def _know(self, info: ModelInfo) -> None:
        """Who answers; another one than before is refused."""
        self._state.use_model({"name": info.name, "revision": info.revision, "dtype": info.dtype})

    def _opened(self) -> "Alone | RayWorkers":
        if self._asker is None:
            wish, model = self._wish, (self._settings.model, self._settings.weights)
            if wish.ray is None:
                self._asker = Alone(open_model(*model))
            else:
                self._asker = self._stack.enter_context(RayWorkers(wish.ray, wish.workers, model))
        return self._asker

    def _tell_ready(self, window: Window, tell: Callable[[bytes], None]) -> None:
        """Put out every result that is known; in order, none before those of the lines before it."""
        for entry in window.entries:
            if entry.is_told:
                continue
            if not all(key in self._state.answers for key in entry.order):
                if self._wish.unordered:
                    continue
                break
            tell(self._result(entry).encode() + b"\n")
            entry.is_told = True

    def _result(self, entry: Entry) -> str:
        """The job's result, made now unless it is in the state."""
        if self._state.is_done(entry.key):
            code, result = self._state.result(entry.key)
            self._progress.skip()
        else:
            code, result = self._results.make(entry)
            self._progress.advance(1)
        self._totals.jobs += 1
        self._totals.failed += code != 0
        return result
