"""One line of a jobs file: what is to be edited, and how. Knows nothing of files, models or other lines."""

import difflib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seedcli.errors import SeedError
from seedcli.settings import CHECK_SETTINGS

SAMPLING = ("candidates", "temperature", "top_k", "threshold", "max_rounds", "seed", *CHECK_SETTINGS)
"""Options that are settings; their values are checked as those are."""
SWITCHES = ("expect_change", "exit_zero", "force", "allow_broken", "allow_new_names", "check_all")
_OF_THE_RUN = ("model", "apply", "y", "diff", "json", "isolated", "show_prompt", "timings")
_KEYS = ("id", "instruction", "recipe", "vars", "target", "options")

JobId = str | int | None
"""None where a line does not say."""


class JobError(SeedError):
    """A line of the jobs file is no job; carries its id where that could be read."""

    def __init__(self, message: str, id_: JobId = None) -> None:
        super().__init__(message)
        self.id = id_


@dataclass(frozen=True, slots=True)
class BatchJob:
    """What one line asks for."""

    id: str | int
    targets: tuple[str, ...]
    instruction: str = ""
    """Empty where a recipe says what to do."""
    recipe: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the recipe."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """What overrides the settings of the run."""
    new: tuple[str, ...] = ()
    """Files to make."""
    context: tuple[str, ...] = ()
    switches: frozenset[str] = frozenset()
    """Those of `SWITCHES` that are on."""
    check: str | None = None
    """The command that decides among the candidates."""


def key_of(line: bytes, number: int | None = None) -> str:
    """What a line is known by in the state of a run; with its number where the text alone may not tell it apart."""
    return hashlib.sha256(line.strip() + (b"" if number is None else b"#%d" % number)).hexdigest()[:24]


def read_job(line: bytes, number: int) -> BatchJob:
    """The job that a line asks for.

    Args:
        number: of the line, from 1, for messages.

    Raises:
        JobError: it is no JSON object, or a key is missing, unknown or of the wrong kind.
    """
    table = _table(line, number)
    id_ = table.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int):
        raise JobError(f"line {number}: 'id' must be a text or a number, not {_shown(id_)}")
    try:
        return _job(id_, table)
    except _FieldError as error:
        raise JobError(f"line {number}: {error}", id_) from None


class _FieldError(Exception):
    """What is wrong with a field, without the line."""


def _table(line: bytes, number: int) -> dict[str, Any]:
    try:
        table = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise JobError(f"line {number} is no JSON: {error}") from None
    if not isinstance(table, dict):
        raise JobError(f"line {number} must be a JSON object, not {_shown(table)}")
    return table


def _job(id_: str | int, table: dict[str, Any]) -> BatchJob:
    _text("id", str(id_))
    _refuse_unknown("key", table, _KEYS)
    if ("instruction" in table) == ("recipe" in table):
        raise _FieldError("give either 'instruction' or 'recipe'")
    if "vars" in table and "recipe" not in table:
        raise _FieldError("'vars' go with 'recipe'")
    options = _options(table.get("options", {}))
    new = _texts("new", options.get("new", []))
    return BatchJob(
        id_,
        () if new and "target" not in table else _targets(table),
        instruction=_text("instruction", table["instruction"]) if "instruction" in table else "",
        recipe=_text("recipe", table["recipe"]) if "recipe" in table else None,
        variables=_variables(table.get("vars", {})),
        sampling={name: options[name] for name in SAMPLING if name in options},
        new=new,
        context=_texts("context", options.get("context", [])),
        switches=frozenset(name for name in SWITCHES if _switch(name, options.get(name, False))),
        check=_text("check", options["check"]) if "check" in options else None,
    )


def _targets(table: dict[str, Any]) -> tuple[str, ...]:
    targets = _texts("target", table.get("target", []))
    if not targets:
        raise _FieldError(
            "'target' is missing; name a file, FILE::SYMBOL or a directory, or several in a list"
        )
    if "-" in targets:
        raise _FieldError("target '-' is for `seed edit`; list the targets")
    return targets


def _options(given: Any) -> dict[str, Any]:
    """Options by the setting's name: flags may be written with or without dashes."""
    if not isinstance(given, dict):
        raise _FieldError(f"'options' must be an object, not {_shown(given)}")
    options = {}
    for flag, value in given.items():
        name = flag.lstrip("-").replace("-", "_")
        options["candidates" if name == "n" else name] = value
    for name in options:
        if name in _OF_THE_RUN:
            raise _FieldError(f"option {name!r} is one of the whole run; give it to `seed batch`")
    _refuse_unknown("option", options, (*SAMPLING, *SWITCHES, "check", "context", "new"))
    return options


def _variables(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _FieldError(f"'vars' must be an object, not {_shown(given)}")
    return {name: _text(name, value) for name, value in given.items()}


def _texts(name: str, given: Any) -> tuple[str, ...]:
    return tuple(_text(name, text) for text in (given if isinstance(given, list) else [given]))


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _FieldError(f"{name!r} must be a text, not {_shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _FieldError(f"{name!r} holds half a character, {_shown(value)}") from None
    return value


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _FieldError(f"option {name!r} must be true or false, not {_shown(value)}")
    return value


def _refuse_unknown(kind: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise _FieldError(f"unknown {kind} {name!r}; {cure}")


def _shown(value: Any) -> str:
    """A value in a message: short."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
