"""`seed eval all`: every suite whose cases are there, one after another, then one page. Knows what each suite is called
with; the suites themselves are commands of their own.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import typer

from seedcli.commands.measuring import Model, bar, open_editor
from seedcli.errors import SeedError, SettingsError

HELD_OUT: dict[str, tuple[str, ...]] = {
    "repair": ("repair", "--tries", "1,4,16", "--baseline"),
    "told": ("repair", "--told"),
    "recipes": ("recipes",),
    "idle": ("idle",),
}
"""Names of reports on held-out functions, with the suites that make them."""
FILES: dict[str, tuple[str, ...]] = {
    "quixbugs*.jsonl": ("quixbugs", "--tries", "1,4,16", "--baseline"),
    "humanevalfix*.jsonl": ("fix", "--tries", "1,4,16", "--baseline"),
    "canitedit*.jsonl": ("edits", "--tries", "1,4,16"),
    "realcommits*.jsonl": ("commits", "--tries", "1,4,16"),
    "aider*": ("aider", "--tries", "1,4"),
    "polyglot*": ("aider", "--tries", "1,4"),
    "humaneval.jsonl": ("humaneval",),
    "mbpp*.jsonl": ("mbpp",),
    "humaneval_infilling*.jsonl": ("infilling",),
    "bigcodebench*.jsonl": ("bigcodebench",),
    "livecodebench*.jsonl": ("livecodebench",),
}
"""Names of files or folders as they are published, and the suites that read them."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One suite to run."""

    name: str
    """Of its report."""
    data: Path
    """Its cases."""
    arguments: tuple[str, ...]


def all_suites(
    context: typer.Context,
    out: Path = typer.Option(
        ..., help="Folder for the reports and the page; the same command goes on from it."
    ),
    data: Path = typer.Option(
        None, help="Folder with the benchmarks' files, named as published; those that are there are run."
    ),
    held_out: Path = typer.Option(
        Path("corpus/held_out.jsonl"),
        help="Held-out functions; repair, told, recipes and idle are left out without.",
    ),
    only: str = typer.Option("", help="Names of suites or of their files, with commas; all if not given."),
    limit: int = typer.Option(0, min=0, help="At most so many cases of each, to rehearse; 0 takes all."),
    model: Path = Model,
) -> None:
    """Run every suite whose cases are there, and make one page of the reports with plots.

    A suite whose report is finished for this model and these cases is not run again; of an interrupted one the finished
    cases count. Exit code 1: a suite could not be run; the page says why.

    \b
    Examples:
      seed eval all --data SUITES --held-out corpus/held_out.jsonl --out report
    """
    from engine.evaluation.page import draw_page, render_page

    plans = list(planned(data, held_out, limit, only))
    if not plans:
        raise SettingsError(
            f"no suite's cases are in {data or 'a folder'} or {held_out}; name them with --data, --held-out"
        )
    editor = open_editor(model)
    out.mkdir(parents=True, exist_ok=True)
    missing: dict[str, str] = {}
    reports: dict[str, dict[str, Any]] = {}
    with bar(plans, "suites") as tell:
        for plan in plans:
            try:
                reports[plan.name] = _report(
                    context, plan, out / f"{plan.name}.json", editor.info.revision, model
                )
            except SeedError as error:
                missing[plan.name] = str(error)
                typer.echo(f"{plan.name}: {error}", err=True)
            title = f"{editor.info.name} {editor.info.revision}"
            draw_page(reports, out / "report.png")
            (out / "report.md").write_text(render_page(title, reports, missing, "report.png"))
            tell(1)
    typer.echo(str(out / "report.md"))
    if missing:
        raise typer.Exit(1)


def planned(data: Path | None, held_out: Path, limit: int, only: str) -> Iterator[Planned]:
    """What is there to be run.

    Raises:
        SettingsError: there is no folder `data`, or nothing of a name in `only`.
    """
    if data is not None and not data.is_dir():
        raise SettingsError(
            f"there is no folder {data}; name one that holds the benchmarks' files with --data"
        )
    wanted = {name.strip() for name in only.split(",") if name.strip()}
    found = list(_found(data, held_out, limit))
    unknown = wanted - {name for plan in found for name in (plan.name, plan.arguments[0])}
    if unknown:
        raise SettingsError(
            f"--only names {', '.join(sorted(unknown))}; there are {', '.join(p.name for p in found)}"
        )
    yield from (plan for plan in found if not wanted or {plan.name, plan.arguments[0]} & wanted)


def _found(data: Path | None, held_out: Path, limit: int) -> Iterator[Planned]:
    if held_out.exists():
        for name, (suite, *options) in HELD_OUT.items():
            count = ("--count" if suite == "repair" else "--each", str(limit)) if limit else ()
            yield Planned(name, held_out, (suite, "--held-out", str(held_out.resolve()), *options, *count))
    most = ("--limit", str(limit)) if limit else ()
    for path in sorted(data.iterdir()) if data else ():
        for pattern, (suite, *chosen) in FILES.items():
            if fnmatch(path.name.lower(), pattern):
                yield Planned(path.stem, path, (suite, "--data", str(path.resolve()), *chosen, *most))


def _report(
    context: typer.Context, plan: Planned, out: Path, revision: str, model: Path | None
) -> dict[str, Any]:
    """The finished report of a suite, from before or made now.

    Raises:
        SeedError: the suite cannot be run.
        KeyboardInterrupt: while it ran.
    """
    from engine.files import write_json

    assert context.parent is not None, "the suites are this command's neighbours"
    asked = {"arguments": list(plan.arguments), "cases": _digest(plan.data), "revision": revision}
    done = out.with_suffix(".done")  # written last: a report without it may rest on other options
    if not (_said(done) == asked and out.exists()):
        done.unlink(missing_ok=True)
        print(f"{plan.name}:", file=sys.stderr, flush=True)
        chosen = ["--model", str(model)] if model else []
        code = context.parent.command.main(
            [*plan.arguments, *chosen, "--out", str(out)], "seed eval", standalone_mode=False
        )
        if code:  # Typer makes one of an interrupt
            raise KeyboardInterrupt
        write_json(done, asked)
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def _said(done: Path) -> Any:
    """What a finished report was asked with; None where that cannot be read."""
    try:
        return json.loads(done.read_text())
    except (OSError, ValueError):
        return None


def _digest(data: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files in a folder."""
    found = hashlib.sha256()
    for path in sorted(p for p in data.rglob("*") if p.is_file()) if data.is_dir() else [data]:
        found.update(
            str(path.relative_to(data)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest()
        )
    return found.hexdigest()
