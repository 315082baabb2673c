"""`seed batch`: flags to a run of many jobs, its results to stdout, its totals to the exit code."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from seedcli.errors import SeedError
from seedcli.report import leave_stdout, say


def batch(
    jobs: Annotated[
        str,
        typer.Argument(metavar="JOBS.jsonl", show_default=False, help="One JSON job a line; - for stdin."),
    ],
    apply: Annotated[bool, typer.Option("-y", "--apply", help="Write each job's edit.")] = False,
    unordered: Annotated[
        bool, typer.Option("--unordered", help="Print results as they are known, not in the jobs' order.")
    ] = False,
    patch_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also put each job's patch into DIR/ID.patch.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where to note what is done; JOBS.jsonl.state if not given."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on where a run that was stopped left off.")
    ] = True,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Checkpoint to use.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="KIND", help="Hold weights as bfloat16, float32, int8 or int4.")
    ] = None,
    candidates: Annotated[int | None, typer.Option("-n", "--candidates", help="Candidates to draw.")] = None,
    seed: Annotated[int | None, typer.Option(help="Source of all chance.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Randomness of further candidates.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Sample among the k most probable tokens.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Least probability of a change, 0 to 1.")] = None,
    max_rounds: Annotated[int | None, typer.Option(help="Rounds after which an edit is ended.")] = None,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="Count a diff that is not applied as success.")
    ] = False,
    isolated: Annotated[bool, typer.Option("--isolated", help="Read no configuration files.")] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Ask models on a Ray cluster; `auto` for this machine's, `local` for one of its own.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="How many; one for each GPU or machine if not given."),
    ] = None,
) -> None:
    """Edit many places in one run, a JSON job a line.

    \b
    Examples:
      seed batch jobs.jsonl > results.jsonl           propose; write nothing
      seed batch -y jobs.jsonl > results.jsonl        write each edit; `seed undo ID` takes one back
      seed batch jobs.jsonl --patch-dir patches       also a patch for each job
      make-jobs | seed batch --state run.state -      jobs on stdin, resumable
      seed batch --ray auto jobs.jsonl > results.jsonl       models on the machines of a Ray cluster

    \b
    A job, and a job with a recipe and options (flags of `seed edit`):
      {"id": 1, "instruction": "fix the bug", "target": "src/app.py::parse"}
      {"id": "b", "recipe": "rename", "vars": {"old": "a", "new": "b"}, "target": ["x.py", "y.py"],
       "options": {"threshold": 0.9}}

    Each result is the object of `seed edit --json` with the job's id before it. A job that fails stops no other.
    The same command after a kill goes on where it stopped, repeats no finished work, and prints all results again:
    write them with >, not >>. Lines that a target names are those of the files before the first edit.

    \b
    Exit codes:
      0    every job ended with 0, as `seed edit` would have
      1    some did not
      2    usage, configuration, or jobs that cannot be read
      3    no model
      4    the state is in use, or the disk refuses to take more
      130  interrupted; the same command goes on
    """
    from seedcli.batching.results import Delivery
    from seedcli.batching.running import BatchWish, Resumption, run_batch
    from seedcli.errors import SettingsError

    if workers is not None and ray is None:
        raise SettingsError("--workers says how many on a Ray cluster; give --ray ADDRESS too")
    wish = BatchWish(
        Delivery(apply=apply, exit_zero=exit_zero, patch_folder=patch_dir),
        unordered=unordered,
        sampling={
            "model": model,
            "weights": weights,
            "seed": seed,
            "candidates": candidates,
            "temperature": temperature,
            "top_k": top_k,
            "threshold": threshold,
            "max_rounds": max_rounds,
        },
        isolated=isolated,
        ray=ray,
        workers=workers,
    )
    # Bound now: while Ray is asked, sys.stdout is not ours.
    totals = run_batch(jobs, wish, Resumption(state, resume), partial(_tell, sys.stdout.buffer))
    say(f"{totals.jobs} jobs: {totals.jobs - totals.failed} ended with 0, {totals.failed} did not")
    raise typer.Exit(1 if totals.failed else 0)


def _tell(stdout: BinaryIO, result: bytes) -> None:
    """One result on stdout. Without a reader there is no sense in going on; the state keeps what is done."""
    try:
        stdout.write(result)
        stdout.flush()
    except OSError as error:
        leave_stdout()
        if not isinstance(error, BrokenPipeError):
            raise SeedError(
                f"stdout takes no more: {error.strerror}; make room: the same command goes on where this run stopped"
            ) from None
        say("nobody reads stdout any more; the same command goes on where this run stopped")
        raise typer.Exit(1) from None
