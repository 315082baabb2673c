import torch
from torch import nn

from engine.training.average import Average


def test_the_mean_follows_what_stays():
    parameter = nn.Parameter(torch.zeros(3))
    average = Average([parameter], 0.5)
    parameter.data.fill_(8.0)
    for step in range(30):
        average.update(step)
    torch.testing.assert_close(average.values[0], torch.full((3,), 8.0))


def test_noise_is_smoothed_and_the_start_forgotten():
    torch.manual_seed(0)
    parameter = nn.Parameter(torch.full((1000,), 50.0))
    average = Average([parameter], 0.99)
    for step in range(1000):
        parameter.data.copy_(1 + torch.randn(1000))
        average.update(step)
    assert average.values[0].mean().sub(1).abs() < 0.1
    assert average.values[0].std() < 0.1
