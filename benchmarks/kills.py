"""Kills a training run at random moments and resumes it, then compares its end with an uninterrupted run's.

`python benchmarks/kills.py --kills 20 --out docs/results/kills.json` trains a small network on this repository's own
code twice with the same configuration: once in one go, once killed (SIGKILL) again and again, for the first time when
it has logged something and saved nothing. Batches are a function of their index and the state is replaced as a whole,
so weights and losses must be equal bit for bit.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIG = """
[model]
width = 64
layers = 2
heads = 2
kv_heads = 1
hidden = 128

[run]
tokens = 2048
scored = 512
warmup = 10
decay = 20
average = 0.99
save_every = 25  # after the first line of the log, so that a kill leaves lines of steps that were not saved

[[stage]]
name = "all"
steps = {steps}
drafts = 0.3
mixture = {{ masked = 1, defective = 1, edited = 1 }}
"""


def prepare(folder: Path) -> None:
    """A corpus of this repository's own functions, with the default checkpoint's tokenizer."""
    from engine.checkpoints.folder import DEFAULT
    from engine.data.regions import regions
    from engine.data.store import pack_pairs, pack_regions
    from engine.model.tokenizer import CodeTokenizer

    tokenizer = CodeTokenizer.load(DEFAULT)
    texts = [
        region.text
        for path in sorted((ROOT / "engine").rglob("*.py"))
        for region in regions(path.read_text())
    ]
    folder.mkdir()
    pack_regions(folder, texts, tokenizer)
    for name in ("refactored", "committed"):
        pack_pairs(folder / f"{name}.jsonl", [], tokenizer)
    tokenizer.save(folder)


def start(corpus: Path, config: Path, run: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "seedcli", "train", "run", str(run), "--corpus", str(corpus)]
    command += ["--config", str(config), "--no-compile"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, start_new_session=True
    )


def begun(process: "subprocess.Popen[bytes]") -> float:
    """When it said that it was about to train."""
    assert process.stderr is not None
    assert b"parameters" in process.stderr.readline()
    return time.monotonic()


def logged(process: "subprocess.Popen[bytes]", run: Path) -> None:
    """Wait until there is something in its log."""
    log = run / "log.jsonl"
    while process.poll() is None and not (log.exists() and log.stat().st_size):
        time.sleep(0.01)


def kill(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def ended(process: "subprocess.Popen[bytes]") -> None:
    """Wait for a run that nothing stops."""
    _, said = process.communicate()
    assert process.returncode == 0, said.decode()


def losses(run: Path) -> list[list[float]]:
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [[row[name] for name in ("step", "masked", "changed", "kept", "norm")] for row in rows]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--steps", type=int, default=800)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--out", type=Path)
    given = arguments.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as made:
        base = Path(made)
        prepare(base / "corpus")
        config = base / "run.toml"
        config.write_text(CONFIG.format(steps=given.steps))
        process = start(base / "corpus", config, base / "whole")
        began = begun(process)
        ended(process)
        training = time.monotonic() - began
        process = start(base / "corpus", config, base / "killed")
        logged(process, base / "killed")
        kill(process)
        unsaved, kills = not (base / "killed/state.pt").exists(), 1
        while kills < given.kills:
            process = start(base / "corpus", config, base / "killed")
            begun(process)
            try:
                # All together about two thirds of what the run takes, so that it is killed as often as was asked for.
                process.communicate(timeout=rng.uniform(0, 1.3) * training / given.kills)
                break
            except subprocess.TimeoutExpired:
                kill(process)
                kills += 1
        ended(start(base / "corpus", config, base / "killed"))
        found = {
            "command": "python " + " ".join(sys.argv),
            "kills": kills,
            "first_before_any_save": unsaved,
            "steps": given.steps,
            "equal_losses": losses(base / "whole") == losses(base / "killed"),
            "equal_weights": _same(base / "whole/state.pt", base / "killed/state.pt"),
            "last": losses(base / "killed")[-1],
        }
    print(json.dumps(found, indent=1))
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n")
    is_equal = found["equal_losses"] and found["equal_weights"]
    sys.exit(not (is_equal and unsaved and kills == given.kills))


def _same(one: Path, other: Path) -> bool:
    import torch

    first, second = (torch.load(path, weights_only=True) for path in (one, other))
    networks = all(torch.equal(first["network"][name], second["network"][name]) for name in first["network"])
    return networks and all(map(torch.equal, first["average"], second["average"]))


if __name__ == "__main__":
    main()
