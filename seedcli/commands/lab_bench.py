"""`seed bench`: time edits and texts against other ways of decoding. Parses and reports; the engine times."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from seedcli.commands.measuring import Model, check_out, read_held_out
from seedcli.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from engine.bench.decoders import Weights
    from engine.bench.run import Suite

NAMES = ("forwards", "threads", "edits", "repairs", "batch", "generation", "windows", "dtypes")


def bench(
    only: str = typer.Option(
        "",
        metavar="SUITES",
        help=f"Suites to run, with commas between: {', '.join(NAMES)}; all if not given.",
    ),
    quick: bool = typer.Option(False, "--quick", help="Few and small sizes: about a minute."),
    held_out: Path = typer.Option(
        Path("corpus/held_out.jsonl"), help="Held-out functions, as `seed train corpus` draws them."
    ),
    model: Path = Model,
    twin: Path = typer.Option(
        None,
        help="A checkpoint trained to write token by token; else random weights of the same shape, for timing.",
    ),
    device: str = typer.Option(None, help="cpu, cuda; CUDA where there is one if not given."),
    dtype: str = typer.Option(None, help="bfloat16 or float32; what `seed edit` takes if not given."),
    threads: int = typer.Option(0, min=0, help="Threads; as torch has it if not given."),
    out: Path = typer.Option(None, help="Write the report as JSON to this file, and a picture beside it."),
) -> None:
    """Time edits and texts, in turns with the same weights and a twin that write token by token.

    \b
    Examples:
      seed bench --quick                                   about a minute
      seed bench --only edits,repairs --out bench.json     the table, JSON and PNG
      seed bench --twin models/twin --out bench.json       everything, with a trained twin

    Every way of decoding is timed in turns with the others in one run; medians are compared. What is named scripted
    takes its decisions from the answer, through the same forwards: it costs what an edit of that size costs, whatever
    the weights would write.
    """
    from engine.bench.picture import plot
    from engine.bench.rows import BenchRow, shown
    from engine.bench.run import run
    from engine.errors import EngineError
    from engine.evaluation.reports import write_report

    check_out(out)
    before: BenchRow | None = None

    def show(row: BenchRow) -> None:
        nonlocal before
        typer.echo(shown(row, before))
        sys.stdout.flush()
        before = row

    try:
        weights, chosen = _prepare(only, quick, held_out, model, twin, device, dtype, threads)
        rows, found = run(chosen, weights, _tell, show)
    except EngineError as error:
        raise ModelError(str(error)) from error
    if out:
        write_report(out, {**found, "rows": [row.as_json() for row in rows]})
        plot(rows, f"{found['model']['name']} on {found['machine']['processor']}", out.with_suffix(".png"))


def _prepare(
    only: str,
    quick: bool,
    held_out: Path,
    model: Path | None,
    twin: Path | None,
    device: str | None,
    dtype: str | None,
    threads: int,
) -> "tuple[Weights, dict[str, Suite]]":
    from engine.bench.decoders import trained
    from engine.bench.run import FULL, QUICK, set_threads, suites

    names = [name.strip() for name in only.split(",") if name.strip()] or list(NAMES)
    if unknown := [name for name in names if name not in NAMES]:
        raise SettingsError(f"--only {unknown[0]} is no suite; there are {', '.join(NAMES)}")
    functions = [row.text for row in read_held_out(held_out)]
    set_threads(threads)
    weights = trained(model, device=device, dtype=dtype)
    other = trained(twin, device=device, dtype=dtype) if twin else None
    found = suites(QUICK if quick else FULL, weights, other, functions, _tell)
    return weights, {name: suite for name, suite in found.items() if name in names}


def _tell(what: str) -> None:
    if sys.stderr.isatty():
        print(f"seed: {what}", file=sys.stderr, flush=True)
