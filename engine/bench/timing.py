"""Timing in turns: A B C A B C, so that whatever else the machine does falls on all alike. Medians are compared."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch

from engine.bench.machine import settle

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """What one way of doing something took, and what it gave the last time."""

    seconds: tuple[float, ...]
    result: T

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """The first and the third; of few times the least and the most."""
        if len(self.seconds) < 4:
            return min(self.seconds), max(self.seconds)
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return low, high


def in_turns(
    ways: Mapping[str, Callable[[], T]], times: int, device: torch.device, *, warm: int = 1
) -> dict[str, Timed[T]]:
    """Every way, `times` times in turns.

    Args:
        warm: rounds before that are not timed.
    """
    spent: dict[str, list[float]] = {name: [] for name in ways}
    results: dict[str, T] = {}
    gc.collect()
    gc.disable()  # a collection would fall on one of them
    try:
        for turn in range(warm + times):
            for name, work in ways.items():
                settle(device)
                start = time.perf_counter()
                results[name] = work()
                settle(device)
                if turn >= warm:
                    spent[name].append(time.perf_counter() - start)
    finally:
        gc.enable()
    return {name: Timed(tuple(spent[name]), results[name]) for name in ways}
