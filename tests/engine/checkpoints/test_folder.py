import json
from dataclasses import replace

import pytest
import torch

from engine.checkpoints.folder import load, revision, save
from engine.errors import CheckpointError
from engine.model.network import Network


@pytest.fixture
def saved(tmp_path, network, tokenizer):
    save(tmp_path / "m", network, tokenizer, {"threshold": 0.6})
    return tmp_path / "m"


def test_saved_weights_give_the_same_logits(saved, network):
    loaded, _, settings = load(saved, device="cpu", dtype=torch.float32)
    again, _, _ = load(saved, device="cpu", dtype=torch.float32)
    ids = torch.arange(8, 28)[None]
    args = (ids, torch.arange(20)[None], None)
    assert torch.equal(loaded(*args), again(*args))
    # Saved as bfloat16: equal to the original's weights rounded so.
    for a, b in zip(loaded.parameters(), network.parameters(), strict=True):
        assert torch.equal(a, b.bfloat16().float())
    assert settings == {"threshold": 0.6}


def test_an_exit_head_is_saved_and_a_config_that_names_none_has_none(saved, network, tokenizer, tmp_path):
    headed = Network(replace(network.config, exit_hidden=4))
    headed.load_state_dict(network.state_dict(), strict=False)
    save(tmp_path / "headed", headed, tokenizer, {"exit_threshold": 0.9})
    loaded, _, settings = load(tmp_path / "headed", device="cpu", dtype=torch.float32)
    assert loaded.config.exit_hidden == 4
    assert torch.equal(loaded.exit.enter.weight, headed.exit.enter.weight.bfloat16().float())
    assert settings == {"exit_threshold": 0.9}

    change(saved, exit_hidden=None)  # as checkpoints were written before there were heads
    older, _, _ = load(saved, device="cpu", dtype=torch.float32)
    assert older.exit is None
    args = (torch.arange(8, 28)[None], torch.arange(20)[None], None)
    assert torch.equal(older.logits(older(*args)), loaded.logits(loaded(*args)))


def test_tokenizer_comes_back(saved, tokenizer):
    _, loaded, _ = load(saved, device="cpu", dtype=torch.bfloat16)
    assert loaded.encode("def f(): pass") == tokenizer.encode("def f(): pass")
    assert loaded.controls == tokenizer.controls


def test_revision_follows_the_weights(saved, network, tokenizer, tmp_path):
    network.scope.bias.add_(1)
    save(tmp_path / "other", network, tokenizer, {})
    network.scope.bias.sub_(1)
    assert revision(saved) != revision(tmp_path / "other")
    assert len(revision(saved)) == 12


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda m: (m / "config.json").unlink(), "config.json"),
        (lambda m: (m / "config.json").write_text("{"), "JSON"),
        (lambda m: (m / "config.json").write_text('{"model_type": "llama"}'), "no Seed model"),
        (lambda m: (m / "model.safetensors").unlink(), "model.safetensors"),
        (
            lambda m: (m / "model.safetensors").write_bytes((m / "model.safetensors").read_bytes()[:900]),
            "model.safetensors",
        ),
        (lambda m: (m / "tokenizer.json").write_text("[]"), "tokenizer.json"),
        (lambda m: change(m, layers=3), "does not fit"),
        (lambda m: change(m, exit_hidden=4), "does not fit"),
        (lambda m: change(m, width=-1), "width"),
        (lambda m: change(m, heads=None), "heads"),
        (lambda m: change(m, width=64.0), "config.json"),
        (lambda m: change(m, layers=1.5), "config.json"),
        (lambda m: change(m, vocabulary=10**30), "config.json"),
        (lambda m: change(m, seed="fix"), "`seed` is 'fix', no table"),
    ],
)
def test_a_damaged_folder_is_refused_with_its_reason(saved, damage, words):
    damage(saved)
    with pytest.raises(CheckpointError, match=words):
        load(saved, device="cpu", dtype=torch.float32)


def change(folder, **values):
    path = folder / "config.json"
    table = json.loads(path.read_text()) | values
    path.write_text(json.dumps({k: v for k, v in table.items() if v is not None}))


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        load(tmp_path / "nowhere", device="cpu", dtype=torch.float32)
