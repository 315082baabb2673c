"""Loops over `enumerate(xs)` in the place of `range(len(xs))`: the same reads of the same items, and nothing else."""

import ast
from collections.abc import Iterator, Mapping
from copy import deepcopy

from engine.laws.trees import argument, compared, is_name, same

CHANGED = "the loop changes what it goes through"
MUTATORS = frozenset({"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse"})


def fault(before: ast.Module, after: ast.Module, _values: Mapping[str, str]) -> str:
    """See `engine.laws.Law`."""
    there = [loop for node in ast.walk(before) if (loop := _enumerated(node))]
    made = [loop for node in ast.walk(after) if (loop := _enumerated(node))]
    old = [(index, item, ast.dump(items)) for _, index, item, items in there]
    for node, index, item, items in made:
        if (index, item, ast.dump(items)) in old:
            old.remove((index, item, ast.dump(items)))
            continue
        if _changes(node, index, items):
            return CHANGED
        if any(is_name(n, item) for n in ast.walk(before)) and item not in _named(before):
            return f"{item!r} is there already"
    return compared(before, after, _Indexed)


def places(tree: ast.Module, _values: Mapping[str, str]) -> int:
    """See `engine.laws.Law`."""
    loops = (node.iter for node in ast.walk(tree) if isinstance(node, ast.For))
    return sum(argument(argument(one, "range"), "len") is not None for one in loops)


def _enumerated(node: ast.AST) -> tuple[ast.For, str, str, ast.expr] | None:
    """Loop, index, item and what is gone through, of a loop over `enumerate`."""
    if isinstance(node, ast.For) and isinstance(node.target, ast.Tuple) and len(node.target.elts) == 2:
        index, item = node.target.elts
        items = argument(node.iter, "enumerate")
        if items is not None and isinstance(index, ast.Name) and isinstance(item, ast.Name):
            return node, index.id, item.id, items
    return None


def _changes(loop: ast.For, index: str, items: ast.expr) -> bool:
    """Whether the body binds the index, or changes what is gone through or an element of it."""
    wanted = ast.unparse(items)
    for node in _within(loop.body):
        if not isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            continue
        changed = node.value if isinstance(node, ast.Subscript) else node
        if not isinstance(node.ctx, ast.Load) and (is_name(node, index) or ast.unparse(changed) == wanted):
            return True
        if isinstance(node, ast.Attribute) and node.attr in MUTATORS and ast.unparse(node.value) == wanted:
            return True
    return False


def _named(tree: ast.AST) -> set[str]:
    """What the first lines of loops call their items: `item = items[i]`."""
    return {name for node in ast.walk(tree) if isinstance(node, ast.For) and (name := _first_name(node))}


def _first_name(loop: ast.For) -> str:
    """What the first line of a loop over `range(len(items))` calls the item, if it is only read afterwards."""
    items, first = argument(argument(loop.iter, "range"), "len"), loop.body[0]
    if items is None or not isinstance(loop.target, ast.Name) or len(loop.body) == 1:
        return ""
    if (
        not isinstance(first, ast.Assign)
        or len(first.targets) != 1
        or not isinstance(first.targets[0], ast.Name)
    ):
        return ""
    name = first.targets[0].id
    is_item = same(first.value, _item(items, loop.target.id))
    stored = (n for n in _within(loop.body[1:]) if is_name(n, name))
    return name if is_item and all(isinstance(n.ctx, ast.Load) for n in stored) else ""  # type: ignore[attr-defined]


def _within(body: list[ast.stmt]) -> Iterator[ast.AST]:
    for statement in body:
        yield from ast.walk(statement)


def _item(items: ast.expr, index: str) -> ast.Subscript:
    return ast.Subscript(deepcopy(items), ast.Name(index, ast.Load()), ast.Load())


class _Indexed(ast.NodeTransformer):
    """Every such loop goes through `range(len(...))`, and reads items by their index."""

    def visit_For(self, node: ast.For) -> ast.AST:
        if loop := _enumerated(node):
            _, index, item, items = loop
            node.target = ast.Name(index, ast.Store())
            length = ast.Call(ast.Name("len", ast.Load()), [deepcopy(items)], [])
            node.iter = ast.Call(ast.Name("range", ast.Load()), [length], [])
            node.body = [_Read(item, _item(items, index)).visit(statement) for statement in node.body]
        if name := _first_name(node):
            whole = node.body[0]
            assert isinstance(whole, ast.Assign), "it names the item"
            node.body = [_Read(name, whole.value).visit(statement) for statement in node.body[1:]]
        return self.generic_visit(node)


class _Read(ast.NodeTransformer):
    """Reads of a name are reads of something else."""

    def __init__(self, name: str, instead: ast.expr) -> None:
        self._name, self._instead = name, instead

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return (
            deepcopy(self._instead) if is_name(node, self._name) and isinstance(node.ctx, ast.Load) else node
        )
