"""`for i in range(len(xs))` to `for i, x in enumerate(xs)`; pairs are made backwards from plain loops.

The index stays, used or not: the instruction asks for `enumerate`. The item is called as the instruction
says; where that says nothing, as the first line of the loop calls it (`x = xs[i]`, which then goes);
else `item`.
"""

import ast
import random
import re
from dataclasses import dataclass

from engine.data.refactorings.pair import Pair
from engine.data.refactorings.source import Edit, Occurrence, Source, UnrewritableError, apply, read

DEFAULT_ITEM = "item"
_ITEMS = (DEFAULT_ITEM, "x", "elem", "value", "entry", "element")

_INDICES = ("i", "i", "i", "idx", "index", "j", "k", "n", "pos", "ii")
_MUTATORS = frozenset({"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"})
_ANY_LENGTH = re.compile(r"range\([^\n]*len\(")
_KEYS = frozenset({"key", "k", "_", "name", "attr"})


@dataclass(frozen=True, slots=True)
class _Loop:
    node: ast.For
    index: str
    container: str


def make(text: str, rng: random.Random) -> Pair | None:
    """A pair, with variable `item` where the name has to be told; None where no loop fits."""
    source = read(text)
    if source is None or _range_loops(source):
        return _from_existing(text, rng)
    try:
        candidates = [node for node in ast.walk(source.tree) if isinstance(node, ast.For)]
        rng.shuffle(candidates)
        # Loops that are enumerated already are rarer and better: their index is in use.
        candidates.sort(key=lambda node: not isinstance(node.iter, ast.Call))
        for node in candidates:
            pair = _backwards(source, node, rng)
            if pair is not None:
                return pair
    except UnrewritableError:
        return None
    return None


def _from_existing(text: str, rng: random.Random) -> Pair | None:
    for item in rng.sample(_ITEMS, 3):
        after = rewrite(text, item)
        if after is not None and after != text:
            return _finished(text, after, item, rng)
    return None


def _finished(before: str, after: str, item: str, rng: random.Random) -> Pair | None:
    """The pair, if the rewrite agrees. The name is told unless the rule gives the same without."""
    by_rule = rewrite(before) == after
    if not by_rule and rewrite(before, item) != after:
        return None
    told = not by_rule or rng.random() < 0.4
    return Pair("enumerate", {"item": item} if told else {}, before, after)


def rewrite(text: str, item: str | None = None) -> str | None:
    """The region with `enumerate` in its one `range(len(...))` loop; None where that has no one right answer.

    Args:
        item: the name of the item; None for the rule's.
    """
    source = read(text)
    if source is None:
        return None
    loops = _range_loops(source)
    if not loops:
        return text
    if len(loops) > 1:
        return None
    try:
        after = apply(text, _edits(source, loops[0], item))
    except UnrewritableError:
        return None
    return after if read(after) is not None else None


def idle(text: str, rng: random.Random) -> dict[str, str] | None:
    """The variables of an instruction that leaves the region as it is; None where there is something to do."""
    if _ANY_LENGTH.search(text) or read(text) is None:
        return None
    return {"item": rng.choice(_ITEMS)} if rng.random() < 0.4 else {}


def _range_loops(source: Source) -> list[_Loop]:
    loops = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            container = _call_argument(_call_argument(node.iter, "range"), "len")
            if container is not None:
                loops.append(_Loop(node, node.target.id, source.code(container)))
    return loops


def _call_argument(node: ast.expr | None, function: str) -> ast.expr | None:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
        return node.args[0] if len(node.args) == 1 and not node.keywords else None
    return None


def _edits(source: Source, loop: _Loop, item: str | None) -> list[Edit]:
    _refuse_changes(source, loop)
    start, end = _body_span(source, loop.node)
    assignment = _assignment(source, loop)
    named = assignment.targets[0].id if assignment is not None else None  # type: ignore[attr-defined]
    name = item or named or DEFAULT_ITEM
    uses = [(first, last) for first, last in _subscripts(source, loop) if start <= first < end]
    if not uses or (name != named and _used(source, name)):
        raise UnrewritableError("no use of the item, or its name is taken")
    edits = [Edit(first, last, name) for first, last in uses]
    if assignment is not None and named == name:
        first, last = _line_span(source, assignment)
        edits = [edit for edit in edits if not first <= edit.start < last] + [Edit(first, last, "")]
    header = (source.span(loop.node.target)[0], source.span(loop.node.iter)[1])
    return [*edits, Edit(*header, f"{loop.index}, {name} in enumerate({loop.container})")]


