"""What a run that failed has printed: the places that it names, and the errors.

Reads tracebacks of Python, reports of pytest in its styles, and lines of linters and type checkers, which begin with
`path:line:`. Knows nothing of files: whether a place exists is for others to find out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FRAME = re.compile(r'^\s*File "(?P<path>[^"]+)", line (?P<line>\d+)')
_POINTED = re.compile(r"^\s*(?P<path>[^\s:][^:]*\.pyi?):(?P<line>\d+)(?::\d+)?(?::| - )(?P<said>.*)$")
_HEADLINE = re.compile(r"^(?:[A-Z]+\d+|[a-z-]+:)(?: \[\*\])? \S.*$")
"""Before `_ARROW`, where a linter says first what is wrong and then where."""
_ARROW = re.compile(r"^\s*--> (?P<path>\S.*\.pyi?):(?P<line>\d+)(?::\d+)?$")
_TEST = re.compile(r"^_{3,} .+ _{3,}$")
_END = re.compile(r"^={3,}")
_ERROR = re.compile(r"^(?:[^\W\d]\w*\.)*[^\W\d]\w*(?:: .*)?$")
"""The last line of a traceback: an exception's name, and what it says."""
_NO_ERROR = re.compile(r"\w*Warning\b|note:")
_PYTEST_ERROR = re.compile(r"^E\s+(?P<error>\S.*)$")


@dataclass(frozen=True, slots=True)
class Place:
    """A line that is named."""

    path: str
    """As printed."""
    line: int
    """From 1."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that went wrong."""

    places: tuple[Place, ...]
    """As printed: the innermost comes last."""
    error: str
    """What was said of it; empty if nothing was."""


def read_failures(text: str) -> list[Failure]:
    """All failures that a text tells of, in order; those that name no place and no error are none."""
    reading = _Reading()
    found = [
        failure for line in text.splitlines() for failure in reading.take(_COLOUR.sub("", line.rstrip()))
    ]
    return [*found, *reading.end()]


class _Reading:
    """A failure on its way: the places and the error that were read so far."""

    def __init__(self) -> None:
        self._places: list[Place] = []
        self._error = ""
        self._headline = ""
        """The last line that may say what is wrong with the place after it."""
        self._in_test = False
        """Whether the lines are pytest's report of one test."""

    def take(self, line: str) -> Iterator[Failure]:
        """Read a line; the failures that end with it."""
        frame, pointed = _FRAME.match(line), _POINTED.match(line)
        if _TEST.match(line) or _END.match(line):
            yield from self.end()
            self._in_test = bool(_TEST.match(line))
        elif line.startswith("Traceback (most recent call last)"):
            if not self._in_test:
                yield from self.end()
        elif frame:
            self._places.append(_place(frame))
        elif self._in_test:
            self._take_of_test(line, pointed)
        elif arrow := _ARROW.match(line):
            yield from self.end()
            yield Failure((_place(arrow),), self._headline)
        elif _HEADLINE.match(line) and not self._places:
            self._headline = line
        elif pointed:
            yield from self.end()
            said = pointed["said"].strip()
            if said and not _NO_ERROR.match(said):
                yield Failure((_place(pointed),), said)
        elif self._places and _ERROR.match(line):
            self._error = line
            yield from self.end()

    def _take_of_test(self, line: str, pointed: re.Match[str] | None) -> None:
        told = _PYTEST_ERROR.match(line)
        if told:
            self._error = self._error or told["error"]
        elif pointed:
            self._places.append(_place(pointed))
        elif self._places and _ERROR.match(line):  # where pytest leaves the traceback to Python
            self._error = line

    def end(self) -> Iterator[Failure]:
        """The failure that was being read, if there is one."""
        if self._places or self._error:
            yield Failure(tuple(self._places), self._error)
        self._places, self._error = [], ""


def _place(found: re.Match[str]) -> Place:
    return Place(found["path"], int(found["line"]))
