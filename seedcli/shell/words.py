"""Which words may stand at the cursor of a half-typed command line of `seed`.

Walks the tree of commands as `--help` shows it; what may stand for a parameter goes by its name and metavar. Knows
nothing of shells, and loads no model.
"""

import enum
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from prompts.recipes import TEXT
from seedcli.shell import values
from seedcli.shell.values import Word

_FILES = re.compile(r"PATH|FILE|DIR|PATCH|JOBS|REPO")


class _Typed(NamedTuple):
    """What stands before the cursor, understood."""

    command: Any
    """The innermost command, as Typer made it."""
    context: Any
    path: tuple[str, ...]
    """Names of the commands down to it."""
    given: dict[str, list[str]]
    """Options with their values, by name."""
    positional: list[str]
    pending: Any
    """The option whose value stands at the cursor; None for none."""
    only_positional: bool
    """Whether `--` was typed."""


def words_at(root: Any, context: Any, before: Sequence[str], current: str) -> list[Word]:
    """The words that begin with `current`, a part of a word.

    Args:
        root: the group of all commands, and its context, as Typer made them.
        before: the words before, without the program's name.
    """
    typed = _read(root, context, before)
    name, equals, value = current.partition("=")
    found: Iterator[Word]
    if typed.pending is None and current.startswith("-") and not typed.only_positional:
        if equals and (option := _option(typed.command, name)):
            found = (word._replace(text=f"{name}={word.text}") for word in _values(typed, option, value))
        else:
            found = _options(typed)
    elif typed.pending is None and hasattr(typed.command, "list_commands"):
        found = iter(()) if typed.positional else _commands(typed)
    else:
        parameter = typed.pending or _argument(typed)
        found = _values(typed, parameter, current) if parameter is not None else iter(())
    return [word for word in found if word.text.startswith(current)]


def _read(command: Any, context: Any, before: Sequence[str]) -> _Typed:
    typed = _Typed(command, context, (), {}, [], None, False)
    for word in before:
        if typed.pending is not None:
            typed.given[typed.pending.name].append(word)
            typed = typed._replace(pending=None)
        elif typed.only_positional or word == "-" or not word.startswith("-"):
            typed = _step(typed, word)
        elif word == "--":
            typed = typed._replace(only_positional=True)
        else:
            name, equals, value = word.partition("=")
            option = _option(typed.command, name)
            if option is not None:
                typed.given.setdefault(option.name, []).extend([value] if equals else [])
                takes_value = not (option.is_flag or equals)
                typed = typed._replace(pending=option if takes_value else None)
    return typed


def _step(typed: _Typed, word: str) -> _Typed:
    """One positional word on: into a command, or past an argument."""
    group = typed.command
    if hasattr(group, "list_commands") and word in group.list_commands(typed.context):
        return typed._replace(command=group.get_command(typed.context, word), path=(*typed.path, word))
    typed.positional.append(word)
    return typed


def _option(command: Any, name: str) -> Any:
    return next((p for p in _parameters(command, "option") if name in (*p.opts, *p.secondary_opts)), None)


def _parameters(command: Any, kind: str) -> list[Any]:
    return [p for p in command.params if p.param_type_name == kind]


def _argument(typed: _Typed) -> Any:
    """The argument at the cursor; the last one where it repeats."""
    arguments = _parameters(typed.command, "argument")
    # With a recipe the words of `edit` are its variables and the targets.
    if "recipe" in typed.given:
        arguments = arguments[1:]
    if len(typed.positional) < len(arguments):
        return arguments[len(typed.positional)]
    return arguments[-1] if arguments and arguments[-1].nargs == -1 else None


def _commands(typed: _Typed) -> Iterator[Word]:
    group, context = typed.command, typed.context
    for name in group.list_commands(context):
        if (
            summary := group.summary_of(context, name)
            if hasattr(group, "summary_of")
            else _summary(group.get_command(context, name))
        ):
            yield Word(name, summary)


def _summary(command: Any) -> str:
    """The first sentence of a command's help; empty for one that is hidden."""
    return "" if command.hidden else (command.help or "").split("\n\n")[0].replace("\n", " ").strip()


def _options(typed: _Typed) -> Iterator[Word]:
    for option in _parameters(typed.command, "option"):
        if option.hidden or (option.name in typed.given and not option.multiple):
            continue
        for name in (*option.opts, *option.secondary_opts):
            if name.startswith("--"):
                yield Word(name, option.help or "")
    yield Word("--help", "Show this message and exit.")


def _values(typed: _Typed, parameter: Any, current: str) -> Iterator[Word]:
    """What may stand for a parameter."""
    name, metavar = parameter.name, parameter.metavar or ""
    if isinstance(parameter.default, enum.Enum):
        yield from (Word(str(choice.value)) for choice in type(parameter.default))
    elif name == "recipe":
        yield from (word for word in values.recipes() if values.recipe(word.text).gives != TEXT)
    elif name == "question":
        yield from (word for word in values.recipes() if values.recipe(word.text).gives == TEXT)
    elif typed.path[:1] == ("prompts",):
        yield from values.recipes()
    elif name == "model" or "NAME|PATH" in metavar:
        yield from values.models()
        yield from values.files(current)
    elif name == "run":
        yield from values.runs(done=typed.path == ("undo",))
    elif name == "shell":
        yield from map(Word, values.SHELLS)
    elif name in ("targets", "words"):
        chosen = (typed.given.get("recipe") or typed.positional or [""])[-1 if name == "targets" else 0]
        yield from values.variables(chosen, typed.positional)
        yield from values.targets(current)
    elif _FILES.search(metavar) or isinstance(parameter.default, Path):
        yield from values.files(current)
