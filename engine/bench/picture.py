"""The report as a picture: seconds by region and by change, the frontier of generation, forwards by their size."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.bench.rows import BenchRow


def plot(rows: Sequence[BenchRow], title: str, picture: Path) -> None:
    """Write a PNG with a panel for each suite that was run."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    panels = {"edits": _edits, "generation": _generation, "forwards": _forwards, "batch": _batch}
    drawn = {name: draw for name, draw in panels.items() if any(row.suite == name for row in rows)}
    if not drawn:
        return
    figure, axes = pyplot.subplots(1, len(drawn), figsize=(5.2 * len(drawn), 4.2), squeeze=False)
    for axis, (name, draw) in zip(axes[0], drawn.items(), strict=True):
        draw(axis, [row for row in rows if row.suite == name])
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)


def _edits(axis: Any, rows: Sequence[BenchRow]) -> None:
    changed = min(int(str(row.case["changed"])) for row in rows)
    for way in dict.fromkeys(row.way for row in rows):
        own = [r for r in rows if r.way == way and r.case["changed"] == changed]
        axis.plot([r.case["region"] for r in own], [r.seconds for r in own], marker="o", label=way)
    axis.set(xscale="log", yscale="log", xlabel="tokens of the region", ylabel="seconds to the diff")
    axis.set_title(f"edits of {changed} token")
    axis.legend(fontsize=7)


def _generation(axis: Any, rows: Sequence[BenchRow]) -> None:
    for way in dict.fromkeys(row.way for row in rows):
        own = [r for r in rows if r.way == way and r.case["texts"] == 1]
        axis.plot(
            [r.case["tokens"] for r in own],
            [r.counts["tokens_per_second"] for r in own],
            marker="o",
            label=way,
        )
    axis.set(
        xscale="log", yscale="log", xlabel="tokens written", ylabel="tokens a second", title="generation"
    )
    axis.legend(fontsize=7)


def _forwards(axis: Any, rows: Sequence[BenchRow]) -> None:
    axis.plot([int(r.way) for r in rows], [r.ratio for r in rows], marker="o")
    axis.set(
        xscale="log", yscale="log", xlabel="tokens of a forward, B", ylabel="T(B) / T(1)", title="forwards"
    )
    axis.grid(alpha=0.3)


def _batch(axis: Any, rows: Sequence[BenchRow]) -> None:
    for way in dict.fromkeys(row.way for row in rows):
        own = [r for r in rows if r.way == way]
        axis.plot(
            [r.case["edits"] for r in own], [r.counts["edits_per_second"] for r in own], marker="o", label=way
        )
    axis.set(xscale="log", xlabel="edits", ylabel="edits a second", title="batch", ylim=(0, None))
    axis.legend(fontsize=7)
