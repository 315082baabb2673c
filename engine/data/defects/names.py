"""Wrong names: a variable, attribute or method taken for another, `self.` lost, slips of the keyboard."""

import ast
import random

from engine.data.defects.change import Change, Mix, NoPlaceError, insert, pick, replace, weighted
from engine.data.defects.code import Code
from engine.data.defects.lexing import Span

_NEAR_CALLS = (
    ("min", "max"), ("any", "all"), ("sorted", "reversed"), ("int", "float"), ("str", "repr"),
    ("len", "sum"), ("list", "tuple"), ("list", "set"), ("set", "frozenset"),
    ("isinstance", "issubclass"), ("range", "len"), ("enumerate", "zip"), ("zip", "enumerate"),
    ("abs", "int"), ("round", "int"), ("map", "filter"), ("ord", "chr"), ("getattr", "hasattr"),
    ("getattr", "setattr"), ("bytes", "bytearray"), ("ValueError", "TypeError"),
    ("KeyError", "IndexError"), ("AttributeError", "KeyError"), ("print", "repr"), ("dict", "list"),
    ("iter", "next"),
)  # fmt: skip
_NEAR_METHODS = (
    ("append", "extend"), ("append", "add"), ("add", "update"), ("get", "pop"), ("get", "setdefault"),
    ("pop", "remove"), ("discard", "remove"), ("keys", "values"), ("items", "values"),
    ("items", "keys"), ("startswith", "endswith"), ("strip", "lstrip"), ("strip", "rstrip"),
    ("lstrip", "rstrip"), ("lower", "upper"), ("split", "rsplit"), ("split", "splitlines"),
    ("find", "rfind"), ("find", "index"), ("partition", "rpartition"), ("encode", "decode"),
    ("read", "readline"), ("readline", "readlines"), ("read", "write"), ("write", "writelines"),
    ("match", "search"), ("match", "fullmatch"), ("search", "findall"), ("group", "groups"),
    ("join", "split"), ("union", "intersection"), ("intersection", "difference"),
    ("issubset", "issuperset"), ("isdigit", "isalpha"), ("isalnum", "isalpha"), ("islower", "isupper"),
    ("insert", "append"), ("popleft", "pop"), ("appendleft", "append"), ("sort", "reverse"),
    ("open", "close"), ("start", "end"), ("start", "stop"), ("acquire", "release"), ("join", "exists"),
    ("isfile", "isdir"), ("exists", "isfile"), ("dirname", "basename"), ("debug", "info"),
    ("warning", "error"), ("floor", "ceil"), ("sin", "cos"), ("dumps", "dump"), ("loads", "load"),
    ("dump", "load"), ("dumps", "loads"), ("title", "capitalize"), ("ljust", "rjust"),
    ("setattr", "getattr"), ("pack", "unpack"), ("x", "y"), ("width", "height"), ("left", "right"),
    ("first", "last"), ("next", "prev"), ("argmin", "argmax"),
)  # fmt: skip


