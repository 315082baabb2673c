"""Remove debug prints; pairs are made by putting prints into code that has none."""

import ast
import random
from collections.abc import Iterator

from engine.data.refactorings.pair import Pair
from engine.data.refactorings.source import Edit, Source, UnrewritableError, apply, read

_PRINTERS = ("print", "pprint", "pp")
_MOST = 3
_WORDS = (
    "here", "HERE", "debug", "DEBUG", "got here", "before", "after", "start", "end", "done", "enter",
    "test", "foo", "xxx",
    "in loop", "ok", "called", "!!!", "***", "reached", "why?", "1", "2", "value", "result", "hello",
)  # fmt: skip


def make(text: str, rng: random.Random) -> Pair | None:
    """A pair without variables; None where the region prints already or has no place for a print."""
    source = read(text)
    if source is None or source.definition is None:
        return None
    try:
        if any(spot.name in _PRINTERS for spot in source.occurrences):
            return None
        places = _places(source)
    except UnrewritableError:
        return None
    if not places:
        return None
    count = min(len(places), rng.choice((1, 1, 1, 2, 2, _MOST)))
    edits = [
        Edit(start, start, _statement(source, start, indent, rng))
        for start, indent in rng.sample(places, count)
    ]
    before = apply(text, edits)
    return Pair("remove-prints", {}, before, text) if rewrite(before) == text else None


def rewrite(text: str) -> str | None:
    """The region without statements that print; None where a block has nothing else or it shares its line."""
    source = read(text)
    if source is None:
        return None
    try:
        after = apply(text, _removals(source))
    except UnrewritableError:
        return None
    return after if read(after) is not None else None


def idle(text: str, _rng: random.Random) -> dict[str, str] | None:
    """The variables of an instruction that leaves the region as it is; None where there is something to do."""
    return {} if "print" not in text and read(text) is not None else None


def _removals(source: Source) -> Iterator[Edit]:
    for node in ast.walk(source.tree):
        for body in _blocks(node):
            prints = [statement for statement in body if _is_print(statement)]
            if prints and len(prints) == len(body):
                raise UnrewritableError("a block of nothing else")
            for statement in prints:
                yield _whole_lines(source, statement)


def _blocks(node: ast.AST) -> list[list[ast.stmt]]:
    blocks = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    return [block for block in blocks if isinstance(block, list) and block]


def _is_print(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    called = statement.value.func
    if isinstance(called, ast.Attribute):
        return isinstance(called.value, ast.Name) and called.value.id == "pprint"
    return isinstance(called, ast.Name) and called.id in _PRINTERS


def _whole_lines(source: Source, statement: ast.stmt) -> Edit:
    start, end = source.span(statement)
    first = source.text.rfind("\n", 0, start) + 1
    newline = source.text.find("\n", end)
    last = len(source.text) if newline < 0 else newline + 1
    behind = source.text[end:last].strip()
    if source.text[first:start].strip() or (behind and not behind.startswith("#")):
        raise UnrewritableError("a print that shares its line")
    return Edit(first, last, "")


def _places(source: Source) -> list[tuple[int, str]]:
    """Starts of lines before which a statement can stand, with its indentation; and the region's end."""
    places = []
    definition = source.definition
    assert definition is not None, "asked for a region that is a definition"
    for node in ast.walk(definition):
        if isinstance(node, ast.ClassDef):
            continue
        for body in _blocks(node):
            places += [place for statement in body if (place := _before(source, statement)) is not None]
    last = definition.body[-1]
    if isinstance(last, ast.Assign | ast.Expr | ast.AugAssign) and source.text.endswith("\n"):
        place = _before(source, last)
        places += [(len(source.text), place[1])] if place is not None else []
    return places


def _before(source: Source, statement: ast.stmt) -> tuple[int, str] | None:
    if isinstance(statement, ast.Global | ast.Nonlocal | ast.ImportFrom) or _is_docstring(statement):
        return None
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    start = source.span(statement)[0]
    line = source.text.rfind("\n", 0, start) + 1
    indent = source.text[line:start]
    # An `elif` is a statement of its own to ast, but not to a reader.
    is_elif = source.text.startswith("elif", start)
    return None if indent.strip() or is_elif or not indent or line == 0 else (line, indent)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _statement(source: Source, start: int, indent: str, rng: random.Random) -> str:
    visible = _names_before(source, start)
    code = _call(rng, rng.choice(visible)) if visible and rng.random() < 0.8 else _blind_call(rng)
    if rng.random() < 0.08:
        code += rng.choice(("  # debug", "  # TODO: remove", "  # DEBUG", "  # FIXME", "  # remove me"))
    return f"{indent}{code}\n".replace("\n    ", f"\n{indent}    ").replace("\n)", f"\n{indent})")


def _names_before(source: Source, start: int) -> list[str]:
    """Parameters and what was assigned above, dotted names included."""
    names = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name | ast.Attribute) and source.span(node)[1] <= start:
            code = source.code(node)
            if isinstance(node.ctx, ast.Store) or code.startswith("self."):
                names.add(code)
    return sorted(name for name in names if "\n" not in name and "(" not in name and '"' not in name)


def _call(rng: random.Random, name: str) -> str:
    word, quote = rng.choice(_WORDS), rng.choice(("'", '"', '"'))
    said = name.replace("'", "").replace('"', "")
    forms = (
        f"print({name})",
        f"print({name})",
        f"print({quote}{said}{quote}, {name})",
        f"print({quote}{said}:{quote}, {name})",
        f"print({quote}{said} ={quote}, {name})",
        f"print({quote}{word}{quote}, {name})",
        f"print({quote}{word.upper()}: {said}{quote}, {name})",
        f'print(f"{{{name}=}}")',
        f'print(f"{said}: {{{name}}}")',
        f'print(f"{word} {{{name}!r}}")',
        f"print({quote}{said}: %s{quote} % {name})",
        f"print({quote}{said} = {{}}{quote}.format({name}))",
        f"print(type({name}))",
        f"print(type({name}), {name})",
        f"print(repr({name}))",
        f"print(len({name}))",
        f"print({quote}len{quote}, len({name}))",
        f"print({name}, flush=True)",
        f"print({name}, file=sys.stderr)",
        f"print({quote}>>>{quote}, {name})",
        f"pprint({name})",
        f"pprint.pprint({name})",
        f"print(\n    {quote}{said}{quote},\n    {name},\n)",
        f"print(str({name}))",
        f"print(dir({name}))",
    )
    return rng.choice(forms)


def _blind_call(rng: random.Random) -> str:
    word, quote = rng.choice(_WORDS), rng.choice(("'", '"', '"'))
    bar, width = rng.choice("-=*#"), rng.choice((10, 20, 40, 80))
    forms = (
        f"print({quote}{word}{quote})",
        f"print({quote}{word}{quote})",
        f"print({quote}{word}...{quote})",
        f"print({quote}DEBUG: {word}{quote})",
        f"print({quote}[debug] {word}{quote})",
        "print()",
        f"print({quote}{bar}{quote} * {width})",
        f"print({quote}{bar * 3} {word} {bar * 3}{quote})",
        f"print({quote}{word}{quote}, flush=True)",
        f"print({quote}{word}{quote}, file=sys.stderr)",
    )
    return rng.choice(forms)
