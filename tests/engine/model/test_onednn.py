import copy

import pytest
import torch

from engine.model.cache import KeyValues
from engine.model.int8 import quantize
from engine.model.network import Network
from engine.model.onednn import order, rounded


@pytest.fixture(scope="module")
def read(network, tokenizer):
    ids = torch.tensor([tokenizer.encode("def f(x):\n    return x + 1\n")])
    return ids, torch.arange(ids.shape[1])[None]


def logits(network: Network, read) -> torch.Tensor:
    with torch.inference_mode():
        return network.logits(network(*read, None)).float()


def near(found, wanted, share):
    """Whether the root mean square of the differences is at most a share of that of what is wanted."""
    return (found - wanted).square().mean().sqrt() <= share * wanted.square().mean().sqrt()


def test_packed_products_are_the_same_but_for_rounding(network, read):
    exact = logits(network, read)
    plain = copy.deepcopy(network).bfloat16()
    packed = order(copy.deepcopy(plain))
    assert near(logits(plain, read), exact, 0.05)
    assert near(logits(packed, read), exact, 0.05)
    assert packed.parameter_count() == plain.parameter_count()


def test_float32_is_left_as_it_is(network):
    made = copy.deepcopy(network)
    assert list(order(made).state_dict()) == list(network.state_dict())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_int8_says_about_the_same(network, read, dtype):
    made = quantize(copy.deepcopy(network).to(dtype))
    assert near(logits(made, read), logits(network, read), 0.1)
    assert made.embedding.weight.dtype == torch.int8
    assert made.compute_dtype == dtype


def test_keys_and_values_in_set_aside_memory_are_those_of_one_reading(network, read):
    ids, positions = read
    with torch.inference_mode():
        ones = torch.ones(1, ids.shape[1], ids.shape[1], dtype=torch.bool).tril()
        whole = network(ids, positions, ones)
        layers = []
        parts = [network(ids[:, :2], positions[:, :2], ones[:, :2, :2], keep=layers)]
        cache = KeyValues(layers, room=1)  # too little: it grows
        for i in range(2, ids.shape[1]):
            network(ids[:, i : i + 1] * 0, positions[:, i : i + 1], None, cache)  # written, but not kept
            parts.append(network(ids[:, i : i + 1], positions[:, i : i + 1], None, cache))
            cache.keep(1)
    assert cache.length == ids.shape[1]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [1, 7, 17, 33, 100])
@pytest.mark.parametrize("pack", [order, quantize])
def test_what_is_read_besides_to_round_the_number_of_tokens_changes_nothing(network, pack, count):
    ids, positions = torch.arange(300, 300 + 2 * count).view(2, -1), torch.arange(count).expand(2, -1)
    found = []
    for rounds in (True, False):
        made = pack(copy.deepcopy(network).bfloat16())
        if not rounds:
            made.rounded = int
        with torch.inference_mode():
            features = made(ids, positions, None)
            found.append((features, made.logits(features), made.logits(features[0])))
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other)


def test_numbers_of_tokens_are_rounded_up_by_at_most_an_eighth():
    assert [rounded(n) for n in (1, 15, 16, 17, 18, 100, 257, 1000)] == [1, 15, 16, 18, 18, 104, 288, 1024]
    for n in range(1, 3000):
        assert n <= rounded(n) <= max(16, n * 9 / 8)
        assert rounded(rounded(n)) == rounded(n)
    assert len({rounded(n) for n in range(1, 1025)}) == 64
