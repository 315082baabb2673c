"""`seed review`: the review screen for any unified diff."""

from typing import Annotated

import typer

from seedcli.report import answer, say


def review(
    patch: Annotated[
        str, typer.Argument(metavar="PATCH|-", show_default=False, help="A unified diff; - for stdin.")
    ],
    apply: Annotated[bool, typer.Option("-y", "--apply", help="Write without review.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the diff, write nothing.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; without -y, write nothing.")
    ] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="End with 0 when a diff is not applied.")
    ] = False,
) -> None:
    """Review a unified diff hunk by hunk, then write what was accepted.

    A diff that is already applied (from `git diff`) stays where it is accepted and is reversed where it is
    rejected. When the patch comes on stdin, keys are read from the terminal itself.

    \b
    Examples:
      seed review fix.patch             review in the terminal, write what you accept
      git diff | seed review -          keep or reverse your own changes, hunk by hunk
      seed review -y fix.patch          write all of it, or nothing if it does not fit

    \b
    Exit codes:
      0    applied
      1    not (wholly) applied; --exit-zero makes it 0
      2    usage, or a patch that cannot be read or does not fit
      4    a file changed or cannot be written, or the patch fits both ways: nothing was written
      130  interrupted
    """
    from seedcli.reviewing import ReviewJob, run_review

    report = run_review(ReviewJob(source=patch, apply=apply, diff=diff, machine=json))
    say(report.message)
    if json:
        answer(report.as_json().encode() + b"\n")
    raise typer.Exit(report.exit_code(exit_zero=exit_zero))
