"""Running a suite: cases through the editor in batches, answers compared exactly, figures gathered."""

import math
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from engine.editor import Editor
from engine.evaluation.ledger import Ledger
from engine.evaluation.recipes import RecipeCase
from engine.evaluation.repair import RepairCase
from engine.evaluation.scores import Share, share
from engine.requests import Candidate, EditOptions, EditRequest, Proposal

BATCH = 32


@dataclass(frozen=True, slots=True)
class Answers:
    """Proposals in the order of the cases, and what they cost."""

    proposals: list[Proposal]
    seconds: float

    def costs(self) -> dict[str, float]:
        """Means over the cases: forwards and seconds an edit, rounds of those that change something, changed tokens a
        forward of these; the median region in tokens.
        """
        count = max(len(self.proposals), 1)
        read = [p for p in self.proposals if p.forwards]
        edits = [p for p in read if p.candidates]
        changed, forwards = sum(p.candidates[0].changed_tokens for p in edits), sum(p.forwards for p in edits)
        return {
            "forwards_per_edit": round(statistics.fmean(p.forwards for p in read), 2) if read else math.nan,
            "rounds_per_change": round(statistics.fmean(p.candidates[0].rounds for p in edits), 2)
            if edits
            else 0.0,
            "tokens_per_forward": round(changed / max(forwards, 1), 3),
            "seconds_per_edit": round(self.seconds / count, 4),
            "median_region_tokens": statistics.median([p.region_tokens for p in self.proposals] or [0]),
        }


def answer(
    editor: Editor,
    requests: Sequence[EditRequest],
    options: EditOptions,
    tell: Callable[[int], object],
    *,
    kept: Ledger | None = None,
    name: str = "",
) -> Answers:
    """All proposals; requests of like length share batches, `tell` hears how many are done.

    Args:
        kept: holds finished answers, which are not asked for again.
        name: of these requests among others in it.
    """
    rows = (kept or Ledger(None, {})).rows
    order = sorted(range(len(requests)), key=lambda i: len(requests[i].region))
    waiting = [i for i in order if f"{name} {i}" not in rows]
    tell(len(order) - len(waiting))
    proposals = {i: _proposal(rows[f"{name} {i}"]["proposal"]) for i in set(order) - set(waiting)}
    spent = sum(rows[f"{name} {i}"]["seconds"] for i in proposals)
    for at in range(0, len(waiting), BATCH):
        chosen = waiting[at : at + BATCH]
        start = time.perf_counter()
        found = editor.propose([requests[i] for i in chosen], options)
        seconds = time.perf_counter() - start
        for i, proposal in zip(chosen, found, strict=True):
            proposals[i] = proposal
            if kept:
                row = {"proposal": asdict(proposal), "seconds": seconds / len(chosen)}
                kept.add(f"{name} {i}", row)
        spent += seconds
        tell(len(chosen))
    return Answers([proposals[i] for i in range(len(requests))], spent)


def _proposal(row: Mapping[str, Any]) -> Proposal:
    """What a ledger holds of it."""
    return Proposal(**{**row, "candidates": tuple(Candidate(**c) for c in row["candidates"])})


def first_text(request: EditRequest, proposal: Proposal) -> str:
    """What the region becomes if the user accepts the first candidate."""
    return proposal.candidates[0].text if proposal.candidates else request.region


def repair_scores(cases: Sequence[RepairCase], texts: Sequence[str]) -> dict[str, Share]:
    """Exact repairs of syntax and other defects, untouched functions left alone; then by kind, by size, by length."""
    right = [text == case.after for case, text in zip(cases, texts, strict=True)]
    rows = list(zip(cases, right, strict=True))
    broken = [(c, ok) for c, ok in rows if c.kind != "untouched"]
    scores = {
        "syntax defects repaired": share(ok for c, ok in broken if c.syntax),
        "other defects repaired": share(ok for c, ok in broken if not c.syntax),
        "untouched left untouched": share(ok for c, ok in rows if c.kind == "untouched"),
    }
    grouped = [(c.groups, ok) for c, ok in broken]
    for names in zip(*(groups for groups, _ in grouped), strict=True):
        for name in sorted(set(names), key=_natural):
            scores[name] = share(ok for groups, ok in grouped if name in groups)
    return scores


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts by a name's numbers as numbers; what has none at its beginning first."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", name)]


def recipe_scores(cases: Sequence[RecipeCase], texts: Sequence[str]) -> dict[str, Share]:
    """Exact matches of each recipe, together and by phrasings trained on or held out."""
    rows = [(c, text == c.after) for c, text in zip(cases, texts, strict=True)]
    scores = {}
    for recipe in dict.fromkeys(c.recipe for c in cases):
        own = [(c, ok) for c, ok in rows if c.recipe == recipe]
        scores[recipe] = share(ok for _, ok in own)
        scores[f"{recipe}, trained phrasings"] = share(ok for c, ok in own if not c.held_out_phrasing)
        scores[f"{recipe}, held-out phrasings"] = share(ok for c, ok in own if c.held_out_phrasing)
    return scores


def named_scores(cases: Sequence[RecipeCase], texts: Sequence[str]) -> dict[str, Share]:
    """Exact matches of each recipe that was asked for by name."""
    rows = [(c.recipe, text == c.after) for c, text in zip(cases, texts, strict=True)]
    names = dict.fromkeys(name for name, _ in rows)
    return {f"{name}, by name": share(ok for own, ok in rows if own == name) for name in names}
