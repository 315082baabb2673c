"""How far a long run is, on stderr: a bar on a terminal, elsewhere a line now and then. Knows nothing of the work."""

import os
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from seedcli.report import say

WIDTH = 24
EVERY_S = 0.2
"""Least seconds between two drawings of the bar."""
LINE_EVERY_S = 60.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """Counts what is done; the rate and the estimate are those of this run, not of one that it goes on with."""

    def __init__(
        self,
        total: int | None,
        units: str,
        parts: str,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """
        Args:
            total: how many units there are; None if nobody knows.
            units: what is counted, such as `jobs`.
            parts: what the rate is measured in, such as `regions`.
        """
        self._total, self._units, self._parts = total, units, parts
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._draws = _is_terminal(self._stream)
        self._began = self._shown = clock()
        self._done = self._before = self._num_parts = 0

    def of(self, total: int | None) -> None:
        """How many units there are, where that is known later than the beginning."""
        self._total = total

    def skip(self, units: int = 1) -> None:
        """Units that an earlier run did."""
        self._done += units
        self._before += units
        self._show()

    def advance(self, units: int = 0, parts: int = 0) -> None:
        """Units and parts that are done."""
        self._done += units
        self._num_parts += parts
        self._show()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        if self._draws:
            self._draw("\n")

    def text(self) -> str:
        """`120 of 3000 jobs, 14.2 regions/s, 12 min left`."""
        seconds = max(self._clock() - self._began, 1e-9)
        of = "" if self._total is None else f" of {self._total}"
        line = f"{self._done}{of} {self._units}, {self._num_parts / seconds:.1f} {self._parts}/s"
        own = self._done - self._before
        if self._total is not None and own and self._done < self._total:
            line += f", {_duration(seconds / own * (self._total - self._done))} left"
        return line

    def _show(self) -> None:
        now = self._clock()
        if self._draws and now - self._shown >= EVERY_S:
            self._draw("")
        elif not self._draws and now - self._shown >= LINE_EVERY_S:
            say(self.text())
        else:
            return
        self._shown = now

    def _draw(self, end: str) -> None:
        bar = ""
        if self._total:
            full = WIDTH * min(self._done, self._total) // self._total
            bar = f"[{'#' * full}{'.' * (WIDTH - full)}] "
        self._stream.write(f"\r{bar}{self.text()}\x1b[K{end}")
        self._stream.flush()


def _is_terminal(stream: TextIO) -> bool:
    return bool(getattr(stream, "isatty", lambda: False)()) and os.environ.get("TERM") != "dumb"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
