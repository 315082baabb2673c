"""How long `seed edit` takes from the start of its process to the diff, against `python -c "import torch"`.

One function of a small repository is edited by the default model; the page cache is warm, since both were run before.
The two are run in turns, and medians are compared: of wall time, and of processor time, which suffers less from what
else the machine does. The wall time's ratio is to stay at or below 1.6.

    python benchmarks/start.py [--times 15] [--output RESULT.json]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 1.6
SOURCE = "def area(width, height):\n    result = width * height\n    return reslt\n"
ROOT = Path(__file__).parents[1]


def spent(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of a process, and of those it starts."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)}: {done.stderr.decode()}")
    if "edit" in command and not done.stdout:
        raise SystemExit("the model proposed nothing; the path to a diff was not taken")
    children = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, children


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
        (folder / "shapes.py").write_text(SOURCE)
        ways = {
            "import torch": [sys.executable, "-c", "import torch"],
            "seed edit": [
                sys.executable,
                "-m",
                "seedcli",
                "edit",
                "--diff",
                "fix the bug",
                "shapes.py::area",
            ],
        }
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for turn in range(given.times + 1):
            for way, command in ways.items():
                took = spent(command, folder)
                if turn:
                    found[way].append(took)
    result = {
        way: {
            "wall": round(statistics.median(wall for wall, _ in own), 4),
            "processor": round(statistics.median(processor for _, processor in own), 4),
        }
        for way, own in found.items()
    }
    ratios = {
        key: round(result["seed edit"][key] / result["import torch"][key], 3) for key in ("wall", "processor")
    }
    report = {**result, "ratio": ratios, "times": given.times, "limit": LIMIT}
    print(json.dumps(report, indent=1))
    if given.output:
        given.output.write_text(json.dumps(report, indent=1) + "\n")
    return int(ratios["wall"] > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
