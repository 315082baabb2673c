"""`seed models`: which checkpoints there are, and what one of them is."""

import dataclasses
import json as json_format
from typing import Annotated

import typer

from seedcli.report import JSON_VERSION, answer

app = typer.Typer(add_completion=False, rich_markup_mode=None, invoke_without_command=True)


@app.callback()
def models(context: typer.Context) -> None:
    """List the models that --model takes by name, or show one."""
    if context.invoked_subcommand is None:
        list_models(json=False)


@app.command("list")
def list_models(json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False) -> None:
    """List name and folder of the checkpoints that come with Seed or lie in the user's data folder."""
    from seedcli.model_client import known_models

    known = known_models()
    if json:
        rows = [{"name": name, "path": str(path)} for name, path in known.items()]
        answer(json_format.dumps({"version": JSON_VERSION, "models": rows}).encode() + b"\n")
    else:
        answer("".join(f"{name}  {path}\n" for name, path in known.items()).encode())


@app.command("show")
def show_model(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME|PATH]", help="Default: the one `edit` uses.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Load a checkpoint and show what it is."""
    from pathlib import Path

    from seedcli.model_client import open_model
    from seedcli.repository.workspace import Workspace
    from seedcli.settings import load_settings

    settings = load_settings(Workspace.discover(Path.cwd()).root, {"model": name})
    info = dataclasses.asdict(open_model(settings.model).info)
    if json:
        answer(json_format.dumps({"version": JSON_VERSION, "model": info}).encode() + b"\n")
    else:
        rows = {key: ", ".join(value) if isinstance(value, tuple) else value for key, value in info.items()}
        answer("".join(f"{key:18} {value}\n" for key, value in rows.items()).encode())
