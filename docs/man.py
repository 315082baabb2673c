"""Print the manual page of `seed`, made from its commands: `python docs/man.py > docs/seed.1`."""

import re
import sys
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

from seedcli import __version__
from seedcli.main import HELP, app

HEAD = f"""\
.\\" Made by docs/man.py (make man); edit the commands' help instead.
.TH SEED 1 "" "seed {__version__}" "User Commands"
.SH NAME
seed \\- edit code in your terminal with a local block-diffusion model
.SH SYNOPSIS
.B seed
.I COMMAND
[\\fIOPTION\\fR]... [\\fIARGUMENT\\fR]...
"""
ENVIRONMENT = {
    "SEED_MODEL, SEED_SEED, SEED_THRESHOLD, ...": "Settings: the name of each, as the flag has it, in capitals.",
    "SEED_STATE_DIR": "Where the journal of the runs is kept.",
    "NO_COLOR": "Review without colours.",
    "TERM": "With TERM=dumb a line prompt stands in for the review screen.",
}
FILES = {
    "pyproject.toml [tool.seed], seed.toml": "Settings of the project, at its root.",
    "~/.config/seed/config.toml": "Settings of the user.",
    ".seed/prompts/*.md": "Recipes of the project.",
    ".seedignore": "What Seed does not edit, in the form of .gitignore.",
    "~/.local/share/seed/models/": "Models that --model takes by name.",
}


def page() -> str:
    """The whole manual page."""
    root = get_command(app)
    lines = [HEAD.rstrip(), ".SH DESCRIPTION", *_text(HELP)]
    lines += [".SH COMMANDS"]
    for path, command in _commands(root, ()):
        lines += list(_command(path, command))
    for heading, rows in (("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        lines += [f".SH {heading}", *_table(rows.items())]
    lines += [".SH SEE ALSO", ".BR git (1),", ".BR patch (1)"]
    return "\n".join(lines) + "\n"


def _commands(group: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if command.hidden:
            continue
        yield (*path, name), command
        if hasattr(command, "list_commands"):
            yield from _commands(command, (*path, name))


def _command(path: tuple[str, ...], command: Any) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    shown = [_escaped(_metavar(argument)) for argument in arguments]
    yield f".SS seed {' '.join([*path, *shown])}"
    yield from _text(command.help or "")
    rows = [(_metavar(p), p.help) for p in arguments if p.help]
    rows += [(_flags(p), p.help or "") for p in options]
    yield from _table(rows)


def _metavar(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name.upper())
    return f"{name}..." if parameter.nargs == -1 and not name.endswith("...") else name


def _flags(option: Any) -> str:
    flags = ", ".join([*option.opts, *option.secondary_opts])
    return flags if option.is_flag else f"{flags} {option.metavar or option.name.upper()}"


def _table(rows: Any) -> Iterator[str]:
    for name, meaning in rows:
        yield ".TP"
        yield f"\\fB{_escaped(name)}\\fR"
        yield from map(_line, meaning.splitlines())


def _text(text: str) -> Iterator[str]:
    """Paragraphs; those after `\\b` keep their lines."""
    for paragraph in re.split(r"\n\n+", text.strip()):
        lines = [line for line in paragraph.splitlines() if line.strip() != "\b"]
        if len(lines) == len(paragraph.splitlines()):
            yield ".PP"
            yield from map(_line, lines)
        else:
            yield from [".PP", ".nf", *map(_line, lines), ".fi"]


def _line(text: str) -> str:
    escaped = _escaped(text)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq")


if __name__ == "__main__":
    sys.stdout.write(page())
