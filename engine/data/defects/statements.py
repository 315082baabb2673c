"""Statements that are missing, too many, or in the wrong order: whole lines."""

import ast
import random
from itertools import pairwise

from engine.data.defects.change import Change, Mix, NoPlaceError, insert, pick, swap, weighted
from engine.data.defects.code import JUMPS, Code, Statement, is_docstring
from engine.data.defects.lexing import Span

_LONG = 70
_OBJECT = ("self", "cls", "_")


def _alone(statement: Statement) -> bool:
    """Whether its block would hold nothing but docstrings without it."""
    return all(other is statement.node or is_docstring(other) for other in statement.block)


def _names(node: ast.AST, context: type[ast.expr_context]) -> set[str]:
    """Names, and dotted ones such as `self.x`, that a statement reads or writes."""
    found = set()
    for part in ast.walk(node):
        if not isinstance(part, ast.Name | ast.Attribute) or not isinstance(part.ctx, context):
            continue
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part.value, ast.Name):
            found.add(f"{part.value.id}.{part.attr}")
    return found.difference(_OBJECT)


def missing(code: Code, rng: random.Random) -> Change:
    """A simple statement is gone: one that counts, ends a block or sets what is read later goes most."""
    sites = [s for s in code.statements if s.simple and s.own_lines and not _alone(s)]
    statement = weighted(rng, [(s, _worth(code, s)) for s in sites])
    return Change(*code.line_span(statement.first_line, statement.last_line), "")


def _worth(code: Code, statement: Statement) -> float:
    weight = 1.0
    if isinstance(statement.node, ast.AugAssign):
        weight = 4.0
    elif isinstance(statement.node, JUMPS):
        weight = 3.0
    elif isinstance(statement.node, ast.Assign) and _needed_later(code, statement):
        weight = 4.0
    if statement.first_line != statement.last_line:
        weight *= 0.3
    return weight if statement.end - statement.start < _LONG else weight * 0.4


def _needed_later(code: Code, statement: Statement) -> bool:
    """Whether a name is bound here first and read further down."""
    bound, end = statement.scope.bound, statement.end
    new = {name for name in _names(statement.node, ast.Store) if bound.get(name, -1) >= statement.start}
    return any(node.id in new and code.span(node).start > end for node in code.find(ast.Name))


def missing_guard(code: Code, rng: random.Random) -> Change:
    """`if x: return` in one line or two is gone."""
    guard = pick(rng, [s for s in code.statements if _is_guard(s.node) and s.own_lines and not _alone(s)])
    return Change(*code.line_span(guard.first_line, guard.last_line), "")


def _is_guard(node: ast.stmt) -> bool:
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.body[0], JUMPS):
        return False
    return (node.end_lineno or node.lineno) - node.lineno <= 1


def missing_else(code: Code, rng: random.Random) -> Change:
    """`else:` with its one line is gone."""
    sites = [
        s
        for s in _short_lines(code)
        if len(s.block) == 1 and s.first_line and code.lines[s.first_line - 1].strip() == "else:"
    ]
    statement = pick(rng, sites)
    return Change(*code.line_span(statement.first_line - 1, statement.last_line), "")


def _add_after(code: Code, statement: Statement, new: str) -> Change:
    return insert(code.line_end(statement.last_line), f"\n{code.indent_of(statement.first_line)}{new}")


def _add_before(code: Code, statement: Statement, new: str) -> Change:
    indent = code.indent_of(statement.first_line)
    return insert(code.line_starts[statement.first_line], f"{indent}{new}\n")


def _short_lines(code: Code) -> list[Statement]:
    """Simple statements in one line of their own."""
    return [s for s in code.statements if s.simple and s.first_line == s.last_line and s.own_lines]


def _places(code: Code) -> list[Statement]:
    """Statements before and after which a line can be added: none beside a comment or behind a header."""
    return [s for s in code.statements if s.own_lines or (not s.simple and _stands_free(code, s))]


def _stands_free(code: Code, statement: Statement) -> bool:
    return code.starts_line(statement.start) and not code.rest_of_line(statement.end)


def doubled(code: Code, rng: random.Random) -> Change:
    """A line stands twice."""
    sites = [(s, 0.3 if isinstance(s.node, JUMPS) else 1.0) for s in _short_lines(code)]
    statement = weighted(rng, sites)
    return _add_after(code, statement, code.text[statement.start : statement.end])


def astray(code: Code, rng: random.Random) -> Change:
    """A line of the code stands at a second place, too."""
    source, place = pick(rng, _short_lines(code)), pick(rng, _places(code))
    misfit = isinstance(source.node, ast.Break | ast.Continue) and not place.in_loop
    if source is place or misfit or source.scope.in_function != place.scope.in_function:
        raise NoPlaceError
    before = isinstance(place.node, JUMPS) or rng.random() < 0.4
    return (_add_before if before else _add_after)(code, place, code.text[source.start : source.end])


def stray_jump(code: Code, rng: random.Random) -> Change:
    """A `return`, `break`, `continue`, `raise` or `pass` too many."""
    inside = [s for s in _places(code) if s.scope.in_function or s.in_loop]
    place = pick(rng, [s for s in inside if not isinstance(s.node, JUMPS)])
    options = [("pass", 0.3)]
    if place.in_loop:
        options += [("break", 3.0), ("continue", 3.0)]
    if place.scope.in_function:
        options += [("return", 2.0), ("return None", 1.0), ("return False", 0.5), ("raise", 0.3)]
        names = [name for name in place.scope.visible(place.end) if name not in _OBJECT]
        options += [(f"return {name}", 0.5) for name in names[-4:]]
    return _add_after(code, place, weighted(rng, options))


def reset(code: Code, rng: random.Random) -> Change:
    """A variable is set once more, to what it should not be."""
    place = pick(rng, [s for s in _places(code) if not isinstance(s.node, JUMPS)])
    name = pick(rng, [name for name in place.scope.visible(place.start) if name not in _OBJECT])
    return _add_after(code, place, f"{name} = {rng.choice(('None', '0', '[]', '1', 'False'))}")


def swapped(code: Code, rng: random.Random) -> Change:
    """Two neighbouring lines in the wrong order, where something says which one is right."""
    sites: list[tuple[tuple[Statement, Statement], float]] = []
    for first, second in pairwise(_short_lines(code)):
        if first.block is second.block and first.last_line + 1 == second.first_line:
            weight = _dependence(first.node, second.node)
            if weight:
                sites.append(((first, second), weight))
    first, second = weighted(rng, sites)
    return swap(code.text, Span(first.start, first.end), Span(second.start, second.end))


def _dependence(first: ast.stmt, second: ast.stmt) -> float:
    """How plainly the order of two statements matters; 0 where nothing says that it does."""
    writes, reads = _names(first, ast.Store), _names(second, ast.Load)
    if writes & reads or isinstance(second, JUMPS):
        return 6.0
    if (writes | _names(first, ast.Load)) & _names(second, ast.Store):
        return 3.0
    return 0.7 if _names(first, ast.Load) & reads else 0.0


MISSING_STATEMENT: Mix = ((6, missing), (2, missing_guard), (0.8, missing_else))
EXTRA_STATEMENT: Mix = ((4, doubled), (3, astray), (3, stray_jump), (1, reset))
SWAPPED_LINES: Mix = ((1, swapped),)
