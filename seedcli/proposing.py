"""One edit from regions to a checked patch: regions -> requests -> model -> validated candidates -> patch.

The story of an edit in one file. Knows nothing of flags, of screens, or of writing files.
"""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine.requests import Candidate, EditOptions, EditRequest, Proposal
from seedcli.errors import TargetError
from seedcli.model_client import ModelClient
from seedcli.patches.patch import FilePatch, Patch, file_patch
from seedcli.repository.regions import Region, parses
from seedcli.repository.source import SourceFile

BATCH = 64
"""Regions that go to the model in one call; progress is reported after each."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of one file."""

    source: SourceFile
    regions: tuple[Region, ...]
    """In order of lines, without overlap."""


@dataclass(frozen=True, slots=True)
class RegionResult:
    """What became of one region."""

    task: Task
    region: Region
    proposal: Proposal
    usable: tuple[Candidate, ...]
    """The candidates that may be offered, best first: they change the file and do not break it."""
    fault: str
    """What is wrong with the best candidate that may not be offered; empty if all may."""

    @property
    def place(self) -> str:
        """Where the region is, for people."""
        return f"{self.task.source.name}:{self.region.start + 1} {self.region.symbol}".strip()

    @property
    def is_unchanged(self) -> bool:
        """Whether the model is sure that nothing needs to change."""
        return self.proposal.verdict == "unchanged"

    @property
    def complaint(self) -> str:
        """Why there is no edit, in one sentence; empty when there is one."""
        if self.usable:
            return ""
        return self.fault or self.proposal.message or self.proposal.verdict


@dataclass(frozen=True, slots=True)
class Proposed:
    """The answer for all regions."""

    results: tuple[tuple[RegionResult, ...], ...]
    """For each file, one result for each of its regions."""
    forwards: int
    """Forward passes; the regions of one call share them."""
    seconds: float
    """Wall time in the model."""

    @property
    def regions(self) -> list[RegionResult]:
        """Every region's result, in order."""
        return list(itertools.chain.from_iterable(self.results))

    @property
    def num_patches(self) -> int:
        """How many whole changes there are to choose from."""
        return max((len(result.usable) for result in self.regions), default=0)

    def patch(self, k: int) -> Patch:
        """The k-th best whole change: each region's k-th candidate, or its last. Empty without any edit."""
        files = (_file_patch(results, k) for results in self.results)
        return Patch(tuple(file for file in files if file is not None))

    def chosen(self, k: int) -> list[Candidate]:
        """The candidates that the k-th change is made of."""
        return [_at(result, k) for result in self.regions if result.usable]

    def score(self, k: int) -> float:
        """A change is as sure as the least sure of its edits."""
        return min(candidate.score for candidate in self.chosen(k))


def propose(
    tasks: Sequence[Task],
    instruction: str,
    model: ModelClient,
    options: EditOptions,
    *,
    context: str = "",
    allow_broken: bool = False,
    progress: Callable[[int, int], None],
) -> Proposed:
    """Ask the model about every region, and check what it says.

    Args:
        context: text that the model sees beside each region.
        allow_broken: offer edits that break a file that parsed.
        progress: called with the number of regions done and of all.
    """
    requests = [EditRequest(instruction, region.text, context) for task in tasks for region in task.regions]
    proposals: list[Proposal] = []
    forwards, started = 0, time.perf_counter()
    for start in range(0, len(requests), BATCH):
        answers = model.propose(requests[start : start + BATCH], options)
        forwards += max(answer.forwards for answer in answers)
        proposals += answers
        progress(len(proposals), len(requests))
    seconds = time.perf_counter() - started
    answered = iter(proposals)
    results = [
        _validate(task, list(itertools.islice(answered, len(task.regions))), allow_broken) for task in tasks
    ]
    return Proposed(tuple(results), forwards, seconds)


def parse_notes(proposed: Proposed) -> list[str]:
    """One sentence for each changed file that did not parse: whether it does with the best change."""
    notes = []
    for results in proposed.results:
        rewritten = _rewrite(results, 0)
        if rewritten is not None and not parses(results[0].task.source.text, rewritten.name):
            now = parses(rewritten.text, rewritten.name)
            notes.append(f"{rewritten.name} did not parse, and {'does now' if now else 'still does not'}")
    return notes


def _validate(task: Task, proposals: Sequence[Proposal], allow_broken: bool) -> tuple[RegionResult, ...]:
    """Keep the candidates without a fault, each judged with the best edits of the regions below it."""
    source = task.source
    must_parse = (
        not allow_broken and any(p.candidates for p in proposals) and parses(source.text, source.name)
    )
    text, results = source.text, []
    for region, proposal in reversed(list(zip(task.regions, proposals, strict=True))):
        usable, fault = [], ""
        for candidate in proposal.candidates:
            rewritten = _splice(text, region, candidate.text)
            if not (found := _fault(source, region, candidate, rewritten if must_parse else "")):
                usable.append(candidate)
            fault = fault or found
        if usable:
            text = _splice(text, region, usable[0].text)
        results.append(RegionResult(task, region, proposal, tuple(usable), fault))
    return tuple(reversed(results))


def _fault(source: SourceFile, region: Region, candidate: Candidate, must_parse: str) -> str:
    """Why a candidate cannot be offered; empty when it can."""
    try:
        if source.replace(region.start, region.end, candidate.text) == source.raw:
            return "the edit found changes nothing"
    except TargetError as error:
        return str(error)
    if not parses(must_parse, source.name):
        return "the edit found would not parse; --allow-broken offers it all the same"
    return ""


def _file_patch(results: Sequence[RegionResult], k: int) -> FilePatch | None:
    rewritten = _rewrite(results, k)
    if rewritten is None:
        return None
    source = results[0].task.source
    if k and parses(source.text, source.name) and not parses(rewritten.text, source.name):
        return _file_patch(results, 0)  # the k-th candidates were checked one by one, not together
    return file_patch(source.name, source.raw, rewritten.raw)


def _rewrite(results: Sequence[RegionResult], k: int) -> SourceFile | None:
    """The file with each region's k-th candidate; None when no region has one."""
    edits = [(result.region, _at(result, k).text) for result in results if result.usable]
    if not edits:
        return None
    rewritten = results[0].task.source
    for region, text in reversed(edits):
        raw = rewritten.replace(region.start, region.end, text)
        rewritten = replace(rewritten, raw=raw, text=_splice(rewritten.text, region, text))
    return rewritten


def _at(result: RegionResult, k: int) -> Candidate:
    return result.usable[min(k, len(result.usable) - 1)]


def _splice(text: str, region: Region, new: str) -> str:
    """`text` with the region's lines replaced. Regions are spliced from the last to the first."""
    lines = text.split("\n")
    inserted = new.removesuffix("\n").split("\n") if new else []
    return "\n".join([*lines[: region.start], *inserted, *lines[region.end :]])
