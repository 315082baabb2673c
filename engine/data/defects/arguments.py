"""Wrong arguments: swapped, dropped, doubled, of the wrong name; calls and indices that were forgotten."""

import ast
import random
from itertools import pairwise

from engine.data.defects.change import Change, Mix, NoPlaceError, insert, pick, replace, swap
from engine.data.defects.code import Code
from engine.data.defects.lexing import Span
from engine.data.defects.literals import other_integer
from engine.data.defects.names import other_name

_DEFAULTS = ("None", "False", "True", "0", "1", '""', "[]", "()")
_SHORT = (ast.Name, ast.Attribute, ast.Subscript)


def _drop(spans: list[Span], index: int) -> Change:
    """Take one item out with the comma that stood before or after it."""
    if index + 1 < len(spans):
        return Change(spans[index].start, spans[index + 1].start, "")
    if index:
        return Change(spans[index - 1].end, spans[index].end, "")
    return replace(spans[index], "")


def _calls(code: Code, least: int) -> list[ast.Call]:
    return [call for call in code.find(ast.Call) if len(call.args) + len(call.keywords) >= least]


def swap_arguments(code: Code, rng: random.Random) -> Change:
    """`f(a, b)` becomes `f(b, a)`."""
    call = pick(rng, [call for call in code.find(ast.Call) if len(call.args) > 1])
    spans = code.arguments(call)[: len(call.args)]
    return swap(code.text, *pick(rng, list(pairwise(spans))))


def drop(code: Code, rng: random.Random) -> Change:
    """`f(a, b)` becomes `f(a)`; a lone argument goes where no call has two."""
    spans = code.arguments(pick(rng, _calls(code, 2) or _calls(code, 1)))
    return _drop(spans, pick(rng, range(len(spans))))


def double(code: Code, rng: random.Random) -> Change:
    """`f(a)` becomes `f(a, a)`."""
    call = pick(rng, _calls(code, 1))
    span = pick(rng, code.arguments(call)[: len(call.args)])
    return insert(span.end, ", " + code.text[slice(*span)])


def extra(code: Code, rng: random.Random) -> Change:
    """A call gets one more argument: a variable at hand."""
    call = pick(rng, _calls(code, 0))
    name = other_name(code, rng, call, code.span(call).start)
    if not call.args and not call.keywords:
        return insert(code.span(call).end - 1, name)
    span = pick(rng, code.arguments(call)[: len(call.args) + 1])
    return insert(span.start, name + ", ")


def other_value(code: Code, rng: random.Random) -> Change:
    """An argument, by position or by name, is another variable than the one meant."""
    values = [value for call in code.find(ast.Call) for value in call.args]
    values += [word.value for call in code.find(ast.Call) for word in call.keywords] * 2
    value = pick(rng, [value for value in values if isinstance(value, _SHORT)])
    at = code.span(value)
    return replace(at, other_name(code, rng, value, at.start, code.source(value)))


def _keywords(code: Code) -> list[list[ast.keyword]]:
    """Keyword arguments, call by call."""
    return [[word for word in call.keywords if word.arg] for call in code.find(ast.Call)]


def other_keyword(code: Code, rng: random.Random) -> Change:
    """A keyword argument under the name of another keyword, or of a variable."""
    words = [word for group in _keywords(code) for word in group]
    word = pick(rng, words)
    name, at = word.arg or "", code.span(word).start
    others = [other.arg for other in words if other.arg and other.arg != name]
    new = rng.choice(others) if others else other_name(code, rng, word, at, name)
    return Change(at, at + len(name), new)


def swap_keyword_values(code: Code, rng: random.Random) -> Change:
    """`f(a=x, b=y)` becomes `f(a=y, b=x)`."""
    first, second = pick(rng, [pair for group in _keywords(code) for pair in pairwise(group)])
    return swap(code.text, code.span(first.value), code.span(second.value))


