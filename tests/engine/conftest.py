"""A tiny network with random weights, and the tokenizer of the checkpoint that comes along."""

import pytest
import torch

from engine.checkpoints.folder import DEFAULT, save
from engine.editor import Editor
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer


@pytest.fixture(scope="session")
def tokenizer():
    return CodeTokenizer.load(DEFAULT)


@pytest.fixture(scope="session")
def network(tokenizer):
    torch.manual_seed(0)
    config = ModelConfig(tokenizer.size, width=32, layers=2, heads=4, kv_heads=2, hidden=64, max_tokens=512)
    made = Network(config).eval().requires_grad_(False)
    for layer in made.layers:
        layer.out.weight.mul_(20)  # so that attention matters
    made.embedding.weight.mul_(20)
    return made


@pytest.fixture
def made(tmp_path, network, tokenizer):
    """An editor of random weights whose scope head says yes, or no."""

    def make(in_scope=True, **settings):
        bias, weight = network.scope.bias.clone(), network.scope.weight.clone()
        network.scope.bias.fill_(20.0 if in_scope else -20.0)
        network.scope.weight.zero_()
        save(tmp_path / "model", network, tokenizer, {"recipes": ["fix"], **settings})
        network.scope.bias.copy_(bias)
        network.scope.weight.copy_(weight)
        return Editor.load(tmp_path / "model", device="cpu", dtype="float32")

    return make
