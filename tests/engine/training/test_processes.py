"""Two processes take the steps that one would take, whether each holds all of the network or half of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from engine.training.curriculum import read_curriculum
from engine.training.preparation import open_batches
from tests.engine.training.tiny import TINY

CONFIG = """
{tiny}
[run]
tokens = 512
scored = 64
accumulate = {accumulate}
warmup = 1
decay = 1
average = 0.9
shard = {shard}

[[stage]]
name = "all"
steps = 5
drafts = 0.1
mixture = {{ masked = 1, defective = 1, edited = 1 }}
"""
ROOT = Path(__file__).parents[3]
PATIENCE = 240
"""Seconds that a run may take; processes that wait for one another would never end."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, tokenizer):
    from engine.data.store import pack_pairs, pack_regions

    folder = tmp_path_factory.mktemp("corpus")
    pack_regions(folder, [f"def f_{i}(x):\n    return x + {i}\n" for i in range(40)], tokenizer)
    for name in ("refactored", "committed"):
        pack_pairs(folder / f"{name}.jsonl", [], tokenizer)
    tokenizer.save(folder)
    return folder


def configure(folder, processes, *, shard=False):
    config = folder.with_suffix(".toml")
    config.write_text(CONFIG.format(tiny=TINY, accumulate=2 // processes, shard=str(shard).lower()))
    return config


def train(corpus, folder, processes, *, shard=False, until=4, more=()):
    config = configure(folder, processes, shard=shard)
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] * (
        processes > 1
    )
    command = [sys.executable, *launch, "-m", "seedcli", "train", "run", str(folder), "--until", str(until)]
    command += ["--corpus", str(corpus), "--config", str(config), "--workers", "0", "--no-compile"]
    call([*command, *more])
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return torch.load(folder / "state.pt", weights_only=True), lines[-1]


def call(command):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        _, said = running.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        running.terminate()  # torchrun ends the processes that it started
        _, said = running.communicate()
    assert running.returncode == 0, said


@pytest.fixture(scope="module")
def alone(corpus, tmp_path_factory):
    """What one process makes of four steps, and of a fifth."""
    folder = tmp_path_factory.mktemp("alone") / "run"
    return train(corpus, folder, 1), train(corpus, folder, 1, until=5)


def test_of_two_processes_only_one_has_drafts_in_most_steps(corpus, tokenizer, tmp_path):
    """So that the tests below see them part ways: to fill drafts in, the network is read once more."""
    curriculum = read_curriculum(configure(tmp_path / "run", 2), tokenizer.size)
    batches, (stage,) = open_batches(corpus, curriculum, tokenizer), curriculum.stages
    has_drafts = [len(batches.batch(index, stage.mixture, stage.noise).drafts_M) > 0 for index in range(8)]
    assert has_drafts == [True, False, False, True, True, True, False, True]


def assert_same_loss(one, two):
    assert two["step"] == one["step"]
    for name in ("masked", "changed", "kept", "scope"):
        assert two[name] == pytest.approx(one[name], abs=2e-3)


@pytest.mark.slow
def test_two_processes_give_the_loss_and_weights_of_one(corpus, alone, tmp_path):
    (one, one_log), _ = alone
    two, two_log = train(corpus, tmp_path / "two", 2)
    assert_same_loss(one_log, two_log)
    for name, weight in one["network"].items():
        torch.testing.assert_close(two["network"][name], weight, rtol=1e-3, atol=1e-4)
    for a, b in zip(one["average"], two["average"], strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_each_of_two_processes_reads_the_batches_that_it_would_make(corpus, tmp_path):
    own, own_log = train(corpus, tmp_path / "own", 2)
    command = [sys.executable, "-m", "seedcli", "train", "ahead", str(tmp_path / "read"), "--processes", "2"]
    command += ["--corpus", str(corpus), "--config", str(tmp_path / "own.toml"), "--workers", "0"]
    call([*command, "--out", str(tmp_path / "batches")])
    # Without the corpus nothing can be made.
    more = ["--ahead", str(tmp_path / "batches")]
    read, read_log = train(tmp_path / "nowhere", tmp_path / "read", 2, more=more)
    assert all(torch.equal(read["network"][name], weight) for name, weight in own["network"].items())
    for name in ("step", "masked", "changed", "kept", "scope", "norm"):
        assert read_log[name] == own_log[name]


@pytest.mark.slow
def test_two_processes_with_half_of_the_network_each_give_the_same_and_go_on(corpus, alone, tmp_path):
    for (one, one_log), until in zip(alone, (4, 5), strict=True):
        two, two_log = train(corpus, tmp_path / "halves", 2, shard=True, until=until)
        assert_same_loss(one_log, two_log)
        for name, weight in one["network"].items():
            # Muon rounds to bfloat16, otherwise where a matrix is parted, and blows up what is left of small gradients.
            assert (two["network"][name] - weight).norm() <= 0.15 * weight.norm()
        assert all(a.shape == b.shape for a, b in zip(one["average"], two["average"], strict=True))
