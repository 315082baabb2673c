"""A network over several devices: main memory and the device without numbers, and real ones where there are any."""

import copy

import pytest
import torch

from engine.model.config import ExpertsConfig, ModelConfig
from engine.model.network import Network, rotary
from engine.model.packed import pack
from engine.model.placed import spread

SHAPE = {"vocabulary": 60, "width": 32, "layers": 3, "heads": 4, "kv_heads": 2, "hidden": 48}


def inputs(device="cpu"):
    ids = torch.arange(20, device=device).view(2, 10)
    mask = torch.ones(2, 10, 10, dtype=torch.bool, device=device).tril()
    return ids, torch.arange(10, device=device).expand(2, -1), mask


@pytest.mark.parametrize("packing", [None, "int8", "int4"])
@pytest.mark.parametrize("experts", [None, ExpertsConfig(count=4, chosen=2, hidden=16, shared_hidden=8)])
def test_a_fetched_layer_computes_the_same(packing, experts):
    torch.manual_seed(1)
    network = Network(ModelConfig(**SHAPE, experts=experts)).eval().requires_grad_(False)
    if packing:
        pack(network, packing, torch.float32)
        for name, buffer in network.named_buffers():
            torch.manual_seed(len(name))
            drawn = (
                torch.randint(0, 99, buffer.shape)
                if name.endswith("codes")
                else torch.rand(buffer.shape) / 50
            )
            buffer.copy_(drawn)
    spreading = copy.deepcopy(network)
    spread(spreading, "cpu", ("cpu", "elsewhere", "elsewhere"), ("cpu",) * 3)
    kept, kept_there = [], []
    wanted = network(*inputs(), keep=kept)
    assert torch.equal(spreading(*inputs(), keep=kept_there), wanted)
    for a, b in zip(kept, kept_there, strict=True):
        assert all(map(torch.equal, a, b))
    ids, positions, mask = inputs()
    longer = torch.cat([torch.ones(2, 10, 10, dtype=torch.bool), mask], dim=-1)
    more = [n(ids, positions + 10, longer, kept) for n in (network, spreading)]
    assert torch.equal(*more)


def test_what_was_fetched_is_let_go():
    network = Network(ModelConfig(**SHAPE)).eval().requires_grad_(False)
    spread(network, "cpu", ("elsewhere",) * 3, ("cpu",) * 3)
    network(*inputs())
    visits = [layer.enter.__func__.__self__ for layer in network.layers]
    assert all(p.is_meta for visit in visits for p in visit._shell.state_dict().values())
    assert not any(p.is_meta for p in network.parameters())


@pytest.mark.slow  # tensors without numbers import torch's compiler
def test_the_stream_goes_to_the_layer_and_comes_home():
    """The device without numbers takes what is sent there; nothing that is computed there could come back."""
    network = Network(ModelConfig(**SHAPE)).eval().requires_grad_(False)
    network.layers[0].to("meta")
    network.layers[2].to("meta")
    spread(network, "cpu", ("meta", "cpu", "meta"), ("meta", "cpu", "meta"))
    x, angles = torch.randn(20, 32), rotary(torch.arange(20), network.config)
    q, k, v = network.layers[0].enter(x, *angles)
    assert q.is_meta
    assert k.is_meta
    assert v.is_meta
    heads = (t[None].transpose(1, 2) for t in (q, k, v))
    assert network.attend(*heads, torch.ones(1, 1, 20, 20, dtype=torch.bool)).is_meta
    spread(network, "meta", ("meta", "cpu", "meta"), ("meta", "cpu", "meta"))
    assert not network.layers[1].enter(x, *angles)[0].is_meta
    assert network.layers[1].leave(x, torch.randn(20, 32)).is_meta


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_layers_in_main_memory_are_fetched_to_the_gpu():
    torch.manual_seed(1)
    network = Network(ModelConfig(**SHAPE)).eval().requires_grad_(False)
    wanted = copy.deepcopy(network).to("cuda")(*inputs("cuda"))
    layers = network.layers
    for name, module in network.named_children():
        if name != "layers":
            module.to("cuda")
    network.final_norm.data = network.final_norm.data.cuda()
    layers[0].to("cuda")
    spread(network, "cuda", ("cuda", "cpu", "cpu"), ("cuda",) * 3)
    torch.testing.assert_close(network(*inputs("cuda")), wanted)