def _neighbours(pairs: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for first, second in pairs:
        near.setdefault(first, []).append(second)
        near.setdefault(second, []).append(first)
    return near


_CALLS, _METHODS = _neighbours(_NEAR_CALLS), _neighbours(_NEAR_METHODS)


def other_name(code: Code, rng: random.Random, node: ast.AST, at: int, name: str = "") -> str:
    """Another name that is bound before `at`, where `node` stands; one much like `name` preferred.

    Raises NoPlaceError where there is none.
    """
    others = [other for other in code.scopes[node].visible(at) if other not in (name, "self", "cls", "_")]
    return weighted(rng, [(other, _likeness(code, name, other)) for other in others])


def _likeness(code: Code, name: str, other: str) -> float:
    weight = 1.0
    if (len(name) <= 2) == (len(other) <= 2):
        weight += 1
    if name[:3] == other[:3] or name[-3:] == other[-3:] or name.rstrip("s") == other.rstrip("s"):
        weight += 3
    if code.uses.get(name, set()) & code.uses.get(other, set()):
        weight += 3
    return weight


def _variables_read(code: Code) -> list[ast.Name]:
    """Where a name that the code itself binds is read."""
    read = [node for node in code.find(ast.Name) if isinstance(node.ctx, ast.Load) and not _is_self(node)]
    return [node for node in read if node.id in code.scopes[node].visible(code.span(node).start)]


def misuse(code: Code, rng: random.Random) -> Change:
    """A variable is read where another was meant."""
    node = pick(rng, _variables_read(code))
    at = code.span(node)
    return replace(at, other_name(code, rng, node, at.start, node.id))


def wrong_target(code: Code, rng: random.Random) -> Change:
    """A value is stored under another variable's name."""
    node = pick(rng, [node for node in code.find(ast.Name) if isinstance(node.ctx, ast.Store)])
    at = code.span(node)
    return replace(at, other_name(code, rng, node, at.start, node.id))


def attribute(code: Code, rng: random.Random) -> Change:
    """An attribute of the same object, or one seen elsewhere in the code, in place of the right one."""
    nodes = code.find(ast.Attribute)
    node = pick(rng, nodes)
    called, owner = _is_called(code, node), code.source(node.value)
    others = [other for other in nodes if other.attr != node.attr and _is_called(code, other) == called]
    near = [other.attr for other in others if code.source(other.value) == owner]
    return replace(_attribute_span(code, node), pick(rng, near or [other.attr for other in others]))


def near_call(code: Code, rng: random.Random) -> Change:
    """A function or a method that does something near: `min` for `max`, `append` for `extend`."""
    sites = [(code.span(node), _CALLS[node.id]) for node in code.find(ast.Name) if node.id in _CALLS]
    sites += [
        (_attribute_span(code, node), _METHODS[node.attr])
        for node in code.find(ast.Attribute)
        if node.attr in _METHODS
    ]
    at, near = pick(rng, sites)
    return replace(at, rng.choice(near))


def other_function(code: Code, rng: random.Random) -> Change:
    """A call of another function that the code calls elsewhere."""
    called = [node for node in code.find(ast.Name) if _is_called(code, node)]
    node = pick(rng, called)
    return replace(code.span(node), pick(rng, [other.id for other in called if other.id != node.id]))


def lose_self(code: Code, rng: random.Random) -> Change:
    """`self.x` becomes `x`."""
    node = pick(rng, [node for node in code.find(ast.Attribute) if _is_self(node.value)])
    return Change(code.span(node).start, _attribute_span(code, node).start, "")


def gain_self(code: Code, rng: random.Random) -> Change:
    """`x` becomes `self.x`, for an `x` that the object has, if there is one."""
    if not any(_is_self(node) for node in code.find(ast.Name)):
        raise NoPlaceError
    nodes = _variables_read(code)
    attributes = {node.attr for node in code.find(ast.Attribute)}
    known = [node for node in nodes if node.id in attributes]
    return insert(code.span(pick(rng, known or nodes)).start, "self.")


def typo(code: Code, rng: random.Random) -> Change:
    """A slip of the keyboard in a variable's or an attribute's name."""
    spans = [code.span(node) for node in code.find(ast.Name)]
    spans += [_attribute_span(code, node) for node in code.find(ast.Attribute)]
    at = pick(rng, [span for span in spans if span.end - span.start >= 3])
    return replace(at, misspell(code.text[slice(*at)], rng))


def misspell(word: str, rng: random.Random) -> str:
    """A word of three letters or more: a letter dropped, doubled or swapped, an s gained or lost."""
    index = rng.randrange(1, len(word) - 1)
    slip = rng.randrange(4)
    if slip == 0:
        return word[:index] + word[index + 1 :]
    if slip == 1:
        return word[:index] + word[index] + word[index:]
    if slip == 2 and word[index] != word[index + 1]:
        return word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    return word[:-1] if word.endswith("s") else word + "s"


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


def _is_called(code: Code, node: ast.expr) -> bool:
    parent = code.parents[node]
    return isinstance(parent, ast.Call) and parent.func is node


def _attribute_span(code: Code, node: ast.Attribute) -> Span:
    end = code.span(node).end
    return Span(end - len(node.attr), end)


NAME: Mix = (
    (6, misuse),
    (0.6, wrong_target),
    (2.5, attribute),
    (2, near_call),
    (0.7, other_function),
    (0.8, lose_self),
    (0.5, gain_self),
    (1.6, typo),
)
