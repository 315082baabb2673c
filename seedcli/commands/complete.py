"""`seed complete`: flags to a completion, its text to stdout, its outcome to the exit code."""

import json as json_format
from typing import Annotated

import typer

from seedcli.report import answer, say


def complete(
    target: Annotated[
        str,
        typer.Argument(
            metavar="FILE:LINE[:COL]",
            show_default=False,
            help="Where: at the end of a line, or before its character COL; both count from 1.",
        ),
    ],
    apply: Annotated[bool, typer.Option("-y", "--apply", help="Also write the text into the file.")] = False,
    lines: Annotated[
        int | None, typer.Option(metavar="N", help="Take the first N lines of the text.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Checkpoint to use.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="KIND", help="Hold weights as bfloat16, float32, int8 or int4.")
    ] = None,
    context: Annotated[
        list[str], typer.Option(metavar="PATH", help="Also show this file to the model, if it reads context.")
    ] = [],  # noqa: B006
    seed: Annotated[int | None, typer.Option(help="Source of all chance.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Randomness of the text; 0 for none.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Draw among the k most probable tokens.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Least score of a text to be given, 0 to 1.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Read ignored and secret files that are named.")
    ] = False,
    allow_broken: Annotated[
        bool, typer.Option("--allow-broken", help="Also give a text with which the file would not parse.")
    ] = False,
    isolated: Annotated[bool, typer.Option("--isolated", help="Read no configuration files.")] = False,
) -> None:
    """Fill in the middle of a file: print what is to stand at a place.

    \b
    Examples:
      seed complete src/app.py:12          what comes at the end of line 12
      seed complete src/app.py:12:9        what comes before its ninth character
      seed complete -y src/app.py:12       also write it; `seed undo` takes it back
      seed complete --lines 1 --json src/app.py:12

    Nothing is printed unless the model's score reaches the threshold; stderr says what it was.

    \b
    Exit codes:
      0    there is a text, and it was printed
      2    usage, configuration, or a place that does not exist
      3    no model, or no text that it stands by
      4    the file changed or cannot be written: nothing was written
      130  interrupted
    """
    from seedcli.completing import CompletionJob, run_complete

    job = CompletionJob(
        target,
        apply=apply,
        lines=lines,
        context=tuple(context),
        sampling={
            "model": model,
            "weights": weights,
            "seed": seed,
            "temperature": temperature,
            "top_k": top_k,
            "threshold": threshold,
        },
        force=force,
        allow_broken=allow_broken,
        isolated=isolated,
    )
    done = run_complete(job)
    say(done.report.message)
    if json:
        table = {**json_format.loads(done.report.as_json()), "text": done.text}
        answer(json_format.dumps(table).encode() + b"\n")
    elif done.text:
        answer(done.text.encode() + b"\n")
    raise typer.Exit(done.report.exit_code(exit_zero=True))
