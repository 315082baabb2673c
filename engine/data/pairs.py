"""Collecting pairs for a corpus: rule-made refactorings of its regions, and the history of its repositories."""

import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from engine.data.corpus import Row
from engine.data.decontamination import Barrier
from engine.data.history import pairs as history_pairs
from engine.data.refactorings import make
from engine.data.store import TextPair

QUOTA = {
    "rename": 40_000,
    "fstring": 20_000,
    "idioms": 20_000,
    "enumerate": 20_000,
    "add-default": 10_000,
    "remove-default": 10_000,
    "remove-prints": 12_000,
}
"""Pairs of each recipe, at most."""
FUNCTIONS = 3
"""That a commit may change."""
_IDENTIFIER = re.compile(r"\b[a-z_][a-z0-9_]{2,24}\b")


def identifiers(rows: Sequence[Row], count: int) -> list[str]:
    """The most frequent identifiers in lower case, the source of new names."""
    seen: Counter[str] = Counter()
    for row in rows:
        seen.update(set(_IDENTIFIER.findall(row.text)))
    return sorted(seen, key=lambda name: (-seen[name], name))[:count]


def refactored(
    rows: Sequence[Row], quota: Mapping[str, int], rng: random.Random, *, share: float = 0.5
) -> Iterator[TextPair]:
    """Pairs until every quota is filled or the rows are used up.

    Args:
        share: of the regions that each open recipe tries, so that a region serves few recipes.
    """
    names = identifiers(rows[:20_000], 6_000)
    left = Counter(quota)
    for row in rows:
        for recipe in [r for r, n in left.items() if n > 0]:
            if rng.random() > share:
                continue
            pair = make(recipe, row.text, rng, names)
            if pair:
                left[recipe] -= 1
                yield TextPair(pair.before, pair.after, recipe=recipe, variables=pair.variables)


def committed(
    repositories: Iterable[Path], limit: int, barrier: Barrier, tally: Counter[str]
) -> Iterator[TextPair]:
    """Real changes of functions, without what the barrier bars on either side.

    Args:
        limit: most changes of one repository.
        tally: counts commits read and left out, as `history.pairs` does, and the changes that are barred.
    """
    for repository in repositories:
        for pair in history_pairs(repository, limit, max_functions=FUNCTIONS, tally=tally):
            if barrier.bars(pair.before) or barrier.bars(pair.after):
                tally["barred"] += 1
            else:
                yield TextPair(pair.before, pair.after, subject=pair.instruction)
