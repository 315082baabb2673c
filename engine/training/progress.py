"""Who is told how far a long work is. Knows nothing of what is done or of how it is shown."""

from typing import Protocol


class Progress(Protocol):
    """Hears of one work after another."""

    def line(self, text: str) -> None:
        """Something worth a line."""

    def phase(self, name: str, total: int, unit: str) -> None:
        """A new stretch of work begins."""

    def at(self, done: int, **figures: float) -> None:
        """So much of the stretch is done."""
