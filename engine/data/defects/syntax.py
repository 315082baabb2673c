"""Text that no longer parses: wrong marks, keywords, indentation, operands, habits of other languages."""

import ast
import random
from itertools import pairwise

from engine.data.defects.change import Change, Mix, NoPlaceError, pick, replace, weighted
from engine.data.defects.code import Code
from engine.data.defects.marks import MARKS, some
from engine.data.defects.names import misspell
from engine.data.defects.tokens import without

_BINARY = (
    *("+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", ">", "<=", ">=", "=", "+=", "-="),
    *("and", "or", "in", "is", "not"),
)
_DISPENSABLE = (
    *("in", "def", "for", "if", "while", "import", "as", "class", "else", "and", "or", "lambda", "except"),
)
_FOREIGN = {
    "and": ("&&",), "or": ("||",), "not": ("!",), "==": ("===", "= ="), "!=": ("!==", "=!", "<>"),
    "<=": ("=<",), ">=": ("=>",), "elif": ("else if", "elseif", "elsif"), "+=": ("++=",),
    "def": ("function", "func"), "->": ("=>",), "else": ("otherwise",), "except": ("catch",),
    "lambda": ("function",), "import": ("include",), "raise": ("throw",), "in": ("of",),
}  # fmt: skip
_SLIPS = {
    "return": ("retrun", "retun", "reutrn", "returm"), "else": ("esle", "eles", "els"), "def": ("dfe", "de"),
    "elif": ("elfi", "elsif", "elf"), "for": ("fro", "fo", "forr"), "while": ("whlie", "wihle", "whle"),
    "if": ("fi", "i", "iff"), "in": ("ni", "inn", "i"), "import": ("improt", "imoprt", "impotr"),
    "from": ("form", "fron"), "class": ("calss", "clas"), "with": ("wiht", "whit"), "try": ("tyr", "tr"),
    "except": ("excpet", "exept"), "raise": ("rasie", "riase"), "lambda": ("lamda", "lambd"),
    "yield": ("yeild", "yiled"), "and": ("adn", "nad"), "not": ("nto", "no"), "async": ("asycn", "aysnc"),
    "as": ("sa", "a"), "or": ("ro", "orr"), "is": ("si", "iss"),
}  # fmt: skip
_LONGEST_SHIFT = 12


def assign_for_equals(code: Code, rng: random.Random) -> Change:
    """`if a = b:`."""
    return replace(some(code, rng, "=="), "=")


def keyword_misspelled(code: Code, rng: random.Random) -> Change:
    """`retrun x`."""
    token = some(code, rng, *_SLIPS)
    if len(token.text) > 2 and rng.random() < 0.3:
        return replace(token, misspell(token.text, rng))
    return replace(token, rng.choice(_SLIPS[token.text]))


def keyword_missing(code: Code, rng: random.Random) -> Change:
    """`for x xs:`, `f(x):`."""
    return without(code, rng, some(code, rng, *_DISPENSABLE))


def operand_missing(code: Code, rng: random.Random) -> Change:
    """`a + `, ` = b`: a plain operand is gone."""
    plain = ("name", "number", "string")
    sites = []
    for first, second in pairwise(code.typing_places):
        if first.text in _BINARY and second.kind in plain:
            sites.append(second)
        elif second.text in _BINARY and first.kind in plain:
            sites.append(first)
    return without(code, rng, pick(rng, sites))


def split_name(code: Code, rng: random.Random) -> Change:
    """`my name` for `my_name`."""
    names = [token for token in code.typing_places if token.kind == "name"]
    token = pick(rng, [token for token in names if "_" in token.text.strip("_")])
    at = token.start + token.text.index("_", len(token.text) - len(token.text.lstrip("_")))
    return Change(at, at + 1, rng.choice((" ", "-", "_ ", " _")))


def line_shifted(code: Code, rng: random.Random) -> Change:
    """One line stands a level, or a blank or two, too far left or right."""
    movable = [s for s in code.statements if code.starts_line(s.start)]
    statement = weighted(rng, [(s, 1.0 if s.first_line else 0.3) for s in movable])
    start, unit = code.line_starts[statement.first_line], code.indent_unit
    indent = code.indent_of(statement.first_line)
    options = [indent + rng.choice((unit, unit, unit, " ", "  "))]
    if indent:
        options += [indent[: -len(unit)], indent[:-1]]
    return Change(start, start + len(indent), rng.choice(options))


def block_not_indented(code: Code, rng: random.Random) -> Change:
    """A block stands no deeper than its header."""
    unit, bodies = code.indent_unit, [s for s in code.statements if s.index == 0 and s.first_line]
    statement = pick(rng, [s for s in bodies if code.indent_of(s.first_line).endswith(unit)])
    first, end = statement.first_line, code.span(statement.block[-1]).end
    last = code.line_of(end - 1)
    kept, indent = code.lines[first : last + 1], code.indent_of(first)
    if len(kept) > _LONGEST_SHIFT or any(line.strip() and not line.startswith(indent) for line in kept):
        raise NoPlaceError
    new = "\n".join(line[len(unit) :] if line.strip() else line for line in kept)
    return Change(code.line_starts[first], code.line_end(last), new)


def foreign(code: Code, rng: random.Random) -> Change:
    """`&&`, `else if`, `catch`: another language's word."""
    token = some(code, rng, *_FOREIGN)
    return replace(token, rng.choice(_FOREIGN[token.text]))


def else_if(code: Code, rng: random.Random) -> Change:
    """`else if`."""
    return replace(some(code, rng, "elif"), "else if")


def python2(code: Code, rng: random.Random) -> Change:
    """`print x`, `except E, e`, `raise E, "text"`."""
    return pick(rng, _old_handlers(code) + _old_statements(code))


def _old_handlers(code: Code) -> list[Change]:
    changes = []
    for handler in code.find(ast.ExceptHandler):
        if handler.type is not None and handler.name:
            end = code.span(handler.type).end
            following = code.tokens[code.token_index(end)]
            if following.text == "as":
                changes.append(Change(end, following.end, ","))
    return changes


def _old_statements(code: Code) -> list[Change]:
    changes = []
    for call in code.find(ast.Call):
        arguments = code.arguments(call)
        if not arguments or not isinstance(call.func, ast.Name):
            continue
        name, inner = call.func.id, code.text[arguments[0].start : arguments[-1].end]
        parent = code.parents[call]
        if name in ("print", "exec") and isinstance(parent, ast.Expr):
            changes.append(replace(code.span(call), f"{name} {inner}"))
        elif isinstance(parent, ast.Raise) and parent.exc is call:
            changes.append(replace(code.span(call), f"{name}, {inner}"))
    return changes


SYNTAX: Mix = (
    *MARKS,
    (1.5, assign_for_equals),
    (1.8, keyword_misspelled),
    (1.2, keyword_missing),
    (1.5, operand_missing),
    (0.3, split_name),
    (2.5, line_shifted),
    (1.2, block_not_indented),
    (0.8, foreign),
    (0.4, else_if),
    (0.6, python2),
)
