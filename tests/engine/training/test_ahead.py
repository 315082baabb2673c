"""A run on batches made ahead is the run that makes them itself, bit for bit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from engine.data.batches import BatchMaker
from engine.data.store import TextPair, pack_pairs, pack_regions
from engine.errors import DataError
from engine.training import ahead
from engine.training.running import make_ahead, run
from tests.engine.training.listener import Listener
from tests.engine.training.tiny import TINY

CONFIG = f"""
{TINY}
[run]
tokens = 512
scored = 64
accumulate = 2
warmup = 1
decay = 1

[[stage]]
name = "masks"
steps = 3
drafts = 0.3
mixture = {{ masked = 1, generated = 1 }}

[[stage]]
name = "edits"
steps = 4
mixture = {{ masked = 1, defective = 1, committed = 1 }}
"""
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("data") / "corpus"
    folder.mkdir()
    texts = [f"def f_{i}(x):\n    return x + {i}\n" for i in range(40)]
    pack_regions(folder, texts, tokenizer)
    pack_pairs(folder / "refactored.jsonl", [], tokenizer)
    changed = [TextPair(text, text.replace("+", "-"), subject="fix sign") for text in texts]
    pack_pairs(folder / "committed.jsonl", changed, tokenizer)
    tokenizer.save(folder)
    return folder


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(autouse=True)
def _small_files(monkeypatch):
    monkeypatch.setattr(ahead, "FILE_TOKENS", 3 * 512)


def trained(corpus, config, folder, **more):
    given = {"until": None, "device": "cpu", "compiled": False, "workers": 0, "tell": str} | more
    run(corpus, config, folder, **given)
    state = torch.load(folder / "state.pt", weights_only=True)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    for line in lines:
        del line["tokens_per_second"], line["share_of_peak"]
    return state, lines


def made(corpus, config, folder, progress=None, **more):
    given = {"until": None, "workers": 0, "progress": progress or Listener()} | more
    return make_ahead(corpus, config, folder, **given)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def assert_same(one, other):
    (state, lines), (other_state, other_lines) = one, other
    assert lines[-1]["step"] == 7
    assert lines == other_lines
    assert_same_weights(state, other_state)


def assert_same_weights(state, other_state):
    assert state["step"] == other_state["step"]
    assert state["network"].keys() == other_state["network"].keys()
    assert all(torch.equal(weight, other_state["network"][n]) for n, weight in state["network"].items())


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_made_ahead_train_the_same_weights(corpus, config, tmp_path, workers):
    own = trained(corpus, config, tmp_path / "own")
    listener, told = Listener(), []
    place = made(corpus, config, tmp_path / "run", listener, workers=workers)
    assert place == tmp_path / "run" / "ahead"
    assert listener.phases == [("making batches", 14, "batch")]
    assert listener.done == 14
    assert len(list(place.glob("*.safetensors"))) == 5
    other = trained(corpus, config, tmp_path / "run", workers=workers, tell=told.append)
    assert told[0]["ahead"] == 7
    assert_same(own, other)


def test_a_run_makes_what_is_not_made(corpus, config, tmp_path, monkeypatch):
    own = trained(corpus, config, tmp_path / "own")
    made(corpus, config, tmp_path / "run", until=4)
    asked, batch = [], BatchMaker.batch

    def seen(self, index, *rest):
        asked.append(index)
        return batch(self, index, *rest)

    monkeypatch.setattr(BatchMaker, "batch", seen)
    told = []
    other = trained(corpus, config, tmp_path / "run", tell=told.append)
    assert asked == [9, 10, 11, 12, 13]  # files are whole: three batches each
    assert told[0]["ahead"] == 4
    assert_same(own, other)


def test_without_the_corpus_a_run_goes_as_far_as_batches_are_made(corpus, config, tmp_path):
    own = trained(corpus, config, tmp_path / "own")
    batches = made(corpus, config, tmp_path / "run", until=4, out=tmp_path / "batches")
    nowhere, folder = tmp_path / "nowhere", tmp_path / "run"
    with pytest.raises(DataError, match=r"up to step 4, and .*nowhere no corpus to make more from"):
        trained(nowhere, config, folder, ahead=batches)
    trained(nowhere, config, folder, ahead=batches, until=2)
    trained(nowhere, config, folder, ahead=batches, until=4)
    with pytest.raises(DataError, match="up to step 4"):
        trained(nowhere, config, folder, ahead=batches, until=5)
    assert_same_weights(own[0], trained(corpus, config, folder)[0])


def test_the_making_goes_on_from_the_step_of_the_run(corpus, config, tmp_path):
    whole = made(corpus, config, tmp_path / "run", out=tmp_path / "whole")
    trained(corpus, config, tmp_path / "run", until=5)
    place = made(corpus, config, tmp_path / "run")
    assert [path.name for path in sorted(place.glob("*.safetensors"))] == [
        "000000009.safetensors",
        "000000012.safetensors",
    ]
    assert contents(place).items() <= contents(whole).items()
    listener = Listener()
    made(corpus, config, tmp_path / "run", listener, until=3)
    assert listener.phases == [("making batches", 0, "batch")]


def test_an_interrupted_making_goes_on(corpus, config, tmp_path):
    whole = made(corpus, config, tmp_path / "run", out=tmp_path / "whole")
    made(corpus, config, tmp_path / "run", until=2)
    with pytest.raises(KeyboardInterrupt):
        made(corpus, config, tmp_path / "run", Listener("making batches"))
    listener = Listener()
    place = made(corpus, config, tmp_path / "run", listener)
    assert listener.phases == [("making batches", 8, "batch")]
    assert contents(place) == contents(whole)
    again = Listener()
    made(corpus, config, tmp_path / "run", again)
    assert again.said == ["14 batches of 7 steps; 0 are to be made"]


@pytest.mark.slow
def test_a_making_that_is_killed_goes_on(corpus, tmp_path):
    config = tmp_path / "large.toml"
    config.write_text(
        f"{TINY}[run]\ntokens = 65536\n[[stage]]\nname = 'a'\nsteps = 6\nmixture = {{ masked = 1 }}\n"
    )
    command = [sys.executable, "-m", "seedcli", "train", "ahead", str(tmp_path / "run")]
    command += ["--corpus", str(corpus), "--config", str(config)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    place = tmp_path / "run" / "ahead"
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        while not list(place.glob("*.safetensors")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    killed = contents(place)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{place}\n"
    command += ["--out", str(tmp_path / "whole"), "--workers", "0"]
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    found = contents(place)
    assert found == contents(tmp_path / "whole")
    assert len(killed) < len(found)
    assert {
        name: data for name, data in killed.items() if not name.endswith(".partial")
    }.items() <= found.items()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tokens = 512", "tokens = 1024", "tokens 512, not 1024"),
        ("[run]", "[run]\nseed = 5", "seed 1, not 5"),
        ("accumulate = 2", "accumulate = 1", "batches a step 2, not 1"),
        ("defective = 1", "defective = 2", "stage 2: share of defective 1, not 2"),
        (
            "masked = 1, generated = 1",
            "generated = 1, masked = 1",
            'kinds ["masked", "generated"], not ["gen',
        ),
        ("masked = 1, generated = 1", "masked = 1", "stage 1: share of generated 1, not given"),
        ("drafts = 0.3", "drafts = 0.5", "stage 1: noise drafts 0.3, not 0.5"),
        ("[run]", "[run]\ndecoder = 'autoregressive'", 'decoder "edit", not "autoregressive"'),
    ],
)
def test_batches_of_another_run_are_refused_by_name(corpus, config, tmp_path, old, new, words):
    made(corpus, config, tmp_path / "run", until=1)
    assert old in CONFIG
    config.write_text(CONFIG.replace(old, new))
    for go_on in (trained, made):
        with pytest.raises(DataError, match="were made with") as caught:
            go_on(corpus, config, tmp_path / "run")
        assert words in str(caught.value)
    assert not (tmp_path / "run" / "state.pt").exists()


def test_rates_and_the_network_may_be_others(corpus, config, tmp_path):
    made(corpus, config, tmp_path / "run", until=1)
    config.write_text(
        CONFIG.replace("warmup = 1", "warmup = 3\nmatrix_rate = 0.01").replace("layers = 1", "layers = 2")
    )
    trained(corpus, config, tmp_path / "run", until=1)


def test_batches_of_another_corpus_are_refused(corpus, config, tmp_path):
    made(corpus, config, tmp_path / "run", until=1)
    other = tmp_path / "corpus"
    shutil.copytree(corpus, other)
    pairs = other / "committed.jsonl"
    pairs.write_text(pairs.read_text().replace("fix sign", "fix side"))
    with pytest.raises(DataError, match=r"with another committed\.jsonl; make them again"):
        trained(other, config, tmp_path / "run")


def test_batches_for_another_number_of_processes_are_refused(corpus, config, tmp_path):
    made(corpus, config, tmp_path / "run", until=1, processes=2)
    with pytest.raises(DataError, match="batches a step 4, not 2"):
        trained(corpus, config, tmp_path / "run")


def test_a_file_from_elsewhere_or_damaged_is_named(corpus, config, tmp_path):
    place = made(corpus, config, tmp_path / "run")
    config.write_text(CONFIG.replace("[run]", "[run]\nseed = 5"))
    other = made(corpus, config, tmp_path / "run", out=tmp_path / "other")
    name = "000000003.safetensors"
    config.write_text(CONFIG)
    shutil.copyfile(other / name, place / name)
    with pytest.raises(DataError, match=f"{name} holds other batches"):
        trained(corpus, config, tmp_path / "run")
    (place / name).write_bytes(b"cut")
    with pytest.raises(DataError, match=f"{name} is damaged; remove it"):
        trained(corpus, config, tmp_path / "run")
    (place / name).unlink()
    trained(corpus, config, tmp_path / "run")


def test_a_folder_without_batches_is_named(corpus, config, tmp_path):
    with pytest.raises(DataError, match="holds no batches made ahead; make some with `seed train ahead`"):
        trained(corpus, config, tmp_path / "run", ahead=tmp_path)


def test_a_run_in_laps_has_none(corpus, config, tmp_path):
    laps = '[trajectories]\nkeep = "verified"\nmixture = { masked = 1 }\n'
    config.write_text(CONFIG.replace("masked = 1", "trajectory = 1, masked = 1") + laps)
    with pytest.raises(DataError, match="in laps"):
        made(corpus, config, tmp_path / "run")
