"""A network so small that a hundred answers take a second, and so sure of itself at times that thresholds matter."""

import random

import pytest
import torch

from engine.checkpoints.families.family import Ids
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.sampling.rules.writing import Writing

VOCABULARY, MASK, STOP, INSERT, DELETE = 24, 23, 22, 21, 20
IDS = Ids(mask=MASK, stops=(STOP,), pad=0, delete=DELETE, insert=INSERT)
"""Only a rule that deletes and inserts takes those two for anything but text."""


@pytest.fixture(scope="session")
def tiny():
    torch.manual_seed(3)
    config = ModelConfig(
        VOCABULARY, width=16, layers=2, heads=2, kv_heads=1, hidden=24, max_tokens=256, tied=False
    )
    network = Network(config).eval().requires_grad_(False)
    for layer in network.layers:
        layer.out.weight.mul_(60)  # attention matters
        layer.down.weight.mul_(20)
    network.embedding.weight.mul_(25)
    network.head.weight.mul_(50)  # some tokens are sure, others not
    return network


def cases(number=100, most=(4, 11), prompt=(1, 9), seed=0):
    """What is asked, at random."""
    source = random.Random(seed)
    return [
        Writing(
            [source.randrange(VOCABULARY - 2) for _ in range(source.randint(*prompt))], source.randint(*most)
        )
        for _ in range(number)
    ]
