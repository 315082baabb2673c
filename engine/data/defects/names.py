"""Wrong names: a variable taken for another, an attribute, a method, `self.` lost or added, a slip of the keyboard."""

import ast
import random

from engine.data.defects.change import Change, Mix, insert, pick, replace, weighted
from engine.data.defects.code import Code, Span

_NEAR_CALLS = (
    ("min", "max"), ("any", "all"), ("sorted", "reversed"), ("int", "float"), ("str", "repr"), ("len", "sum"),
    ("list", "tuple"), ("list", "set"), ("set", "frozenset"), ("isinstance", "issubclass"), ("range", "len"),
    ("enumerate", "zip"), ("zip", "enumerate"), ("abs", "int"), ("round", "int"), ("map", "filter"), ("ord", "chr"),
    ("getattr", "hasattr"), ("getattr", "setattr"), ("bytes", "bytearray"), ("ValueError", "TypeError"),
    ("KeyError", "IndexError"), ("AttributeError", "KeyError"), ("print", "repr"), ("dict", "list"), ("iter", "next"),
)  # fmt: skip
_NEAR_METHODS = (
    ("append", "extend"), ("append", "add"), ("add", "update"), ("get", "pop"), ("get", "setdefault"),
    ("pop", "remove"), ("discard", "remove"), ("keys", "values"), ("items", "values"), ("items", "keys"),
    ("startswith", "endswith"), ("strip", "lstrip"), ("strip", "rstrip"), ("lstrip", "rstrip"), ("lower", "upper"),
    ("split", "rsplit"), ("split", "splitlines"), ("find", "rfind"), ("find", "index"), ("partition", "rpartition"),
    ("encode", "decode"), ("read", "readline"), ("readline", "readlines"), ("read", "write"), ("write", "writelines"),
    ("match", "search"), ("match", "fullmatch"), ("search", "findall"), ("group", "groups"), ("join", "split"),
    ("union", "intersection"), ("intersection", "difference"), ("issubset", "issuperset"), ("isdigit", "isalpha"),
    ("isalnum", "isalpha"), ("islower", "isupper"), ("insert", "append"), ("popleft", "pop"), ("appendleft", "append"),
    ("sort", "reverse"), ("open", "close"), ("start", "end"), ("start", "stop"), ("acquire", "release"), ("join", "exists"),
    ("isfile", "isdir"), ("exists", "isfile"), ("dirname", "basename"), ("debug", "info"), ("warning", "error"),
    ("floor", "ceil"), ("sin", "cos"), ("dumps", "dump"), ("loads", "load"), ("dump", "load"), ("dumps", "loads"),
    ("title", "capitalize"), ("ljust", "rjust"), ("setattr", "getattr"), ("pack", "unpack"), ("x", "y"),
    ("width", "height"), ("left", "right"), ("first", "last"), ("next", "prev"), ("min", "max"), ("argmin", "argmax"),
)  # fmt: skip


