"""`seed scan`: flags to a scan, its findings to stdout, its worst to the exit code."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seedcli.report import answer, say


class Form(StrEnum):
    """How findings are printed."""

    text = "text"
    jsonl = "jsonl"
    sarif = "sarif"


def scan(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            show_default=False,
            help="A directory, FILE, FILE::SYMBOL, FILE:LINE or FILE:START-END.",
        ),
    ],
    form: Annotated[Form, typer.Option("--format", help="How to print what is found.")] = Form.text,
    limit: Annotated[int, typer.Option(min=0, help="Most places to print; 0 for all.")] = 100,
    least: Annotated[float, typer.Option(help="Least probability of a place, 0 to 1.")] = 0.1,
    fail_over: Annotated[
        float | None, typer.Option(metavar="P", min=0, max=1, help="End with 1 if a place exceeds this.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Leave out the places that stand in this file.")
    ] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Put all places into this file, as known ones.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Note what is read, to go on after a kill.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Checkpoint to use.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="KIND", help="Hold weights as bfloat16, float32, int8 or int4.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Read ignored and secret files that are named.")
    ] = False,
    isolated: Annotated[bool, typer.Option("--isolated", help="Read no configuration files.")] = False,
) -> None:
    """Rank the places that the model would change, without changing any.

    \b
    Examples:
      seed scan src/                                     the 100 most suspect places, with the change
      seed scan --format sarif src/ > seed.sarif         for code hosts and editors
      seed scan --write-baseline known.json src/         accept what is there ...
      seed scan --baseline known.json --fail-over 0.9 .  ... and end with 1 on what is new

    One forward reads a region; a probability is the model's own, not a proof. A comment `# seed: ignore` covers its
    line, alone on a line the next one, at a `def` or `class` all of it; `# seed: ignore-file` covers the file.

    \b
    Exit codes:
      0    read; with --fail-over, no place exceeds it
      1    a place exceeds --fail-over
      2    usage, configuration, or a target that is missing or cannot be read
      3    no model that can scan
      4    the state is in use, or the disk refuses to take more
      130  interrupted
    """
    from seedcli.scanning.formats import written
    from seedcli.scanning.running import ScanWish, run_scan

    wish = ScanWish(
        targets=tuple(targets),
        least=least if fail_over is None else min(least, fail_over),
        limit=limit,
        baseline=baseline,
        new_baseline=write_baseline,
        state=state,
        sampling={"model": model, "weights": weights},
        force=force,
        isolated=isolated,
    )
    scanned = run_scan(wish)
    answer(written(scanned.findings, form.value, model=scanned.model).encode("utf-8", "surrogateescape"))
    say(scanned.summary())
    raise typer.Exit(1 if fail_over is not None and scanned.worst > fail_over else 0)
