"""The model card of a checkpoint: what it is for, what it was trained on under which licences, how it scores."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.training.curriculum import Curriculum
from engine.training.data_card import data_lines

_HEAD = """---
license: apache-2.0
library_name: seedcli
tags: [code, {tag}, code-editing]
---
# {name}

{kind} that edits Python functions, for `seed edit`. {parameters:,} parameters, {steps} steps of
{tokens} tokens. Made by `seed train`; weights are bfloat16.

It repairs small defects in single functions and follows these recipes: {recipes}. It reads one region and an
instruction in English, nothing else. It cannot write new functions, it knows no other language than Python, and it
does not know what the code is meant to do. For other instructions its scope head says that it was not trained for them.
"""

_KINDS = {
    "edit": ("block-diffusion", "A block-diffusion model"),
    "autoregressive": ("autoregressive", "An autoregressive model, made to be compared with one"),
}
"""Tag and words for each decoder."""


def render_card(
    name: str,
    curriculum: Curriculum,
    settings: Mapping[str, Any],
    parameters: int,
    data: Mapping[str, Any],
    reports: Sequence[Mapping[str, Any]],
) -> str:
    """The card as Markdown.

    Args:
        settings: the sampler's settings in the checkpoint's config.
        data: the corpus's `card.json`.
        reports: of `seed eval`, as it writes them.
    """
    recipes = ", ".join(settings["recipes"])
    tag, kind = _KINDS[curriculum.decoder]
    head = _HEAD.format(
        name=name,
        tag=tag,
        kind=kind,
        parameters=parameters,
        steps=settings["steps"],
        tokens=curriculum.tokens,
        recipes=recipes,
    )
    return "\n".join([head, *_stages(curriculum, settings), *data_lines(data), *_scores(reports)]) + "\n"


def _stages(curriculum: Curriculum, settings: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Training",
        "",
        _origin(settings.get("began_with")),
        "",
        "| stage | steps | share of the peak rate | mixture |",
        "| --- | --- | --- | --- |",
    ]
    for stage in curriculum.stages:
        mixture = ", ".join(f"{kind} {share:g}" for kind, share in stage.mixture.items())
        lines.append(f"| {stage.name} | {stage.steps} | {stage.rate:g} | {mixture} |")
    return [
        *lines,
        "",
        "The rate fell to 0 along half a cosine."
        if curriculum.schedule == "cosine"
        else f"The last {curriculum.decay} of {settings['steps']} steps let the rate fall to 0.",
        "",
    ]


def _origin(began: Mapping[str, Any] | None) -> str:
    if began is None:
        return "It began with random weights."
    line = f"It began with the weights of checkpoint {began['revision']}, after {began['steps']} steps."
    kept = began.get("kept")
    return f"{line} What is here is the mean of both, {kept:.0%} of it those it began with." if kept else line


def _scores(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    lines: list[str] = ["## Evaluation", ""] if reports else []
    for report in reports:
        lines += [
            f"`{report['command']}`, {report['date']}:",
            "",
            "| | share | 95 % interval | cases |",
            "| --- | --- | --- | --- |",
        ]
        for name, score in report["scores"].items():
            low, high = score["interval"]
            lines.append(f"| {name} | {value(score):.1%} | {low:.1%} to {high:.1%} | {score['count']} |")
        lines.append("")
    return lines


def value(score: Mapping[str, Any]) -> float:
    """Of a score in a report: a share, a mean or a difference.

    Raises:
        KeyError: it is none of them.
    """
    kind = next((name for name in ("share", "mean") if name in score), "difference")
    return float(score[kind])
