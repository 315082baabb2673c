import random

from hypothesis import given
from hypothesis import strategies as st

from engine.diffusion.corruption import between, mask_tokens, random_edits
from engine.diffusion.levenshtein import EditIds, apply, gaps, label

IDS = EditIds(mask=0, delete=1, insert=2, end=3)
tokens = st.lists(st.integers(4, 30), max_size=30)
seeds = st.integers(0, 2**32)


@given(tokens, st.floats(0, 1), seeds)
def test_masking_hides_or_keeps(sequence, rate, seed):
    masked = mask_tokens(sequence, rate, IDS.mask, random.Random(seed))
    assert all(m in (t, IDS.mask) for m, t in zip(masked, sequence, strict=True))
    assert not sequence or IDS.mask in masked


def test_masking_rate_is_met():
    masked = mask_tokens([5] * 20_000, 0.3, IDS.mask, random.Random(0))
    assert abs(masked.count(IDS.mask) / 20_000 - 0.3) < 0.02


@given(tokens, st.integers(0, 5), seeds)
def test_random_edits_are_at_most_so_many(sequence, count, seed):
    noisy = random_edits(sequence, count, lambda rng: rng.randint(31, 40), random.Random(seed))
    changes = sum(max(gap.end - gap.start, len(gap.wanted)) for gap in gaps(noisy, sequence))
    assert abs(len(noisy) - len(sequence)) <= count
    assert count or noisy == sequence
    # Levenshtein distance is at most the number of edits; an alignment by matches may count each twice.
    assert changes <= 2 * count


@given(tokens, tokens, seeds)
def test_a_state_between_still_leads_to_the_target(canvas, target, seed):
    state = between(canvas, target, IDS, random.Random(seed))
    for _ in range(2 * len(target) + 3):
        state = apply(state, label(state, target, IDS), IDS)
    assert state == target


@given(tokens, seeds)
def test_nothing_lies_between_equal_sequences(canvas, seed):
    assert between(canvas, canvas, IDS, random.Random(seed)) == canvas


@given(tokens, tokens, seeds)
def test_the_same_seed_gives_the_same_state(canvas, target, seed):
    a, b = (between(canvas, target, IDS, random.Random(seed)) for _ in range(2))
    assert a == b