def _refuse_changes(source: Source, loop: _Loop) -> None:
    """Raises UnrewritableError where the loop's body changes the container, an element or the index."""
    for node in _nodes(loop.node.body):
        code = source.code(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else ""
        stored = code and not isinstance(node.ctx, ast.Load)  # type: ignore[attr-defined]
        if stored and (code in (loop.index, loop.container) or code.startswith(f"{loop.container}[")):
            raise UnrewritableError("the loop changes what it goes through")
        if (
            isinstance(node, ast.Attribute)
            and node.attr in _MUTATORS
            and source.code(node.value) == loop.container
        ):
            raise UnrewritableError("the loop changes what it goes through")


def _assignment(source: Source, loop: _Loop) -> ast.Assign | None:
    """The body's first statement, where all it does is to name the item, and others follow."""
    first = loop.node.body[0]
    if isinstance(first, ast.Assign) and len(first.targets) == 1 and isinstance(first.targets[0], ast.Name):
        start, end = _line_span(source, first)
        alone = source.text[start:end].strip() == source.code(first)
        stores = sum(spot.name == first.targets[0].id for spot in _stores(source, loop))
        if alone and source.code(first.value) == f"{loop.container}[{loop.index}]" and stores == 1:
            return first if len(loop.node.body) > 1 else None
    return None


def _stores(source: Source, loop: _Loop) -> list[Occurrence]:
    places = {
        source.span(node)[0]
        for node in _nodes(loop.node.body)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    return [spot for spot in source.occurrences if spot.start in places]


def _nodes(body: list[ast.stmt]) -> list[ast.AST]:
    return [node for statement in body for node in ast.walk(statement)]


def _line_span(source: Source, node: ast.stmt) -> tuple[int, int]:
    """The whole lines that `node` stands on."""
    start, end = source.span(node)
    newline = source.text.find("\n", end)
    return source.text.rfind("\n", 0, start) + 1, len(source.text) if newline < 0 else newline + 1


def _body_span(source: Source, loop: ast.For) -> tuple[int, int]:
    return source.span(loop.body[0])[0], source.span(loop.body[-1])[1]


def _subscripts(source: Source, loop: _Loop) -> list[tuple[int, int]]:
    """Where `container[index]` stands, in f-strings too."""
    wanted = f"{loop.container}[{loop.index}]".encode()
    return [
        (source.characters(node.start_byte), source.characters(node.end_byte))
        for node, _ in source.syntax()
        if node.type == "subscript" and node.text == wanted
    ]


def _used(source: Source, name: str) -> bool:
    return any(spot.name == name and spot.role in ("name", "import") for spot in source.occurrences)


def _backwards(source: Source, node: ast.For, rng: random.Random) -> Pair | None:
    """The pair whose answer is this loop, enumerated."""
    loop, item = _parts(source, node, rng)
    if loop is None:
        return None
    start, end = _body_span(source, node)
    spots = [spot for spot in source.occurrences if spot.name == item and spot.role in ("name", "import")]
    uses = [spot for spot in spots if start <= spot.start < end]
    if not uses or len(uses) + 1 != len(spots) or not _only_read(node, item):
        return None
    header = (source.span(node.target)[0], source.span(node.iter)[1])
    told = item if rng.random() < 0.6 or _used(source, DEFAULT_ITEM) else DEFAULT_ITEM
    before, after = [Edit(*header, f"{loop.index} in range(len({loop.container}))")], []
    after.append(Edit(*header, f"{loop.index}, {told} in enumerate({loop.container})"))
    if told == item and rng.random() < 0.35 and _own_line(source, node):
        before.append(
            Edit(start, start, f"{item} = {loop.container}[{loop.index}]\n{_indent(source, start)}")
        )
    else:
        before += [
            Edit(spot.start, spot.start + len(item), f"{loop.container}[{loop.index}]") for spot in uses
        ]
    after += [Edit(spot.start, spot.start + len(item), told) for spot in uses]
    return _finished(apply(source.text, before), apply(source.text, after), told, rng)


def _parts(source: Source, node: ast.For, rng: random.Random) -> tuple[_Loop | None, str]:
    """Index, container and item of a loop over `enumerate(xs)` or over `xs`."""
    enumerated = _call_argument(node.iter, "enumerate")
    container = enumerated or node.iter
    if not isinstance(container, ast.Name | ast.Attribute) or not _is_dotted(container):
        return None, ""
    if enumerated is None:
        if not isinstance(node.target, ast.Name) or node.target.id in _KEYS:
            return None, ""
        index = rng.choice(_INDICES)
        loop = _Loop(node, index, source.code(container))
        return (None if _used(source, index) else loop), node.target.id
    if isinstance(node.target, ast.Tuple) and all(isinstance(part, ast.Name) for part in node.target.elts):
        names = [source.code(part) for part in node.target.elts]
        if len(names) == 2 and "_" not in names:
            return _Loop(node, names[0], source.code(container)), names[1]
    return None, ""


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _only_read(loop: ast.For, name: str) -> bool:
    """Whether the body binds `name` nowhere."""
    for node in _nodes(loop.body):
        if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, ast.arg) and node.arg == name:
            return False
    return True


def _own_line(source: Source, loop: ast.For) -> bool:
    start = source.span(loop.body[0])[0]
    return not source.text[source.text.rfind("\n", 0, start) + 1 : start].strip()


def _indent(source: Source, start: int) -> str:
    return source.text[source.text.rfind("\n", 0, start) + 1 : start]
