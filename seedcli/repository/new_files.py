"""Files that are to be made: where they would stand, as empty sources. Makes nothing itself."""

import hashlib
import os
from pathlib import Path

from seedcli.errors import TargetError
from seedcli.repository.regions import Region
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import refuse_protected
from seedcli.repository.workspace import Workspace

WHOLE = Region("file", "", 0, 0, "")
"""The one region of a file that is to be made."""


def new_file(workspace: Workspace, name: str, *, cwd: Path, force: bool = False) -> SourceFile:
    """The file that a user calls `name`, as if it were there and empty: UTF-8 with `\\n` endings.

    Args:
        force: also where it would be ignored or looks like a secret.

    Raises:
        TargetError: it exists, would lie outside the root or below a file, or may not be made without `force`.
    """
    if not name or name.endswith("/"):
        raise TargetError(f"--new {name!r} names no file; write the path of the file to make")
    full = Path(os.path.normpath(cwd.resolve() / name))
    if not full.is_relative_to(workspace.root):
        raise TargetError(f"--new {name} is outside {workspace.root}; run seed in the folder that holds it")
    try:
        full.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise TargetError(f"--new {name!r} cannot be made: {error.strerror}; name another") from None
    else:
        raise TargetError(f"--new {name} exists already; name it as a target to edit it")
    path = workspace.locate(workspace.relative(full))
    _refuse_below_a_file(path, name)
    refuse_protected(workspace, path, name, force=force)
    return SourceFile(
        path, workspace.relative(path), b"", "", "utf-8", b"\n", hashlib.sha256(b"").hexdigest()
    )


def _refuse_below_a_file(path: Path, name: str) -> None:
    parent = next(parent for parent in path.parents if parent.exists())
    if not parent.is_dir():
        raise TargetError(f"--new {name} cannot be made: {parent.name} is a file; name another folder")
