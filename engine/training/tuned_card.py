"""The model card of a fine-tuned checkpoint: what it was tuned on, before and after, then the card it began with."""

import math
import re
from collections.abc import Mapping
from typing import Any

_HEAD = """---
license: other
library_name: seedcli
tags: [code, block-diffusion, code-editing, fine-tuned]
---
# {name}

The checkpoint `{base}` (revision {revision}), fine-tuned by `seed train finetune` on the history of the repository
`{repository}` up to commit `{head}`{since}. The licence of that code may bind these weights. {how}.

| commits | |
| --- | --- |
{commits}

## Before and after, on the held-out commits

The {held} newest usable commits and all that resembles them were kept out of training; `finetune.json` lists them.

| | before | after |
| --- | --- | --- |
{rows}
"""


def render_tuned_card(name: str, report: Mapping[str, Any], base_card: str) -> str:
    """The card as Markdown.

    Args:
        report: what `finetune.json` holds.
        base_card: of the checkpoint it began with; may be empty.
    """
    tuning = report["tuning"]
    weights = f"low-rank pairs of rank {tuning['rank']}, merged" if tuning["rank"] else "all weights"
    how = (
        f"Trained: {weights}; {tuning['steps']} steps of {tuning['tokens']} tokens, rate {tuning['rate']:g}; kept:\n"
        f"the weights after step {report['kept']['step']}, which have the least loss on the validation commits"
    )
    head = _HEAD.format(
        name=name,
        base=report["start_from"]["name"],
        revision=report["start_from"]["revision"],
        repository=report["repository"],
        head=report["head"][:12],
        since=f", commits since {report['since']}" if report["since"] else "",
        how=how,
        commits="\n".join(f"| {what} | {count:,} |" for what, count in report["commits"].items()),
        held=len(report["held_out"]),
        rows="\n".join(
            f"| {row} | {_cell(value)} | {_cell(report['after'][row])} |"
            for row, value in report["before"].items()
        ),
    )
    return head + _demoted(base_card)


def _cell(value: float | Mapping[str, Any]) -> str:
    if isinstance(value, Mapping):
        low, high = value["interval"]
        return f"{value['share']:.1%} ({low:.1%} to {high:.1%}), {value['hits']} of {value['count']}"
    return "none" if math.isnan(value) else f"{value:.3f}"


def _demoted(card: str) -> str:
    """A card as a section of another: without its front matter, its headings one level down."""
    body = re.sub(r"\A---\n.*?\n---\n", "", card, flags=re.DOTALL)
    deeper = re.sub(r"^#", "##", body, flags=re.MULTILINE)
    return f"\nWhat follows is the card of the checkpoint it began with.\n\n{deeper}" if body.strip() else ""
