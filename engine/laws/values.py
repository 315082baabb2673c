"""Variables of recipes that no code could have: told before a model is asked."""

import ast
import keyword
from collections.abc import Mapping


def values_fault(law: str, values: Mapping[str, str]) -> str:
    """What is wrong with the variables, for people; empty for nothing.

    Args:
        law: a key of `engine.laws.LAWS`.
    """
    names = {"rename": ("old", "new"), "add-default": ("parameter",), "remove-default": ("parameter",)}.get(
        law, ()
    )
    for name in names:
        for part in values[name].split("."):
            if not part.isidentifier() or keyword.iskeyword(part):
                return f"{name}={values[name]!r} is no name that Python code can have"
    if law == "rename" and values["old"] == values["new"]:
        return f"old and new are both {values['old']!r}"
    if law == "add-default":
        try:
            ast.parse(values["value"], mode="eval")
        except (SyntaxError, ValueError):
            return f"value={values['value']!r} is no Python expression"
    return ""
