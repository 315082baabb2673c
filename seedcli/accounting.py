"""What became of regions, as a report tells it: counts, candidates, and why there is no edit."""

from collections import Counter

from seedcli.proposing import IDLE, Proposed
from seedcli.report import CandidateReport, Outcome, Report

NUM_COMPLAINTS = 8
"""Regions without an edit are named one by one up to this many, and counted beyond."""


def fill_in(report: Report, proposed: Proposed) -> None:
    """Put the model's part into a report: candidates, counts, seconds."""
    proposals = [result.proposal for result in proposed.regions]
    report.candidates = tuple(CandidateReport(proposed.score(k)) for k in range(proposed.num_patches))
    report.forwards += proposed.forwards
    report.rounds = max((proposal.rounds for proposal in proposals), default=0)
    report.region_tokens = sum(proposal.region_tokens for proposal in proposals)
    report.changed_tokens = sum(candidate.changed_tokens for candidate in proposed.chosen(0))
    report.seconds["model"] += proposed.seconds


def unedited(proposed: Proposed) -> tuple[Outcome, list[str]]:
    """What it means that there is no edit, and why, in one line or more."""
    regions = proposed.regions
    if all(result.is_unchanged for result in regions):
        where = regions[0].place if len(regions) == 1 else f"{len(regions)} regions"
        is_idle = all(result.proposal is IDLE for result in regions)
        why = ": what the instruction is about does not stand there" if is_idle else ""
        return "unchanged", [
            f"nothing to change in {where}{why}" if regions else "there is no code in the targets"
        ]
    return "no_edit", complaints(proposed)


def complaints(proposed: Proposed) -> list[str]:
    """Why regions have no edit: a line for each when they are few, for each reason when they are many."""
    without = [result for result in proposed.regions if result.complaint and not result.is_unchanged]
    reasons = Counter(result.complaint for result in without)
    if len(without) == 1 or 1 < len(reasons) <= len(without) <= NUM_COMPLAINTS:
        return [f"{result.place}: {result.complaint}" for result in without]
    return [
        f"{count} region{'s' * (count > 1)}: {reason}"
        for reason, count in reasons.most_common(NUM_COMPLAINTS)
    ]
