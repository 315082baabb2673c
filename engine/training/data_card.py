"""The data card of a corpus: where its text comes from, what was left out and why, what it is good for."""

from collections.abc import Mapping
from typing import Any

from engine.data.corpus import MAX_LINE, MAX_LINES, MIN_LINES, TEST_SHARE
from engine.data.decontamination import JACCARD, RUN, SHINGLE
from engine.data.duplicates import NEAR
from engine.data.history import MAX_CHANGED_LINES, SEEN
from engine.data.pairs import FUNCTIONS
from engine.data.sources import PERMISSIVE

_LEFT_OUT = f"""## What was left out

- sources under other licences than {", ".join(sorted(PERMISSIVE))};
- files that are no UTF-8, do not parse, or say that they were generated; regions of fewer than {MIN_LINES} or more than
  {MAX_LINES} lines or with a line of more than {MAX_LINE} characters; {1 - TEST_SHARE:.0%} of the regions of tests;
- barred: what shares a run of {RUN} tokens with an evaluation suite or a held-out function, or resembles one (Jaccard
  similarity of {SHINGLE}-token shingles of at least {JACCARD}); changes from history on both sides;
- regions that are equal but for whitespace, and near-duplicates of one that was read before (MinHash, {NEAR} and more);
- commits by bots, merges, reverts, releases; those whose subject says nothing; those that change more than {FUNCTIONS}
  functions of one file beside tests, more than {MAX_CHANGED_LINES} lines, or only comments, docstrings and layout.
"""
_LIMITS = """## Limits

Python only, of well-known open projects: their style, their English, few beginners' mistakes. Defects are injected by
rules whose kinds and shares follow a count of real ones. Names and addresses that stand in sources and commit subjects
are not removed. Licences are those of the whole repository; single files were not asked.
"""


def render_data_card(name: str, data: Mapping[str, Any]) -> str:
    """The card of a corpus as Markdown.

    Args:
        data: its `card.json`.
    """
    return "\n".join(
        [f"# {name}: a corpus for `seed train`", "", *data_lines(data), _LEFT_OUT, *_history(data), _LIMITS]
    )


def data_lines(data: Mapping[str, Any]) -> list[str]:
    """What a corpus holds, by source; the model card has the same."""
    sources = data["sources"].values()
    near = any("near_duplicates" in source for source in sources)
    versions = any(source.get("version") for source in sources)  # corpora made before have none
    lines = [
        "## Data",
        "",
        f"{data['regions']:,} distinct regions (functions, methods, runs of top-level statements), "
        f"{data['bytes']:,} bytes, cleared of evaluation code (see `docs/training.md`).",
        "",
        "| source |"
        + " version |" * versions
        + " licence | regions | barred |"
        + " near-duplicates |" * near,
        "| --- |" + " --- |" * versions + " --- | --- | --- |" + " --- |" * near,
    ]
    for name, source in data["sources"].items():
        first = f" {source.get('version', '')[:12]} |" if versions else ""
        last = f" {source['near_duplicates']:,} |" if near else ""
        lines.append(
            f"| {name} |{first} {source['licence']} | {source['regions']:,} | {source['barred']} |{last}"
        )
    held = data["held_out"]
    at = {name: f" at {version[:12]}" for name, version in held.get("versions", {}).items() if version}
    return [
        *lines,
        "",
        *([_share_removed(data), ""] if near else []),
        *([_kept_out(data["barred"]), ""] if "barred" in data else []),
        f"Pairs: {', '.join(f'{name} {count:,}' for name, count in data.get('pairs', {}).items())}.",
        "",
        f"Held out, never trained on: {', '.join(name + at.get(name, '') for name in held['sources'])}; "
        f"{held['functions']:,} functions drawn, "
        f"SHA-256 `{held['sha256']}`.",
        "",
    ]


def _share_removed(data: Mapping[str, Any]) -> str:
    removed = sum(source["near_duplicates"] for source in data["sources"].values())
    return f"Near-duplicates removed: {removed:,}, {removed / max(1, removed + data['regions']):.1%} of what was left."


def _kept_out(barred: Mapping[str, Any]) -> str:
    if not barred["texts"]:
        return "No evaluation suite was named to be kept out."
    return f"Kept out: {barred['texts']:,} texts of evaluation suites, SHA-256 `{barred['sha256']}`."


def _history(data: Mapping[str, Any]) -> list[str]:
    counts = data.get("history", {})
    if not counts:
        return []
    reasons = [f"- {why}: {count:,}" for why, count in sorted(counts.items()) if why != SEEN]
    return [
        "## Commits",
        "",
        f"{counts[SEEN]:,} commits that touch Python files were read. Left out:",
        "",
        *reasons,
        "",
    ]
