"""Is the terminal's background light? By the environment, else by asking the terminal (OSC 11).

Knows nothing of themes. The question is followed by one that every terminal answers (DA1), so a terminal that
does not know the first one costs no wait.
"""

import os
import re
import select
import termios
import time
import tty

_QUESTION = b"\x1b]11;?\x1b\\\x1b[c"
_COLOUR = re.compile(rb"\x1b\]11;rgba?:([0-9a-fA-F]+)/([0-9a-fA-F]+)/([0-9a-fA-F]+)")
_LAST_ANSWER = re.compile(rb"\x1b\[\?[\d;]*c")
_PATIENCE_S = 0.3


def is_light(fd: int = 0) -> bool:
    """Does the terminal on this file descriptor have a light background? False where it cannot be told."""
    from_environment = _by_environment(os.environ.get("COLORFGBG", ""))
    if from_environment is not None:
        return from_environment
    match = _COLOUR.search(_ask(fd)) if os.isatty(fd) else None
    if match is None:
        return False
    red, green, blue = (int(part, 16) / float(16 ** len(part) - 1) for part in match.groups())
    return 0.299 * red + 0.587 * green + 0.114 * blue > 0.5


def _by_environment(colours: str) -> bool | None:
    """COLORFGBG is "foreground;background" in the numbers of the 16 colours: 7 and 9 to 15 are light."""
    number = colours.rpartition(";")[2]
    return int(number) in {7, *range(9, 16)} if number.isdigit() else None


def _ask(fd: int) -> bytes:
    """What the terminal answers, without echo; whatever came when patience ends."""
    before = termios.tcgetattr(fd)
    answer = b""
    try:
        tty.setcbreak(fd, termios.TCSANOW)
        os.write(fd, _QUESTION)
        end = time.monotonic() + _PATIENCE_S
        while not _LAST_ANSWER.search(answer):
            ready, _, _ = select.select([fd], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                break
            answer += os.read(fd, 1024)
    finally:
        termios.tcsetattr(fd, termios.TCSANOW, before)
    return answer
