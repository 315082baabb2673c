"""Regions of sound Python sources: the pieces of text a model learns to edit.

The same pieces that the terminal tool cuts from a user's file: outermost functions, methods, runs of other
top-level statements; whole lines with their indentation. Here they come from `ast`, since training data parses.
Knows nothing of tokens or repositories.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["function", "method", "module"]

MODULE_RUN_LINES = 30
"""Longest run of top-level statements that is kept as one region."""


@dataclass(frozen=True, slots=True)
class TrainingRegion:
    """One region of a sound source."""

    kind: Kind
    name: str
    text: str
    """Whole lines, each with its newline."""

    @property
    def lines(self) -> int:
        return self.text.count("\n")


def regions(source: str) -> Iterator[TrainingRegion]:
    """All regions of a file, in order.

    Raises:
        SyntaxError, ValueError, RecursionError: the source does not parse.
    """
    tree = ast.parse(source)
    lines = source.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    yield from _in_body(tree.body, lines, "")


def _in_body(body: list[ast.stmt], lines: list[str], owner: str) -> Iterator[TrainingRegion]:
    run: list[ast.stmt] = []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _run(run, lines, owner)
            run = []
            if isinstance(node, ast.ClassDef):
                yield from _in_body(node.body, lines, node.name)
            else:
                yield _cut(
                    "method" if owner else "function", f"{owner}.{node.name}".lstrip("."), node, node, lines
                )
        else:
            run.append(node)
    yield from _run(run, lines, owner)


def _run(run: list[ast.stmt], lines: list[str], owner: str) -> Iterator[TrainingRegion]:
    """Top-level statements between definitions; statements in classes belong to no region."""
    if run and not owner:
        region = _cut("module", "", run[0], run[-1], lines)
        if region.lines <= MODULE_RUN_LINES:
            yield region


def _cut(kind: Kind, name: str, first: ast.stmt, last: ast.stmt, lines: list[str]) -> TrainingRegion:
    decorators = getattr(first, "decorator_list", [])
    start = min([first.lineno, *(d.lineno for d in decorators)]) - 1
    return TrainingRegion(kind, name, "".join(lines[start : last.end_lineno]))
