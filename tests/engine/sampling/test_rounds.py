import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.diffusion.levenshtein import RUN, EditIds, label
from engine.sampling.rounds import View, advance, change_probability, clean_up

IDS = EditIds(mask=0, delete=1, insert=2, end=3)


def view_of(canvas, labels, sure=0.9):
    """A model that answers `labels`: changes with probability `sure`, what stays with 0.99."""
    row = [*canvas, IDS.end]
    stays = [t == e for t, e in zip(row, labels, strict=True)]
    low = min(1 - sure, 0.4)
    keep = [0.0 if t == IDS.mask else 0.99 if s else low for t, s in zip(row, stays, strict=True)]
    return View(keep, labels, [0.99 if s else sure for s in stays])


tokens = st.lists(st.integers(4, 9), max_size=20)


@given(tokens, tokens, st.sampled_from([0.04, 0.6, 0.95]))
def test_a_model_that_knows_the_labels_reaches_the_target(canvas, target, sure):
    round_ = 0
    while canvas != target:
        canvas = advance(canvas, view_of(canvas, label(canvas, target, IDS), sure), IDS, 0.2, round_).canvas
        round_ += 1
        assert round_ < 4 * len(target) + 30
    assert (
        advance(canvas, view_of(canvas, label(canvas, target, IDS), sure), IDS, 0.2, round_).canvas == target
    )


@given(tokens, tokens)
def test_below_the_threshold_nothing_changes(canvas, target):
    view = view_of(canvas, label(canvas, target, IDS), 0.6)  # so 0.6 sure that something must change
    assert advance(canvas, view, IDS, 0.7, 0).canvas == canvas


@pytest.mark.parametrize("threshold", [0.0, 0.005, 0.1, 0.5])
def test_a_low_threshold_keeps_gaps_apart(threshold):
    canvas, labels = [4, 5, 6, 7], [4, 9, 6, 7, IDS.end]
    view = View([0.98, 0.3, 0.98, 0.98, 0.98], labels, [0.98, 0.7, 0.98, 0.98, 0.98])
    assert advance(canvas, view, IDS, threshold, 0, least=0.2).canvas == [4, 9, 6, 7]


def test_a_gap_that_the_model_cannot_write_yet_is_masked_as_a_whole():
    view = View([0.9, 0.01, 0.02, 0.9, 1.0], [4, 8, 9, 7, 3], [0.9, 0.03, 0.04, 0.9, 1.0])
    assert advance([4, 5, 6, 7], view, IDS, 0.7, 0).canvas == [4, *[IDS.mask] * (2 + RUN), 7]


def test_late_rounds_open_no_gap():
    view = View([0.9, 0.01, 0.9, 1.0], [4, 8, 7, 3], [0.9, 0.03, 0.9, 1.0])
    step = advance([4, 5, 7], view, IDS, 0.7, 9)
    assert (step.canvas, step.edited) == ([4, 8, 7], (1,))


def test_an_unsure_insert_keeps_the_token_behind_it():
    view = View([0.9, 0.02, 1.0], [4, IDS.insert, 3], [0.9, 0.04, 1.0])
    assert advance([4, 5], view, IDS, 0.7, 0).canvas == [4, *[IDS.mask] * RUN, 5]


def test_at_least_one_mask_is_filled():
    view = View([0.0, 0.0, 1.0], [5, 6, 3], [0.2, 0.3, 1.0])
    assert advance([IDS.mask, IDS.mask], view, IDS, 0.7, 0).canvas == [IDS.mask, 6]


def test_edits_of_one_gap_are_taken_or_left_together():
    # The second token alone is below the threshold, but it stands in one gap with the first.
    view = View([0.1, 0.45, 0.9, 1.0], [7, IDS.delete, 6, 3], [0.9, 0.55, 0.9, 1.0])
    assert advance([4, 5, 6], view, IDS, 0.7, 0).canvas == [7, 6]


def test_clean_up_leaves_no_mask():
    view = View([0.0, 0.1, 0.0, 1.0], [5, 9, IDS.delete, 3], [0.2] * 4)
    assert clean_up([IDS.mask, 4, IDS.mask], view, IDS).canvas == [5, 4]


def test_confidence_is_the_least_of_what_was_applied():
    view = View([0.1, 0.9, 0.05, 1.0], [7, 5, 8, 3], [0.8, 0.9, 0.95, 1.0])
    assert advance([4, 5, 6], view, IDS, 0.7, 0).confidence == pytest.approx(0.8)


def test_probability_of_change():
    assert change_probability(View([0.9, 0.4, 1.0], [4, 5, 3], [0.9, 0.6, 1.0])) == pytest.approx(0.6)


def test_a_token_that_must_go_for_one_of_many_is_masked():
    # Nothing beats keeping it, yet it is 70 % sure to be wrong.
    view = View([0.9, 0.3, 0.9, 1.0], [4, 5, 6, 3], [0.9, 0.3, 0.9, 1.0])
    assert advance([4, 5, 6], view, IDS, 0.6, 0).canvas == [4, *[IDS.mask] * (1 + RUN), 6]
    assert advance([4, 5, 6], view, IDS, 0.6, 9).canvas == [4, 5, 6]


def test_a_gap_whose_weakest_label_is_too_weak_stays_as_it_is():
    view = View([0.0, 0.0, 1.0, 0.0, 1.0], [7, 8, 6, 9, IDS.end], [0.9, 0.15, 1.0, 0.3, 1.0])
    canvas = [4, 5, 6, 7]
    assert advance(canvas, view, IDS, 0.7, 0, least=0.2).canvas == [4, 5, 6, 9]
    assert advance(canvas, view, IDS, 0.7, 0, least=0.1).canvas == [7, 8, 6, 9]
    # What would be masked is weaker still.
    view = View([0.0, 1.0], [7, IDS.end], [0.01, 1.0])
    assert advance([4], view, IDS, 0.7, 0).canvas == [IDS.mask] * (1 + RUN)
    assert advance([4], view, IDS, 0.7, 0, least=0.2).canvas == [4]
