"""`seed log`: the runs that wrote files here."""

import json as json_format
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedcli.report import JSON_VERSION, answer, one_line, say

if TYPE_CHECKING:
    from seedcli.patches.journal import Run


def log(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """List the runs that wrote files here, newest first: id, time, state, files, instruction.

    \b
    Examples:
      seed log
      seed log --json
    """
    from seedcli.delivering import journal_of, recover
    from seedcli.repository.workspace import Workspace

    workspace = Workspace.discover(Path.cwd())
    recover(workspace, "print")
    runs = journal_of(workspace).runs()
    if json:
        answer(_as_json(runs).encode() + b"\n")
    elif runs:
        answer("".join(_line(run) + "\n" for run in runs).encode("utf-8", "replace"))
    else:
        say("no run has written files here yet")


def _line(run: "Run") -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.time))
    first, *others = run.files or ("",)
    files = f"{first} and {len(others)} more" if others else first
    return one_line(f"{run.id}  {when}  {run.state:8}  {files}  {run.label}")


def _as_json(runs: "list[Run]") -> str:
    rows = [
        {"id": run.id, "time": run.time, "state": run.state, "label": run.label, "files": list(run.files)}
        for run in runs
    ]
    return json_format.dumps({"version": JSON_VERSION, "runs": rows})
