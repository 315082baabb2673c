"""Measuring on cases in which code is written: pass@k from independent samples, exact matches, what they cost.

Samples are drawn independently of each other and are not made distinct, as the unbiased estimator of pass@k (Chen et
al. 2021) asks. Every finished case is a row in a ledger; scores are made from rows alone.
"""

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

from engine.editor import Editor
from engine.evaluation.judging import Bench, Tell
from engine.evaluation.scores import Score
from engine.evaluation.tries import pass_score
from engine.evaluation.writing_cases import WritingCase
from engine.requests import Completed, CompletionOptions, CompletionRequest

TOGETHER = 8
"""Cases that share forwards."""


def write(
    bench: Bench, cases: Sequence[WritingCase], editor: Editor, options: CompletionOptions, tell: Tell
) -> None:
    """Draw the samples of every case that has no row yet, and judge them."""
    waiting = [case for case in cases if f"model {case.name}" not in bench.ledger.rows]
    tell(len(cases) - len(waiting))
    for at in range(0, len(waiting), TOGETHER):
        chosen = waiting[at : at + TOGETHER]
        start = time.perf_counter()
        found = editor.complete([CompletionRequest(case.prefix, case.suffix) for case in chosen], options)
        seconds = (time.perf_counter() - start) / len(chosen) / options.samples
        for case, completed in zip(chosen, found, strict=True):
            bench.ledger.add(
                f"model {case.name}", _row(bench, case, completed) | {"seconds": round(seconds, 4)}
            )
            tell(1)


def _row(bench: Bench, case: WritingCase, completed: Completed) -> dict[str, Any]:
    samples = completed.samples
    texts = [case.kept(sample.text) for sample in samples]
    right = bench.right(case, list(dict.fromkeys(texts)))
    return {
        "passed": [right[text] for text in texts],
        "exact": [text == case.after for text in texts],
        "whole": [sample.is_whole for sample in samples],
        "score": [round(sample.score, 4) for sample in samples],
        "tokens": [sample.tokens for sample in samples],
        "forwards": [sample.forwards for sample in samples],
        "rounds": [sample.rounds for sample in samples],
        "read_tokens": completed.read_tokens,
    }


def writing_scores(
    cases: Sequence[WritingCase],
    rows: Mapping[str, Mapping[str, Any]],
    passes: Sequence[int],
    reasons: Mapping[str, str],
) -> dict[str, Score]:
    """pass@k of the cases whose tests can be run here, exact matches, texts that came to their end, texts not empty."""
    found = [(case, rows[f"model {case.name}"]) for case in cases if f"model {case.name}" in rows]
    judged = [row for case, row in found if case.name not in reasons]
    scores: dict[str, Score] = {}
    if judged:
        scores = {f"pass@{k}": pass_score([row["passed"] for row in judged], k) for k in passes}
    if any(case.after for case, _ in found):
        scores["exact"] = pass_score([row["exact"] for case, row in found if case.after], 1)
    scores["came to its end"] = pass_score([row["whole"] for _, row in found], 1)
    scores["not empty"] = pass_score([[tokens > 0 for tokens in row["tokens"]] for _, row in found], 1)
    return scores


def writing_costs(cases: Sequence[WritingCase], rows: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Means of a sample: forwards, rounds, tokens, seconds; tokens per forward; the median of what is read."""
    found = [row for case in cases if (row := rows.get(f"model {case.name}"))]
    if not found:
        return {}
    total = {name: sum(sum(row[name]) for row in found) for name in ("forwards", "rounds", "tokens")}
    count = sum(len(row["passed"]) for row in found)
    return {
        **{f"{name}_per_sample": round(value / count, 2) for name, value in total.items()},
        "tokens_per_forward": round(total["tokens"] / max(total["forwards"], 1), 3),
        "seconds_per_sample": round(statistics.fmean(row["seconds"] for row in found), 4),
        "median_read_tokens": statistics.median(row["read_tokens"] for row in found),
    }


def writing_scored(
    cases: Sequence[WritingCase], rows: Mapping[str, Mapping[str, Any]], reasons: Mapping[str, str]
) -> tuple[list[float], list[bool]]:
    """All samples' scores, and whether they are right, of the cases whose tests can be run here."""
    found = [row for c in cases if c.name not in reasons and (row := rows.get(f"model {c.name}"))]
    scores = [score for row in found for score in row["score"]]
    return scores, [passed for row in found for passed in row["passed"]]
