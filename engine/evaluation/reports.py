"""The report of a suite: figures with what they rest on (machine, model, command), as a table and as JSON."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from engine.evaluation.scores import Score, table
from engine.files import write_json
from engine.requests import ModelInfo


def report(
    suite: str,
    scores: Mapping[str, Score],
    costs: Mapping[str, float],
    model: ModelInfo,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """Everything a reader needs to check the figures.

    Args:
        details: what identifies the cases: digests, seeds, thresholds.
    """
    return {
        "suite": suite,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "command": " ".join(["seed", *sys.argv[1:]]),
        "commit": commit(),
        "model": {
            "name": model.name,
            "revision": model.revision,
            "parameters": model.parameters,
            "dtype": model.dtype,
        },
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "torch": torch.__version__,
            "device": model.device,
        },
        **details,
        "costs": dict(costs),
        "scores": {name: s.as_json() for name, s in scores.items()},
    }


def write_report(path: Path, found: Mapping[str, Any]) -> None:
    """Write a report as JSON, whole or not at all; folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, found)


def text(scores: Mapping[str, Score], costs: Mapping[str, float]) -> str:
    """The table for a terminal."""
    return table(scores) + "\n" + "  ".join(f"{name} {value}" for name, value in costs.items())


def commit() -> str | None:
    """The commit of the code that measured; None outside a checkout."""
    found = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
