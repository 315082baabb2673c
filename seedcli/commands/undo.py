"""`seed undo`: take back a run."""

from pathlib import Path
from typing import Annotated

import typer

from seedcli.report import say


def undo(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Id from `seed log`; default: the last.")
    ] = None,
) -> None:
    """Take back the last run, or the one named: every file as it was before, or none.

    A file that was changed since is not touched, and then no other is: exit code 4.

    \b
    Examples:
      seed undo                  the last run
      seed undo 20260102-3       that one; `seed log` lists them
    """
    from seedcli.delivering import journal_of, recover
    from seedcli.repository.workspace import Workspace

    workspace = Workspace.discover(Path.cwd())
    recover(workspace)
    undone = journal_of(workspace).undo(run, warn=say)
    say(f"took back {undone.id} ({undone.label}): {', '.join(undone.files)}; `seed redo` writes it again")
