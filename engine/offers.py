"""Which of the texts that were found may be offered. Knows nothing of models or of how texts are found."""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from engine.identifiers import coined, names, replaced, unbound, uses
from engine.laws import fault
from engine.literals import said
from engine.requests import Candidate, EditRequest, Verdict
from engine.syntax import compiles, parses

LEAST_MEND = 0.03
"""Least probability of a text that mends a broken region: what was not asked for is far less probable."""
COINED = 0.5
"""Share of its score that a mend keeps for each name it coins: edits of tokens easily run two names into one."""

_PROSE = "a an and as be by call for g in is it name names no not of or s should that the this to with"
PROSE = frozenset(_PROSE.split())
"""Words that instructions are made of, and that code has as names too."""
_AS_A_NAME = r"(?:\brename |[`'\"]){0}\b|\b{0}[`'\"]? ?(?:->|=>|(?:to|into|as|with|by)\b)"
"""Where such a word is said as a name."""


def mends(region: str, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those after which a broken region parses, best first."""
    sound = [c for c in candidates if c.score >= LEAST_MEND and parses(c.text)]
    scored = [replace(c, score=c.score * COINED ** len(coined(region, c.text))) for c in sound]
    return sorted(scored, key=lambda c: -c.score)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing of what was found may be offered."""

    verdict: Verdict
    message: str


UNSOUND = Refusal("unsound", "the edit found would not parse")
MADE_UP = Refusal("made_up", "the edit found uses names that neither the code nor the instruction defines")
UNFAITHFUL = Refusal(
    "unfaithful", "the edit found changes names that the instruction does not say, or what texts say"
)


def offerable(
    request: EditRequest, candidates: Sequence[Candidate], own_words: AbstractSet[str] | None
) -> tuple[list[Candidate], Refusal | None]:
    """Those that a sound region may become, in the same order; if all that were found are refused, why.

    Args:
        own_words: as in `without_made_up`; None for a model that may be asked for anything, and may make names up.
    """
    left: list[Candidate] = list(candidates)
    why: Refusal | None = None
    if left and request.must_parse:
        stands = compiles if compiles(request.region) else parses
        left, why = [c for c in left if stands(c.text)], UNSOUND
    if left and own_words is not None:
        left, why = without_made_up(request, left, own_words), MADE_UP
    if left and own_words is not None:
        left, why = without_misplaced(request, left), UNFAITHFUL
    if left and request.may_change is not None:
        left, why = faithful(request, left, request.may_change), UNFAITHFUL
    if left and request.law is not None:
        refusals = [unlawful(request, c.text) for c in left]
        left = [c for c, refusal in zip(left, refusals, strict=True) if refusal is None]
        why = next(filter(None, refusals), None)
    return left, None if left else why


def unlawful(request: EditRequest, text: str) -> Refusal | None:
    """Why a text may not be offered under the law of the request; None if it may."""
    law = request.law
    told = fault(law.name, request.region, text, dict(law.values)) if law is not None else ""
    return Refusal("unfaithful", f"the edit found is not what the recipe says: {told}") if told else None


def plausible_first(
    request: EditRequest, candidates: Sequence[Candidate], own_words: AbstractSet[str]
) -> list[Candidate]:
    """All of them: first those that make up no names, each part in its order."""
    plausible = without_made_up(request, candidates, own_words)
    return [*plausible, *(c for c in candidates if c not in plausible)]


def faithful(
    request: EditRequest, candidates: Sequence[Candidate], may_change: Iterable[str]
) -> list[Candidate]:
    """Those that say every name in the place where the region says it, the same in literal texts, and leave no name
    unbound that the region binds; in the same order, as far as both parse.

    Args:
        may_change: names that may be used more or less often; of a dotted one each part.
    """
    free = set[str]().union(*map(names, may_change))
    before = _stays(request.region, free)
    if before is None:
        return list(candidates)
    outside = unbound(request.region)
    # What replaces a name from elsewhere comes from there too.
    known = outside | free if outside & free else outside
    return [
        c
        for c in candidates
        if (after := _stays(c.text, free)) is None or (after == before and unbound(c.text) <= known)
    ]


def _stays(text: str, free: AbstractSet[str]) -> tuple[list[str], dict[str, int]] | None:
    """Names in the tree's order, and how often literal texts have each character; None if it does not parse."""
    said_names = uses(text)
    return None if said_names is None else ([name for name in said_names if name not in free], said(text))


def without_made_up(
    request: EditRequest, candidates: Sequence[Candidate], own_words: AbstractSet[str]
) -> list[Candidate]:
    """Those whose names stand in the region, the instruction or the context, and are bound where they were, in order.

    A name that the region uses without binding it comes from elsewhere in its file, and may be used more, and so may
    what the instruction puts in the place of such a name, or says of the region's own; no other name may be left, or
    put, without what binds it.

    Args:
        own_words: what an edit may bring along besides, if it binds it.
    """
    around, outside = names(request.context), unbound(request.region)
    told = names(request.instruction) | around
    free = outside | around | (told if told & outside else told & names(request.region))
    return [
        c
        for c in candidates
        if not coined(request.region, c.text) - told - own_words and not unbound(c.text) - free
    ]


def without_misplaced(request: EditRequest, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those that do not put a name of the instruction in the place of one that it does not say, in the same order.

    Asked to rename `a` to `b`, small models rename something else where there is no `a`, however that is worded. A name
    that the region has already may be put anywhere: a repair may want it there.
    """
    told = names(request.instruction)
    new = told - names(request.region)
    as_names = {word for word in told if not _is_prose(word, request.instruction)}
    return [
        c
        for c in candidates
        if not new & names(c.text)  # as nearly always: aligning costs more than looking
        or not any(
            after in new and before not in (as_names - {after} or told)
            for before, after in replaced(request.region, c.text)
        )
    ]


def _is_prose(word: str, instruction: str) -> bool:
    """Whether it is no name: as "name" is none in "accum is a bad name", and is one in "rename name to label"."""
    return word in PROSE and not re.search(_AS_A_NAME.format(word), instruction, re.IGNORECASE)
