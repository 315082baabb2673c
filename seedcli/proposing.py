"""One edit from regions to a checked patch: regions -> requests -> model -> validated candidates -> patch.

The story of an edit in one file. Knows nothing of flags, of screens, or of writing files.
"""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.hints import hinted
from engine.requests import Candidate, EditOptions, EditRequest, Law, Proposal
from engine.syntax import parses as stands_alone
from seedcli.choices import Choice, Picks, changes
from seedcli.errors import TargetError
from seedcli.model_client import ModelClient
from seedcli.patches.patch import FilePatch, Patch, file_patch
from seedcli.repository.conflicts import conflicts_of, has_markers
from seedcli.repository.regions import Region, is_python, parses
from seedcli.repository.source import SourceFile
from seedcli.repository.tree import count_faults

BATCH = 64
"""Regions that go to the model in one call; progress is reported after each."""
IDLE = Proposal("unchanged", (), "nothing needs to change", 0.0, 0, 0, 0)
"""Of a region in which there is nothing to do."""
UNSOUND = "the edit found would not parse; --allow-broken offers it all the same"
HARMFUL = "the edit found would break further what does not parse; --allow-broken offers it all the same"
UNWRITTEN = "the model would write nothing into the new file"
UNRESOLVED = "the model leaves the conflict as it stands"
MARKED = "the edit found leaves conflict markers"


@dataclass(frozen=True, slots=True)
class Task:
    """What is asked of one file."""

    source: SourceFile
    regions: tuple[Region, ...]
    """In order of lines, without overlap."""
    beside: tuple[str, ...] = ()
    """What the model sees beside each region and the context of all; empty for nothing beside any."""
    creates: bool = False
    """The file is not there: it is to be made."""
    idle: frozenset[int] = frozenset()
    """Numbers of the regions in which there is nothing to do: the model is not asked."""
    may_change: tuple[str, ...] | None = None
    """As in `EditRequest`."""
    law: Law | None = None
    """As in `EditRequest`."""
    hints: tuple[tuple[str, str], ...] = ()
    """Of each region the line and the error that the model is told of; empty for none."""

    @property
    def parses(self) -> bool:
        """Whether the file parses as it stands, or where it has conflicts, with one side of them all."""
        return any(parses(text, self.source.name) for text in self._sides())

    def parses_with(self, texts: "Texts") -> bool:
        """Whether the file parses with other texts; conflicts that have none count as resolved to our side."""
        return parses(_with_texts(self, self._resolved(0) | texts), self.source.name)

    def guard(self) -> "Guard":
        """What tells how other texts break the file, or, where it is broken, one of its regions further."""
        return self._breaks if self.parses else self._harms

    def _breaks(self, texts: "Texts") -> str:
        return "" if self.parses_with(texts) else UNSOUND

    def _harms(self, texts: "Texts") -> str:
        regions = ((self.regions[i], text) for i, text in texts.items())
        worse = any(r.kind != "conflict" and count_faults(text) > count_faults(r.text) for r, text in regions)
        return HARMFUL if worse else ""

    def is_whole(self, region: Region) -> bool:
        """Whether a region's new text has to be Python that stands by itself.

        Named lines may be part of a statement, and the file with them is what has to parse. Where it did not parse
        before, the lines alone are the judge, if they stood by themselves.
        """
        if not is_python(self.source.name) or region.kind == "conflict":
            return False
        return region.kind not in ("lines", "file") or (not self.parses and stands_alone(region.text))

    def _sides(self) -> Iterator[str]:
        for side in (0, 1) if any(region.kind == "conflict" for region in self.regions) else ():
            yield _with_texts(self, self._resolved(side))
        yield self.source.text

    def _resolved(self, side: int) -> "Texts":
        """The conflicts among the regions with our side (0) or theirs (1)."""
        if not any(region.kind == "conflict" for region in self.regions):
            return {}
        sides = {c.start: (c.ours, c.theirs)[side] for c in conflicts_of(self.source.text, self.source.name)}
        return {i: sides[r.start] for i, r in enumerate(self.regions) if r.kind == "conflict"}


Texts = dict[int, str]
"""What regions become, by their number in the task."""
Guard = Callable[[Texts], str]
"""What harm the texts of some regions do; empty for none."""


