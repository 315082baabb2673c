"""What larger models and longer training earn: models of several sizes, each trained for several budgets of tokens.

    python benchmarks/scaling.py --corpus corpus --work runs/scaling --out docs/results/scaling.json

trains every size on the same draws for a quarter of `--steps` and for all of them, each run with its own decay of the
rate, with the stages of the row "edits" in `ablations.py`, and measures it as that does. A table, a picture and lines
through the points come beside the results: loss and share of repairs against operations, and what the lines say of four
times the most that was spent. Interrupted or ended by `--minutes`, the same command goes on; `--sizes` and `--budgets`
run it in pieces.

The loss is that of changed tokens in the last tenth of the steps: every size draws the same examples, and no run draws
as many as there are. The rates are the same for all sizes.
"""

import itertools
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from ablations import EDITS, two_stages
from small_runs import TOKENS, Cases, Part, Results, Workplace, measure, options, sitting

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"width": 96, "layers": 3, "heads": 3, "kv_heads": 1, "hidden": 272},
    "small": {},
    "middle": {"width": 256, "layers": 6, "heads": 4, "kv_heads": 2, "hidden": 688},
    "large": {"width": 384, "layers": 6, "heads": 4, "kv_heads": 2, "hidden": 1024},
}
"""What differs from the models of the other comparisons; the large one has the default checkpoint's shape."""
BUDGETS = (0.25, 1.0)
"""Shares of `--steps`."""
MASKS = 0.4
"""Share of the first stage, as in `ablations.py`."""
NEXT = 4
"""How many times the most operations are spent that the lines are read at."""
SHARES = {
    "syntax": "syntax defects",
    "other": "other defects",
    "recipes": "recipes",
    "false_positives": "false positives",
}
REPAIRED = ("syntax", "other", "recipes")


def part(size: str, steps: int) -> Part:
    """One run."""
    return two_stages(f"{size}-{steps}", steps, MASKS, EDITS, model=SIZES[size])


def last_loss(log: Path) -> float:
    """Mean loss of changed tokens in the last tenth of a run, nats a token."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    last = max(line["step"] for line in lines if "changed" in line)
    return fmean(line["changed"] for line in lines if "changed" in line and line["step"] > 0.9 * last)


def operations(parameters: int, steps: int) -> float:
    """Of a run: six for each parameter and token, as is usual; the embedding counts once, for the labels."""
    return 6.0 * parameters * steps * TOKENS


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope and height at 0 of the straight line with the least squares.

    Raises:
        ValueError: fewer than two places.
    """
    if len({x for x, _ in points}) < 2:
        raise ValueError("a line needs points at two places or more")
    mx, my = fmean(x for x, _ in points), fmean(y for _, y in points)
    slope = sum((x - mx) * (y - my) for x, y in points) / sum((x - mx) ** 2 for x, _ in points)
    return slope, my - slope * mx


