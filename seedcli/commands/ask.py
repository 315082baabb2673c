"""`seed ask`: flags to a question, its answer to stdout, its outcome to the exit code."""

import json as json_format
from typing import Annotated

import typer

from seedcli.report import answer, say


def ask(
    question: Annotated[
        str,
        typer.Argument(
            metavar="RECIPE|QUESTION",
            show_default=False,
            help="A recipe that gives text, or words of your own.",
        ),
    ],
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|-",
            show_default=False,
            help="What to ask about; a recipe's variables as NAME=VALUE.",
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Checkpoint to use.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="KIND", help="Hold weights as bfloat16, float32, int8 or int4.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Source of all chance.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Randomness of the answer.")] = None,
    isolated: Annotated[bool, typer.Option("--isolated", help="Read no configuration files.")] = False,
) -> None:
    """Ask about a text, such as a diff: explain it, review it, write its commit message.

    \b
    Examples:
      git diff main | seed ask explain-diff -
      git diff main | seed ask review-comments -
      git diff --staged | seed ask commit-message - | git commit -F -
      seed ask "what does this module do?" src/app.py

    This is for large models; the default one was trained for edits alone, and says so.

    \b
    Exit codes:
      0    there is an answer, and it was printed
      2    usage, configuration, or a text that cannot be read
      3    no model, or none that answers
      130  interrupted
    """
    from seedcli.asking import Question, run_ask

    sampling = {"model": model, "weights": weights, "seed": seed, "temperature": temperature}
    done = run_ask(Question((question, *words), sampling, isolated))
    say(done.report.message)
    if json:
        table = {**json_format.loads(done.report.as_json()), "text": done.text}
        answer(json_format.dumps(table).encode() + b"\n")
    elif done.text:
        answer(done.text.removesuffix("\n").encode("utf-8", "replace") + b"\n")
    raise typer.Exit(done.report.exit_code(exit_zero=True))
