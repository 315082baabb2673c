"""What an instruction without targets is about: regions ranked by names, by text, and by the model's own reading.

The weights were fitted by `benchmarks/region_choice.py` on commits of repositories that the default model was never
trained on, each a change of one function; a share says how probable a region is to be the one, by that experience.
Knows nothing of flags; a person who is to choose is asked by whoever calls.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

from engine.requests import EditRequest
from seedcli.errors import TargetError
from seedcli.index.search import Evidence
from seedcli.model_client import ModelClient
from seedcli.proposing import Task
from seedcli.repository.regions import Region, is_python, lines_region, regions_of
from seedcli.repository.source import SourceFile

READ = 16
"""Regions that the model reads: those that come first without it."""
SHOWN = 10
"""Regions that a person chooses among."""
CHANGE, CHANGE_KNOWN = 0.1, 1.0
"""Weight of the log-odds that the instruction changes something in a region, as the model reads it: of any instruction,
and of one that it was trained for. On commits the default model's reading told nothing beyond names and text."""
READ_KNOWN = 64
"""Regions that the model reads if it was trained for the instruction."""
_WEIGHTS = Evidence(text=3.0, symbol=1.3, named=3.1, covered=1.05, length=0.8, is_definition=3.2)
_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Picked:
    """A region that may be meant."""

    source: SourceFile
    region: Region
    share: float
    """How probable it is among those that were found, in [0, 1]."""

    @property
    def place(self) -> str:
        """Where it is, as a target is written."""
        if self.region.symbol:
            return f"{self.source.name}::{self.region.symbol}"
        return f"{self.source.name}:{self.region.start + 1}-{self.region.end}"


def value(one: Evidence) -> float:
    """How much speaks for a unit without a model's reading; only differences mean something."""
    return float(sum(w * x for w, x in zip(astuple(_WEIGHTS), astuple(one), strict=True)))


def ranked(
    values: Sequence[float], read: Callable[[list[int]], list[float]], *, known: bool = False
) -> list[tuple[int, float]]:
    """All of some units, best first, by what speaks for them and by the model's reading of the first.

    Args:
        values: what speaks for each without the model.
        read: log-odds of a change for units given by number.
        known: whether the model was trained for the instruction.

    Returns:
        Number and final value of each.
    """
    order = sorted(range(len(values)), key=lambda i: -values[i])
    num_read, weight = (READ_KNOWN, CHANGE_KNOWN) if known else (READ, CHANGE)
    first = order[:num_read]
    odds = read(first)
    mean = sum(odds) / len(odds) if odds else 0.0
    final = {i: values[i] + weight * (o - mean) for i, o in zip(first, odds, strict=True)}
    floor = min(final.values(), default=0.0)
    # The model may not push what it read below what it did not.
    final |= {i: min(values[i], floor) for i in order[num_read:]}
    return sorted(final.items(), key=lambda one: -one[1])


def pick(
    found: Sequence[tuple[Evidence, SourceFile, Region]], instruction: str, model: ModelClient, *, known: bool
) -> list[Picked]:
    """The regions that are most probably meant, best first.

    Args:
        known: whether the model was trained for the instruction.

    Raises:
        TargetError: there is none to choose from.
    """
    if not found:
        raise TargetError(
            f"nothing in the repository has a word of {instruction!r}; name a target, or look with `seed scan`"
        )

    def read(numbers: list[int]) -> list[float]:
        return changes(model, instruction, [found[i][2].text for i in numbers])

    best = ranked([value(one) for one, _, _ in found], read, known=known)
    total = sum(math.exp(v - best[0][1]) for _, v in best)
    return [Picked(found[i][1], found[i][2], math.exp(v - best[0][1]) / total) for i, v in best[:SHOWN]]


def changes(model: ModelClient, instruction: str, texts: Sequence[str]) -> list[float]:
    """Log-odds that the instruction changes something in each text; the mean where a text does not fit the model."""
    readings = model.scan([EditRequest(instruction, text) for text in texts], least=1.0)
    odds = [_log_odds(reading.change_probability) if reading.is_read else None for reading in readings]
    known = [o for o in odds if o is not None]
    mean = sum(known) / len(known) if known else 0.0
    return [mean if o is None else o for o in odds]


def region_of(source: SourceFile, start: int, end: int) -> Region:
    """The region of a file around a unit's lines."""
    if is_python(source.name):
        around = next((r for r in regions_of(source) if r.start <= start < r.end), None)
        if around is not None:
            return around
    return lines_region(source, start, end)


def tasks_of(picked: Sequence[Picked]) -> list[Task]:
    """The regions as they are asked for: by file, in order of lines."""
    files: dict[str, list[Picked]] = {}
    for one in picked:
        files.setdefault(one.source.name, []).append(one)
    return [
        Task(
            ones[0].source,
            tuple(sorted({o.region.start: o.region for o in ones}.values(), key=lambda r: r.start)),
        )
        for ones in files.values()
    ]


def _log_odds(probability: float) -> float:
    p = min(max(probability, _LEAST), 1 - _LEAST)
    return math.log(p / (1 - p))
