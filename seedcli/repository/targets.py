"""Targets: what a user names on the command line, and the regions that it stands for."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedcli.errors import TargetError
from seedcli.repository.regions import Region, find_symbol, lines_region, regions_of
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace

_LINES = re.compile(r"(?P<path>.+?):(?P<start>\d{1,9})(?:-(?P<end>\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Target:
    """A target as it was typed."""

    path: str
    symbol: str | None = None
    lines: tuple[int, int] | None = None
    """First and last line, from 1, both included."""


def parse_target(text: str) -> Target:
    """Read `file`, `folder`, `file::symbol`, `file:START-END` or `file:LINE`; a file of exactly that name comes first.

    Raises:
        TargetError: the symbol is empty, or the lines are not a range.
    """
    if os.path.lexists(text):
        return Target(text)
    path, colons, symbol = text.partition("::")
    if colons:
        if not path or not symbol:
            raise TargetError(f"{text!r} lacks a {'symbol' if path else 'file'}; write FILE::SYMBOL")
        return Target(path, symbol=symbol)
    match = _LINES.fullmatch(text)
    if match is None:
        return Target(text)
    start, end = int(match["start"]), int(match["end"] or match["start"])
    if not 1 <= start <= end:
        raise TargetError(f"{text!r} is not a range of lines; write FILE:START-END with 1 <= START <= END")
    return Target(match["path"], lines=(start, end))


def expand(
    workspace: Workspace,
    targets: Sequence[Target],
    *,
    cwd: Path,
    force: bool = False,
    on_skip: Callable[[str], None] = lambda _: None,
) -> list[tuple[SourceFile, list[Region]]]:
    """The files that `targets` name, each once and in that order, with their disjoint regions in line order.

    Args:
        cwd: what relative paths are relative to.
        force: also take ignored and secret files that are named one by one.
        on_skip: told in one line of each file of a folder that cannot be edited.

    Raises:
        TargetError: a target is missing, not editable, ignored or secret without `force`, or without code.
    """
    sources: dict[Path, SourceFile] = {}
    regions: dict[Path, list[Region]] = {}
    for target in targets:
        path = workspace.resolve(target.path, relative_to=cwd)
        if path.is_dir():
            found = _read_folder(workspace, path, target, on_skip)
        else:
            refuse_protected(workspace, path, target.path, force=force)
            found = [_read_file(workspace, path, target, sources.get(path))]
        for source, its_regions in found:
            sources.setdefault(source.path, source)
            regions[source.path] = _disjoint(source, [*regions.get(source.path, []), *its_regions])
    return [(source, regions[path]) for path, source in sources.items()]


def _read_file(
    workspace: Workspace, path: Path, target: Target, known: SourceFile | None
) -> tuple[SourceFile, list[Region]]:
    source = known or SourceFile.read(workspace, path)
    if target.symbol is not None:
        return source, [find_symbol(source, target.symbol)]
    if target.lines is not None:
        return source, [lines_region(source, target.lines[0] - 1, target.lines[1])]
    return source, regions_of(source)


def _read_folder(
    workspace: Workspace, folder: Path, target: Target, on_skip: Callable[[str], None]
) -> list[tuple[SourceFile, list[Region]]]:
    if target.symbol is not None or target.lines is not None:
        raise TargetError(f"{target.path} is a folder, which has no symbols or lines; name a file in it")
    found = []
    for path in workspace.files(folder):
        try:
            source = SourceFile.read(workspace, path)
        except TargetError as error:
            on_skip(str(error))
            continue
        if regions := regions_of(source):
            found.append((source, regions))
    if not found:
        raise TargetError(
            f"{target.path} holds no Python code that may be edited; name a file, or another folder"
        )
    return found


def refuse_protected(workspace: Workspace, path: Path, name: str, *, force: bool) -> None:
    """Raises TargetError for a file that is ignored or looks like a secret, called `name`, unless `force`."""
    if force:
        return
    if workspace.is_secret(path):
        raise TargetError(f"{name} looks like it holds secrets; pass --force to edit it all the same")
    if workspace.is_ignored(path):
        raise TargetError(
            f"{name} is ignored by .gitignore or .seedignore; pass --force to edit it all the same"
        )


def _disjoint(source: SourceFile, regions: list[Region]) -> list[Region]:
    """In line order; of nested regions the outer one stays, overlapping ones become one region of lines."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda r: (r.start, -r.end)):
        if not kept or region.start >= kept[-1].end:
            kept.append(region)
        elif region.end > kept[-1].end:
            kept[-1] = lines_region(source, kept[-1].start, region.end)
    return kept
