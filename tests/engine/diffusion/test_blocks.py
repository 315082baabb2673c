import random

from hypothesis import given
from hypothesis import strategies as st

from engine.diffusion.blocks import cut, noisy, noisy_block
from engine.diffusion.layout import CANVAS_BLOCK, prefix
from engine.diffusion.levenshtein import EditIds, apply, label

IDS = EditIds(mask=0, delete=1, insert=2, end=3)
tokens = st.lists(st.integers(4, 30), max_size=40)
sizes = st.integers(1, 16)


def outside(rng):
    return rng.randint(31, 40)


@given(tokens, sizes)
def test_blocks_are_whole_but_the_last(text, size):
    blocks = cut(text, size)
    assert [token for block in blocks for token in block] == text
    assert all(len(block) == size for block in blocks[:-1])
    assert len(blocks[-1]) < size


@given(tokens, sizes, st.integers(0, 2**32))
def test_every_noisy_block_leads_to_its_twin(text, size, seed):
    rng = random.Random(seed)
    clean = cut(text, size)
    chosen = sorted(rng.sample(range(len(clean)), rng.randint(1, len(clean))))
    row = noisy(clean, chosen, size, 100, IDS, outside, rng)
    assert len({len(part) for part in (row.canvas, row.labels, row.rates, row.blocks, row.positions)}) == 1
    for index in chosen:
        own = [i for i, block in enumerate(row.blocks) if block == -(CANVAS_BLOCK + 1 + index)]
        *canvas, end = (row.canvas[i] for i in own)
        assert end == IDS.end
        assert next(row.positions[i] for i in own) == 100 + index * size
        assert [row.labels[i] for i in own] == label(canvas, clean[index], IDS)
        for _ in range(2 * size + 3):
            canvas = apply(canvas, label(canvas, clean[index], IDS), IDS)
        assert canvas == list(clean[index])


def test_as_many_tokens_are_masked_as_the_rate_says():
    rng = random.Random(1)
    rows = [noisy_block(range(4, 36), 32, 0.5, IDS, outside, rng) for _ in range(300)]
    assert 0.45 < sum(row.count(IDS.mask) for row, _ in rows) / (300 * 32) < 0.55
    assert noisy_block([5, 6], 4, 1.0, IDS, outside, rng) == ([IDS.mask] * 4, 2)


def test_spare_slots_are_masked_at_rate_1_whatever_the_block_is():
    for seed in range(60):
        row = noisy([(5, 6, 7)], [0], 8, 0, IDS, outside, random.Random(seed))
        *rates, last = row.rates
        assert set(rates) <= {last, 1.0}
        always = [i for i, rate in enumerate(rates) if rate != last]
        assert always == list(range(len(rates) - len(always), len(rates)))
        assert all(row.canvas[i] == IDS.mask for i in always)
        if len(rates) == 8 and last < 1:
            assert len(always) in (4, 5, 6)  # a token more or less by an edit


def test_finished_blocks_are_numbered_after_the_instruction():
    where = prefix((), (7, 8), marks=(0, 1, 2)).then((10, 11), (), (12,))
    assert where.ids == (1, 7, 8, 2, 10, 11, 12)
    assert where.blocks == (1, 1, 1, 1, CANVAS_BLOCK, CANVAS_BLOCK, CANVAS_BLOCK + 2)
    assert where.ids[where.mark] == 2
