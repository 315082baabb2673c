"""Findings as text, as JSON Lines, as SARIF 2.1.0. Knows nothing of where they come from."""

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal
from urllib.parse import quote

from seedcli import __version__
from seedcli.report import one_line
from seedcli.scanning.findings import Finding

Format = Literal["text", "jsonl", "sarif"]
RULE = "seed/change"
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def written(findings: Sequence[Finding], form: Format, *, model: str) -> str:
    """All findings in one of the formats; every line is closed.

    Args:
        model: name and revision of the model that found them.
    """
    if form == "sarif":
        return json.dumps(sarif(findings, model=model), indent=1) + "\n"
    line = _text if form == "text" else _json
    return "".join(line(finding) + "\n" for finding in findings)


def sarif(findings: Sequence[Finding], *, model: str) -> dict[str, Any]:
    """A log with one run, as section 3 of the OASIS standard says."""
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        seen[finding.fingerprint] += 1
        results.append(_result(finding, seen[finding.fingerprint]))
    driver = {
        "name": "seed",
        "version": __version__,
        "rules": [{"id": RULE, "shortDescription": {"text": "The model would change this place."}}],
        "properties": {"model": model},
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: Finding, number: int) -> dict[str, Any]:
    region = {
        "startLine": finding.line,
        "startColumn": finding.column,
        "endLine": finding.end_line,
        "endColumn": finding.end_column,
        "snippet": {"text": finding.text},
    }
    place: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": quote(os.fsencode(finding.path))}, "region": region},
    }
    if finding.symbol:
        place["logicalLocations"] = [{"fullyQualifiedName": finding.symbol}]
    return {
        "ruleId": RULE,
        "ruleIndex": 0,
        "level": "warning",
        "message": {"text": f"{finding.change}, {finding.probability:.0%} sure"},
        "locations": [place],
        "partialFingerprints": {"seed/v1": f"{finding.fingerprint}:{number}"},
        "rank": round(100 * finding.probability, 2),
    }


def _text(finding: Finding) -> str:
    place = f"{finding.path}:{finding.line}:{finding.column}"
    return one_line(f"{place}: {finding.probability:.2f} {finding.change}: {finding.text}")


def _json(finding: Finding) -> str:
    row = asdict(finding) | {"probability": round(finding.probability, 4)}
    return json.dumps({**row, "fingerprint": finding.fingerprint})
