"""Statements that are missing, too many, or in the wrong order: whole lines."""

import ast
import random

from engine.data.defects.change import Change, Mix, insert, pick, weighted
from engine.data.defects.code import JUMPS, Code, Statement

_LONG = 70


def _alone(statement: Statement) -> bool:
    """Whether its block would hold nothing but docstrings without it."""
    return not any(
        other is not statement.node
        and not (
            isinstance(other, ast.Expr)
            and isinstance(other.value, ast.Constant)
            and isinstance(other.value.value, str)
        )
        for other in statement.block
    )


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """Names, and dotted ones such as `self.x`, that a statement reads or writes."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, context):
            found.add(part.id)
        elif (
            isinstance(part, ast.Attribute)
            and isinstance(part.ctx, context)
            and isinstance(part.value, ast.Name)
        ):
            found.add(f"{part.value.id}.{part.attr}")
    return found - {"self", "cls"}


def missing(code: Code, rng: random.Random) -> Change | None:
    """A simple statement is gone: what ends a block, counts or sets something goes most."""
    sites = [(s, _worth(code, s)) for s in code.statements if s.simple and s.own_lines and not _alone(s)]
    statement = weighted(rng, sites)
    return statement and Change(*code.line_span(statement.first_line, statement.last_line), "")


def _worth(code: Code, statement: Statement) -> float:
    node = statement.node
    weight = 1.0
    if isinstance(node, JUMPS):
        weight = 3.0
    elif isinstance(node, ast.AugAssign):
        weight = 4.0
    elif isinstance(node, ast.Assign):
        later = code.text[statement.end :]
        weight = (
            2.5 if any(name.rpartition(".")[2] in later for name in sorted(_names(node, ast.Store))) else 1.0
        )
    if statement.first_line != statement.last_line:
        weight *= 0.3
    return weight if statement.end - statement.start < _LONG else weight * 0.4


def missing_guard(code: Code, rng: random.Random) -> Change | None:
    """`if x: return` in two lines is gone."""
    sites = [
        s
        for s in code.statements
        if isinstance(s.node, ast.If)
        and not s.node.orelse
        and len(s.node.body) == 1
        and s.last_line - s.first_line <= 1
        and s.own_lines
        and not _alone(s)
    ]
    jumps = [s for s in sites if isinstance(s.node, ast.If) and isinstance(s.node.body[0], JUMPS)]
    statement = pick(rng, jumps or sites)
    return statement and Change(*code.line_span(statement.first_line, statement.last_line), "")


def missing_else(code: Code, rng: random.Random) -> Change | None:
    """`else:` with its one line is gone."""
    bodies = [s for s in code.statements if s.simple and s.own_lines and len(s.block) == 1 and s.first_line]
    sites = [
        s for s in bodies if code.lines[s.first_line - 1].strip() == "else:" and s.first_line == s.last_line
    ]
    statement = pick(rng, sites)
    return statement and Change(*code.line_span(statement.first_line - 1, statement.last_line), "")


def _add_after(code: Code, statement: Statement, new: str) -> Change:
    indent = code.indent_of(statement.first_line)
    return insert(
        code.line_starts[statement.last_line] + len(code.lines[statement.last_line]), f"\n{indent}{new}"
    )


def _add_before(code: Code, statement: Statement, new: str) -> Change:
    indent = code.indent_of(statement.first_line)
    return insert(code.line_starts[statement.first_line], f"{indent}{new}\n")


def _lines_of_code(code: Code) -> list[Statement]:
    """Statements in one line of their own, short enough to be repeated by a slip."""
    return [s for s in code.statements if s.simple and s.first_line == s.last_line and s.own_lines]


def doubled(code: Code, rng: random.Random) -> Change | None:
    """A line stands twice."""
    sites = [(s, 0.3 if isinstance(s.node, JUMPS) else 1.0) for s in _lines_of_code(code)]
    statement = weighted(rng, sites)
    return statement and _add_after(code, statement, code.text[statement.start : statement.end])


def astray(code: Code, rng: random.Random) -> Change | None:
    """A line of the code stands at a second place, too."""
    source = pick(rng, _lines_of_code(code))
    place = pick(rng, _places(code))
    if source is None or place is None or source is place:
        return None
    if isinstance(source.node, ast.Break | ast.Continue) and not place.in_loop:
        return None
    if isinstance(source.node, ast.Return) and not place.scope.in_function:
        return None
    new = code.text[source.start : source.end]
    before = rng.random() < 0.4 or isinstance(place.node, JUMPS)
    return _add_before(code, place, new) if before else _add_after(code, place, new)


def stray_jump(code: Code, rng: random.Random) -> Change | None:
    """A `return`, `break`, `continue`, `raise` or `pass` too many."""
    place = pick(rng, [s for s in _places(code) if not isinstance(s.node, JUMPS)])
    if place is None:
        return None
    options = [("pass", 0.5)]
    if place.in_loop:
        options += [("break", 3.0), ("continue", 3.0)]
    if place.scope.in_function:
        options += [("return", 2.0), ("return None", 1.0), ("return False", 0.5), ("raise", 0.3)]
        options += [
            (f"return {name}", 0.5)
            for name in place.scope.visible(place.end)[-4:]
            if name not in ("self", "cls")
        ]
    return _add_after(code, place, weighted(rng, options) or "pass")


def reset(code: Code, rng: random.Random) -> Change | None:
    """A variable is set once more to what it cannot be."""
    place = pick(rng, [s for s in _places(code) if not isinstance(s.node, JUMPS)])
    name = place and pick(rng, [n for n in place.scope.visible(place.start) if n not in ("self", "cls", "_")])
    if place is None or name is None:
        return None
    return _add_after(code, place, f"{name} = {rng.choice(('None', '0', '[]', '1', 'False'))}")


def _places(code: Code) -> list[Statement]:
    """Statements before and after which a line can be added without falling into a comment or a one-line block."""
    return [s for s in code.statements if s.own_lines or _starts_line(code, s) and not s.simple]


def _starts_line(code: Code, statement: Statement) -> bool:
    line_start = code.line_starts[statement.first_line]
    return (
        not code.text[line_start : statement.start].strip() and statement.last_line not in code.comment_lines
    )


def swapped(code: Code, rng: random.Random) -> Change | None:
    """Two neighbouring lines in the wrong order, where the one needs or leaves what the other does."""
    lines = _lines_of_code(code)
    sites: list[tuple[tuple[Statement, Statement], float]] = []
    for first, second in zip(lines, lines[1:], strict=False):
        if first.block is second.block and first.last_line + 1 == second.first_line:
            weight = _dependence(first.node, second.node)
            if weight:
                sites.append(((first, second), weight))
    pair = weighted(rng, sites)
    if pair is None:
        return None
    one, two = (code.text[s.start : s.end] for s in pair)
    return Change(pair[0].start, pair[1].end, two + code.text[pair[0].end : pair[1].start] + one)


def _dependence(first: ast.stmt, second: ast.stmt) -> float:
    """How plainly the order of two statements matters; 0 where nothing says that it does."""
    writes, reads = _names(first, ast.Store), _names(second, ast.Load)
    if writes & reads or isinstance(second, JUMPS):
        return 6.0
    if writes & _names(second, ast.Store) or _names(first, ast.Load) & _names(second, ast.Store):
        return 3.0
    return 0.7 if _names(first, ast.Load) & reads else 0.0


MISSING_STATEMENT: Mix = ((6, missing), (2, missing_guard), (0.8, missing_else))
EXTRA_STATEMENT: Mix = ((4, doubled), (3, astray), (3, stray_jump), (1, reset))
SWAPPED_LINES: Mix = ((1, swapped),)