def _neighbours(pairs: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    near: dict[str, list[str]] = {}
    for first, second in pairs:
        near.setdefault(first, []).append(second)
        near.setdefault(second, []).append(first)
    return near


_CALLS, _METHODS = _neighbours(_NEAR_CALLS), _neighbours(_NEAR_METHODS)


def other_name(code: Code, rng: random.Random, node: ast.AST, at: int, name: str) -> str | None:
    """Another name that is bound where `node` stands, one of a kind with `name` preferred."""
    scope = code.scopes[node]
    near = _same_kind(code, [other for other in scope.visible(at) if other != name], name)
    return weighted(rng, near)


def _same_kind(code: Code, names: list[str], name: str) -> list[tuple[str, float]]:
    return [(other, _likeness(code, name, other)) for other in names if other not in ("self", "cls", "_")]


def _likeness(code: Code, name: str, other: str) -> float:
    weight = 1.0
    if (len(name) <= 2) == (len(other) <= 2):
        weight += 1
    if name[:3] == other[:3] or name[-3:] == other[-3:] or name.rstrip("s") == other.rstrip("s"):
        weight += 3
    if _used_as(code).get(name, set()) & _used_as(code).get(other, set()):
        weight += 3
    return weight


def _used_as(code: Code) -> dict[str, set[str]]:
    """What each name is used for in the region: parts of speech, so to say."""
    cached = code.notes.get("used_as")
    if isinstance(cached, dict):
        return cached
    uses: dict[str, set[str]] = {}
    for node in code.find(ast.Name):
        parent = code.parents[node]
        use = type(parent).__name__
        if use == "Call" and isinstance(parent, ast.Call):
            use = "callee" if parent.func is node else "argument"
        elif isinstance(parent, ast.Attribute):
            use = f".{parent.attr}"
        if isinstance(node.ctx, ast.Load):
            uses.setdefault(node.id, set()).add(use)
    code.notes["used_as"] = uses
    return uses


def misuse(code: Code, rng: random.Random) -> Change | None:
    """A variable is read where another was meant."""
    sites = []
    for node in code.find(ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id not in ("self", "cls"):
            if node.id in code.scopes[node].visible(code.span(node).start):
                sites.append(node)
    node = pick(rng, sites)
    if node is None:
        return None
    at = code.span(node)
    new = other_name(code, rng, node, at.start, node.id)
    return replace(at, new) if new else None


def wrong_target(code: Code, rng: random.Random) -> Change | None:
    """A value is stored under another variable's name."""
    node = pick(rng, [node for node in code.find(ast.Name) if isinstance(node.ctx, ast.Store)])
    if node is None:
        return None
    at = code.span(node)
    new = other_name(code, rng, node, at.start, node.id)
    return replace(at, new) if new else None


def attribute(code: Code, rng: random.Random) -> Change | None:
    """An attribute of the same object, or one seen elsewhere in the code, in place of the right one."""
    nodes = code.find(ast.Attribute)
    node = pick(rng, nodes)
    if node is None:
        return None
    called = _is_called(code, node)
    same_owner, others = [], []
    for other in nodes:
        if other.attr != node.attr and _is_called(code, other) == called:
            owners_match = code.source(other.value) == code.source(node.value)
            (same_owner if owners_match else others).append(other.attr)
    new = pick(rng, same_owner or others)
    return replace(_attribute_span(code, node), new) if new else None


def near_call(code: Code, rng: random.Random) -> Change | None:
    """A function or a method that does something near: `min` for `max`, `append` for `extend`."""
    sites: list[tuple[Span, list[str]]] = [
        (code.span(node), _CALLS[node.id]) for node in code.find(ast.Name) if node.id in _CALLS
    ]
    sites += [
        (_attribute_span(code, node), _METHODS[node.attr])
        for node in code.find(ast.Attribute)
        if node.attr in _METHODS
    ]
    site = pick(rng, sites)
    return site and replace(site[0], rng.choice(site[1]))


def other_function(code: Code, rng: random.Random) -> Change | None:
    """A call of another function that the code calls elsewhere."""
    called = [node for node in code.find(ast.Name) if _is_called(code, node)]
    node = pick(rng, called)
    new = node and pick(rng, [other.id for other in called if other.id != node.id])
    return replace(code.span(node), new) if node and new else None


def lose_self(code: Code, rng: random.Random) -> Change | None:
    """`self.x` becomes `x`."""
    node = pick(rng, [node for node in code.find(ast.Attribute) if _is_self(node.value)])
    return node and Change(code.span(node.value).start, _attribute_span(code, node).start, "")


def gain_self(code: Code, rng: random.Random) -> Change | None:
    """`x` becomes `self.x`."""
    if not any(_is_self(node) for node in code.find(ast.Name)):
        return None
    nodes = [node for node in code.find(ast.Name) if not _is_self(node) and isinstance(node.ctx, ast.Load)]
    attributes = {node.attr for node in code.find(ast.Attribute)}
    node = pick(
        rng, [node for node in nodes if node.id in attributes] or [n for n in nodes if n.id not in _CALLS]
    )
    return node and insert(code.span(node).start, "self.")


def typo(code: Code, rng: random.Random) -> Change | None:
    """A letter is dropped, doubled, swapped with the next, or the name loses or gains an s."""
    spans = [code.span(node) for node in code.find(ast.Name)]
    spans += [_attribute_span(code, node) for node in code.find(ast.Attribute)]
    at = pick(rng, [span for span in spans if span.end - span.start >= 3])
    return at and replace(at, misspell(code.text[slice(*at)], rng))


def misspell(word: str, rng: random.Random) -> str:
    """A word of three letters or more with one slip in it."""
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
    parent = code.parents.get(node)
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
    (2.3, typo),
)
