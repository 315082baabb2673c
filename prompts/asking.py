"""The question that a chat model is asked for an edit: text files in `edits/`, and what is put into them.

Standard library only. Knows nothing of models.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "edits"
BRIEF = frozenset({"open-dcoder", "coda", "llada", "illada"})
"""Families whose checkpoints are small, or were trained on short instructions."""
_PLACEHOLDER = re.compile(r"\{(context|instruction|code)\}")
_TICKS = re.compile(r"`{3,}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and how its answer begins."""

    question: str
    opening: str
    """What is put before the answer, so that it goes on with the code."""
    fence: str
    """The line that closes the code."""


def edit_question(
    family: str, instruction: str, region: str, *, context: str = "", language: str = ""
) -> Asked:
    """Ask for a region's new text.

    Args:
        family: of the checkpoint; decides the wording.
        language: of the region, as fences name it.
    """
    ticks = [len(run) for run in _TICKS.findall(region + context)]
    fence = "`" * max([3, *(n + 1 for n in ticks)])
    values: Mapping[str, str] = {
        "instruction": instruction.strip(),
        "code": _fenced(region, fence, language),
        "context": f"For context, other code, which stays as it is:\n\n{_fenced(context, fence, language)}\n\n"
        if context.strip()
        else "",
    }
    template = (FOLDER / f"{'brief' if family in BRIEF else 'default'}.txt").read_text("utf-8").strip()
    question = _PLACEHOLDER.sub(lambda match: values[match[1]], template)
    return Asked(question, f"{fence}{language}\n", fence)


def _fenced(code: str, fence: str, language: str) -> str:
    return f"{fence}{language}\n{code.removesuffix(chr(10))}\n{fence}"