def best(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Runs that no other beats in loss with as few operations or fewer, cheapest first."""
    kept: list[Mapping[str, Any]] = []
    for row in sorted(rows, key=lambda r: (r["operations"], r["loss"])):
        if not kept or row["loss"] < kept[-1]["loss"]:
            kept.append(row)
    return kept


def predicted(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """What lines through the best runs say of `NEXT` times the most that was spent.

    The loss as a power of the operations, shares of repairs as logits over their logarithm; empty for too few runs.
    """
    points = best(rows)
    if len(points) < 3:
        return {}
    spent = [math.log(row["operations"]) for row in points]
    there = max(math.log(row["operations"]) for row in rows) + math.log(NEXT)
    slope, base = line([(x, math.log(row["loss"])) for x, row in zip(spent, points, strict=True)])
    found = {"operations": math.exp(there), "exponent": slope, "loss": math.exp(base + slope * there)}
    for key in REPAIRED:
        slope, base = line([(x, _logit(row[key])) for x, row in zip(spent, points, strict=True)])
        found[key] = 1 / (1 + math.exp(-base - slope * there))
    return found


def _logit(share: float) -> float:
    """Of a share, kept away from 0 and 1."""
    kept = min(max(share, 0.002), 0.998)
    return math.log(kept / (1 - kept))


def markdown(results: Results, picture: str) -> str:
    settings = results.header
    lines = [
        "# Larger models, longer training",
        "",
        f"`benchmarks/scaling.py`: steps of {TOKENS:,} tokens; {settings['cases']} cases of each suite from",
        f"repositories never trained on (`{settings['cases_digest']}`), threshold {settings['threshold']}.",
        "Operations: six for each parameter and token. Loss: changed tokens, nats, the last tenth of the steps.",
        "",
        f"![loss and repairs against operations]({picture})",
        "",
        "| parameters | tokens | operations | loss | "
        + " | ".join(SHARES.values())
        + " | seconds of training |",
        "| --- | --- | --- | --- | " + " | ".join("---" for _ in SHARES) + " | --- |",
    ]
    for row in sorted(results.rows.values(), key=lambda r: (r["parameters"], r["steps"])):
        shares = " | ".join(f"{row[key]:.1%}" for key in SHARES)
        lines.append(
            f"| {row['parameters'] / 1e6:.1f} M | {row['steps'] * TOKENS / 1e6:.1f} M | {row['operations']:.1e} "
            f"| {row['loss']:.3f} | {shares} | {row['seconds']:,.0f} |"
        )
    found = predicted(list(results.rows.values()))
    if found:
        spent = f"{NEXT} times the most that was spent, {found['operations']:.1e} operations"
        shares = ", ".join(f"{SHARES[key]} {found[key]:.0%}" for key in REPAIRED)
        lines += [
            "",
            "Lines through the runs that no cheaper one beats: the loss falls with the power",
            f"{found['exponent']:.3f} of the operations. Of {spent},",
            f"they say: loss {found['loss']:.2f}, {shares}.",
        ]
    return "\n".join(lines) + "\n"


def plot(rows: Sequence[Mapping[str, Any]], picture: Path) -> None:
    """Loss, repairs and recipes over operations, one line a size."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = {"loss": "loss of changed tokens", **{key: SHARES[key] for key in REPAIRED}}
    figure, axes = pyplot.subplots(1, len(panels), figsize=(15, 4))
    for one, (key, title) in zip(axes, panels.items(), strict=True):
        for parameters in sorted({row["parameters"] for row in rows}):
            own = sorted((r["operations"], r[key]) for r in rows if r["parameters"] == parameters)
            percent = 1 if key == "loss" else 100
            label = f"{parameters / 1e6:.1f} M parameters"
            one.plot([x for x, _ in own], [percent * y for _, y in own], marker="o", label=label)
        one.set(xscale="log", xlabel="operations", title=title, ylabel="nats" if key == "loss" else "% exact")
    axes[0].set(yscale="log")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)


def run(size: str, steps: int, place: Workplace, cases: Cases, threshold: float) -> dict[str, Any]:
    """Train one size for one budget unless that is done, and measure it."""
    import torch

    from engine.checkpoints.folder import load

    own = part(size, steps)
    model = place.train(own, None)
    parameters = sum(one.numel() for one in load(model, device="cpu", dtype=torch.bfloat16)[0].parameters())
    figures = measure(model, cases, threshold)
    loss = last_loss(place.folder / f"{own.name}-{place.seed}/run/log.jsonl")
    spent = {"operations": operations(parameters, steps), "seconds": place.seconds(own)}
    return {"size": size, "steps": steps, "parameters": parameters, "loss": loss, **spent, **figures}


def main() -> None:
    parser = options(__doc__, steps=2000)
    parser.add_argument("--sizes", default=",".join(SIZES), help="names, with commas")
    parser.add_argument("--budgets", default="1,2", help="which of the two, from the smaller")
    given = parser.parse_args()
    cases = Cases.draw(given.corpus / "held_out.jsonl", given.cases)
    out = given.out or given.work / "scaling.json"
    header = {"steps": given.steps, "cases": given.cases, "cases_digest": cases.digest}
    results = Results(out, {**header, "threshold": given.threshold})
    until = time.monotonic() + 60 * given.minutes
    place = Workplace(given.work, given.corpus.resolve(), 1, given.compile, until)
    budgets = [round(given.steps * BUDGETS[int(number) - 1]) for number in given.budgets.split(",")]
    with sitting():
        for steps, size in itertools.product(budgets, given.sizes.split(",")):
            name = f"{size}/{steps}"
            if name not in results.rows:
                results.add(name, run(size, steps, place, cases, given.threshold))
                print(f"{name}: {results.rows[name]}", file=sys.stderr)
            picture = out.with_suffix(".png")
            out.with_suffix(".md").write_text(markdown(results, picture.name))
            plot(list(results.rows.values()), picture)
    print(out.with_suffix(".md").read_text())


if __name__ == "__main__":
    main()
