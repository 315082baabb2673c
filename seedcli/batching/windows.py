"""A window: jobs whose regions are read together and share model batches.

How jobs fall into windows, and requests into batches, follows from the jobs and the files alone: a run that goes on
makes the same batches, so that its answers are the same to the last digit. Knows nothing of results.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from engine.requests import EditOptions, EditRequest
from seedcli.batching.jobs import JobId
from seedcli.checking import CheckJob
from seedcli.proposing import BATCH, Task
from seedcli.report import Report
from seedcli.settings import Settings

REGIONS = 512
"""Regions after which a window is full: enough to sort by length, few enough for any memory."""
JOBS = 4096
"""Jobs after which it is, however few regions they have."""


@dataclass(slots=True)
class Entry:
    """One job in a window."""

    id: JobId
    key: str
    """What the state knows it by."""
    report: Report = field(default_factory=Report)
    instruction: str = ""
    switches: frozenset[str] = frozenset()
    options: EditOptions = field(default_factory=EditOptions)
    settings: Settings = field(default_factory=Settings)
    check: CheckJob | None = None
    """What decides among its candidates."""
    tasks: Sequence[Task] = ()
    versions: dict[str, int] = field(default_factory=dict)
    """How many edits each of its files had seen when it was read."""
    context_files: tuple[str, ...] = ()
    requests: dict[str, EditRequest] = field(default_factory=dict)
    """Distinct ones by what identifies them; empty where there is nothing to ask."""
    order: tuple[str, ...] = ()
    """The request of each region."""
    is_read: bool = True
    """False for a job that was done before: its result stands, nobody asks for its regions."""
    has_failed: bool = False
    """Its report is complete already."""
    is_told: bool = False
    """Its result has been put out."""


class Window:
    """Jobs in the order of their lines."""

    def __init__(self, *, is_writing: bool) -> None:
        """
        Args:
            is_writing: whether files are written: then no job may read what another one of the window changes.
        """
        self.entries: list[Entry] = []
        self._is_writing = is_writing
        self._num_regions = 0
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._contexts: set[str] = set()

    @property
    def is_full(self) -> bool:
        return self._num_regions >= REGIONS or len(self.entries) >= JOBS

    @property
    def needs_nothing(self) -> bool:
        """Whether all its jobs were done before."""
        return not any(entry.is_read for entry in self.entries)

    def takes(self, entry: Entry) -> bool:
        """Whether a job may join: what it reads is not what a job before it changes, nor the other way round.

        Nor may one that cannot be read yet: a job before it may make what it names.
        """
        if not self._is_writing:
            return True
        if entry.has_failed:
            return not self._spans
        return not (
            any(name in self._spans for name in entry.context_files)
            or any(task.source.name in self._contexts or self._meets(task) for task in entry.tasks)
        )

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self._num_regions += len(entry.order)
        self._contexts |= set(entry.context_files)
        for task in entry.tasks if self._is_writing else ():
            self._spans.setdefault(task.source.name, []).extend((r.start, r.end) for r in task.regions)

    def batches(self) -> Iterator[tuple[EditOptions, dict[str, EditRequest]]]:
        """Distinct requests with the same options, of like length, as many as go to the model in one call."""
        by_options: dict[EditOptions, dict[str, EditRequest]] = {}
        for entry in self.entries:
            by_options.setdefault(entry.options, {}).update(entry.requests)
        for options, requests in by_options.items():
            keys = sorted(requests, key=lambda key: len(requests[key].region))
            for start in range(0, len(keys), BATCH):
                yield options, {key: requests[key] for key in keys[start : start + BATCH]}

    def _meets(self, task: Task) -> bool:
        spans = self._spans.get(task.source.name, ())
        return (task.creates and bool(spans)) or any(
            r.start < end and start < r.end for r in task.regions for start, end in spans
        )
