"""The user's own editor on the new lines of a hunk.

Knows nothing of decisions or of the screen, which has to leave the terminal to the editor meanwhile.
"""

import io
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path, PurePosixPath

from seedcli.errors import SettingsError
from seedcli.patches.patch import Hunk


def edit_lines(hunk: Hunk, path: str) -> tuple[bytes, ...] | None:
    """Let the user change a hunk's new lines; None if they stay as they are.

    Args:
        path: the file's name, whose suffix tells the editor the language.

    Raises:
        SettingsError: there is no editor, or it failed; the hunk stays as it is.
    """
    before = b"".join(hunk.new_lines)
    with tempfile.TemporaryDirectory(prefix="seed-") as folder:
        file = Path(folder, f"hunk{PurePosixPath(path).suffix}")
        file.write_bytes(before)
        _run(_command(), file)
        try:
            after = file.read_bytes()
        except OSError as error:
            raise SettingsError(
                f"the editor left no file behind ({error.strerror}): the hunk stays as it was; set EDITOR to another"
            ) from error
    lines = with_endings_of(hunk, after)
    return None if lines == hunk.new_lines else lines


def with_endings_of(hunk: Hunk, edited: bytes) -> tuple[bytes, ...]:
    """Edited text as lines that fit where the hunk stands.

    An editor may add a newline at the end of a file that has none, or save plain line feeds where the file
    has CRLF throughout: both are put right.
    """
    around = hunk.new_lines or hunk.old_lines or (b"\n",)
    every_line = (*hunk.old_lines, *hunk.new_lines)
    ended = [line for line in every_line if line.endswith(b"\n")]
    crlf = bool(ended) and all(line.endswith(b"\r\n") for line in ended)
    if crlf and b"\r\n" not in edited:
        edited = edited.replace(b"\n", b"\r\n")
    ending = b"\r\n" if crlf else b"\n"
    if not around[-1].endswith(b"\n"):
        edited = edited.removesuffix(ending)
    elif edited and not edited.endswith(b"\n"):
        edited += ending
    return tuple(io.BytesIO(edited).readlines())


def _command() -> list[str]:
    chosen = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if chosen:
        try:
            words = shlex.split(chosen)
        except ValueError as error:
            raise SettingsError(
                f"the editor {chosen!r} is no command ({error}): set EDITOR to another"
            ) from None
        if not words:
            raise SettingsError(
                f"the editor {chosen!r} is no command: set EDITOR to one, such as EDITOR=nano"
            )
        return words
    for name in ("editor", "vi", "nano"):
        if shutil.which(name):
            return [name]
    raise SettingsError("there is no editor to edit the hunk with: set EDITOR to one, such as EDITOR=nano")


def _run(command: list[str], file: Path) -> None:
    try:
        status = subprocess.run([*command, str(file)], check=False).returncode
    except OSError as error:
        raise SettingsError(
            f"the editor {command[0]!r} cannot be started ({error.strerror}): set EDITOR to another"
        ) from error
    if status:
        raise SettingsError(f"the editor {command[0]!r} ended with {status}: the hunk stays as it was")
