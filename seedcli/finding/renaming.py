"""A rename with all its uses: one proposal over several files, or none.

The index says which places mean the name, so what each region has to become is known beforehand; the model is asked for
it, region by region, then where that is wrong by ever smaller pieces, with more candidates. A candidate counts only if
it is exactly that: the old name gone from those places, the new one there, nothing else changed. Knows nothing of flags
or of writing files.
"""

import ast
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from engine.requests import Candidate, EditOptions, EditRequest, Proposal
from seedcli.errors import SeedError, TargetError
from seedcli.index.scopes import Spot
from seedcli.index.store import Store
from seedcli.index.uses import Finder, Uses, Wanted
from seedcli.model_client import ModelClient
from seedcli.proposing import BATCH, Proposed, Task, checked
from seedcli.repository.regions import Region, lines_region, regions_of
from seedcli.repository.source import SourceFile

Unit = Literal["statement", "line", "place"]
"""What is asked for alone: a place is the name and what follows it on its line."""
STEPS: tuple[tuple[Unit, int], ...] = (("statement", 1), ("statement", 8), ("line", 32), ("place", 32))
"""What the model is asked for, and with how many candidates, where it does not rename a region as a whole."""
_IDENTIFIER = re.compile(r"[^\W\d]\w*")


class RenameError(SeedError):
    """A rename that would not be whole. Nothing is proposed."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Rename:
    """A rename and all it touches."""

    old: str
    new: str
    tasks: tuple[Task, ...]
    wanted: tuple[tuple[str, ...], ...]
    """For each task the text that each of its regions has to become."""
    places: tuple[tuple[tuple[Spot, ...], ...], ...]
    """For each task and region the places that change, lines counted from the file's first."""
    unclear: tuple[str, ...]
    """Places that may mean the name and stay as they are."""
    mentions: int
    """Times that comments and strings of these files say the old name; they stay."""

    @property
    def num_places(self) -> int:
        return sum(len(spots) for task in self.places for spots in task)

    def notes(self) -> list[str]:
        """What is to be done, and what is left alone, in a sentence each."""
        files = len(self.tasks)
        where = f"{self.num_regions} regions of {files} file{'s' * (files != 1)}"
        lines = [f"{self.num_places} places in {where} mean {self.old}"]
        lines += [f"left alone, may be another: {place}" for place in self.unclear]
        if self.mentions:
            lines.append(f"comments and strings say {self.old} {self.mentions} times more; they stay")
        return lines

    @property
    def num_regions(self) -> int:
        return sum(len(task.regions) for task in self.tasks)


@dataclass(slots=True)
class Done:
    """Who renamed what."""

    by_model: dict[str, int] = field(default_factory=dict)
    """Regions that the model renamed, by what it was asked for: the whole, or the smallest unit that it took."""
    by_index: list[str] = field(default_factory=list)
    """Places of the regions that the index renamed, because it was asked to."""

    def note(self) -> str:
        """One sentence: how many regions by whom."""
        by_model = sum(self.by_model.values())
        total = by_model + len(self.by_index)
        steps = ", ".join(f"{count} by the {unit}" for unit, count in self.by_model.items())
        note = f"{by_model} of {total} regions by the model" + (f" ({steps})" if by_model else "")
        if not self.by_index:
            return note
        named = ", ".join(self.by_index[:5]) + (", ..." if len(self.by_index) > 5 else "")
        return f"{len(self.by_index)} of {total} regions by the index, not by the model: {named}; {note}"


def plan(
    store: Store, read: Callable[[str], SourceFile], wanted: Wanted, new: str, *, partial: bool = False
) -> Rename:
    """Find all that has to change.

    Args:
        read: a file by its path relative to the root.
        partial: leave places alone that cannot be judged, instead of refusing.

    Raises:
        TargetError: the name is not defined there, `new` is no name, is taken, or places cannot be judged.
    """
    old = wanted.name
    if not _IDENTIFIER.fullmatch(new) or new == old:
        raise TargetError(f"new={new!r} is not another name; give an identifier other than {old!r}")
    finder = Finder(store, lambda path: read(path).text)
    uses = finder.find(wanted)
    _refuse(finder, wanted, uses, new, partial=partial)
    sources = {path: read(path) for path in uses.spots}
    planned = [_plan_file(sources[path], spots, new) for path, spots in sorted(uses.spots.items())]
    return Rename(
        old,
        new,
        tuple(task for task, _, _ in planned),
        tuple(texts for _, texts, _ in planned),
        tuple(spots for _, _, spots in planned),
        tuple(uses.unclear),
        sum(_count(source.text, old) - len(uses.spots[path]) for path, source in sources.items()),
    )


