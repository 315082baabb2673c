"""The same jobs through Ray, on a Ray of this machine with two workers."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from seedcli.errors import SettingsError

HERE = Path(__file__).parents[3]
HAS_RAY = importlib.util.find_spec("ray") is not None
FILES, FUNCTIONS = 16, 12
COMMAND = [sys.executable, "-m", "seedcli", "batch", "-y", "../jobs.jsonl"]


@pytest.mark.skipif(HAS_RAY, reason="Ray is installed")
def test_without_ray_the_cure_is_told() -> None:
    from seedcli.batching.distributed import RayWorkers

    with pytest.raises(SettingsError, match=r"install seedcli\[ray\]"):
        RayWorkers("local", 2, None)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Files of functions that the model that comes along knows what to do with, and a job for each."""
    root = tmp_path / "repo"
    root.mkdir()
    jobs = []
    for i in range(FILES):
        functions = (
            f"def find_{i}_{k}(items, key{k}):\n    item = items.get(key{k})\n    if item == None:\n"
            f"        raise KeyError({i * k})\n    return item\n"
            for k in range(FUNCTIONS)
        )
        (root / f"m{i}.py").write_text("\n\n".join(functions))
        jobs.append({"id": i, "recipe": "idioms", "target": f"m{i}.py"})
    (tmp_path / "jobs.jsonl").write_text("".join(json.dumps(job) + "\n" for job in jobs))
    return root


def environment(state: Path) -> dict[str, str]:
    usual = {"PYTHONPATH": str(HERE), "SEED_STATE_DIR": str(state), "OMP_NUM_THREADS": "1"}
    return os.environ | usual | {"RAY_worker_niceness": "0"}


def results(out: str) -> list[dict[str, Any]]:
    """Results without what tells one run from another."""
    rows = [json.loads(line) for line in out.splitlines()]
    for row in rows:
        del row["seconds"], row["run"]
        row["candidates"] = [round(candidate["score"], 2) for candidate in row["candidates"]]
    return rows


def kill_one(process: "subprocess.Popen[str]") -> str:
    """Stop the first worker at once, so that it dies with a batch in its hands; what stderr said."""
    assert process.stderr is not None
    said = ""
    with process.stderr as stderr:
        for line in stderr:
            said += line
            if ready := re.search(r"a worker is ready on .*, process (\d+),", line):
                victim = int(ready[1])
                os.kill(victim, signal.SIGSTOP)
                time.sleep(1)
                os.kill(victim, signal.SIGKILL)
                break
        return said + stderr.read()


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="no Ray here")
def test_a_worker_is_killed_and_nothing_is_lost_or_done_twice(repo: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(repo, alone)
    done = subprocess.run(
        COMMAND, cwd=alone, env=environment(tmp_path / "s1"), capture_output=True, text=True, check=True
    )
    out = tmp_path / "results.jsonl"
    with out.open("w") as stdout:
        process = subprocess.Popen(
            [*COMMAND, "--ray", "local", "--workers", "2"],
            cwd=repo,
            env=environment(tmp_path / "s2"),
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
    said = kill_one(process)
    assert process.wait(timeout=60) == 0, said
    assert "a worker has died; what it was asked is asked again" in said
    assert len(re.findall("a worker is ready", said)) >= 2
    assert results(out.read_text()) == results(done.stdout)
    assert [path.read_bytes() for path in sorted(repo.iterdir())] == [
        path.read_bytes() for path in sorted(alone.iterdir())
    ]
    runs = list((tmp_path / "s2").glob("*/runs/*/run.json"))
    assert len(runs) == FILES


@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="no Ray here")
def test_a_model_that_no_worker_can_load_is_told_in_one_line(repo: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--ray", "local", "--workers", "1", "--model", "absent"],
        cwd=repo,
        env=environment(tmp_path / "state"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "no model 'absent'" in done.stderr.splitlines()[-1]