@dataclass(frozen=True, slots=True)
class RegionResult:
    """What became of one region."""

    task: Task
    region: Region
    proposal: Proposal
    usable: tuple[Candidate, ...]
    """The candidates that may be offered, best first: the file can hold them and is not broken by them."""
    fault: str
    """What is wrong with the first candidate that may not be offered; empty if all may."""

    @property
    def place(self) -> str:
        """Where the region is, for people."""
        return f"{self.task.source.name}:{self.region.start + 1} {self.region.symbol}".strip()

    @property
    def is_unchanged(self) -> bool:
        """Whether the model is sure that nothing needs to change, where that may be."""
        return self.proposal.verdict == "unchanged" and self.may_stay

    @property
    def may_stay(self) -> bool:
        """Whether leaving it as it is would be an answer."""
        return self.region.kind != "conflict" and not self.task.creates

    @property
    def is_broken(self) -> bool:
        """Whether it should be Python that stands by itself, and is not."""
        return self.task.is_whole(self.region) and not stands_alone(self.region.text)

    @property
    def complaint(self) -> str:
        """Why there is no edit, in one sentence; empty when there is one."""
        if self.usable:
            return ""
        if self.proposal.verdict == "unsound":
            return UNSOUND
        if self.proposal.verdict == "made_up":
            return f"{self.proposal.message}; --allow-new-names offers it all the same"
        if self.proposal.verdict == "unchanged" and not self.is_unchanged:
            return UNWRITTEN if self.task.creates else UNRESOLVED
        return self.fault or self.proposal.message or self.proposal.verdict


