"""What a suite gives: a row for each way of doing each thing, with ratios to the first way. Knows nothing of suites."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.bench.timing import Timed

Value = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One way of doing one thing."""

    suite: str
    case: Mapping[str, Value]
    """What was done: sizes, and whether decisions were scripted."""
    way: str
    seconds: float
    """Median."""
    quartiles: tuple[float, float]
    times: int
    ratio: float
    """Of its seconds to those of the first way."""
    counts: Mapping[str, Value] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return {
            "suite": self.suite,
            "case": dict(self.case),
            "way": self.way,
            "seconds": round(self.seconds, 6),
            "quartiles": [round(q, 6) for q in self.quartiles],
            "times": self.times,
            "ratio": round(self.ratio, 3),
            "counts": {k: round(v, 4) if isinstance(v, float) else v for k, v in self.counts.items()},
        }


def rows_of(
    suite: str,
    case: Mapping[str, Value],
    timed: Mapping[str, Timed[Any]],
    counts: Mapping[str, Mapping[str, Value]],
) -> list[BenchRow]:
    """A row for each way; ratios are to the first."""
    first = next(iter(timed.values())).median
    return [
        BenchRow(
            suite, case, way, t.median, t.quartiles, len(t.seconds), t.median / first, counts.get(way, {})
        )
        for way, t in timed.items()
    ]


def shown(row: BenchRow, before: BenchRow | None) -> str:
    """A row for a terminal, below the one before it: a head where the suite or the case is another."""
    lines = []
    if before is None or row.suite != before.suite:
        lines.append(row.suite.upper())
    if before is None or (row.suite, row.case) != (before.suite, before.case):
        lines.append("  " + ", ".join(f"{k} {v}" for k, v in row.case.items()))
    counts = "  ".join(f"{k} {_shown(v)}" for k, v in row.counts.items())
    lines.append(f"    {row.way:<36} {1000 * row.seconds:10.2f} ms {row.ratio:8.2f} x  {counts}".rstrip())
    return "\n".join(lines)


def _shown(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
