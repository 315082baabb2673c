"""A network so small that a hundred answers take a second, and so sure of itself at times that thresholds matter."""

import random

import pytest
import torch

from engine.checkpoints.families.family import Ids
from engine.model.config import ExpertsConfig, ModelConfig
from engine.model.network import Network
from engine.sampling.rules.writing import Writing

VOCABULARY, MASK, STOP, DELETE, INSERT = 24, 23, 22, 20, 9
IDS = Ids(mask=MASK, stops=(STOP,), pad=0, delete=DELETE, insert=INSERT)
"""Those of delete and insert are ones that the network below likes; to other rules they are text."""


@pytest.fixture(scope="session")
def tiny():
    return small(None)


@pytest.fixture(scope="session")
def routed():
    """The same with experts, of which three are open to a block of eight tokens."""
    return small(
        ExpertsConfig(8, 2, 24, scores="sigmoid", biased=True, block=8, block_chosen=3, dense_layers=1)
    )


def small(experts):
    torch.manual_seed(3)
    config = ModelConfig(
        VOCABULARY,
        width=16,
        layers=2,
        heads=2,
        kv_heads=1,
        hidden=24,
        max_tokens=256,
        tied=False,
        experts=experts,
    )
    network = Network(config).eval().requires_grad_(False)
    for layer in network.layers:
        layer.out.weight.mul_(60)  # attention matters
        if layer.experts is not None:
            layer.experts.down.mul_(20)
            layer.experts.router.weight.mul_(20)
        else:
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
