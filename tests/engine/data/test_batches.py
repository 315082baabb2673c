import random

import pytest
import torch

from engine.data.batches import BatchMaker, Bins, collate, visible
from engine.data.examples import CHANGED, KEPT, MASKED, ExampleMaker, Noise
from engine.data.store import PairStore, RegionStore, TextPair, pack_pairs, pack_regions
from engine.diffusion.layout import CANVAS_BLOCK, canvas_blocks
from engine.errors import DataError

SHORT = "def add_{0}(first, second):\n    return first + {0} * second\n"
LONG = "def long_{0}(x):\n" + "".join(f"    x = x * {{0}} + {i}\n" for i in range(40))
MIXTURE = {
    "masked": 1,
    "edited": 1,
    "defective": 3,
    "refactored": 1,
    "committed": 1,
    "refused": 1,
    "infilled": 1,
    "generated": 1,
}


@pytest.fixture(scope="module")
def batches(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("stores")
    texts = [SHORT.format(i) for i in range(40)] + [LONG.format(i) for i in range(20)]
    pack_regions(folder, texts, tokenizer)
    words = {"old": "first", "new": "left"}
    renamed = [TextPair(t, t.replace("first", "left"), recipe="rename", variables=words) for t in texts[:40]]
    pack_pairs(folder / "refactored.jsonl", renamed, tokenizer)
    pack_pairs(
        folder / "committed.jsonl", [TextPair(t, t + "\n", subject="add a line") for t in texts], tokenizer
    )
    pairs = {name: PairStore(folder / f"{name}.jsonl") for name in ("refactored", "committed")}
    maker = ExampleMaker(tokenizer)
    return BatchMaker(maker, tokenizer.decode, RegionStore(folder), pairs, tokens=2048, scored=512, seed=3)


@pytest.fixture
def bins(tokenizer):
    """Two bins with seven examples of different kinds and lengths."""
    maker, rng = ExampleMaker(tokenizer), random.Random(1)
    clean = [tokenizer.encode(SHORT.format(i) * (1 + i)) for i in range(4)]
    made = Bins(2, 256)
    for example in (
        maker.masked(clean[2], Noise(), rng),
        maker.edited(clean[3], rng),
        maker.edited(clean[1], rng),
        maker.masked(clean[0], Noise(), rng),
        maker.refused(clean[1], rng),
        maker.generated(SHORT.format(1), Noise(), 120, rng),
        maker.infilled(SHORT.format(2), 80, rng),
    ):
        assert made.put(example)
    assert max(map(len, made.examples)) > 1
    return made


def test_a_batch_is_a_function_of_its_index(batches):
    one, other = (batches.batch(5, MIXTURE) for _ in range(2))
    for name in one.__slots__:
        assert torch.equal(torch.as_tensor(getattr(one, name)), torch.as_tensor(getattr(other, name)))
    assert not torch.equal(one.ids_BL[:, :16], batches.batch(6, MIXTURE).ids_BL[:, :16])


@pytest.mark.parametrize("index", range(6))
def test_little_of_a_batch_is_padding(batches, index):
    batch = batches.batch(index, MIXTURE)
    assert batch.ids_BL.numel() == 2048
    assert batch.tokens == int((batch.examples_BL > 0).sum()) > 0.85 * 2048


def test_examples_lie_one_after_another_and_count_from_0(bins, tokenizer):
    batch = collate(bins, 4096, random.Random(2))
    for b, row in enumerate(bins.examples):
        start = 0
        for number, example in enumerate(row, 1):
            here = slice(start, start + example.length)
            assert batch.ids_BL[b, here].tolist() == [*example.prefix.ids, *example.canvas]
            positions = list(range(example.length))
            if example.positions:
                positions[len(example.prefix.ids) :] = example.positions
            assert batch.positions_BL[b, here].tolist() == positions
            assert set(batch.examples_BL[b, here].tolist()) == {number}
            blocks = example.blocks or canvas_blocks(len(example.canvas), 0)
            assert batch.blocks_BL[b, here].tolist() == [*example.prefix.blocks, *blocks]
            start += example.length
        assert not batch.examples_BL[b, start:].any()
    assert len(batch.scope_E) == 7
    marks = batch.ids_BL.flatten()[batch.scope_E].unique().tolist()
    assert marks == [tokenizer.controls.region]


def test_every_weighted_label_is_scored_where_its_token_lies(bins):
    batch = collate(bins, 4096, random.Random(2))
    taken = batch.weights_S > 0
    found = sorted(zip(batch.scored_S[taken].tolist(), batch.labels_S[taken].tolist(), strict=True))
    expected = []
    for b, row in enumerate(bins.examples):
        start = 0
        for example in row:
            first = b * bins.length + start + len(example.prefix.ids)
            expected += [(first + i, example.labels[i]) for i, w in enumerate(example.weights) if w]
            start += example.length
    assert found == sorted(expected)


def test_with_little_room_what_changes_is_scored_first(bins):
    whole = collate(bins, 4096, random.Random(2))
    must = int(((whole.sorts_S != KEPT) & (whole.weights_S > 0)).sum())
    tight = collate(bins, must + 4, random.Random(2))
    taken = tight.weights_S > 0
    sorts = tight.sorts_S[taken].tolist()
    assert sorts.count(MASKED) + sorts.count(CHANGED) == must
    assert sorts.count(KEPT) == 4
    kept = (whole.sorts_S == KEPT) & (whole.weights_S > 0)
    least = whole.weights_S[kept].min()
    assert (tight.weights_S[taken & (tight.sorts_S == KEPT)] > least).all()


def test_what_changes_weighs_the_same_in_all_where_there_is_no_room_for_it(bins):
    whole = collate(bins, 4096, random.Random(2))
    weights = dict(zip(whole.scored_S.tolist(), whole.weights_S.tolist(), strict=True))
    must = int(((whole.sorts_S != KEPT) & (whole.weights_S > 0)).sum())
    tight = collate(bins, must // 3, random.Random(2))
    assert (tight.sorts_S != KEPT).all()
    for place, weight in zip(tight.scored_S.tolist(), tight.weights_S.tolist(), strict=True):
        assert weight == pytest.approx(weights[place] * must / (must // 3))


def test_a_packed_example_is_read_as_if_alone(bins, network):
    """Packed = single: nothing leaks between the examples of a bin."""
    batch = collate(bins, 512, random.Random(2))
    mask = visible(batch.blocks_BL, batch.examples_BL)
    together = network(batch.ids_BL, batch.positions_BL, mask)
    assert not together.isnan().any()
    for b, row in enumerate(bins.examples):
        start = 0
        for example in row:
            if not example.blocks:
                ids = torch.tensor([[*example.prefix.ids, *example.canvas]])
                blocks = torch.tensor([[*example.prefix.blocks, *[CANVAS_BLOCK] * len(example.canvas)]])
                seen = blocks[:, None, :] <= blocks[:, :, None]
                alone = network(ids, torch.arange(ids.shape[1])[None], seen)
                torch.testing.assert_close(
                    together[b, start : start + example.length], alone[0], rtol=1e-4, atol=1e-4
                )
            start += example.length


def test_a_noisy_block_is_read_as_it_is_when_a_text_is_written(network, tokenizer):
    """Each by itself after the clean blocks before its twin: what it is in the sampler, whatever else is in the row."""
    maker, rng = ExampleMaker(tokenizer), random.Random(4)
    example = maker.generated(LONG.format(3), Noise(), 900, rng)
    numbers = sorted({-block for block in example.blocks})
    assert len(numbers) > 3
    row = Bins(1, 1024)
    assert row.put(maker.refused(example.prefix.ids[:30], rng))
    assert row.put(example)
    batch = collate(row, 2048, rng)
    together = network(batch.ids_BL, batch.positions_BL, visible(batch.blocks_BL, batch.examples_BL))[
        0, row.examples[0][0].length :
    ]
    count = len(example.prefix.ids)
    for number in numbers:
        own = [i for i, block in enumerate(example.blocks) if block == -number]
        before = [i for i, block in enumerate(example.prefix.blocks) if block < number]
        assert example.positions[own[0]] == len(before)
        ids = torch.tensor([[*(example.prefix.ids[i] for i in before), *(example.canvas[i] for i in own)]])
        blocks = torch.tensor([[*(example.prefix.blocks[i] for i in before), *[number] * len(own)]])
        positions = torch.arange(ids.shape[1])[None]
        alone = network(ids, positions, blocks[:, None, :] <= blocks[:, :, None])[0, len(before) :]
        found = together[[count + i for i in own]]
        torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)


def test_an_example_goes_where_it_leaves_least_room(tokenizer):
    maker = ExampleMaker(tokenizer)
    tokens = tokenizer.encode(SHORT.format(1))

    def of(count):
        return maker.masked((tokens * 10)[:count], Noise(), random.Random(0))

    made = Bins(2, 128)
    assert made.put(of(80))
    assert made.put(of(100))
    assert made.put(of(10))
    assert [len(row) for row in made.examples] == [1, 2]
    assert not made.put(of(60))


def test_a_recipe_in_the_mixture_draws_its_own_pairs(batches):
    assert batches.batch(1, {"rename": 1}).tokens > 1000
    with pytest.raises(DataError, match="idioms"):
        batches.batch(1, {"idioms": 1})