def _refuse(finder: Finder, wanted: Wanted, uses: Uses, new: str, *, partial: bool) -> None:
    old = wanted.name
    if broken := finder.broken_with(old):
        raise TargetError(
            f"{broken[0]} says {old!r} and does not parse, so its uses cannot be told; mend it first"
        )
    if uses.unclear and not partial:
        more = f" and {len(uses.unclear) - 1} more" if len(uses.unclear) > 1 else ""
        raise TargetError(
            f"{uses.unclear[0]}{more} may mean another {old!r}; --leave-unclear renames the rest"
        )
    for path, scoped in finder.files_with(new):
        if path not in uses.spots:
            continue
        taken = next((use for use in scoped.of(new) if use.role in _clashing(wanted)), None)
        if taken is not None:
            raise TargetError(f"{path}:{taken.spot.line + 1} has {new!r} already; choose another name")


def _clashing(wanted: Wanted) -> tuple[str, ...]:
    """The kinds of uses of the new name that would be taken for the renamed one."""
    return ("name", "attribute") if "." in wanted.symbol and not wanted.parameter else ("name", "import")


def _plan_file(
    source: SourceFile, spots: Sequence[Spot], new: str
) -> tuple[Task, tuple[str, ...], tuple[tuple[Spot, ...], ...]]:
    regions: list[Region] = []
    whole = regions_of(source)
    statements = _statements(source.text)
    for spot in spots:
        if regions and spot.line < regions[-1].end:
            continue
        around = next((r for r in whole if r.start <= spot.line < r.end), None)
        regions.append(around or lines_region(source, *_statement_of(statements, spot.line)))
    shares = tuple(tuple(s for s in spots if r.start <= s.line < r.end) for r in regions)
    texts = tuple(renamed(r, own, new) for r, own in zip(regions, shares, strict=True))
    return Task(source, tuple(regions)), texts, shares


def renamed(region: Region, spots: Sequence[Spot], new: str) -> str:
    """The region with the places of it replaced, and nothing else."""
    lines = region.text.split("\n")
    for spot in sorted(spots, key=lambda s: (s.line, s.column), reverse=True):
        line = lines[spot.line - region.start]
        end = spot.column + len(spot.name)
        # It may be written with other letters that Python takes for the same.
        if line[spot.column : end] != spot.name:
            raise TargetError(
                f"line {spot.line + 1} does not write {spot.name!r} so; rename it there by hand"
            )
        lines[spot.line - region.start] = line[: spot.column] + new + line[end:]
    return "\n".join(lines)


