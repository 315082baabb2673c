"""The diffusion model beside its autoregressive twin over the course of training, at three budgets of compute.

    python benchmarks/twin.py --corpus corpus --work runs/twin --out docs/results/twin.json

trains both, of one size and on the same draws with as many tokens a step, for a quarter, half and all of `--steps`,
each run with its own decay of the rate, and measures them at the end of each run, and at half and three quarters of the
longest: repairs, recipes, gaps, sound functions left alone, forwards and seconds. A table and a picture come beside the
results. Interrupted or ended by `--minutes`, the same command goes on. `--decoders` and `--budgets` run it in pieces.
`--stage key=value` changes the edit stage of the diffusion model alone, to try what it lacks.
"""

import itertools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from small_runs import SIZE, TOKENS, Cases, Part, Results, Workplace, measure, options, sitting

DECODERS = {"edit": "diffusion", "autoregressive": "autoregressive twin"}
SHARES = (0.25, 0.5, 1.0)
"""Budgets, of `--steps`."""
POINTS = (0.5, 0.75, 1.0)
"""Shares of the longest run's steps after which it is measured. Before, in the stage of masks, a model that edits has
not been taught to leave anything alone."""
MASKS = 0.4
"""Share of the first stage, as in `ablations.py`."""
MIXTURES = (
    {"masked": 0.9, "infilled": 0.1},
    {
        "masked": 0.25,
        "infilled": 0.1,
        "edited": 0.05,
        "defective": 0.36,
        "refactored": 0.21,
        "committed": 0.03,
    },
)
SHOWN = ("syntax", "other", "recipes", "infilling", "false_positives")
COLUMNS = (*SHOWN, "forwards_per_edit", "seconds_per_edit", "seconds")
PANELS = {"syntax": "syntax defects repaired", "other": "other defects repaired", "recipes": "recipes"}


def part(decoder: str, steps: int, changes: Mapping[str, Any]) -> Part:
    """One run of a budget.

    Args:
        changes: of the edit stage.
    """
    first = round(steps * MASKS)
    common = {"light_masks": 0.5, "mask_weight": 0.25, "weight_decay": 0.1}
    stages = [
        {"name": "masks", "steps": first, "mixture": MIXTURES[0], "weight_decay": 0.1},
        {"name": "edits", "steps": steps - first, "mixture": MIXTURES[1], **common, **changes},
    ]
    run: dict[str, Any] = {"warmup": min(100, steps), "decay": max(1, steps * 4 // 10)}
    if decoder == "edit":
        return Part(f"edit-{steps}", run, stages)
    # It holds a region twice, and every written token is scored.
    run |= {"decoder": decoder, "scored": TOKENS}
    return Part(f"autoregressive-{steps}", run, stages, model={"max_tokens": 2048})


def markdown(results: Results, picture: str) -> str:
    settings = results.header
    lines = [
        "# The diffusion model beside its autoregressive twin",
        "",
        f"`benchmarks/twin.py`: {SIZE}, {TOKENS:,} tokens a step;",
        f"{settings['cases']} cases of each suite from repositories never trained on",
        f"(`{settings['cases_digest']}`).",
        f"Thresholds: diffusion {settings['threshold']}, twin {settings['twin_threshold']}.",
        "`seconds`: of training so far on this machine. Only at the last point of a budget has the rate come down.",
        "",
        f"![over the course of training]({picture})",
        "",
        "| budget | decoder | tokens | " + " | ".join(name.replace("_", " ") for name in COLUMNS) + " |",
        "| --- | --- | --- | " + " | ".join("---" for _ in COLUMNS) + " |",
    ]
    ordered = sorted(results.rows.values(), key=lambda r: (r["budget"], r["step"], r["decoder"] != "edit"))
    for row in ordered:
        cells = (_said(key, row[key]) for key in COLUMNS)
        tokens = row["step"] * TOKENS / 1e6
        lines.append(
            f"| {row['budget']} | {DECODERS[row['decoder']]} | {tokens:.1f} M | " + " | ".join(cells) + " |"
        )
    return "\n".join(lines) + "\n"


def _said(key: str, value: float) -> str:
    if key in SHOWN:
        return f"{value:.1%}"
    return f"{value:,.0f}" if key == "seconds" else f"{value:.3g}"


def plot(rows: Sequence[Mapping[str, Any]], picture: Path) -> None:
    """One panel a suite, one line a run."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(PANELS), figsize=(13, 4))
    budgets = sorted({row["budget"] for row in rows})
    for axes, (key, title) in zip(panels, PANELS.items(), strict=True):
        for decoder, color in zip(DECODERS, ("tab:blue", "tab:orange"), strict=True):
            for budget in budgets:
                own = sorted(
                    (r["step"] * TOKENS / 1e6, 100 * r[key])
                    for r in rows
                    if (r["decoder"], r["budget"]) == (decoder, budget)
                )
                if own:
                    label = DECODERS[decoder] if budget == budgets[-1] else None
                    opacity = 0.35 + 0.65 * (budgets.index(budget) + 1) / len(budgets)
                    axes.plot(*zip(*own, strict=True), marker=".", color=color, alpha=opacity, label=label)
        axes.set(xlabel="million tokens", ylabel="% exact", title=title)
    panels[0].legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)


def main() -> None:
    parser = options(__doc__, steps=4000)
    parser.add_argument("--decoders", default=",".join(DECODERS))
    parser.add_argument("--budgets", default="1,2,3", help="which of the three, from the smallest")
    parser.add_argument("--twin-threshold", type=float, default=0.5, help="the twin's; 0 writes greedily")
    parser.add_argument(
        "--stage", action="append", default=[], metavar="KEY=VALUE", help="of the diffusion model's edits"
    )
    given = parser.parse_args()
    changes = {key: json.loads(value) for key, _, value in (change.partition("=") for change in given.stage)}
    cases = Cases.draw(given.corpus / "held_out.jsonl", given.cases)
    out = given.out or given.work / "twin.json"
    header = {
        "steps": given.steps,
        "cases": given.cases,
        "cases_digest": cases.digest,
        "changes": changes,
        "size": SIZE,
    }
    results = Results(out, {**header, "threshold": given.threshold, "twin_threshold": given.twin_threshold})
    until = time.monotonic() + 60 * given.minutes
    place = Workplace(given.work, given.corpus.resolve(), 1, given.compile, until)
    budgets = [round(given.steps * SHARES[int(number) - 1]) for number in given.budgets.split(",")]
    with sitting():
        for budget, decoder in itertools.product(budgets, given.decoders.split(",")):
            threshold = given.threshold if decoder == "edit" else given.twin_threshold
            own = part(decoder, budget, changes if decoder == "edit" else {})
            points = POINTS if budget == given.steps else POINTS[-1:]
            for step in (max(1, round(budget * point)) for point in points):
                name = f"{decoder}/{budget}/{step}"
                if name not in results.rows:
                    figures = measure(place.train(own, None, until=step), cases, threshold)
                    figures["seconds"] = place.seconds(own, until=step)
                    results.add(name, {"decoder": decoder, "budget": budget, "step": step, **figures})
                    print(f"{name}: {results.rows[name]}", file=sys.stderr)
                picture = out.with_suffix(".png")
                out.with_suffix(".md").write_text(markdown(results, picture.name))
                plot(list(results.rows.values()), picture)
    print(out.with_suffix(".md").read_text())


if __name__ == "__main__":
    main()
