"""An instruction without targets: what it may be about is shown, and a person or `--top` chooses.

Knows nothing of how regions are found.
"""

import re
import sys
from collections.abc import Sequence

from prompts.recipes import Recipe
from seedcli.delivering import is_terminal
from seedcli.errors import TargetError
from seedcli.finding.across import candidates
from seedcli.finding.picking import SHOWN, Picked, tasks_of
from seedcli.model_client import ModelClient
from seedcli.proposing import Task
from seedcli.report import say
from seedcli.repository.workspace import Workspace

_NUMBERS = re.compile(r"\d+(-\d+)?([,\s]+\d+(-\d+)?)*")


def can_ask() -> bool:
    """Whether there is a person to choose."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def choose_tasks(
    workspace: Workspace, instruction: str, recipe: Recipe | None, model: ModelClient, top: int | None
) -> list[Task]:
    """The regions to edit.

    Args:
        top: how many of the most probable ones; None to ask.

    Raises:
        TargetError: nothing is like the instruction, or `top` is no number of regions.
        KeyboardInterrupt: the person wants none.
    """
    if top is not None and not 1 <= top <= SHOWN:
        raise TargetError(f"--top {top} must be from 1 to {SHOWN}; name targets to edit more regions")
    found = candidates(workspace, instruction, recipe, model)
    chosen = found[:top] if top is not None else _ask(found)
    for one in chosen:
        say(f"picked {_line(one)}")
    return tasks_of(chosen)


def _ask(found: Sequence[Picked]) -> list[Picked]:
    for number, one in enumerate(found, 1):
        say(f"{number:2} {_line(one)}")
    while True:
        print(
            f"seed: which? [1-{len(found)}, as 1 or 1,3 or 1-3; Enter: 1; q: none] ",
            end="",
            file=sys.stderr,
            flush=True,
        )
        line = sys.stdin.readline()
        if not line or line.strip().lower() in ("q", "quit"):
            raise KeyboardInterrupt
        numbers = read_numbers(line.strip() or "1", len(found))
        if numbers:
            return [found[number - 1] for number in numbers]


def read_numbers(text: str, most: int) -> list[int]:
    """`1,3-4` as numbers from 1 to `most`, in order; empty if it is anything else."""
    if not _NUMBERS.fullmatch(text):
        return []
    numbers: set[int] = set()
    for part in re.split(r"[,\s]+", text):
        first, _, last = part.partition("-")
        numbers |= set(range(int(first), min(int(last or first), most) + 1))
    return sorted(numbers) if numbers and min(numbers) >= 1 and max(numbers) <= most else []


def _line(one: Picked) -> str:
    return f"{one.place} ({one.source.name}:{one.region.start + 1}, {one.share:.0%})"
