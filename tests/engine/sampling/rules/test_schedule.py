import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.checkpoints.families.family import Rule
from engine.sampling.rules.schedule import evenly, over_time, schedule


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 200))
def test_every_mask_has_its_step(masks, steps):
    for counts in (evenly(masks, steps), over_time(masks, steps)):
        assert len(counts) == steps
        assert sum(counts) == masks
        assert min(counts) >= 0


def test_what_is_over_comes_first():
    assert evenly(10, 4) == [3, 3, 2, 2]
    assert evenly(2, 4) == [1, 1, 0, 0]


def test_a_schedule_by_time_begins_with_nothing():
    """The share of the first step is just below one mask of as many as there are steps, and is rounded down."""
    counts = over_time(64, 64)
    assert counts[0] == 0
    assert max(counts) == 2


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        (Rule("scheduled"), [1, 1, 1]),
        (Rule("scheduled", steps=2), [2, 1]),
        (Rule("scheduled", steps=9), [1, 1, 1]),
        (Rule("scheduled", schedule="block"), [1] * 8),
        (Rule("scheduled", schedule="block", steps=4), [2] * 4),
        (Rule("scheduled", schedule="time"), [0, 1, 2]),
    ],
)
def test_what_is_spread_over_the_steps(rule, counts):
    assert schedule(rule, 8, 3) == counts
