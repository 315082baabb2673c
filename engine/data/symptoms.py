"""What users add to the request for a repair: the line that an error names, what the error says, or both.

What is said of code that does not parse is what Python says. Names that nothing binds any more, attributes and keywords
that were not there before the defect give the errors they would give; of every other defect only the line is known,
since nothing is run, and the error is one of the usual ones, which tells nothing. Failing assertions are left out for
the same reason. Knows nothing of models.
"""

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass

from engine.hints import LONGEST_ERROR, LONGEST_LINE, hinted
from engine.identifiers import unbound
from engine.syntax import complaint, parse

NEXT_LINE = 0.15
"""How often an error comes up in the line after the one that is wrong."""
_USUAL = (
    "AssertionError",
    "AssertionError: {number} != {other}",
    "assert {number} == {other}",
    "TypeError: 'NoneType' object is not subscriptable",
    "TypeError: 'NoneType' object is not iterable",
    "TypeError: 'int' object is not iterable",
    "TypeError: 'str' object is not callable",
    "TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    'TypeError: can only concatenate str (not "int") to str',
    "TypeError: '<' not supported between instances of 'str' and 'int'",
    "AttributeError: 'NoneType' object has no attribute '{name}'",
    "KeyError: '{name}'",
    "KeyError: {number}",
    "IndexError: list index out of range",
    "IndexError: string index out of range",
    "ValueError: not enough values to unpack (expected 2, got 1)",
    "ValueError: too many values to unpack (expected 2)",
    "ValueError: invalid literal for int() with base 10: '{name}'",
    "UnboundLocalError: local variable '{name}' referenced before assignment",
    "ZeroDivisionError: division by zero",
    "RecursionError: maximum recursion depth exceeded",
    "StopIteration",
)
_LINE_TOLD = (
    "{fix} in `{line}`",
    "{fix}, it is in `{line}`",
    "{fix} in the line `{line}`",
    "{fix}: {line}",
    "{fix}\n{line}",
    "the bug is in `{line}`",
    "the error is in {line}",
    "it fails at `{line}`",
    "`{line}` is wrong",
    "look at `{line}`, {fix}",
)
_ERROR_TOLD = (
    "{fix}: {error}",
    "{fix}\n{error}",
    "{error}",
    "fix {error}",
    "I get {error}",
    "it raises {error}",
)
_BOTH_TOLD = (
    "{fix}: {error} in `{line}`",
    "{error} in `{line}`",
    "{error} at {line}",
    "{fix}\n{error}\n{line}",
    "{fix}\n> {line}\nE {error}",
    "{line}\n{error}",
    'File "{path}", line {number}\n    {line}\n{error}',
)
_PATHS = ("app.py", "src/core.py", "models.py", "utils.py", "/home/me/work/tool/main.py", "lib/parser.py")


@dataclass(frozen=True, slots=True)
class Symptom:
    """What is seen of a defect."""

    line: str
    """Of the region, without its margin; empty where Python names none."""
    error: str
    """Empty where it cannot be known without running the code."""


def symptom(before: str, after: str, rng: random.Random) -> Symptom:
    """What is seen of the defect that makes `before` of the sound text `after`.

    Where both are the same an innocent line is named, as errors that come from elsewhere do.
    """
    said = complaint(before)
    if said:
        return Symptom(said[1], said[0])
    told = sorted(_told(before, after)) if before != after else []
    return Symptom(_line(before, after, rng), rng.choice(told) if told else "")


def hint(fix: str, before: str, after: str, rng: random.Random) -> str:
    """A request to repair `before` in the words of some user who saw a symptom.

    Args:
        fix: the request without it.
        after: as in `symptom`.
    """
    seen = symptom(before, after, rng)
    error = seen.error or (_usual(before, rng) if rng.random() < 0.6 else "")
    chance = rng.random()
    if chance < 0.4 or not (seen.line or error):
        return hinted(fix, seen.line, error)
    templates: tuple[str, ...]
    if not error:
        templates = _LINE_TOLD
    elif not seen.line or (seen.error and chance < 0.55):
        templates = _ERROR_TOLD
    else:
        templates = _BOTH_TOLD
    words = {"fix": fix, "line": seen.line[:LONGEST_LINE], "error": error[:LONGEST_ERROR]}
    return rng.choice(templates).format_map(
        words | {"path": rng.choice(_PATHS), "number": rng.randint(1, 900)}
    )


def _line(before: str, after: str, rng: random.Random) -> str:
    """The first line of code that differs, or one after it; any where none does."""
    lines, sound = before.splitlines(), after.splitlines()
    code = [i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    if before == after:
        return lines[rng.choice(code)].strip() if code else ""
    pairs = zip(lines, sound, strict=False)
    first = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(lines), len(sound)))
    rest = [i for i in code if i >= first] or code[-1:]
    at = rest[1] if len(rest) > 1 and rng.random() < NEXT_LINE else rest[0] if rest else 0
    return lines[at].strip() if lines else ""


def _told(before: str, after: str) -> Iterator[str]:
    """Errors that tell what the defect is."""
    for name in unbound(before) - unbound(after):
        yield f"NameError: name '{name}' is not defined"
    was, is_now = _parts(after), _parts(before)
    for name in is_now["attribute"] - was["attribute"]:
        yield f"AttributeError: 'NoneType' object has no attribute '{name}'"
    for name in is_now["keyword"] - was["keyword"]:
        yield f"TypeError: got an unexpected keyword argument '{name}'"


def _parts(text: str) -> dict[str, set[str]]:
    parsed = parse(text)
    nodes = list(ast.walk(parsed[0])) if parsed else []
    return {
        "attribute": {node.attr for node in nodes if isinstance(node, ast.Attribute)},
        "keyword": {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg},
    }


def _usual(text: str, rng: random.Random) -> str:
    names = sorted(_parts(text)["attribute"]) or ["value"]
    words = {"name": rng.choice(names), "number": rng.randint(0, 20), "other": rng.randint(0, 20)}
    return rng.choice(_USUAL).format_map(words)
