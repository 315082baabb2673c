"""Regions: the spans of a file that an edit may touch.

Lines count from 0 and spans are half-open here; what users see counts from 1. Knows nothing of models or
patches.
"""

import difflib
import warnings
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from seedcli.errors import TargetError
from seedcli.repository.outline import Definition, outline
from seedcli.repository.source import PYTHON_SUFFIXES, SourceFile
from seedcli.syntax import symbols
from seedcli.syntax.languages import grammar_of, language_of

RegionKind = Literal["function", "method", "class", "module", "lines", "file", "conflict"]


@dataclass(frozen=True, slots=True)
class Region:
    """Whole lines of one file."""

    kind: RegionKind
    symbol: str
    """`function`, `Class.method` or `Class`; empty for the other kinds."""
    start: int
    """First line, from 0, decorators included."""
    end: int
    """Line after the last one."""
    text: str
    """With `\\n` endings, each line closed by one."""


def regions_of(source: SourceFile) -> list[Region]:
    """What to edit in a file that was named as a whole, in order and disjoint.

    Every function and method that is not nested in a function, and each run of other top-level statements
    (`module`). What a class holds beside methods is left out. A file of another language is one region.
    """
    if not is_python(source.name):
        return [_region(source, "file", "", 0, _num_lines(source))]
    definitions = _outline(source)
    callables = [_of_definition(source, d) for d in definitions if d.kind in ("function", "method")]
    return sorted([*callables, *_module_runs(source, definitions)], key=lambda region: region.start)


def find_symbol(source: SourceFile, symbol: str) -> Region:
    """The function, method or class called `symbol`; a method's bare name is enough where only one has it.

    Raises:
        TargetError: there is none (near names are given) or more than one (their lines are given).
    """
    definitions = [d for d in _definitions(source) if d.kind != "block" and d.symbol]
    found = [d for d in definitions if d.symbol == symbol]
    found = found or [d for d in definitions if d.symbol.rpartition(".")[2] == symbol]
    if not found:
        raise TargetError(f"{source.name} has no {symbol!r}{_near_symbols(symbol, definitions)}")
    if len(found) > 1:
        where = ", ".join(f"{d.symbol} {d.start + 1}-{d.end}" for d in found)
        raise TargetError(
            f"{source.name} has {symbol!r} more than once ({where}); give lines as {source.name}:START-END"
        )
    return _of_definition(source, found[0])


def lines_region(source: SourceFile, start: int, end: int) -> Region:
    """Lines [start, end), from 0.

    Raises:
        TargetError: the file has no such lines.
    """
    count = _num_lines(source)
    if not 0 <= start < end <= count:
        raise TargetError(
            f"{source.name} has {count} lines, not {start + 1}-{end}; give lines within the file"
        )
    return _region(source, "lines", "", start, end)


def parses(text: str, path: Path | str) -> bool:
    """Whether Python compiles `text`, to stand in `path`; files of other languages are always taken for sound."""
    if not is_python(str(path)):
        return True
    try:
        with warnings.catch_warnings():
            # Invalid escapes and the like in the user's code are no concern of ours.
            warnings.simplefilter("ignore")
            # Parsing alone lets a parameter named twice and a `return` outside a function pass.
            compile(text, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def is_python(name: str) -> bool:
    """Whether a file of this name is read as Python."""
    return PurePath(name).suffix in PYTHON_SUFFIXES


def _outline(source: SourceFile) -> list[Definition]:
    return outline(source.text)


def _definitions(source: SourceFile) -> list[Definition]:
    """Also those of other languages, where the grammar is there."""
    if is_python(source.name):
        return _outline(source)
    language = language_of(source.name)
    if language is None or grammar_of(language) is None:
        cure = "install seedcli[languages], or give" if language is not None else "give"
        raise TargetError(
            f"{source.name}: its symbols cannot be read; {cure} lines, as {source.name}:START-END"
        )
    found = symbols.read(source.text, language).definitions
    return [Definition(d.kind, d.symbol, d.start, d.end) for d in found]


def _num_lines(source: SourceFile) -> int:
    return source.text.count("\n") + (not source.text.endswith("\n") and bool(source.text))


def _region(source: SourceFile, kind: RegionKind, symbol: str, start: int, end: int) -> Region:
    lines = source.text.split("\n")[start:end]
    return Region(kind, symbol, start, end, "".join(line + "\n" for line in lines))


def _of_definition(source: SourceFile, d: Definition) -> Region:
    assert d.kind != "block", "blocks only keep module runs apart"
    return _region(source, d.kind, d.symbol, d.start, d.end)


def _module_runs(source: SourceFile, definitions: list[Definition]) -> list[Region]:
    runs = []
    position = 0
    lines = source.text.split("\n")
    for start, end in [*((d.start, d.end) for d in definitions), (_num_lines(source), _num_lines(source))]:
        runs.append(_trimmed(lines, position, start))
        position = max(position, end)
    return [_region(source, "module", "", start, end) for start, end in runs if start < end]


def _trimmed(lines: list[str], start: int, end: int) -> tuple[int, int]:
    """[start, end) without blank lines at its ends; empty where it holds nothing but comments."""
    if all(not line.strip() or line.lstrip().startswith("#") for line in lines[start:end]):
        return start, start
    while not lines[start].strip():
        start += 1
    while not lines[end - 1].strip():
        end -= 1
    return start, end


def _near_symbols(symbol: str, definitions: list[Definition]) -> str:
    names = {d.symbol: d.symbol for d in definitions}
    names |= {d.symbol.rpartition(".")[2]: d.symbol for d in definitions}
    near = dict.fromkeys(names[n] for n in difflib.get_close_matches(symbol, names, n=5, cutoff=0.5))
    if near:
        return f"; did you mean {', '.join(list(near)[:3])}?"
    return (
        f"; it has {', '.join(sorted(set(names.values()))[:5])}"
        if names
        else "; it has no functions or classes"
    )
