"""A user's own repository as training data: its regions, its past changes, and the newest of them held out.

What is held out is trained on in no form: neither its commits nor any text that equals or resembles one of their sides.
The same holds for the next newest, which tell during training when it is enough.
Licences are not asked for, since the code is the user's. Knows nothing of networks.
"""

import random
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from engine.data.corpus import Row, collect
from engine.data.decontamination import Barrier
from engine.data.history import SEEN, HistoryPair
from engine.data.history import pairs as history_pairs
from engine.data.pairs import QUOTA, refactored
from engine.data.sources import Source
from engine.data.store import TextPair, pack_pairs, pack_regions
from engine.errors import DataError
from engine.model.tokenizer import CodeTokenizer
from engine.training.preparation import PAIR_LINES

HELD_SHARE, LEAST_HELD, MOST_HELD = 0.2, 20, 200
"""Of the usable commits, how many are held out unless the user says."""
VALIDATION_SHARE, LEAST_VALIDATION, MOST_VALIDATION = 0.125, 5, 50
"""Of the usable commits that are not held out, how many are kept for validation."""
LEAST_TRAINED = 10
"""Fewest commits and regions that are worth learning from."""
RECIPE_SHARE = 0.01
"""Of the quotas of refactorings for a whole corpus."""
SKIPPED = ("/_vendor/", "/vendor/", "/third_party/", "/site-packages/", "/node_modules/", "/.venv/")


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """What one repository has to teach, and what it is tested on."""

    repository: str
    head: str
    """The commit it was read at."""
    regions: list[Row]
    trained: list[HistoryPair]
    validation: list[HistoryPair]
    """The newest but for the held-out ones: what training is stopped by."""
    held: list[HistoryPair]
    """The newest, newest first."""
    counts: dict[str, int]
    """Commits seen, trained on, for validation, held out, and left out by reason; regions."""

    def pack(self, folder: Path, tokenizer: CodeTokenizer, *, seed: int) -> None:
        """Write what `open_batches` reads."""
        pack_regions(folder, [row.text for row in self.regions], tokenizer)
        quota = {recipe: max(20, int(count * RECIPE_SHARE)) for recipe, count in QUOTA.items()}
        short = [row for row in self.regions if row.text.count("\n") <= PAIR_LINES]
        pack_pairs(folder / "refactored.jsonl", refactored(short, quota, random.Random(seed)), tokenizer)
        pairs = (TextPair(p.before, p.after, subject=p.instruction) for p in self.trained)
        pack_pairs(folder / "committed.jsonl", pairs, tokenizer)


def read_own_history(
    repository: Path,
    *,
    since: date | None,
    holdout: int | None,
    fits: Callable[[str], bool],
    seed: int,
) -> OwnHistory:
    """Read a repository's newest commit and the history behind it; nothing is written there.

    Args:
        since: first day of the commits to read.
        holdout: how many of the newest usable commits to hold out; a share of them if None.
        fits: whether the model can read a text of this length.

    Raises:
        DataError: there is no repository, no history, or too little of it.
    """
    git_dir, head = _find(repository)
    name = repository.resolve().name
    counts: Counter[str] = Counter()
    usable = []
    for pair in history_pairs(git_dir, repo=name, since=since, tally=counts):
        if fits(pair.before) and fits(pair.after):
            usable.append(pair)
        else:
            counts["too long for the model"] += 1
    held = usable[: _held(repository, len(usable), counts[SEEN], holdout)]
    left, counts["like a held-out one"] = _unlike(held, usable[len(held) :])
    validation = left[: min(MOST_VALIDATION, max(LEAST_VALIDATION, round(VALIDATION_SHARE * len(left))))]
    trained, counts["like one for validation"] = _unlike(validation, left[len(validation) :])
    likes = _Likes([*held, *validation])
    rows = list(collect(Source(name, "", git_dir, 10**9, SKIPPED), set(), random.Random(seed)))
    regions = [row for row in rows if fits(row.text) and not likes.any(row.text)]
    if min(len(trained), len(regions)) < LEAST_TRAINED:
        raise DataError(
            f"{repository}: beside what resembles the {len(held)} held-out commits and the {len(validation)} for "
            f"validation there are {len(trained)} commits and {len(regions)} regions to learn from, {LEAST_TRAINED} of "
            "each are needed; hold out fewer with --holdout"
        )
    reasons = {why: counts[why] for why in sorted(counts) if why != SEEN and counts[why]}
    told = {
        SEEN: counts[SEEN],
        "trained on": len(trained),
        "for validation": len(validation),
        "held out": len(held),
        **{f"left out: {why}": count for why, count in reasons.items()},
        "regions trained on": len(regions),
        "regions left out: like a held-out or validation commit, or too long": len(rows) - len(regions),
    }
    return OwnHistory(name, head, regions, trained, validation, held, told)


def _held(repository: Path, usable: int, seen: int, wanted: int | None) -> int:
    """How many commits to hold out."""
    held = min(MOST_HELD, max(LEAST_HELD, round(HELD_SHARE * usable))) if wanted is None else wanted
    if usable < held + LEAST_TRAINED:
        raise DataError(
            f"{repository}: {usable} of {seen} commits are usable (a small change of one Python function with a "
            f"telling subject), {held} to hold out and {LEAST_TRAINED} to learn from are needed; take more history "
            "with an earlier --since, or hold out fewer with --holdout"
        )
    return held


def _unlike(kept: Sequence[HistoryPair], others: Sequence[HistoryPair]) -> tuple[list[HistoryPair], int]:
    """Those of the others that resemble none of these, and how many do."""
    likes = _Likes(kept)
    found = [p for p in others if not likes.any(p.before, p.after)]
    return found, len(others) - len(found)


class _Likes:
    """Tells what equals or resembles a side of changes that are kept out of training."""

    def __init__(self, held: Sequence[HistoryPair]) -> None:
        sides = [text for pair in held for text in (pair.before, pair.after)]
        self._barrier, self._same = Barrier(sides), {_bare(text) for text in sides}

    def any(self, *texts: str) -> bool:
        return any(_bare(text) in self._same or self._barrier.bars(text) for text in texts)


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _find(repository: Path) -> tuple[Path, str]:
    """The git directory and its newest commit."""
    if not repository.is_dir():
        raise DataError(f"there is no folder {repository}; name a git repository with --repo")
    git_dir = _git(repository, "rev-parse", "--absolute-git-dir")
    if git_dir is None:
        raise DataError(f"{repository} is no git repository; name one with --repo")
    head = _git(repository, "rev-parse", "--verify", "--quiet", "HEAD")
    if head is None:
        raise DataError(
            f"{repository} has no history: nothing was committed yet; commit, or name another --repo"
        )
    return Path(git_dir), head


def _git(repository: Path, *arguments: str) -> str | None:
    try:
        found = subprocess.run(
            ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise DataError("git is not installed; install it to read histories") from error
    return found.stdout.strip() if found.returncode == 0 else None