def lose_keyword(code: Code, rng: random.Random) -> Change:
    """`f(key=value)` becomes `f(value)`."""
    word = pick(rng, [word for group in _keywords(code) for word in group[:1]])
    return Change(code.span(word).start, code.span(word.value).start, "")


def default(code: Code, rng: random.Random) -> Change:
    """A parameter's default is another value."""
    values = [value for node in code.find(ast.arguments) for value in (*node.defaults, *node.kw_defaults)]
    value = pick(rng, [v for v in values if isinstance(v, ast.Constant | ast.List | ast.Tuple)])
    if isinstance(value, ast.Constant) and type(value.value) is int:
        return other_integer(code, rng, value)
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return replace(code.span(value), str(not value.value))
    return replace(code.span(value), rng.choice(_DEFAULTS))


def _signature(code: Code, rng: random.Random) -> list[Span]:
    """Parameters of one of the functions, `self`, `*` and `/` among them."""
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = [*code.find(ast.FunctionDef)]
    return code.parameters(pick(rng, functions + code.find(ast.AsyncFunctionDef)))


def swap_parameters(code: Code, rng: random.Random) -> Change:
    """`def f(a, b)` becomes `def f(b, a)`."""
    fixed = ("self", "cls", "/")
    spans = [s for s in _signature(code, rng) if not code.text[slice(*s)].startswith("*")]
    return swap(code.text, *pick(rng, list(pairwise(s for s in spans if code.text[slice(*s)] not in fixed))))


def drop_parameter(code: Code, rng: random.Random) -> Change:
    """`def f(a, b)` becomes `def f(a)`, where the body needs `b`."""
    spans = _signature(code, rng)
    used = {node.id for node in code.find(ast.Name)}.difference(("self", "cls"))
    return _drop(spans, pick(rng, [i for i, span in enumerate(spans) if _parameter(code, span) in used]))


def _parameter(code: Code, span: Span) -> str:
    """Name of a parameter."""
    return code.text[slice(*span)].partition(":")[0].partition("=")[0].strip("* ")


def unwrap(code: Code, rng: random.Random) -> Change:
    """`int(x)` becomes `x`."""
    calls = [
        call
        for call in code.find(ast.Call)
        if isinstance(call.func, ast.Name)
        and len(call.args) == 1
        and not call.keywords
        and isinstance(call.args[0], (*_SHORT, ast.Call))
        and not isinstance(code.parents[call], ast.Expr | ast.Raise)
    ]
    call = pick(rng, calls)
    return replace(code.span(call), code.source(call.args[0]))


def forget_call(code: Code, rng: random.Random) -> Change:
    """`x.strip()` becomes `x.strip`."""
    call = pick(rng, [call for call in code.find(ast.Call) if not call.args and not call.keywords])
    return Change(code.span(call.func).end, code.span(call).end, "")


def forget_index(code: Code, rng: random.Random) -> Change:
    """`x[1:]` becomes `x`, or a bound of the slice is lost."""
    node = pick(rng, [node for node in code.find(ast.Subscript) if isinstance(node.ctx, ast.Load)])
    if isinstance(node.slice, ast.Slice) and rng.random() < 0.5:
        bounds = [bound for bound in (node.slice.lower, node.slice.upper) if bound]
        return replace(code.span(pick(rng, bounds)), "")
    end = code.span(node.value).end
    if code.text[end] != "[":
        raise NoPlaceError
    return Change(end, code.span(node).end, "")


ARGUMENT: Mix = (
    (5, swap_arguments),
    (4, drop),
    (1, double),
    (1, extra),
    (3.5, other_value),
    (0.8, other_keyword),
    (1, swap_keyword_values),
    (0.5, lose_keyword),
    (2, default),
    (0.7, swap_parameters),
    (0.7, drop_parameter),
    (1.5, unwrap),
    (0.8, forget_call),
    (1.2, forget_index),
)
