"""Measuring on judged cases: references first, then the model's tries, then substitutions drawn at random.

Every finished case is a row in a ledger; scores are made from rows alone. An answer counts where the case's tests pass,
or, for cases whose tests cannot be run, where it equals the published answer. A case whose own published answer does
not pass here is left out and named, with the reason.
"""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from engine.editor import Editor
from engine.evaluation.cage import Cage, Program
from engine.evaluation.judged import FIX, JudgedCase
from engine.evaluation.ledger import Ledger
from engine.evaluation.scores import Score, share
from engine.evaluation.substitutions import substitutions
from engine.evaluation.tries import pass_score, random_scores, times
from engine.requests import EditOptions, EditRequest, Proposal

TOGETHER = 4
"""Cases that share forwards."""
REFERENCE_SECONDS = 20.0
"""CPU time for a published answer."""

Tell = Callable[[int], object]


class Judgeable(Protocol):
    """A case whose answers are judged by tests."""

    @property
    def name(self) -> str: ...

    @property
    def after(self) -> str:
        """The published answer."""

    @property
    def unjudged(self) -> str:
        """Why no tests can be run here; empty if they can."""

    def program(self, answer: str) -> str | Program:
        """What passes if, and only if, the answer does."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What judging needs: where programs run, and where rows are kept."""

    cage: Cage
    ledger: Ledger

    def references(self, cases: Sequence[Judgeable], tell: Tell) -> None:
        """Run every published answer once: whether its tests can be run here, and in what time."""
        waiting = [c for c in cases if not c.unjudged and f"reference {c.name}" not in self.ledger.rows]
        runs = self.cage.run_all([c.program(c.after) for c in waiting], tell, cpu_seconds=REFERENCE_SECONDS)
        for case, run in zip(waiting, runs, strict=True):
            row = {
                "outcome": run.outcome,
                "why": run.last_line[:200],
                "cpu_seconds": round(run.cpu_seconds, 3),
            }
            self.ledger.add(f"reference {case.name}", row)

    def unjudged(self, cases: Sequence[Judgeable]) -> dict[str, str]:
        """Why a case's tests say nothing here, by the case's name."""
        return {c.name: why for c in cases if (why := self._reason(c))}

    def model(
        self,
        cases: Sequence[JudgedCase],
        editor: Editor,
        tries: Sequence[int],
        threshold: float | None,
        tell: Tell,
    ) -> None:
        """What the model solves by what it stands by, and within each number of tries, as `-n K --check CMD
        --check-first` gives it candidates.
        """
        waiting = [c for c in cases if f"model {c.name}" not in self.ledger.rows]
        tell(len(cases) - len(waiting))
        for at in range(0, len(waiting), TOGETHER):
            chosen = waiting[at : at + TOGETHER]
            start = time.perf_counter()
            stood = _ask(editor, [c.before for c in chosen], chosen, threshold)
            seconds = (time.perf_counter() - start) / len(chosen)
            found = {k: _ask(editor, [c.before for c in chosen], chosen, threshold, tries=k) for k in tries}
            fixes = [case for case in chosen if case.instruction == FIX]
            clean = dict(zip(fixes, _ask(editor, [c.after for c in fixes], fixes, threshold), strict=True))
            for i, case in enumerate(chosen):
                own = {k: proposals[i] for k, proposals in found.items()}
                row = self._row(case, own, stood[i], clean.get(case)) | {"seconds": round(seconds, 4)}
                self.ledger.add(f"model {case.name}", row)
                tell(1)

    def samples(
        self,
        cases: Sequence[JudgedCase],
        editor: Editor,
        count: int,
        options: EditOptions,
        tell: Tell,
    ) -> None:
        """Independent samples of every case, equal ones included: what pass@k is estimated from."""
        waiting = [c for c in cases if f"samples {c.name}" not in self.ledger.rows]
        tell(len(cases) - len(waiting))
        for at in range(0, len(waiting), TOGETHER):
            chosen = waiting[at : at + TOGETHER]
            found = editor.samples(_requests(chosen, [c.before for c in chosen]), count, options)
            for case, texts in zip(chosen, found, strict=True):
                right = self.right(case, list(dict.fromkeys(texts)))
                # A region that does not fit the model has no samples: none of them is right.
                passed = [right[text] for text in texts] or [False] * count
                self.ledger.add(f"samples {case.name}", {"passed": passed})
                tell(1)

    def substitutions(self, cases: Sequence[JudgedCase], tell: Tell) -> None:
        """How many of all one-token substitutions solve each case; `tell` hears of cases."""
        for case in cases:
            key = f"substitutions {case.name}"
            if key not in self.ledger.rows:
                texts = substitutions(case.before)
                solved = self.right(case, texts)
                self.ledger.add(key, {"count": len(texts), "solved": sum(solved.values())})
            tell(1)

    def _row(
        self, case: JudgedCase, found: Mapping[int, Proposal], stood: Proposal, clean: Proposal | None
    ) -> dict[str, Any]:
        texts = list(dict.fromkeys(c.text for p in (stood, *found.values()) for c in p.candidates))
        right = self.right(case, texts)
        first = stood.candidates[0] if stood.candidates else None
        return {
            "solved": {str(k): any(right[c.text] for c in p.candidates) for k, p in found.items()},
            "exact": {str(k): any(c.text == case.after for c in p.candidates) for k, p in found.items()},
            "candidates": {str(k): len(p.candidates) for k, p in found.items()},
            "verdict": stood.verdict,
            "score": first and round(first.score, 4),
            "right": first and right[first.text],
            "clean_left": clean and not clean.candidates,
            "forwards": stood.forwards,
            "rounds": first and first.rounds,
            "changed_tokens": first and first.changed_tokens,
            "region_tokens": stood.region_tokens,
        }

    def right(self, case: Judgeable, texts: Sequence[str]) -> dict[str, bool]:
        """Which answers are right: by the tests, or by equality where they cannot be run here."""
        if self._reason(case):
            return {text: text == case.after for text in texts}
        return self.passing(case, texts)

    def passing(self, case: Judgeable, texts: Sequence[str]) -> dict[str, bool]:
        """Which answers pass the case's tests."""
        reference = self.ledger.rows.get(f"reference {case.name}")
        # A few times what the published answer needs, so that an endless loop is not waited for in vain.
        limit = self.cage.limits.cpu_seconds + 5 * (reference["cpu_seconds"] if reference else 0.0)
        runs = self.cage.run_all([case.program(text) for text in texts], cpu_seconds=limit)
        return {text: run.outcome == "passed" for text, run in zip(texts, runs, strict=True)}

    def _reason(self, case: Judgeable) -> str:
        """Why the case's tests say nothing here; empty if they do."""
        row = self.ledger.rows.get(f"reference {case.name}")
        if case.unjudged or row is None:
            return case.unjudged
        if row["outcome"] != "passed":
            return f"the published answer {row['outcome']} here: {row['why']}".rstrip(": ")
        return "its tests pass here without the change, too" if row.get("question") == "passed" else ""


