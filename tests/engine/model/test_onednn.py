import copy

import pytest
import torch

from engine.model.cache import KeyValues
from engine.model.int8 import quantize
from engine.model.network import Network, attend
from engine.model.onednn import attend_rounded, order, rounded


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


@pytest.mark.parametrize(("rows", "keys"), [(1, 70), (17, 17), (33, 70), (64, 64), (70, 130)])
@pytest.mark.parametrize("masked", ["not", "by row", "by batch"])
def test_attention_over_rounded_numbers_is_the_same(rows, keys, masked):
    torch.manual_seed(0)
    q, k, v = (torch.randn(2, heads, n, 8) for heads, n in ((4, rows), (2, keys), (2, keys)))
    mask = None
    if masked != "not":
        mask = torch.rand(2, 1, rows if masked == "by row" else 1, keys) < 0.5
        mask[..., 0] = True
    torch.testing.assert_close(attend_rounded(q, k, v, mask), attend(q, k, v, mask))


def test_numbers_of_tokens_are_rounded_up_by_at_most_a_quarter():
    assert [rounded(n) for n in (1, 8, 9, 15, 16, 17, 100, 257, 1000)] == [
        1,
        8,
        10,
        16,
        16,
        20,
        112,
        320,
        1024,
    ]
    for n in range(1, 3000):
        assert n <= rounded(n) <= max(8, n * 5 / 4)
        assert rounded(rounded(n)) == rounded(n)
    assert len({rounded(n) for n in range(1, 1025)}) == 36
