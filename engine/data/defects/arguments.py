"""Wrong arguments: swapped, dropped, doubled, of the wrong name; calls and indices that were forgotten."""

import ast
import random

from engine.data.defects.change import Change, Mix, insert, pick, replace
from engine.data.defects.code import FUNCTIONS, Code, Span
from engine.data.defects.literals import other_integer
from engine.data.defects.names import other_name

_DEFAULTS = ("None", "False", "True", "0", "1", '""', "[]", "()")


def _swap(code: Code, first: Span, second: Span) -> Change | None:
    one, two = code.text[slice(*first)], code.text[slice(*second)]
    if one == two:
        return None
    return Change(first.start, second.end, two + code.text[first.end : second.start] + one)


def _drop(spans: list[Span], index: int) -> Change:
    """Take one item out with the comma that stood before or after it."""
    if index + 1 < len(spans):
        return Change(spans[index].start, spans[index + 1].start, "")
    if index:
        return Change(spans[index - 1].end, spans[index].end, "")
    return replace(spans[index], "")


def _calls(code: Code, least: int) -> list[ast.Call]:
    return [call for call in code.find(ast.Call) if len(call.args) + len(call.keywords) >= least]


def swap(code: Code, rng: random.Random) -> Change | None:
    """`f(a, b)` becomes `f(b, a)`."""
    call = pick(rng, [call for call in code.find(ast.Call) if len(call.args) > 1])
    spans = code.arguments(call)[: len(call.args)] if call else []
    if len(spans) < 2:
        return None
    index = rng.randrange(len(spans) - 1)
    return _swap(code, spans[index], spans[index + 1])


def drop(code: Code, rng: random.Random) -> Change | None:
    """`f(a, b)` becomes `f(a)`; a lone argument goes seldom."""
    call = pick(rng, _calls(code, 2) or _calls(code, 1))
    spans = code.arguments(call) if call else []
    return _drop(spans, rng.randrange(len(spans))) if spans else None


def double(code: Code, rng: random.Random) -> Change | None:
    """`f(a)` becomes `f(a, a)`."""
    call = pick(rng, _calls(code, 1))
    spans = code.arguments(call)[: len(call.args)] if call else []
    span = pick(rng, spans)
    return span and insert(span.end, ", " + code.text[slice(*span)])


def extra(code: Code, rng: random.Random) -> Change | None:
    """A call gets one more argument: a variable at hand."""
    call = pick(rng, _calls(code, 0))
    if call is None:
        return None
    spans = code.arguments(call)
    name = other_name(code, rng, call, code.span(call).start, "")
    if name is None or (call.args or call.keywords) and not spans:
        return None
    if not spans:
        return insert(code.span(call).end - 1, name)
    span = rng.choice(spans[: len(call.args) + 1])
    return insert(span.start, name + ", ")


def other_value(code: Code, rng: random.Random) -> Change | None:
    """An argument, by position or by name, is another variable than the one meant."""
    values = [value for call in code.find(ast.Call) for value in call.args]
    values += [word.value for call in code.find(ast.Call) for word in call.keywords] * 2
    value = pick(
        rng, [value for value in values if isinstance(value, ast.Name | ast.Attribute | ast.Subscript)]
    )
    if value is None:
        return None
    at = code.span(value)
    new = other_name(code, rng, value, at.start, code.source(value))
    return replace(at, new) if new else None


def other_keyword(code: Code, rng: random.Random) -> Change | None:
    """A keyword argument under the name of another keyword, or of a variable."""
    words = [word for call in code.find(ast.Call) for word in call.keywords if word.arg]
    word = pick(rng, words)
    if word is None or word.arg is None:
        return None
    new = pick(rng, [other.arg for other in words if other.arg != word.arg])
    new = new or other_name(code, rng, word, code.span(word).start, word.arg)
    at = code.span(word).start
    return Change(at, at + len(word.arg), new) if new else None


def swap_keyword_values(code: Code, rng: random.Random) -> Change | None:
    """`f(a=x, b=y)` becomes `f(a=y, b=x)`."""
    pairs = []
    for call in code.find(ast.Call):
        words = [word for word in call.keywords if word.arg]
        pairs += zip(words, words[1:], strict=False)
    pair = pick(rng, pairs)
    return pair and _swap(code, code.span(pair[0].value), code.span(pair[1].value))


