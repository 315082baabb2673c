"""Whole changes of several regions, likeliest first."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from seedcli.choices import Choice, changes

SCORES = st.lists(st.floats(0, 1), max_size=4)
CHOICES = st.lists(st.builds(Choice, SCORES, st.booleans(), st.floats(0, 1), st.booleans()), max_size=5)


def found(*choices: Choice, alone: bool = False) -> list[dict[int, int]]:
    return [dict(picks) for picks in changes(choices, alone=alone)]


def test_of_one_region_its_candidates_in_their_order() -> None:
    for stands in (True, False):
        assert found(Choice([0.3, 0.8, 0.1], stands, 0.9)) == [{0: 0}, {0: 1}, {0: 2}]


def test_guesses_are_tried_one_region_at_a_time_the_likeliest_first() -> None:
    doubtful, sound = (
        Choice([0.3, 0.1], stands=False, change=0.9),
        Choice([0.5, 0.2], stands=False, change=0.1),
    )
    assert found(sound, doubtful) == [{1: 0}, {0: 0}, {1: 1}, {0: 1}]


def test_what_the_model_stands_by_comes_first_and_stays_while_one_region_differs() -> None:
    sure, less = Choice([0.99, 0.01], stands=True, change=0.99), Choice([0.7, 0.2], stands=True, change=0.6)
    guess = Choice([0.1], stands=False, change=0.2)
    assert found(sure, less, guess) == [
        {0: 0, 1: 0},
        {0: 0},  # the region of which it is less sure may be right as it is
        {0: 0, 1: 1},
        {0: 0, 1: 0, 2: 0},
        {1: 0},
        {0: 1, 1: 0},
    ]


def test_where_something_is_wrong_one_region_changes_at_a_time() -> None:
    sure, less = Choice([0.99, 0.01], stands=True, change=0.99), Choice([0.7, 0.2], stands=True, change=0.6)
    guess = Choice([0.3], stands=False, change=0.5)
    broken = Choice([0.5, 0.1], stands=True, change=0.5, may_stay=False)
    assert found(sure, less, guess, alone=True) == [{0: 0, 1: 0}, {0: 0}, {1: 0}, {2: 0}, {0: 1}, {1: 1}]
    assert found(guess, broken, alone=True) == [{1: 0}, {0: 0, 1: 0}, {1: 1}]
    for alone in (False, True):
        assert found(sure, alone=alone) == [{0: 0}, {0: 1}]


def test_what_may_not_stay_never_does() -> None:
    conflict = Choice([0.6, 0.5], stands=True, change=0.7, may_stay=False)
    assert found(conflict, conflict) == [{0: 0, 1: 0}, {0: 1, 1: 0}, {0: 0, 1: 1}]


@given(CHOICES, st.booleans())
def test_every_candidate_is_tried_and_none_before_a_better_one_of_its_region(
    choices: list[Choice], alone: bool
) -> None:
    tried = found(*choices, alone=alone)
    assert all(tried)
    assert len({tuple(sorted(picks.items())) for picks in tried}) == len(tried)
    for i, choice in enumerate(choices):
        ranks = [picks[i] for picks in tried if i in picks]
        assert set(ranks) == set(range(len(choice.scores)))
        assert all(a < b for a, b in pairwise(dict.fromkeys(rank for rank in ranks if rank)))
        if not choice.may_stay and choice.stands and choice.scores:
            assert all(i in picks for picks in tried)
