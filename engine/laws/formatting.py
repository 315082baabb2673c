"""Old formatting turned into f-strings: every text says the same, from the same expressions."""

import ast
import re
import string
from collections.abc import Iterator, Mapping, Sequence

from engine.laws.percent import PERCENT, percent_spec
from engine.laws.trees import compared

_NAME = re.compile(r"(\w*)((?:\.\w+|\[[^\]]+\])*)")
_STEP = re.compile(r"\.(\w+)|\[([^\]]+)\]")
_MARK = "<text>"
"""Called in the place of formatting; no name in Python."""
_PLAIN = (ast.Name, ast.Attribute, ast.Constant)
"""What may be evaluated in another order, or twice."""


def fault(before: ast.Module, after: ast.Module, _values: Mapping[str, str]) -> str:
    """See `engine.laws.Law`."""
    return compared(before, after, _Formatted)


def places(tree: ast.Module, _values: Mapping[str, str]) -> int:
    """See `engine.laws.Law`."""
    return sum(_is_old(node) for node in ast.walk(tree))


def _is_old(node: ast.AST) -> bool:
    """Whether it formats a text with `%` or `.format`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        return _template(node.left) is not None
    is_format = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
    )
    return is_format and _template(node.func.value) is not None  # type: ignore[attr-defined]


class _Formatted(ast.NodeTransformer):
    """All formatting that an f-string can say is in one form: the texts between, each value with how it is shown."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        self.generic_visit(node)
        return _text(self._parts(node))

    def _parts(self, node: ast.JoinedStr) -> Iterator[str | ast.expr]:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                conversion = chr(value.conversion) if value.conversion >= 0 else ""
                yield _field(value.value, conversion, value.format_spec)
            else:
                assert isinstance(value, ast.Constant), "an f-string holds texts and fields"
                yield str(value.value)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mod) and (template := _template(node.left)) is not None:
            try:
                return _text(list(_percent_parts(template, node.right)))
            except ValueError:
                return node
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr == "format":
            template = _template(called.value)
            if template is not None:
                try:
                    return _text(_Arguments(node).parts(template))
                except ValueError:
                    return node
        return node


def _template(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _text(parts: "Sequence[str | ast.expr] | Iterator[str | ast.expr]") -> ast.expr:
    """Formatted text in one form, texts beside each other as one; a plain text where there is no value."""
    merged: list[ast.expr] = []
    for part in parts:
        if not isinstance(part, str):
            merged.append(part)
        elif part:
            last = merged[-1] if merged else None
            if isinstance(last, ast.Constant):
                merged[-1] = ast.Constant(last.value + part)  # type: ignore[operator]
            else:
                merged.append(ast.Constant(part))
    if not merged:
        return ast.Constant("")
    if len(merged) == 1 and isinstance(merged[0], ast.Constant):
        return merged[0]
    return ast.Call(ast.Name(_MARK, ast.Load()), merged, [])


def _field(value: ast.expr, conversion: str, spec: ast.expr | None) -> ast.expr:
    if isinstance(spec, ast.Constant) and not spec.value:
        spec = None
    # What shows a value without a width shows it as str() does.
    conversion = "" if conversion == "s" and spec is None else conversion
    return ast.Tuple([value, ast.Constant(conversion), *([spec] if spec is not None else [])], ast.Load())


def _percent_parts(template: str, right: ast.expr) -> Iterator[str | ast.expr]:
    """Raises ValueError where an f-string cannot say the same."""
    places = list(PERCENT.finditer(template))
    if "%" in PERCENT.sub("", template):
        raise ValueError("a stray percent sign")
    values = iter(_percent_values([place for place in places if place["type"] != "%"], right))
    position = 0
    for place in places:
        yield template[position : place.start()]
        position = place.end()
        if place["type"] == "%":
            yield "%"
        else:
            conversion, spec = percent_spec(place)
            yield _field(next(values), conversion[1:], ast.Constant(spec[1:]) if spec else None)
    yield template[position:]


def _percent_values(places: list[re.Match[str]], right: ast.expr) -> list[ast.expr]:
    if any(place["key"] is not None for place in places):
        if not isinstance(right, ast.Dict):
            raise ValueError("a mapping that is not written out")
        keys = [key.value if isinstance(key, ast.Constant) else None for key in right.keys]
        told = dict(zip(keys, right.values, strict=True))
        wanted = [place["key"] for place in places]
        if set(wanted) != set(keys) or len(told) != len(right.keys):
            raise ValueError("places and values do not pair up")
        return _in_order([told[key] for key in wanted], right.values)
    values = right.elts if isinstance(right, ast.Tuple) else [right]
    if (
        len(values) != len(places)
        or isinstance(right, ast.Dict)
        or any(isinstance(v, ast.Starred) for v in values)
    ):
        raise ValueError("places and values do not pair up")
    return values


def _in_order(used: list[ast.expr], given: Sequence[ast.expr]) -> list[ast.expr]:
    """The values. Raises ValueError where another order, or evaluating one twice, may have an effect."""
    ranks = [next(i for i, one in enumerate(given) if one is value) for value in used]
    if ranks != sorted(set(ranks)) and not all(isinstance(value, _PLAIN) for value in used):
        raise ValueError("values out of their order")
    return used


class _Arguments:
    """What a call of `.format` passes, handed out to the fields."""

    def __init__(self, call: ast.Call) -> None:
        if any(isinstance(value, ast.Starred) for value in call.args) or any(
            k.arg is None for k in call.keywords
        ):
            raise ValueError("values that are not written out")
        self._given = [*call.args, *(keyword.value for keyword in call.keywords)]
        self._values: dict[str, ast.expr] = {str(i): value for i, value in enumerate(call.args)}
        self._values |= {str(keyword.arg): keyword.value for keyword in call.keywords}
        self._used: list[ast.expr] = []
        self._counted = 0

    def parts(self, template: str) -> list[str | ast.expr]:
        """The texts and fields. Raises ValueError where an f-string cannot say the same."""
        found = list(self._parts(template))
        if {id(value) for value in self._used} != {id(value) for value in self._given}:
            raise ValueError("a value without field")
        _in_order(self._used, self._given)
        return found

    def _parts(self, template: str) -> Iterator[str | ast.expr]:
        for text, name, spec, conversion in string.Formatter().parse(template):
            yield text
            if name is not None:
                value = self._value(name)
                yield _field(value, conversion or "", _text(self._parts(spec)) if spec else None)

    def _value(self, name: str) -> ast.expr:
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError("an odd field name")
        key = match[1]
        if not key:
            key, self._counted = str(self._counted), self._counted + 1
        if key not in self._values:
            raise ValueError("a field without value")
        value = self._values[key]
        self._used.append(value)
        for attribute, index in _STEP.findall(match[2]):
            if attribute:
                value = ast.Attribute(value, attribute, ast.Load())
            else:
                inner = ast.Constant(int(index) if index.isdigit() else index)
                value = ast.Subscript(value, inner, ast.Load())
        return value
