"""Add or remove the default of a parameter of the region's function.

Both are made in both directions: a default that real code has is taken away or asked for.
"""

import ast
import random
import re
from dataclasses import dataclass

from engine.data.refactorings import names as naming
from engine.data.refactorings.pair import Pair
from engine.data.refactorings.source import Edit, Source, UnrewritableError, apply, read

_BY_NAME: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^(is|has|use|allow|enable|should|with|no|do)_|flag|verbose|debug|strict|force|quiet|dry_run|recursive",
     ("False", "False", "True")),
    (r"timeout|delay|interval|seconds|wait", ("None", "10", "30", "60", "5.0", "0.5", "1")),
    (r"^([nkm]|num|count|size|limit|max|min|depth|level|width|height|length|step|axis|port|retries|attempts)(_|$)"
     r"|_(size|count|limit|width|height)$", ("0", "1", "10", "100", "None", "-1", "2", "5", "1000")),
    (r"^(i|j|start|offset|index|idx|pos|first|indent|begin)$", ("0", "0", "1", "-1", "None")),
    (r"alpha|beta|(^|_)rate|eps|tol|scale|factor|weight|ratio|threshold|prob",
     ("0.5", "1.0", "0.1", "0.0", "1e-6", "0.01")),
    (r"encoding|charset", ('"utf-8"', "'utf-8'", "None")),
    (r"(^|_)mode$", ('"r"', "'r'", "'rb'", "'w'", "None")),
    (r"name|path|file|dir|prefix|suffix|text|msg|message|title|label|sep|string|url|key|host|line|format|fmt",
     ("None", "None", '""', "''", '"default"', "'.'", '"."')),
    (r"s$|list|args|data|dict|options|items|context|callback|func|handler|parent|default|logger",
     ("None", "None", "()")),
)  # fmt: skip
_ANY = ("None",) * 8 + ("False", "True", "0", "1", '""', "''")


@dataclass(frozen=True, slots=True)
class _Parameter:
    node: ast.arg
    default: ast.expr | None
    can_toggle: bool
    """Whether the list stays valid when the default comes or goes."""


def make_add(text: str, rng: random.Random) -> Pair | None:
    """A pair with variables `parameter` and `value`; None where no parameter can take a default."""
    source = read(text)
    parameters = _parameters(source) if source is not None else []
    having = [parameter for parameter in parameters if parameter.default is not None and parameter.can_toggle]
    if source is not None and having and rng.random() < 0.5:
        parameter = rng.choice(having)
        name, value = parameter.node.arg, _value(source, parameter)
        before = rewrite_remove(text, name)
        # Blanks about the equals sign, as some write, are not what the rule would answer.
        if before is not None and rewrite_add(before, name, value) == text:
            return _checked("add-default", name, value, before, text)
    lacking = [parameter for parameter in parameters if parameter.default is None and parameter.can_toggle]
    if not lacking:
        return None
    name = rng.choice(lacking).node.arg
    value = _plausible(name, rng)
    return _checked("add-default", name, value, text, rewrite_add(text, name, value))


def make_remove(text: str, rng: random.Random) -> Pair | None:
    """A pair with variables `parameter` and `value`, the default that goes; None where none can."""
    source = read(text)
    parameters = _parameters(source) if source is not None else []
    having = [parameter for parameter in parameters if parameter.default is not None and parameter.can_toggle]
    if source is not None and having and rng.random() < 0.7:
        parameter = rng.choice(having)
        name, value = parameter.node.arg, _value(source, parameter)
        return _checked("remove-default", name, value, text, rewrite_remove(text, name))
    pair = make_add(text, rng)
    return (
        _checked(
            "remove-default", pair.variables["parameter"], pair.variables["value"], pair.after, pair.before
        )
        if pair
        else None
    )


def idle_add(text: str, rng: random.Random) -> dict[str, str] | None:
    """Variables that ask for a default of a parameter that the region does not have."""
    name = _absent(text, rng)
    return {"parameter": name, "value": _plausible(name, rng)} if name is not None else None


def idle_remove(text: str, rng: random.Random) -> dict[str, str] | None:
    """Variables that ask to take away the default of a parameter that has none, or is not there."""
    source = read(text)
    bare = [p.node.arg for p in (_parameters(source) if source is not None else []) if p.default is None]
    name = rng.choice(bare) if bare and rng.random() < 0.4 else _absent(text, rng)
    return {"parameter": name, "value": _plausible(name, rng)} if name is not None else None


def _absent(text: str, rng: random.Random) -> str | None:
    """A name that the region does not hold, some near to one that it does."""
    return naming.absent_name(text, rng) if read(text) is not None else None


def rewrite_add(text: str, parameter: str, value: str) -> str | None:
    """The region with `value` as the default of `parameter`; None where it cannot have one."""
    source = read(text)
    found = _find(source, parameter)
    if source is None or found is None or found.default is not None:
        return None
    end = source.span(found.node)[1]
    equals = " = " if found.node.annotation is not None else "="
    return apply(text, [Edit(end, end, equals + value)])


def rewrite_remove(text: str, parameter: str) -> str | None:
    """The region without the default of `parameter`; None where it has to have one."""
    source = read(text)
    found = _find(source, parameter)
    if source is None or found is None or found.default is None:
        return None
    try:
        return apply(text, [Edit(source.span(found.node)[1], source.span(found.default)[1], "")])
    except UnrewritableError:
        return None


def _find(source: Source | None, name: str) -> _Parameter | None:
    parameters = _parameters(source) if source is not None else []
    return next((found for found in parameters if found.node.arg == name and found.can_toggle), None)


def _checked(recipe: str, name: str, value: str, before: str | None, after: str | None) -> Pair | None:
    if before is None or after is None or "\n" in value or read(before) is None or read(after) is None:
        return None
    return Pair(recipe, {"parameter": name, "value": value}, before, after)


def _parameters(source: Source) -> list[_Parameter]:
    """The parameters of the region's function but for `self` and `cls`, where each fits on plain text."""
    definition = source.definition
    if not isinstance(definition, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    arguments = definition.args
    places = [*arguments.posonlyargs, *arguments.args]
    bare = len(places) - len(arguments.defaults)
    found = [
        # Defaults fill the list from its end: only the two at the border can change sides.
        _Parameter(
            node, arguments.defaults[index - bare] if index >= bare else None, index in (bare - 1, bare)
        )
        for index, node in enumerate(places)
        if not (index == 0 and node.arg in ("self", "cls", "mcs"))
    ]
    found += [
        _Parameter(node, default, True)
        for node, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return [parameter for parameter in found if _is_plain(source, parameter)]


def _is_plain(source: Source, parameter: _Parameter) -> bool:
    """Whether nothing but an equals sign stands between name and default (brackets, comments)."""
    end = source.span(parameter.node)[1]
    stop = end if parameter.default is None else source.span(parameter.default)[0]
    behind = stop if parameter.default is None else source.span(parameter.default)[1]
    gap_is_plain = parameter.default is None or source.text[end:stop].strip(" ") == "="
    return gap_is_plain and re.match(r"\s*(,|\)|#|=)", source.text[behind:]) is not None


def _value(source: Source, parameter: _Parameter) -> str:
    assert parameter.default is not None, "asked for parameters that have a default"
    return source.code(parameter.default)


def _plausible(name: str, rng: random.Random) -> str:
    for pattern, values in _BY_NAME:
        if rng.random() < 0.7 and re.search(pattern, name):
            return rng.choice(values)
    return rng.choice(_ANY)
