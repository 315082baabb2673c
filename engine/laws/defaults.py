"""A default given to a parameter of the region's own function, or taken away, and nothing else."""

import ast
import copy
from collections.abc import Mapping

from engine.laws.trees import OTHER, same


def added(before: ast.Module, after: ast.Module, values: Mapping[str, str]) -> str:
    """See `engine.laws.Law`. Variables: `parameter`, `value`."""
    return _compared(before, after, values["parameter"], values["value"])


def removed(before: ast.Module, after: ast.Module, values: Mapping[str, str]) -> str:
    """See `engine.laws.Law`. Variables: `parameter`."""
    return _compared(before, after, values["parameter"], None)


def to_add(tree: ast.Module, values: Mapping[str, str]) -> int:
    """See `engine.laws.Law`."""
    return int(_has(tree, values["parameter"], default=False))


def to_remove(tree: ast.Module, values: Mapping[str, str]) -> int:
    """See `engine.laws.Law`."""
    return int(_has(tree, values["parameter"], default=True))


def _has(tree: ast.Module, name: str, *, default: bool) -> bool:
    """Whether the region's function has such a parameter, with a default or without."""
    definition = _definition(tree)
    if definition is None:
        return True  # which is no place, and has to be told
    arguments = definition.args
    given = [*arguments.posonlyargs, *arguments.args]
    bare = len(given) - len(arguments.defaults)
    found = {one.arg: i >= bare for i, one in enumerate(given)}
    found |= {
        one.arg: value is not None
        for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    return found.get(name) is default


def _compared(before: ast.Module, after: ast.Module, parameter: str, value: str | None) -> str:
    wanted = copy.deepcopy(before)
    definition = _definition(wanted)
    if definition is None:
        return "the region is no single function"
    try:
        default = None if value is None else ast.parse(value, mode="eval").body
    except (SyntaxError, ValueError):
        return f"{value!r} is no Python expression"
    if not _set(definition.args, parameter, default):
        can = "have" if value is not None else "lose"
        return f"no parameter {parameter!r} of {definition.name}() can {can} a default"
    return "" if same(wanted, after) else OTHER


def _definition(tree: ast.Module) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The one function that a region consists of; an indented region stands in a class."""
    body = tree.body
    while len(body) == 1 and isinstance(body[0], ast.ClassDef):
        body = body[0].body
    only = body[0] if len(body) == 1 else None
    return only if isinstance(only, ast.FunctionDef | ast.AsyncFunctionDef) else None


def _set(arguments: ast.arguments, name: str, default: ast.expr | None) -> bool:
    """Give or take the default; whether that can be."""
    for i, one in enumerate(arguments.kwonlyargs):
        if one.arg == name and (arguments.kw_defaults[i] is None) is (default is not None):
            arguments.kw_defaults[i] = default
            return True
    places = [*arguments.posonlyargs, *arguments.args]
    bare = len(places) - len(arguments.defaults)
    # Defaults fill the list from its end: only the two at the border can change sides.
    border = bare - 1 if default is not None else bare
    if not 0 <= border < len(places) or places[border].arg != name:
        return False
    if default is not None:
        arguments.defaults.insert(0, default)
    else:
        del arguments.defaults[0]
    return True