def lose_keyword(code: Code, rng: random.Random) -> Change | None:
    """`f(key=value)` becomes `f(value)`."""
    words = [word for call in code.find(ast.Call) for word in call.keywords[:1] if word.arg]
    word = pick(rng, words)
    return word and Change(code.span(word).start, code.span(word.value).start, "")


def default(code: Code, rng: random.Random) -> Change | None:
    """A parameter's default is another value."""
    values = [
        value for node in code.find(ast.arguments) for value in (*node.defaults, *node.kw_defaults) if value
    ]
    value = pick(rng, [value for value in values if isinstance(value, ast.Constant | ast.List | ast.Tuple)])
    if value is None:
        return None
    if isinstance(value, ast.Constant) and type(value.value) is int:
        return replace(code.span(value), other_integer(code.source(value), value.value, rng))
    if isinstance(value, ast.Constant) and isinstance(value.value, bool):
        return replace(code.span(value), str(not value.value))
    return replace(code.span(value), rng.choice(_DEFAULTS))


def _signature(code: Code, rng: random.Random) -> list[Span]:
    """Parameters of one of the functions, without `self`, `*` and `/`."""
    functions = [node for kind in FUNCTIONS for node in code.find(kind)]
    function = pick(rng, functions)
    spans = code.parameters(function) if function else []
    return [span for span in spans if code.text[slice(*span)] not in ("self", "cls", "*", "/")]


def swap_parameters(code: Code, rng: random.Random) -> Change | None:
    """`def f(a, b)` becomes `def f(b, a)`."""
    spans = [span for span in _signature(code, rng) if code.text[span.start] != "*"]
    if len(spans) < 2:
        return None
    index = rng.randrange(len(spans) - 1)
    return _swap(code, spans[index], spans[index + 1])


def drop_parameter(code: Code, rng: random.Random) -> Change | None:
    """`def f(a, b)` becomes `def f(a)`, where the body needs `b`."""
    spans = _signature(code, rng)
    used = {node.id for node in code.find(ast.Name)}
    needed = [i for i, span in enumerate(spans) if _parameter_name(code.text[slice(*span)]) in used]
    index = pick(rng, needed)
    return _drop(spans, index) if index is not None else None


def _parameter_name(text: str) -> str:
    return text.partition(":")[0].partition("=")[0].strip("* ")


def unwrap(code: Code, rng: random.Random) -> Change | None:
    """`int(x)` becomes `x`."""
    calls = [
        call
        for call in code.find(ast.Call)
        if isinstance(call.func, ast.Name) and len(call.args) == 1 and not call.keywords
    ]
    calls = [call for call in calls if not isinstance(code.parents[call], ast.Expr | ast.Raise)]
    call = pick(
        rng,
        [
            call
            for call in calls
            if isinstance(call.args[0], ast.Name | ast.Attribute | ast.Subscript | ast.Call)
        ],
    )
    return call and replace(code.span(call), code.source(call.args[0]))


def forget_call(code: Code, rng: random.Random) -> Change | None:
    """`x.strip()` becomes `x.strip`."""
    call = pick(rng, [call for call in code.find(ast.Call) if not call.args and not call.keywords])
    return call and Change(code.span(call.func).end, code.span(call).end, "")


def forget_index(code: Code, rng: random.Random) -> Change | None:
    """`x[1:]` becomes `x`, or a bound of the slice is lost."""
    nodes = [node for node in code.find(ast.Subscript) if isinstance(node.ctx, ast.Load)]
    node = pick(rng, nodes)
    if node is None:
        return None
    if isinstance(node.slice, ast.Slice) and rng.random() < 0.5:
        bound = pick(rng, [bound for bound in (node.slice.lower, node.slice.upper) if bound])
        return bound and replace(code.span(bound), "")
    return Change(code.span(node.value).end, code.span(node).end, "")


ARGUMENT: Mix = (
    (5, swap),
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