Results = tuple[tuple[RegionResult, ...], ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """The answer for all regions."""

    results: Results
    """For each file, one result for each of its regions."""
    forwards: int
    """Forward passes; the regions of one call share them."""
    seconds: float
    """Wall time in the model."""
    changes: tuple[Picks, ...]
    """What may become of all regions, by their numbers in the order of `regions`; best first."""

    @property
    def regions(self) -> list[RegionResult]:
        """Every region's result, in order."""
        return list(itertools.chain.from_iterable(self.results))

    @property
    def num_patches(self) -> int:
        """How many whole changes there are to choose from."""
        return len(self.changes)

    def patch(self, k: int) -> Patch:
        """The k-th best whole change. Empty without any edit."""
        files = map(_file_patch, self.results, self._texts(k))
        return Patch(tuple(file for file in files if file is not None))

    def chosen(self, k: int) -> list[Candidate]:
        """The candidates that the k-th change is made of."""
        if k >= len(self.changes):
            return []
        regions = self.regions
        return [regions[i].usable[rank] for i, rank in self.changes[k].items()]

    def score(self, k: int) -> float:
        """A change is as sure as the least sure of its edits."""
        return min(candidate.score for candidate in self.chosen(k))

    def parse_notes(self, k: int) -> list[str]:
        """One sentence for each changed file that did not parse: whether it does with the k-th best change."""
        notes = []
        for results, texts in zip(self.results, self._texts(k), strict=True):
            if texts and not parses(results[0].task.source.text, results[0].task.source.name):
                name = results[0].task.source.name
                now = parses(_with_texts(results[0].task, texts), name)
                notes.append(f"{name} did not parse, and {'does now' if now else 'still does not'}")
        return notes

    def _texts(self, k: int) -> "list[Texts]":
        """Of each file the new texts of the k-th best change."""
        return _texts_of(self.results, self.changes[k] if k < len(self.changes) else {})


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
    requests = requests_of(tasks, instruction, context=context, allow_broken=allow_broken)
    # Regions of like length waste the least room in a batch.
    order = sorted(range(len(requests)), key=lambda i: len(requests[i].region))
    proposals: dict[int, Proposal] = {}
    forwards, started = 0, time.perf_counter()
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        answers = model.propose([requests[i] for i in batch], options)
        forwards += max(answer.forwards for answer in answers)
        proposals |= zip(batch, answers, strict=True)
        progress(len(proposals), len(requests))
    answered = [proposals[i] for i in range(len(requests))]
    seconds = time.perf_counter() - started
    return checked(
        tasks,
        answered,
        forwards=forwards,
        seconds=seconds,
        allow_broken=allow_broken,
        most=options.candidates,
        alone=options.needed,
    )


def requests_of(
    tasks: Sequence[Task], instruction: str, *, context: str = "", allow_broken: bool = False
) -> list[EditRequest]:
    """What the model is asked: a request for each region of all tasks in which there is something to do, in order."""
    return [
        EditRequest(
            hinted(instruction, *task.hints[i]) if task.hints else instruction,
            region.text,
            "\n".join(part for part in (context, beside) if part),
            must_parse=not allow_broken and task.is_whole(region),
            may_change=task.may_change,
            law=task.law,
        )
        for task in tasks
        for i, (region, beside) in enumerate(
            zip(task.regions, task.beside or [""] * len(task.regions), strict=True)
        )
        if i not in task.idle
    ]


def checked(
    tasks: Sequence[Task],
    proposals: Sequence[Proposal],
    *,
    forwards: int,
    seconds: float,
    allow_broken: bool = False,
    most: int = 1,
    alone: bool = False,
) -> Proposed:
    """The answers to `requests_of` the same tasks, with only those candidates that the files can hold.

    Args:
        most: whole changes to choose from.
        alone: as in `choices.changes`.
    """
    answered = iter(proposals)
    results = tuple(
        _validate(
            task,
            [IDLE if i in task.idle else next(answered) for i in range(len(task.regions))],
            allow_broken,
        )
        for task in tasks
    )
    return Proposed(results, forwards, seconds, _changes(results, max(1, most), alone=alone))


def _validate(task: Task, proposals: Sequence[Proposal], allow_broken: bool) -> tuple[RegionResult, ...]:
    """Keep the candidates that the file can hold, rank by rank, the best of all regions first."""
    asked = not allow_broken and any(p.candidates for p in proposals)
    guard = task.guard() if asked else _harmless
    usable: list[list[Candidate]] = [[] for _ in proposals]
    best: Texts = {}
    faults: dict[int, str] = {}
    for rank in range(max((len(p.candidates) for p in proposals), default=0)):
        at_rank = {i: p.candidates[rank] for i, p in enumerate(proposals) if rank < len(p.candidates)}
        for i in _sound(task, best, {i: c.text for i, c in at_rank.items()}, guard, faults):
            usable[i].append(at_rank[i])
        best = {i: found[0].text for i, found in enumerate(usable) if found}
    return tuple(
        RegionResult(task, region, proposal, tuple(usable[i]), faults.get(i, ""))
        for i, (region, proposal) in enumerate(zip(task.regions, proposals, strict=True))
    )


def _sound(task: Task, kept: Texts, new: Texts, guard: Guard, faults: dict[int, str]) -> Texts:
    """Those of `new` that the file can hold, together with one another and with the others of `kept`.

    All at once where that works; else each half for itself, so that one bad text among many is found quickly.
    What is wrong with the first bad text of a region is noted in `faults`.
    """
    fault = _fault(task, kept | new, guard) if new else ""
    if not fault:
        return new
    if len(new) == 1:
        (i,) = new
        faults.setdefault(i, fault)
        return {}
    items = list(new.items())
    half = len(items) // 2
    first = _sound(task, kept, dict(items[:half]), guard, faults)
    return first | _sound(task, kept | first, dict(items[half:]), guard, faults)


def _harmless(_texts: Texts) -> str:
    return ""


def _fault(task: Task, texts: Texts, guard: Guard) -> str:
    """Why the file cannot hold these texts; empty when it can."""
    try:
        if task.source.replace_all(_edits(task, texts)) == task.source.raw:
            return "the edit found changes nothing"
    except TargetError as error:
        return str(error)
    if any(task.regions[i].kind == "conflict" and has_markers(text) for i, text in texts.items()):
        return MARKED
    return guard(texts)


def _changes(results: Results, most: int, *, alone: bool) -> tuple[Picks, ...]:
    """Whole changes that the files can hold, best first."""
    regions = [result for own in results for result in own]
    if not any(result.usable for result in regions):
        return ()
    # What the model finds best in every region has been tried together.
    together = {i: 0 for i, result in enumerate(regions) if result.usable}
    choices = [
        Choice(
            [candidate.score for candidate in result.usable],
            result.proposal.stands,
            result.proposal.change_probability,
            may_stay=result.may_stay and not (result.usable and result.is_broken),
        )
        for result in regions
    ]
    fitting = (
        picks
        for picks in changes(choices, alone=alone)
        if picks == together or not _is_faulty(results, picks)
    )
    return tuple(itertools.islice(fitting, most)) or (together,)


def _is_faulty(results: Results, picks: Picks) -> bool:
    """Whether a file cannot hold its part of a change."""
    return any(
        texts and _fault(own[0].task, texts, own[0].task.guard())
        for own, texts in zip(results, _texts_of(results, picks), strict=True)
    )


def _texts_of(results: Results, picks: Picks) -> list[Texts]:
    """Of each file the new texts of its regions."""
    found, first = [], 0
    for own in results:
        found.append({i: r.usable[picks[first + i]].text for i, r in enumerate(own) if first + i in picks})
        first += len(own)
    return found


def _file_patch(results: Sequence[RegionResult], texts: Texts) -> FilePatch | None:
    if not texts:
        return None
    task = results[0].task
    source = task.source
    old = None if task.creates else source.raw
    return file_patch(source.name, old, source.replace_all(_edits(task, texts)))


def _edits(task: Task, texts: Texts) -> list[tuple[int, int, str]]:
    return [(task.regions[i].start, task.regions[i].end, texts[i]) for i in sorted(texts)]


def _with_texts(task: Task, texts: Texts) -> str:
    """The file's text with some regions replaced."""
    lines = task.source.text.split("\n")
    whole: list[str] = []
    position = 0
    for start, end, text in _edits(task, texts):
        whole += lines[position:start]
        whole += text.removesuffix("\n").split("\n") if text else []
        position = end
    return "\n".join([*whole, *lines[position:]])
