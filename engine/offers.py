"""Which of the texts that were found may be offered. Knows nothing of models or of how texts are found."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from engine.requests import Candidate, EditRequest
from engine.syntax import coined, names, parses

LEAST_MEND = 0.03
"""Least probability of a text that mends a broken region: what was not asked for is far less probable."""
COINED = 0.5
"""Share of its score that a mend keeps for each name it coins: edits of tokens easily run two names into one."""


def mends(region: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those after which a broken region parses, best first."""
    sound = [c for c in candidates if c.score >= LEAST_MEND and parses(c.text)]
    scored = [replace(c, score=c.score * COINED ** len(coined(region, c.text))) for c in sound]
    return sorted(scored, key=lambda c: -c.score)


def without_made_up(
    request: EditRequest, candidates: Sequence[Candidate], own_words: AbstractSet[str]
) -> list[Candidate]:
    """Those whose names stand in the region, the instruction or the context, in the same order.

    Args:
        own_words: what an edit may bring along besides.
    """
    known = names(request.instruction) | names(request.context) | own_words
    return [c for c in candidates if not coined(request.region, c.text) - known]
