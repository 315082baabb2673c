"""Model batches on several machines through Ray: each worker holds the model, and answers one batch at a time.

Nothing but questions and answers leaves this process: jobs, state and files stay where the run was started. A batch
whose worker has died is asked again elsewhere, and a new worker is started in its place. Ray is imported only here.
"""

import importlib
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, redirect_stdout
from types import TracebackType
from typing import Any, NamedTuple, Self

from engine.errors import EngineError
from engine.requests import EditOptions, EditRequest, ModelInfo, Proposal
from seedcli.errors import ModelError, SeedError, SettingsError
from seedcli.model_client import ModelClient, open_model
from seedcli.report import say

LOCAL = "local"
"""The address of a Ray that is started on this machine for the run."""
MOST_DEATHS = 3
"""Workers that may die over one batch."""

Batch = tuple[EditOptions, Sequence[EditRequest]]


class Answered(NamedTuple):
    """What came of one batch."""

    number: int
    """Of the batch, in the order in which they were given."""
    proposals: list[Proposal]
    seconds: float
    """Wall time in the worker."""


class _Worker:
    """What runs on another machine: a model."""

    def __init__(self, model: str | None, weights: str | None) -> None:
        self._model: ModelClient = open_model(model, weights)

    def introduce(self) -> tuple[ModelInfo, str, int]:
        """The model, the machine's name, the process."""
        return self._model.info, os.uname().nodename, os.getpid()

    def answer(self, batch: Batch) -> tuple[list[Proposal], float]:
        options, requests = batch
        started = time.perf_counter()
        return self._model.propose(list(requests), options), time.perf_counter() - started


class RayWorkers:
    """Workers of a Ray cluster, as a context."""

    def __init__(self, address: str, count: int | None, model: tuple[str | None, str | None]) -> None:
        """
        Args:
            address: of a cluster that runs, `auto` for the one that this machine belongs to, or `LOCAL`.
            count: of workers; None for one for each GPU, else one for each machine.
            model: name or folder of the checkpoint, the same on every machine, and how its weights are held.

        Raises:
            SettingsError: Ray is not installed, or there is no cluster at that address.
        """
        self._ray = _imported()
        self._stack = ExitStack()
        self._model = model
        self._deaths: Counter[int] = Counter()
        try:
            self._ray.init(
                address=None if address == LOCAL else address,
                num_cpus=count if address == LOCAL else None,
                include_dashboard=False if address == LOCAL else None,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            first = str(error).splitlines()[0]
            raise SettingsError(
                f"no Ray cluster at {address!r} ({first}); start one, or give `local`"
            ) from None
        gpus = int(self._ray.cluster_resources().get("GPU", 0))
        self._needs = {"num_gpus": 1} if gpus else {"num_cpus": 1}
        self._idle: list[Any] = []
        self._starting: dict[Any, Any] = {}
        for _ in range(count or gpus or len(self._ray.nodes())):
            self._start()

    def ask(self, batches: Sequence[Batch], know: Callable[[ModelInfo], None]) -> Iterator[Answered]:
        """The answers to every batch, each once, as they come.

        Args:
            know: told who answers, before the first answer.

        Raises:
            ModelError: the model cannot be loaded, or workers keep dying.
        """
        waiting, running = deque(range(len(batches))), dict[Any, tuple[Any, int]]()
        self._deaths.clear()
        while waiting or running:
            while waiting and self._idle:
                worker, k = self._idle.pop(), waiting.popleft()
                running[worker.answer.remote(batches[k])] = worker, k
            (ended, *_), _ = self._ray.wait([*running, *self._starting], num_returns=1)
            if ended in self._starting:
                know(self._introduced(ended))
                continue
            worker, k = running.pop(ended)
            try:
                proposals, seconds = self._ray.get(ended)
            except self._ray.exceptions.RayActorError:
                self._bury(k)
                waiting.appendleft(k)
            except (SeedError, EngineError) as error:
                raise ModelError(f"a worker could not answer: {error}") from None
            else:
                self._idle.append(worker)
                yield Answered(k, proposals, seconds)

    def _start(self) -> None:
        remote = self._ray.remote(**self._needs, max_restarts=0)(_Worker)
        worker = remote.remote(*self._model)
        self._starting[worker.introduce.remote()] = worker

    def _introduced(self, ended: Any) -> ModelInfo:
        """A worker is ready, unless it died over loading the model; which model."""
        worker = self._starting.pop(ended)
        info: ModelInfo
        try:
            info, machine, process = self._ray.get(ended)
        except self._ray.exceptions.RayActorError as error:
            raise ModelError(f"a worker could not load the model: {_last_line(error)}") from None
        say(f"a worker is ready on {machine}, process {process}, with {info.name} {info.revision}")
        self._idle.append(worker)
        return info

    def _bury(self, batch: int) -> None:
        """A worker died over a batch: another one takes its place."""
        self._deaths[batch] += 1
        if self._deaths[batch] >= MOST_DEATHS:
            raise ModelError(f"{MOST_DEATHS} workers died over the same {batch + 1}. batch of the window")
        say("a worker has died; what it was asked is asked again")
        self._start()

    def __enter__(self) -> Self:
        # Ray prints what goes on in the cluster; stdout is for answers.
        nowhere = self._stack.enter_context(open(os.devnull, "w"))
        self._stack.enter_context(redirect_stdout(nowhere))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ray.shutdown()
        self._stack.close()


def _imported() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.exceptions")
    except ImportError:
        raise SettingsError("Ray is not installed; install seedcli[ray], or leave out --ray") from None
    return ray


def _last_line(error: Exception) -> str:
    return ([line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__])[-1]
