import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.training.peak import measured_peak, operations


def test_the_count_is_what_a_step_computes():
    network = Network(ModelConfig(64, width=32, layers=2, heads=2, kv_heads=1, hidden=48))
    ids = torch.zeros(3, 40, dtype=torch.int64)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        features = network(ids, torch.arange(40).expand(3, 40), None)
        network.logits(features).sum().backward()
    assert operations(network, 40, 1.0) * ids.numel() == counter.get_total_flops()


def test_a_device_has_a_peak():
    peak = measured_peak(torch.device("cpu"))
    assert peak > 1e8
    assert measured_peak(torch.device("cpu")) == peak  # the same for a whole run
