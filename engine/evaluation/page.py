"""Reports of many suites on one page: a table, and a picture of shares and calibration beside it.

Knows nothing of how a suite is measured: it reads what `engine.evaluation.reports` writes.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.training.card import value

MOST_SHOWN = 12
"""Scores of a suite in the picture."""
LEAST_PART = 0.2
"""Share of a suite's cases that such a score rests on: not on one kind of defect alone."""
COSTS = ("forwards", "rounds", "tokens_per_forward", "seconds")
"""Beginnings of the names of costs that are shown."""
Report = Mapping[str, Any]


def render_page(title: str, reports: Mapping[str, Report], missing: Mapping[str, str], picture: str) -> str:
    """The page as Markdown.

    Args:
        reports: by name, as they are to be listed.
        missing: suites that were not measured, and why.
        picture: file name of what `draw_page` drew.
    """
    lines = [f"# {title}", "", f"![shares with 95 % intervals, and calibration]({picture})", ""]
    for name, report in reports.items():
        lines += [
            f"## {name}",
            "",
            _about(report),
            "",
            "| | share | 95 % interval | cases |",
            "| --- | --- | --- | --- |",
        ]
        for score, found in report["scores"].items():
            if not found["count"]:
                continue
            low, high = found["interval"]
            lines.append(f"| {score} | {value(found):.1%} | {low:.1%} to {high:.1%} | {found['count']} |")
        lines.append("")
    if missing:
        lines += ["## Not measured", "", *(f"- {name}: {why}" for name, why in missing.items()), ""]
    return "\n".join(lines)


def _about(report: Report) -> str:
    """Model, costs and calibration in a line."""
    model, error = report["model"], report.get("calibration", {}).get("expected_calibration_error")
    parts = [f"{report['date']}, {model['name']} `{model['revision']}`, {model['parameters']:,} parameters"]
    parts += [
        f"{name.replace('_', ' ')} {cost:g}"
        for name, cost in report["costs"].items()
        if name.startswith(COSTS)
    ]
    if error is not None:
        parts.append(f"calibration error {error:.3f}")
    if report.get("not_judged"):
        parts.append(f"{len(report['not_judged'])} cases not judged by tests")
    return "; ".join(parts) + "."


def draw_page(reports: Mapping[str, Report], picture: Path) -> None:
    """Two panels a suite: its first scores with their intervals, and how its answers' scores are calibrated."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = max(1, math.ceil(len(reports) / 2))
    figure, grid = pyplot.subplots(
        rows, 4, figsize=(15, 2.9 * rows), squeeze=False, width_ratios=[3, 2, 3, 2]
    )
    panels = list(grid.flat)
    for (name, report), shares, calibrated in zip(reports.items(), panels[::2], panels[1::2], strict=False):
        _draw_shares(shares, name, _main(report["scores"]))
        _draw_calibration(calibrated, report.get("calibration", {}).get("bins", []))
    for unused in panels[2 * len(reports) :]:
        unused.set_axis_off()
    figure.tight_layout()
    figure.savefig(picture, dpi=100)
    pyplot.close(figure)


def _main(scores: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Those of the suite's whole or of a large part of it."""
    most = max((found["count"] for found in scores.values()), default=0)
    chosen = [
        (name, found)
        for name, found in scores.items()
        if found["count"] > LEAST_PART * most and not name.endswith("phrasings")
    ]
    return chosen[:MOST_SHOWN]


def _draw_shares(axes: Any, name: str, scores: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    places = range(len(scores))
    values = [100 * value(score) for _, score in scores]
    ends = [[100 * end for end in score["interval"]] for _, score in scores]
    below = [max(0.0, v - low) for v, (low, _) in zip(values, ends, strict=True)]
    above = [max(0.0, high - v) for v, (_, high) in zip(values, ends, strict=True)]
    axes.barh(places, values, xerr=[below, above], color="tab:blue", alpha=0.7, ecolor="black")
    axes.set_yticks(places, [score for score, _ in scores], fontsize=7)
    axes.invert_yaxis()
    axes.set(title=name, xlim=(0, 100), xlabel="%")


def _draw_calibration(axes: Any, bins: Sequence[Mapping[str, Any]]) -> None:
    axes.plot([0, 1], [0, 1], color="grey", linewidth=1)
    axes.plot([b["score"] for b in bins], [b["right"] for b in bins], marker="o", markersize=3)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="score", ylabel="share right")
