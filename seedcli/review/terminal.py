"""The user's terminal, also where the standard streams are pipes: keys from /dev/tty, the screen to it.

Knows nothing of patches or of Textual. A full-screen program and the editor that it starts both look at file
descriptors 0 to 2, so it is these that are turned to the terminal for as long as a review takes.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from seedcli.errors import SeedError

_DEVICE = "/dev/tty"
_NO_SCREEN = ("", "dumb", "unknown")


def can_show_screen() -> bool:
    """Can the terminal move its cursor? Not if TERM says so, or says nothing."""
    return os.environ.get("TERM", "") not in _NO_SCREEN


@contextmanager
def on_terminal() -> Iterator[None]:
    """Turn those of stdin, stdout and stderr that are no terminal to /dev/tty, and back again at the end.

    Raises SeedError if the process has no terminal.
    """
    streams = (sys.__stdin__, sys.__stdout__, sys.__stderr__)
    elsewhere = [fd for fd, stream in enumerate(streams) if stream is None or not os.isatty(fd)]
    if not elsewhere:
        yield
        return
    if None in streams:
        raise _no_terminal()
    _flush()
    device = _open_device()
    saved = [(fd, os.dup(fd)) for fd in elsewhere]
    try:
        for fd in elsewhere:
            os.dup2(device, fd)
        yield
    finally:
        _flush()
        for fd, copy in saved:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(device)


def _open_device() -> int:
    try:
        return os.open(_DEVICE, os.O_RDWR | os.O_NOCTTY)
    except OSError as error:
        raise _no_terminal() from error


def _no_terminal() -> SeedError:
    return SeedError("there is no terminal to review on: use --diff to see the patch, or --apply to write it")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