def _ask(
    editor: Editor,
    texts: Sequence[str],
    cases: Sequence[JudgedCase],
    threshold: float | None,
    tries: int | None = None,
) -> list[Proposal]:
    """What the model stands by; or the likeliest edits for so many tries."""
    judged = EditOptions(candidates=tries or 1, judged=tries is not None, needed=tries is not None)
    return editor.propose(_requests(cases, texts), replace(judged, threshold=threshold, new_names=True))


def _requests(cases: Sequence[JudgedCase], texts: Sequence[str]) -> list[EditRequest]:
    return [
        EditRequest(case.instruction, text, case.head, must_parse=True)
        for case, text in zip(cases, texts, strict=True)
    ]


def judged_scores(
    cases: Sequence[JudgedCase],
    rows: Mapping[str, Mapping[str, Any]],
    tries: Sequence[int],
    reasons: Mapping[str, str],
) -> dict[str, Score]:
    """Solved and exact within each number of tries, and by edits that the model stands by; pass@k where samples were
    drawn; chances of substitutions drawn at random; sound code left alone.
    """
    model = [(c, rows[f"model {c.name}"]) for c in cases if f"model {c.name}" in rows]
    judged = [row for c, row in model if c.name not in reasons]
    scores: dict[str, Score] = {}
    for k in tries:
        if judged:
            scores[f"solved within {times(k)}"] = share(row["solved"][str(k)] for row in judged)
    if judged:
        scores["solved by edits it stands by"] = share(bool(row["right"]) for row in judged)
    for k in tries:
        scores[f"exact within {times(k)}"] = share(row["exact"][str(k)] for _, row in model)
    sampled = [
        row["passed"]
        for c in cases
        if c.name not in reasons and (row := rows.get(f"samples {c.name}")) is not None
    ]
    for k in tries:
        if sampled and all(len(passed) >= k for passed in sampled):
            scores[f"pass@{k}"] = pass_score(sampled, k)
    drawn = [row for c in cases if c.name not in reasons and (row := rows.get(f"substitutions {c.name}"))]
    if drawn:
        scores |= random_scores([(row["count"], row["solved"]) for row in drawn], tries)
    fixes = [row["clean_left"] for c, row in model if c.instruction == FIX]
    if fixes:
        scores["sound code left alone"] = share(fixes)
    return scores


def costs(cases: Sequence[JudgedCase], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Means of a single greedy edit: forwards and seconds, and where it changes something rounds and changed tokens a
    forward; the median region in tokens.
    """
    found = [row for c in cases if (row := rows.get(f"model {c.name}"))]
    if not found:
        return {}
    edits = [row for row in found if row["rounds"] is not None]
    forwards = sum(row["forwards"] for row in edits)
    return {
        "forwards_per_edit": round(statistics.fmean(row["forwards"] for row in found), 2),
        "rounds_per_change": round(statistics.fmean(row["rounds"] for row in edits), 2) if edits else 0.0,
        "tokens_per_forward": round(sum(row["changed_tokens"] for row in edits) / max(forwards, 1), 3),
        "seconds_per_edit": round(statistics.fmean(row["seconds"] for row in found), 4),
        "median_region_tokens": statistics.median(row["region_tokens"] for row in found),
    }


def scored(
    cases: Sequence[JudgedCase], rows: Mapping[str, Mapping[str, Any]], reasons: Mapping[str, str]
) -> tuple[list[float], list[bool]]:
    """Scores of the edits that the model stands by, and whether they are right: what calibration is made from.

    Args:
        reasons: why cases are not judged by tests; all count by equality where none is judged.
    """
    chosen = [c for c in cases if c.name not in reasons] or cases
    found = [row for c in chosen if (row := rows.get(f"model {c.name}")) and row["score"] is not None]
    return [row["score"] for row in found], [row["right"] for row in found]
