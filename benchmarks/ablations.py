"""What each part of the training is worth for editing: small models of one size, on the same data, for as many tokens.

    python benchmarks/ablations.py --corpus corpus --work runs/ablations --out docs/results/ablations.json

trains and measures every row for seed 1; `--seeds 3 --rows "edits,..."` repeats the rows that matter. A finished row is
kept, an interrupted one goes on; `--minutes` ends the command after a time that is given. Rows:

- mask only: masks and gaps from the first step to the last; no edit process.
- edits: masks for `--masks` of the steps, then edit corruption beside them (random edits, injected defects, rule-made
  refactorings, real commits). All rows below are this one with one thing changed.
- masks 80 %: with the paper's share of the first stage.
- carry-over: masked rows also teach to copy every visible token. (Copied by construction, none could be edited.)
- drafts: the model's own wrong guesses in the place of random edits.
- no commits; no natural pairs: without the pairs from history; without defects and refactorings too.
- order: the last fifth of the steps is constrained-order training.
- on policy: the last fifth is half constrained-order training, half on-policy learning.

What sampling trajectories costs comes beside the steps; `seconds` has it.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from small_runs import ASKED, SIZE, TOKENS, Cases, Part, Results, Workplace, measure, options, sitting

MASKS = {"masked": 0.9, "infilled": 0.1}
EDITS = {
    "masked": 0.18,
    "infilled": 0.1,
    "edited": 0.12,
    "defective": 0.36,
    "refactored": 0.21,
    "committed": 0.03,
}
RANDOM = {"masked": 0.3, "infilled": 0.1, "edited": 0.6}
NOISE = {"light_masks": 0.5, "mask_weight": 0.25, "weight_decay": 0.1}
LAPS = {"max_rounds": 24, "threshold": 0.7, "longest": 384, "probe": 48}
LAP, TASKS = 40, 3
"""Steps of a lap, and tasks sampled for each of them."""
ANCHOR = {"masked": 0.1, "infilled": 0.05, "defective": 0.22, "refactored": 0.13}
GENTLE = {"matrix_rate": 0.001, "other_rate": 0.0005, "warmup": 20, "save_every": 40}
TAIL = 0.2
"""Share of the steps that learns from trajectories, where a row has such."""
COLUMNS = {
    "syntax": "syntax defects",
    "other": "other defects",
    "recipes": "recipes",
    "infilling": "infilling",
    "false_positives": "false positives",
    "calibration_error": "calibration error",
    "rounds": "rounds",
    "tokens_per_forward": "tokens written into a gap per forward",
    "seconds": "seconds of training",
}
SHARES = tuple(COLUMNS)[:6]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    parts: tuple[Part, ...]
    """Trained one after another, each from the weights of the one before it."""
    asked: str = ASKED


def rows(steps: int, masks: float) -> list[Row]:
    """All of them.

    Args:
        masks: share of the steps that the first stage has.
    """
    drafts = {**EDITS, "masked": EDITS["masked"] + EDITS["edited"], "edited": 0.0}
    start = two_stages("start", round(steps * (1 - TAIL)), masks, EDITS)
    tail = steps - start.steps
    return [
        Row("mask only", (two_stages("mask-only", steps, 1.0, MASKS),), ""),
        Row("edits", (two_stages("edits", steps, masks, EDITS),)),
        Row("masks 80 %", (two_stages("masks-80", steps, 0.8, EDITS),)),
        Row("carry-over", (two_stages("carry-over", steps, masks, EDITS, carry_over=True),)),
        Row(
            "drafts",
            (two_stages("drafts", steps, masks, drafts, drafts=EDITS["edited"] / drafts["masked"]),),
        ),
        Row("no commits", (two_stages("no-commits", steps, masks, {**EDITS, "committed": 0.0}),)),
        Row("no natural pairs", (two_stages("no-natural-pairs", steps, masks, RANDOM),), ""),
        Row("order", (start, _laps("order", tail, "elbo"))),
        Row(
            "on policy",
            (start, _laps("half-order", tail // 2, "elbo"), _laps("on-policy", tail - tail // 2, "verified")),
        ),
    ]


def two_stages(
    name: str,
    steps: int,
    masks: float,
    mixture: Mapping[str, float],
    model: Mapping[str, object] | None = None,
    **settings: object,
) -> Part:
    """A run of masks, then of edits.

    Args:
        masks: share of the steps that the first stage has.
        mixture: of the second.
        model: as in `Part`.
        settings: `carry_over`, `drafts`: of the stages.
    """
    first = round(steps * masks)
    stages: list[dict[str, object]] = []
    if first:
        stages.append({"name": "masks", "steps": first, "mixture": MASKS, "weight_decay": 0.1})
    if steps > first:
        kinds = {kind: share for kind, share in mixture.items() if share}
        stages.append({"name": "edits", "steps": steps - first, "mixture": kinds, **NOISE})
    if settings.get("carry_over"):
        stages = [stage | {"carry_over": True} for stage in stages]
    if "drafts" in settings:
        stages[-1]["drafts"] = settings["drafts"]
    return Part(name, {"warmup": min(100, steps), "decay": max(1, steps * 4 // 10)}, stages, model=model)


def _laps(name: str, steps: int, keep: str) -> Part:
    tasks = {"masked": 0.4, "infilled": 0.3, "defective": 0.15, "refactored": 0.15}
    lap = min(LAP, steps)
    plan = {
        "keep": keep,
        "mixture": tasks,
        "pool": 4 if keep == "elbo" else 3,
        "steps": lap,
        "tasks": TASKS * lap,
        **LAPS,
    }
    stage = {"name": name, "steps": steps, "mixture": {"trajectory": 0.5, **ANCHOR}, **NOISE}
    return Part(name, {**GENTLE, "decay": max(1, steps // 2)}, [stage], plan)


def run_row(row: Row, place: Workplace, cases: Cases, threshold: float) -> dict[str, Any]:
    """Train what is not trained yet, and measure."""
    model = None
    for part in row.parts:
        model = place.train(part, model)
    assert model is not None, "a row has a part"
    figures = measure(model, cases, threshold, row.asked)
    steps = sum(part.steps for part in row.parts)
    return {**figures, "steps": steps, "seconds": sum(map(place.seconds, row.parts))}


def markdown(results: Results, chosen: Sequence[Row]) -> str:
    """The table: means over the seeds, from lowest to highest where there are several."""
    settings = results.header
    error = 100 * (0.25 / settings["cases"]) ** 0.5
    lines = [
        "# What each part of the training is worth",
        "",
        f"`benchmarks/ablations.py`, whose head says what the rows are: {SIZE}, each",
        f"{settings['steps']:,} steps of {TOKENS:,} tokens.",
        f"{settings['cases']} cases each of repairs, sound functions, recipes and gaps, from repositories",
        f"never trained on (`{settings['cases_digest']}`); threshold {settings['threshold']}.",
        f"The standard error of a share is {error:.0f} points at most; several seeds: mean (lowest to highest).",
        "",
        "| row | seeds | " + " | ".join(COLUMNS.values()) + " |",
        "| --- | --- | " + " | ".join("---" for _ in COLUMNS) + " |",
    ]
    for row in chosen:
        found = [r for name, r in results.rows.items() if name.rsplit("/", 1)[0] == row.name]
        if found:
            cells = [_cell([one[key] for one in found], key) for key in COLUMNS]
            lines.append(f"| {row.name} | {len(found)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float], key: str) -> str:
    def said(value: float) -> str:
        return f"{value:.1%}" if key in SHARES else f"{value:,.0f}" if key == "seconds" else f"{value:.2f}"

    spread = f" ({said(min(values))} to {said(max(values))})" if len(values) > 1 else ""
    return said(fmean(values)) + spread


def main() -> None:
    parser = options(__doc__, steps=2000)
    parser.add_argument(
        "--masks", type=float, default=0.4, help="share of the steps that the first stage has"
    )
    parser.add_argument("--rows", default="", help="names of rows, with commas; all if not given")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, from 1")
    given = parser.parse_args()
    table = rows(given.steps, given.masks)
    names = [name.strip() for name in given.rows.split(",") if name.strip()] or [row.name for row in table]
    unknown = set(names) - {row.name for row in table}
    if unknown:
        parser.error(f"no rows {sorted(unknown)}; there are {', '.join(row.name for row in table)}")
    cases = Cases.draw(given.corpus / "held_out.jsonl", given.cases)
    out = given.out or given.work / "ablations.json"
    settings = {
        "steps": given.steps,
        "masks": given.masks,
        "cases": given.cases,
        "cases_digest": cases.digest,
    }
    results = Results(out, {**settings, "threshold": given.threshold, "size": SIZE})
    until = time.monotonic() + 60 * given.minutes
    with sitting():
        for seed in range(1, given.seeds + 1):
            for row in (row for row in table if row.name in names):
                if f"{row.name}/{seed}" not in results.rows:
                    place = Workplace(given.work, given.corpus.resolve(), seed, given.compile, until)
                    results.add(f"{row.name}/{seed}", run_row(row, place, cases, given.threshold))
                    out.with_suffix(".md").write_text(markdown(results, table))
                    print(f"{row.name}, seed {seed}: {results.rows[f'{row.name}/{seed}']}", file=sys.stderr)
    print(markdown(results, table))


if __name__ == "__main__":
    main()
