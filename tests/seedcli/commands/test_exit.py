import json

import pytest
import torch

from engine.checkpoints.folder import DEFAULT, save
from engine.data.store import pack_pairs, pack_regions
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer

CODE = [
    f"def sum_{i}(first, second):\n    total = first + {i}\n    return total - second\n" for i in range(20)
]


@pytest.fixture
def tokenizer():
    return CodeTokenizer.load(DEFAULT)


@pytest.fixture
def corpus(tmp_path, tokenizer):
    folder = tmp_path / "corpus"
    folder.mkdir()
    pack_regions(folder, CODE, tokenizer)
    pack_pairs(folder / "refactored.jsonl", [], tokenizer)
    rows = [json.dumps({"source": "s", "kind": "function", "text": text}) for text in CODE]
    (folder / "held_out.jsonl").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture
def model(tmp_path, tokenizer):
    """A checkpoint of random weights that edits without being asked twice."""
    torch.manual_seed(0)
    network = Network(ModelConfig(tokenizer.size, width=32, layers=2, heads=4, kv_heads=2, hidden=64))
    network.requires_grad_(False)
    network.embedding.weight.mul_(20)
    network.scope.weight.zero_()
    network.scope.bias.fill_(20.0)  # it takes up whatever it is asked
    for layer in network.layers:
        layer.out.weight.mul_(20)
    save(tmp_path / "model", network, tokenizer, {"threshold": 0.5, "recipes": ["fix"]})
    return tmp_path / "model"


@pytest.mark.slow
def test_a_head_is_trained_and_measured(seed, corpus, model, tmp_path):
    out, report = tmp_path / "headed", tmp_path / "report.json"
    done = seed(*map(str, ("train", "exit", model, "--corpus", corpus, "--out", out, "--questions", 12)))
    assert done.code == 0, done.err
    assert done.out.decode().splitlines()[-1] == str(out)
    assert b"precision" in done.out
    held_out = corpus / "held_out.jsonl"
    asked = ("--held-out", held_out, "--count", "2", "--each", "1", "--model", out, "--out", report)
    done = seed(*map(str, ("eval", "exit", *asked)))
    assert done.code == 0, done.err
    assert b"recipes: final where the head says so" in done.out
    found = json.loads(report.read_text())
    assert found["suite"] == "exit"
    assert found["costs"]["repair_forwards_per_edit_with"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("train", "exit", "nowhere"), 3, "there is no model folder nowhere"),
        (("train", "exit", str(DEFAULT), "--corpus", "nowhere"), 2, "holds no packed corpus"),
        (("train", "exit", str(DEFAULT), "--out", "."), 2, "exists already"),
        (("train", "exit", str(DEFAULT), "--precision", "2"), 2, "--precision"),
        (("eval", "exit", "--held-out", "nowhere"), 2, "there is no nowhere"),
    ],
)
def test_a_wrong_wish_is_named(seed, arguments, code, words):
    done = seed(*arguments)
    assert done.code == code
    assert words in done.err
    assert done.out == b""


@pytest.mark.slow
def test_a_checkpoint_without_a_head_is_named(seed, corpus, model):
    asked = ("--held-out", corpus / "held_out.jsonl", "--count", 1, "--model", model)
    done = seed(*map(str, ("eval", "exit", *asked)))
    assert done.code == 3
    assert "has no exit head" in done.err
