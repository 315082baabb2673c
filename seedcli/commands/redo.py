"""`seed redo`: write again what was undone."""

from pathlib import Path
from typing import Annotated

import typer

from seedcli.report import say


def redo(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Id from `seed log`; default: the last undone.")
    ] = None,
) -> None:
    """Write again the run that was undone last, or the one named.

    A file that was changed since is not touched, and then no other is: exit code 4.

    \b
    Examples:
      seed redo                  what was undone last
      seed redo 20260102-3       that one
    """
    from seedcli.delivering import journal_of, recover
    from seedcli.repository.workspace import Workspace

    workspace = Workspace.discover(Path.cwd())
    recover(workspace)
    redone = journal_of(workspace).redo(run, warn=say)
    say(f"wrote {redone.id} ({redone.label}) again: {', '.join(redone.files)}")
