import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.diffusion.levenshtein import EditIds, apply
from engine.diffusion.trajectories import distance, gains, leading, surrogate

IDS = EditIds(mask=100, delete=101, insert=102, end=103)
token = st.integers(0, 5)
text = st.lists(token, max_size=12)
canvas = st.lists(st.one_of(token, st.just(IDS.mask)), max_size=12)


@given(canvas, text)
def test_labels_round_by_round_reach_the_target(state, target):
    for _ in range(20):
        if state == target:
            return
        state = apply(state, leading(state, target, IDS), IDS)
    pytest.fail(f"{state} is not {target} after 20 rounds")


@given(text, st.data())
def test_a_target_with_masks_is_filled_in_place(target, data):
    hidden = data.draw(st.lists(st.booleans(), min_size=len(target), max_size=len(target)))
    state = [IDS.mask if hide else t for hide, t in zip(hidden, target, strict=True)]
    assert leading(state, target, IDS) == [*target, IDS.end]


def test_alignment_by_common_subsequence_alone_would_shift():
    m = IDS.mask
    assert leading([m, m, 1], [1, 2, 1], IDS) == [1, 2, 1, IDS.end]


def test_a_shorter_way_than_in_place_is_taken():
    assert leading([9, 1, 2, 3], [1, 2, 3, 4], IDS) == [IDS.delete, 1, 2, 3, IDS.insert]


@given(st.lists(text, min_size=2, max_size=6))
def test_the_surrogate_lies_between_0_and_1(states):
    assume(states[-1] != states[-2])
    assert 0 < surrogate(states) <= 1


def test_the_surrogate_falls_as_steps_grow():
    crawl = [[100] * 4, [1, 100, 100, 100], [1, 2, 100, 100], [1, 2, 3, 100], [1, 2, 3, 4]]
    jump = [crawl[0], crawl[2], crawl[4]]
    assert surrogate([crawl[0], crawl[4]]) < surrogate(jump) < surrogate(crawl)


def test_the_confirming_round_does_not_count():
    states = [[100] * 4, [1, 2, 100, 100], [1, 2, 3, 4]]
    assert surrogate([*states, states[-1]]) == surrogate(states)
    assert surrogate([states[0], states[0]]) == 0


def test_gains_are_what_bridging_saves():
    m = IDS.mask
    states = [[m, m, m, m], [1, m, m, m], [1, 2, 3, 4]]
    assert gains(states) == [1 - 1 / 4, 0.0]


def test_a_round_that_only_opens_masks_is_spared_wholly():
    m = IDS.mask
    assert gains([[7, 8], [m] * 6, [1, 2]]) == [1.0, 0.0]


def test_nothing_is_gained_from_the_end_itself():
    assert gains([[1, 2], [1], [1, 2]]) == [0.0, 0.0]


@given(text, text)
def test_distance_is_symmetric(a, b):
    assert distance(a, b) == distance(b, a)
