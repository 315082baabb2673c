"""The command line `seed`: names the commands, imports each when it is called, turns errors into exit codes.

Knows nothing of what a command does. A new command is one line in `COMMANDS`.
"""

import difflib
import importlib
import os
import sys
import traceback
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from seedcli import __version__
from seedcli.errors import SeedError, TargetError
from seedcli.report import say

INTERRUPTED = 130
INTERNAL_ERROR = 70
"""`EX_SOFTWARE` of sysexits.h: a defect of Seed itself, never an answer about the code."""


class Command(NamedTuple):
    """Where a command lives, and its line in `seed --help`."""

    module: str
    attribute: str
    """A function with Typer's parameters, or a `typer.Typer` with commands of its own."""
    summary: str


COMMANDS: dict[str, Command] = {
    "edit": Command("seedcli.commands.edit", "edit", "Edit code as an instruction or a recipe says."),
    "review": Command(
        "seedcli.commands.review", "review", "Review any unified diff hunk by hunk, then write it."
    ),
    "batch": Command("seedcli.commands.batch", "batch", "Edit many places in one run, a JSON job a line."),
    "scan": Command("seedcli.commands.scan", "scan", "Rank the places that the model would change."),
    "complete": Command("seedcli.commands.complete", "complete", "Fill in the middle of a file."),
    "ask": Command("seedcli.commands.ask", "ask", "Ask about a text, such as a diff."),
    "undo": Command("seedcli.commands.undo", "undo", "Take back the last run, or the one named."),
    "redo": Command("seedcli.commands.redo", "redo", "Write again what was undone."),
    "log": Command("seedcli.commands.log", "log", "List the runs that wrote files here."),
    "models": Command("seedcli.commands.models", "app", "List, get, show, verify or remove models."),
    "prompts": Command("seedcli.commands.prompts", "app", "List the recipes, or show one."),
    "train": Command(
        "seedcli.commands.lab_train", "app", "Train a model: build a corpus, run, export; fine-tune."
    ),
    "eval": Command("seedcli.commands.lab_eval", "app", "Measure a model on held-out cases."),
    "bench": Command("seedcli.commands.lab_bench", "bench", "Time edits against other ways of decoding."),
    "completion": Command(
        "seedcli.commands.completion", "app", "Teach bash, zsh or fish to complete `seed`."
    ),
    "doctor": Command("seedcli.commands.doctor", "doctor", "Check that Seed can work on this machine."),
}

HELP = """Edit code in your terminal with a local block-diffusion model.

\b
Examples:
  seed edit "fix the bug" src/app.py::parse        review the edit, then write what you accept
  seed edit "use f-strings" src/ > edit.patch      not a terminal: the diff, nothing written
  seed edit -y --recipe rename old=a new=b x.py    write without review
  git diff | seed review -                         keep or reverse your own changes, hunk by hunk
  seed undo                                        take the last run back
"""


class LazyCommands(TyperGroup):
    """A group whose commands' modules are imported when they are called, not to list them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            return _load(cmd_name)
        if not cmd_name.startswith("-"):
            near = difflib.get_close_matches(cmd_name, COMMANDS)
            ctx.fail(
                f"no command {cmd_name!r}; " + (f"did you mean {near[0]!r}?" if near else "see `seed --help`")
            )
        return None

    def summary_of(self, ctx: Any, cmd_name: str) -> str:  # noqa: ARG002
        """The command's line in `seed --help`, without importing it."""
        return COMMANDS[cmd_name].summary

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.summary) for name, command in COMMANDS.items()])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; its errors become one line on stderr and the exit code of the contract."""
        try:
            _refuse_lost_folder()
            return super().invoke(ctx)
        except SeedError as error:
            say(str(error))
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt:
            say("interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except typer.BadParameter as error:
            _name_value(error)
            raise


def _name_value(error: typer.BadParameter) -> None:
    """Say what was given, where pydantic, which reads flags for Typer, says only what it should have been."""
    found: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    if found and repr(found[0]["input"]) not in error.message:
        error.message += f", not {found[0]['input']!r}"


def _refuse_lost_folder() -> None:
    try:
        os.getcwd()
    except OSError as error:
        raise TargetError(f"the working folder is gone ({error.strerror}); cd to one that exists") from None


def _load(name: str) -> Any:
    command = COMMANDS[name]
    found = getattr(importlib.import_module(command.module), command.attribute)
    if isinstance(found, typer.Typer):
        return get_command(found)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(found)
    return get_command(alone)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seed {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyCommands,
    help=HELP,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def seed(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Options that stand before the command."""


def run() -> None:
    """Run the command line. Never returns; the exit code is the contract's."""
    try:
        app(prog_name="seed")
    except Exception:
        traceback.print_exc()
        say("this is a defect of Seed, not of your code; `seed log` shows what was written")
        sys.exit(INTERNAL_ERROR)
