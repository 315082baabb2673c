"""`seed edit`: flags to a job, its report to stdout and stderr, its outcome to the exit code.

Options are declared without importing the model, the screen, git or the parser, so that `--help` is quick.
"""

from typing import Annotated

import typer

from seedcli.report import answer, say


def edit(
    instruction: Annotated[
        str,
        typer.Argument(
            metavar="INSTRUCTION",
            show_default=False,
            help="What to do; left out with --recipe and --conflicts.",
        ),
    ] = "",
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="TARGET",
            show_default=False,
            help="FILE, FILE::SYMBOL, FILE:LINE, FILE:START-END, a directory, or - for targets on stdin, "
            "one a line. With --recipe also its variables as NAME=VALUE; ./NAME=VALUE is a file.",
        ),
    ] = [],  # noqa: B006
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="Instruct by recipe; see `seed prompts`.")
    ] = None,
    apply: Annotated[bool, typer.Option("-y", "--apply", help="Write without review.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print the unified diff, write nothing.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; without -y, write nothing.")
    ] = False,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Checkpoint to use.")] = None,
    weights: Annotated[
        str | None, typer.Option(metavar="KIND", help="Hold weights as bfloat16, float32, int8 or int4.")
    ] = None,
    candidates: Annotated[int | None, typer.Option("-n", "--candidates", help="Candidates to draw.")] = None,
    seed: Annotated[int | None, typer.Option(help="Source of all chance.")] = None,
    new: Annotated[
        list[str],
        typer.Option(metavar="PATH", help="Also make this file; may be repeated, without TARGET too."),
    ] = [],  # noqa: B006
    context: Annotated[
        list[str], typer.Option(metavar="PATH", help="Also show this file to the model, if it reads context.")
    ] = [],  # noqa: B006
    temperature: Annotated[float | None, typer.Option(help="Randomness of further candidates.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Sample among the k most probable tokens.")] = None,
    threshold: Annotated[float | None, typer.Option(help="Least probability of a change, 0 to 1.")] = None,
    max_rounds: Annotated[int | None, typer.Option(help="Rounds after which an edit is ended.")] = None,
    expect_change: Annotated[
        bool, typer.Option("--expect-change", help="End with 3 if nothing changes.")
    ] = False,
    exit_zero: Annotated[
        bool, typer.Option("--exit-zero", help="End with 0 when a diff is not applied.")
    ] = False,
    show_prompt: Annotated[bool, typer.Option("--show-prompt", help="Show what the model is given.")] = False,
    timings: Annotated[bool, typer.Option("--timings", help="Say where the time went.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Edit ignored and secret files that are named.")
    ] = False,
    allow_new_names: Annotated[
        bool,
        typer.Option(
            "--allow-new-names",
            help="Offer edits with names that neither the code nor the instruction defines, as --check does.",
        ),
    ] = False,
    allow_broken: Annotated[
        bool, typer.Option("--allow-broken", help="Offer edits that do not parse.")
    ] = False,
    isolated: Annotated[bool, typer.Option("--isolated", help="Read no configuration files.")] = False,
    check: Annotated[
        str | None,
        typer.Option(
            metavar="CMD", help="Keep the best candidate with which CMD succeeds, in a private copy."
        ),
    ] = None,
    check_all: Annotated[bool, typer.Option("--check-all", help="Check every candidate.")] = False,
    check_first: Annotated[
        bool,
        typer.Option(
            "--check-first",
            help="Run the check on the tree as it is, too, and read what it prints as --traceback does.",
        ),
    ] = False,
    check_timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Time for one check; 600.")
    ] = None,
    check_jobs: Annotated[int | None, typer.Option(metavar="N", help="Checks that run at once; 1.")] = None,
    check_disk: Annotated[
        float | None, typer.Option(metavar="GIB", help="Disk for one check, and for the copy; 4.")
    ] = None,
    check_in_place: Annotated[
        bool, typer.Option("--check-in-place", help="Check in the repository itself, and roll back.")
    ] = False,
    tries: Annotated[
        int | None,
        typer.Option(
            metavar="K", help="Draw K times; what the check printed goes into the next instruction."
        ),
    ] = None,
    traceback: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="What a failed run printed, or - for stdin: says where to edit, if no TARGET does, and what is wrong.",
        ),
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", help="Edit what the staged changes touch.")] = False,
    changed: Annotated[
        bool, typer.Option("--changed", help="Edit what changes touch: staged, unstaged and untracked.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="REV", help="Edit what was changed since HEAD left REV.")
    ] = None,
    conflicts: Annotated[
        bool,
        typer.Option("--conflicts", help="Resolve conflict markers, in the targets or wherever they are."),
    ] = False,
    with_diff: Annotated[
        bool, typer.Option("--with-diff", help="Show uncommitted changes to the model, if it reads context.")
    ] = False,
    with_log: Annotated[
        bool, typer.Option("--with-log", help="Show recent commits of the region to the model likewise.")
    ] = False,
    commit: Annotated[
        bool, typer.Option("--commit", help="Commit what was written, and nothing else.")
    ] = False,
    message: Annotated[
        str | None, typer.Option("-m", "--message", metavar="MSG", help="Of the commit; the instruction.")
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(metavar="K", help="Without TARGET: edit the K most probable regions, and do not ask."),
    ] = None,
    uses: Annotated[
        bool, typer.Option("--uses", help="Edit what uses TARGET too; a rename is whole, or not made.")
    ] = False,
    index_rest: Annotated[
        bool, typer.Option("--index-rest", help="With --uses: let the index rename what the model does not.")
    ] = False,
    leave_unclear: Annotated[
        bool, typer.Option("--leave-unclear", help="With --uses: leave places that may mean another name.")
    ] = False,
) -> None:
    """Edit code as an instruction or a recipe says.

    \b
    Examples:
      seed edit "fix the bug" src/app.py::parse      review in the terminal, write what you accept
      seed edit "use f-strings" src/app.py:10-40     only these lines
      seed edit -y "remove debug prints" src/        write without review; `seed undo` takes it back
      seed edit "fix the bug" src/ > fix.patch       in a pipe: print the diff, write nothing
      git ls-files '*.py' | seed edit --json "use enumerate instead of range(len())" -
      seed edit --recipe rename old=tmp new=total src/app.py::add
      seed edit --recipe rename old=load new=read --uses src/io.py::load    in all files that use it
      seed edit "close the file in read_config"      without a target: Seed picks, and asks
      seed edit "test add" --context src/app.py --new tests/test_app.py      a model that writes files
      seed edit -n 8 --temperature 0.7 --seed 1 "fix the bug" src/app.py::parse
      seed edit -y -n 16 --check "pytest -q tests/test_app.py" "fix the bug" src/app.py::parse
      seed edit -n 16 --check "pytest -q" --check-first "fix the bug"    where the tests fail
      pytest 2>&1 | seed edit "fix the bug" --traceback -    what the failures name
      seed edit --changed "fix the bug"              the functions with uncommitted changes
      seed edit -y --commit --since main "use f-strings"
      seed edit --conflicts

    On a terminal the edit is reviewed hunk by hunk and written; otherwise the unified diff goes to stdout and
    nothing is written. Paths in a git repository must lie inside it.

    With --check the candidates are tried best first, in a copy that the check sees in the repository's own place; the
    first that passes is reviewed, printed or written as without.

    \b
    Exit codes:
      0    applied, or surely nothing to change
      1    there is a diff, and it was not (wholly) applied; --exit-zero makes it 0
      2    usage, configuration, or a target that is missing or cannot be read
      3    no model, or no edit that it stands by
      4    a file changed or cannot be written: nothing was written; or it was, and --commit failed
      5    no candidate passed the check: nothing was written
      130  interrupted
    """
    from seedcli.edit_job import EditJob
    from seedcli.editing import run_edit
    from seedcli.versioning import GitWish

    job = EditJob(
        words=(instruction, *targets),
        recipe=recipe,
        apply=apply,
        diff=diff,
        machine=json,
        new=tuple(new),
        context=tuple(context),
        sampling={
            "model": model,
            "weights": weights,
            "seed": seed,
            "candidates": candidates,
            "temperature": temperature,
            "top_k": top_k,
            "threshold": threshold,
            "max_rounds": max_rounds,
            "check_timeout": check_timeout,
            "check_jobs": check_jobs,
            "check_disk": check_disk,
        },
        show_prompt=show_prompt,
        force=force,
        allow_broken=allow_broken,
        allow_new_names=allow_new_names,
        isolated=isolated,
        check=check,
        check_all=check_all,
        check_first=check_first,
        check_in_place=check_in_place,
        tries=tries,
        traceback=traceback,
        git=GitWish(
            staged=staged,
            since=since,
            changed=changed,
            conflicts=conflicts,
            with_diff=with_diff,
            with_log=with_log,
            commit=commit,
            message=message,
        ),
        top=top,
        uses=uses,
        index_rest=index_rest,
        leave_unclear=leave_unclear,
    )
    report = run_edit(job)
    say(report.message)
    if timings:
        say(report.timings())
    if json:
        answer(report.as_json().encode() + b"\n")
    raise typer.Exit(report.exit_code(exit_zero=exit_zero, expect_change=expect_change))
