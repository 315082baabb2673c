"""The repair suite: held-out functions with one injected defect each, and the same functions untouched.

Kinds of defect have equal shares; the set is a function of the drawn functions and a seed, and is hashed. A row counts
as repaired only if the first candidate equals the sound text exactly.
"""

import hashlib
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.data.defects import KINDS, Code, inject
from engine.data.symptoms import symptom
from engine.diffusion.levenshtein import gaps
from engine.evaluation.scores import Score
from engine.evaluation.substitutions import substitutions
from engine.evaluation.tries import random_scores
from engine.hints import hinted
from engine.requests import EditRequest
from engine.syntax import parses

PARSING = ", defects that parse"
"""Ends the name of a score that leaves out defects which Python itself tells."""
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_SIZES = ((1, "1 word wrong"), (3, "2 to 3 words wrong"), (7, "4 to 7 words wrong"))
_LENGTHS = ((5, "up to 5 lines"), (10, "6 to 10 lines"), (20, "11 to 20 lines"))


@dataclass(frozen=True, slots=True)
class RepairCase:
    """One question and its answer."""

    kind: str
    """The kind of defect, or `untouched`."""
    syntax: bool
    """Whether the question does not parse: a syntax defect, whatever its kind."""
    before: str
    after: str

    @property
    def groups(self) -> tuple[str, str, str]:
        """Its kind, told apart by whether it parses, how much is wrong, and how long it is."""
        kind = f"{self.kind} (syntax)" if self.syntax else self.kind
        size = next((name for most, name in _SIZES if self.size <= most), "8 words wrong or more")
        lines = self.before.count("\n")
        return kind, size, next((name for most, name in _LENGTHS if lines <= most), "21 lines or more")

    @property
    def size(self) -> int:
        """Words, signs and runs of white space that its repair inserts, deletes or substitutes."""
        numbers: dict[str, int] = {}
        before, after = (
            [numbers.setdefault(word, len(numbers)) for word in _WORD.findall(text)]
            for text in (self.before, self.after)
        )
        return sum(max(gap.end - gap.start, len(gap.wanted)) for gap in gaps(before, after))


def repair_cases(functions: Sequence[str], count: int, seed: int) -> list[RepairCase]:
    """`count` defective cases with equal shares of the kinds, and `count` untouched ones.

    Functions are taken in order; one that has no place for its kind of defect is passed over for that kind and goes
    to the next.

    Raises:
        ValueError: the functions do not suffice.
    """
    rng = random.Random(seed)
    waiting = [KINDS[i % len(KINDS)] for i in range(count)]
    cases = []
    used = []
    for text in functions:
        if not waiting:
            break
        try:
            code = Code(text)
        except ValueError:
            continue
        for position, kind in enumerate(waiting[: 3 * len(KINDS)]):
            broken = inject(code, kind, rng)
            if broken is not None:
                del waiting[position]
                cases.append(RepairCase(kind, not parses(broken), broken, text))
                used.append(text)
                break
    if waiting:
        raise ValueError(f"{len(functions)} functions give only {len(cases)} of {count} cases; draw more")
    return cases + [RepairCase("untouched", False, text, text) for text in used]


def requests_of(cases: Sequence[RepairCase], seed: int, told: bool) -> list[EditRequest]:
    """Requests to repair.

    Args:
        told: whether each tells a line and, where it is known without running the code, the error.
    """
    rng = random.Random(seed)
    found = []
    for case in cases:
        instruction = "fix the bug"
        if told:
            seen = symptom(case.before, case.after, rng)
            instruction = hinted(instruction, seen.line, seen.error)
        found.append(EditRequest(instruction, case.before, must_parse=True))
    return found


def drawn_scores(
    cases: Sequence[RepairCase], tries: Sequence[int], tell: Callable[[int], object]
) -> dict[str, Score]:
    """Chances that random one-token substitutions hold the sound text, of all defects and of those that parse."""
    found, parsing = [], []
    for case in cases:
        if case.kind != "untouched":
            texts = substitutions(case.before)
            found.append((len(texts), int(case.after in texts)))
            parsing += [] if case.syntax else found[-1:]
        tell(1)
    alone = random_scores(parsing, tries) if parsing else {}
    return {**random_scores(found, tries), **{f"{name}{PARSING}": score for name, score in alone.items()}}


def digest(cases: Sequence[RepairCase]) -> str:
    """SHA-256 of a set of cases."""
    rows = [[case.kind, case.before, case.after] for case in cases]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
