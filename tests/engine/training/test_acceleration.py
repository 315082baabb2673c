import copy

import pytest
import torch

from engine.training.acceleration import accelerate


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_layers_say_what_plain_ones_say(network):
    made = copy.deepcopy(network)
    accelerate(made)
    ids = torch.arange(40).view(2, 20) + 300
    positions = torch.arange(20).expand(2, 20)
    mask = torch.ones(2, 20, 20, dtype=torch.bool).tril(4)
    with torch.inference_mode():
        torch.testing.assert_close(
            made(ids, positions, mask), network(ids, positions, mask), rtol=1e-4, atol=1e-4
        )
