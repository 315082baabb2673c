import torch

from engine.model.config import ExpertsConfig
from engine.model.experts import Experts, blocks


def test_blocks_of_experts_are_runs_of_positions():
    """Finished text, a copy of its last block under way, the block after it; and another row."""
    rows = torch.tensor([[0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 8, 9], [4, 5, 6, 7, *range(8, 18)]])
    of = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7]
    assert blocks(rows, 4).tolist() == of


def test_a_block_has_the_experts_that_its_tokens_want_most():
    experts = Experts(ExpertsConfig(4, 1, 8, block=2, block_chosen=2), 4)
    with torch.no_grad():
        experts.router.weight.copy_(torch.eye(4))
    x = torch.tensor([[9.0, 0, 0, 0], [0, 2, 3, 0], [0, 2, 3, 0], [0, 0, 0, 1]])
    one = experts.route(x, torch.zeros(4, dtype=torch.int64))[0]
    assert one.flatten().tolist()[:3] == [0, 2, 2]
    assert int(one[3]) in (0, 2), "expert 3 is what it wants most, and others of the block want more"
    assert experts.route(x, torch.tensor([0, 0, 1, 1]))[0].flatten().tolist()[2:] == [2, 3]
