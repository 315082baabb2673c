import pytest
import torch

from engine.diffusion.layout import PADDING_BLOCK
from engine.errors import CheckpointError
from engine.model.config import ModelConfig
from engine.training.acceleration import short_attention


def blocks_mask(blocks):
    return blocks[:, None, :] <= blocks[:, :, None]


@pytest.fixture
def row():
    torch.manual_seed(1)
    ids = torch.randint(8, 500, (1, 30))
    return ids, torch.arange(30)[None], torch.tensor([[0] * 5 + [1] * 8 + [2] * 17])


def test_cached_prefix_gives_the_same_features(network, row):
    ids, positions, blocks = row
    whole = network(ids, positions, blocks_mask(blocks))
    kept = []
    network(ids[:, :13], positions[:, :13], blocks_mask(blocks[:, :13]), keep=kept)
    canvas = network(ids[:, 13:], positions[:, 13:], None, kept)
    torch.testing.assert_close(canvas, whole[:, 13:], rtol=1e-4, atol=1e-5)


def test_earlier_blocks_do_not_see_later_ones(network, row):
    ids, positions, blocks = row
    other = ids.clone()
    other[:, 13:] = 9
    a, b = (network(x, positions, blocks_mask(blocks)) for x in (ids, other))
    assert torch.equal(a[:, :13], b[:, :13])
    assert not torch.allclose(a[:, 13:], b[:, 13:])


def test_tokens_see_their_whole_block(network, row):
    ids, positions, blocks = row
    other = ids.clone()
    other[0, 29] = 9
    a, b = (network(x, positions, blocks_mask(blocks)) for x in (ids, other))
    assert not torch.allclose(a[:, 13], b[:, 13])


def test_padding_changes_nothing(network, row):
    ids, positions, blocks = row
    wide = torch.cat([ids, torch.full((1, 7), 7)], 1)
    wide_blocks = torch.cat([blocks, torch.full((1, 7), PADDING_BLOCK)], 1)
    padded = network(wide, torch.arange(37)[None], blocks_mask(wide_blocks))
    alone = network(ids, positions, blocks_mask(blocks))
    torch.testing.assert_close(padded[:, :30], alone, rtol=1e-4, atol=1e-5)


def test_attention_written_out_equals_the_kernel(network):
    torch.manual_seed(2)
    q, k, v = torch.randn(2, 4, 9, 8), torch.randn(2, 2, 9, 8), torch.randn(2, 2, 9, 8)
    mask = torch.rand(2, 1, 9, 9) > 0.4
    mask |= torch.eye(9, dtype=torch.bool)
    torch.testing.assert_close(short_attention(q, k, v, mask), network.attend(q, k, v, mask))


@pytest.mark.parametrize("wrong", [{"heads": 5}, {"kv_heads": 4}, {"layers": 0}])
def test_a_shape_without_sense_is_refused(wrong):
    with pytest.raises(CheckpointError, match=next(iter(wrong))):
        ModelConfig(100, **wrong)