def ask_rename(
    rename: Rename,
    instruction: str,
    model: ModelClient,
    options: EditOptions,
    *,
    by_index: bool,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> tuple[Proposed, Done]:
    """Have the model rename every region.

    Args:
        by_index: let the index rename what the model does not.

    Raises:
        RenameError: the model renames some regions wrong, and the index may not.
    """
    asking = _Asking(rename, instruction, model, options, progress)
    asking.whole(options.candidates)
    for unit, count in STEPS:
        asking.pieces(max(count, options.candidates), unit)
    done = Done(dict(asking.steps))
    if asking.wrong and not by_index:
        raise RenameError(_complaint(asking.wrong, rename))
    for place in asking.wrong:
        task, i = place
        asking.right[place] = Candidate(rename.wanted[task][i], 1.0, len(rename.places[task][i]), 0)
        done.by_index.append(f"{rename.tasks[task].source.name}:{rename.tasks[task].regions[i].start + 1}")
    proposed = asking.proposed()
    if faults := [f"{result.place}: {result.complaint}" for result in proposed.regions if not result.usable]:
        raise RenameError(f"{faults[0]}; nothing is proposed: choose another name")
    return proposed, done


def _complaint(wrong: Sequence[tuple[int, int]], rename: Rename) -> str:
    places = [f"{rename.tasks[t].source.name}:{rename.tasks[t].regions[i].start + 1}" for t, i in wrong]
    named = ", ".join(places[:8]) + (f" and {len(places) - 8} more" if len(places) > 8 else "")
    return (
        f"the model renames {len(wrong)} of {rename.num_regions} regions wrong ({named}); nothing is proposed: "
        "--index-rest lets the index rename those"
    )


class _Asking:
    """The model's answers so far."""

    def __init__(
        self,
        rename: Rename,
        instruction: str,
        model: ModelClient,
        options: EditOptions,
        progress: Callable[[int, int], None],
    ) -> None:
        self._rename, self._instruction, self._model, self._options = rename, instruction, model, options
        self._progress = progress
        self.right: dict[tuple[int, int], Candidate] = {}
        self.steps: Counter[str] = Counter()
        """Regions that are right, by what was asked for."""
        self._known: dict[tuple[str, str], Candidate] = {}
        """What the model got right, by text and goal: many statements are alike."""
        self._forwards, self._seconds = 0, 0.0

    @property
    def wrong(self) -> list[tuple[int, int]]:
        """The regions, by task and number, that the model has not renamed right yet."""
        tasks = self._rename.tasks
        every = [(t, i) for t, task in enumerate(tasks) for i in range(len(task.regions))]
        return [place for place in every if place not in self.right]

    def whole(self, candidates: int) -> None:
        """Ask for each region as a whole."""
        wrong = self.wrong
        texts = [self._rename.tasks[t].regions[i].text for t, i in wrong]
        goals = [self._rename.wanted[t][i] for t, i in wrong]
        for place, found in zip(wrong, self._ask(texts, goals, candidates), strict=True):
            if found is not None:
                self.right[place] = found
                self.steps["whole"] += 1

    def pieces(self, candidates: int, unit: Unit) -> None:
        """Ask for each unit of the regions that are still wrong, alone."""
        wrong = self.wrong
        cut = [list(self._pieces_of(t, i, unit)) for t, i in wrong]
        flat = [piece for pieces in cut for piece in pieces]
        found = iter(self._ask([text for text, _ in flat], [goal for _, goal in flat], candidates))
        for (t, i), pieces in zip(wrong, cut, strict=True):
            answers = [next(found) for _ in pieces]
            right = [answer for answer in answers if answer is not None]
            if len(right) == len(answers):
                self.steps[unit] += 1
                self.right[t, i] = Candidate(
                    self._rename.wanted[t][i],
                    min(a.score for a in right),
                    sum(a.changed_tokens for a in right),
                    max(a.rounds for a in right),
                )

    def _pieces_of(self, t: int, i: int, unit: Unit) -> Iterator[tuple[str, str]]:
        """Text and goal of each unit that changes; larger ones where the model got those right."""
        task, spots = self._rename.tasks[t], self._rename.places[t][i]
        statements = _statements(task.source.text)
        for start, end in dict.fromkeys(_statement_of(statements, spot.line) for spot in spots):
            own = [spot for spot in spots if start <= spot.line < end]
            whole = self._piece(task, start, end, own)
            if unit == "statement" or whole in self._known:
                yield whole
                continue
            for line in dict.fromkeys(spot.line for spot in own):
                yield from self._pieces_of_line(task, [spot for spot in own if spot.line == line], unit)

    def _pieces_of_line(self, task: Task, spots: Sequence[Spot], unit: Unit) -> Iterator[tuple[str, str]]:
        line = spots[0].line
        whole = self._piece(task, line, line + 1, spots)
        if unit == "line" or whole in self._known:
            yield whole
            return
        ends = [*(spot.column for spot in spots[1:]), len(whole[0]) - 1]
        for spot, end in zip(spots, ends, strict=True):
            rest = whole[0][spot.column + len(spot.name) : end] + "\n"
            yield spot.name + rest, self._rename.new + rest

    def _piece(self, task: Task, start: int, end: int, spots: Sequence[Spot]) -> tuple[str, str]:
        region = lines_region(task.source, start, end)
        return region.text, renamed(region, spots, self._rename.new)

    def _ask(self, texts: Sequence[str], goals: Sequence[str], candidates: int) -> list[Candidate | None]:
        """For each text the best candidate that is exactly its goal, if there is one."""
        options = replace(self._options, candidates=candidates, judged=True)
        asked = [pair for pair in dict.fromkeys(zip(texts, goals, strict=True)) if pair not in self._known]
        asked.sort(key=lambda pair: len(pair[0]))
        for start in range(0, len(asked), BATCH):
            batch = asked[start : start + BATCH]
            requests = [EditRequest(self._instruction, text) for text, _ in batch]
            started = time.perf_counter()
            proposals = self._model.propose(requests, options)
            self._seconds += time.perf_counter() - started
            self._forwards += max(proposal.forwards for proposal in proposals)
            for (text, goal), proposal in zip(batch, proposals, strict=True):
                right = next((c for c in proposal.candidates if c.text == goal), None)
                self._known |= {(text, goal): right} if right is not None else {}
            self._progress(min(start + BATCH, len(asked)), len(asked))
        return [self._known.get(pair) for pair in zip(texts, goals, strict=True)]

    def proposed(self) -> Proposed:
        """What the caller reviews and writes: one candidate for each region."""
        proposals = [
            Proposal(
                "edit", (self.right[t, i],), "", 1.0, 0, self.right[t, i].rounds, len(region.text.split())
            )
            for t, task in enumerate(self._rename.tasks)
            for i, region in enumerate(task.regions)
        ]
        return checked(self._rename.tasks, proposals, forwards=self._forwards, seconds=self._seconds)


def _statements(text: str) -> list[tuple[int, int]]:
    """Lines of each simple statement, and of the head of each compound one, with its decorators."""
    spans = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt):
            continue
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
        spans.append((first, max(last, first + 1)))
    return spans


def _statement_of(statements: Sequence[tuple[int, int]], line: int) -> tuple[int, int]:
    """The shortest of the statements that holds a line."""
    around = [span for span in statements if span[0] <= line < span[1]]
    return min(around, key=lambda span: span[1] - span[0], default=(line, line + 1))


def _count(text: str, name: str) -> int:
    return len(re.findall(rf"\b{re.escape(name)}\b", text))
