"""Files that git could not merge, and what stood in their conflicts before both sides changed it.

Knows nothing of regions.
"""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from seedcli.errors import TargetError
from seedcli.repository.conflicts import Conflict, conflicts_of
from seedcli.versions.git import Git

_BASE, _OURS, _THEIRS = "1", "2", "3"


def unmerged_files(git: Git) -> list[str]:
    """Files with a conflict, relative to the root; those among them that one side has deleted too."""
    return list(_stages(git))


def with_bases(git: Git, name: str, conflicts: Sequence[Conflict]) -> list[Conflict]:
    """The conflicts of a file, with what stood there before where the markers do not tell and git can."""
    if all(conflict.base is not None for conflict in conflicts):
        return list(conflicts)
    known = {(c.ours, c.theirs): c.base for c in _merged_anew(git, name)}
    return [
        replace(conflict, base=known.get((conflict.ours, conflict.theirs)))
        if conflict.base is None
        else conflict
        for conflict in conflicts
    ]


def _merged_anew(git: Git, name: str) -> list[Conflict]:
    """The conflicts of the three versions in the index, in the style that tells the base."""
    ids = _stages(git, name).get(name, {})
    if set(ids) != {_BASE, _OURS, _THEIRS}:
        return []
    with tempfile.TemporaryDirectory(prefix="seed-merge-") as folder:
        paths = {stage: Path(folder, stage) for stage in ids}
        for stage, path in paths.items():
            path.write_bytes(git.ask("cat-file", "blob", ids[stage]))
        words = ("merge-file", "-p", "--diff3", *(str(paths[stage]) for stage in (_OURS, _BASE, _THEIRS)))
        # The exit code is the number of conflicts; beyond 127 it is an error.
        merged = git.ask(*words, codes=range(128))
    try:
        return conflicts_of(merged.decode("utf-8", "replace").replace("\r\n", "\n"), name)
    except TargetError:
        return []


def _stages(git: Git, *names: str) -> dict[str, dict[str, str]]:
    """For each file the blobs of its versions by their number in the index."""
    found: dict[str, dict[str, str]] = {}
    for entry in git.ask("ls-files", "--unmerged", "-z", "--", *names).split(b"\0"):
        if entry:
            fields, _, raw = entry.partition(b"\t")
            _, id_, stage = fields.decode().split(" ")
            found.setdefault(os.fsdecode(raw), {})[stage] = id_
    return found
