import itertools

from hypothesis import given
from hypothesis import strategies as st

from engine.diffusion.levenshtein import RUN, EditIds, align, apply, gaps, label

IDS = EditIds(mask=0, delete=1, insert=2, end=3)
tokens = st.lists(st.integers(4, 9), max_size=24)
canvases = st.lists(st.one_of(st.integers(4, 9), st.just(IDS.mask)), max_size=24)


@given(canvases, tokens)
def test_labels_lead_to_the_target(canvas, target):
    for _ in range(2 * len(target) + 3):
        labels = label(canvas, target, IDS)
        canvas = apply(canvas, labels, IDS)
    assert canvas == target


@given(tokens)
def test_the_target_keeps_every_token(target):
    assert label(target, target, IDS) == [*target, IDS.end]


@given(canvases, tokens)
def test_matches_ascend_and_are_equal(canvas, target):
    pairs = align(canvas, target)
    assert all(canvas[i] == target[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(pairs))


@given(tokens, tokens)
def test_alignment_is_a_longest_common_subsequence(canvas, target):
    best = [[0] * (len(target) + 1) for _ in range(len(canvas) + 1)]
    for i, a in enumerate(canvas):
        for j, b in enumerate(target):
            best[i + 1][j + 1] = best[i][j] + 1 if a == b else max(best[i][j + 1], best[i + 1][j])
    assert len(align(canvas, target)) == best[-1][-1]


@given(canvases, tokens)
def test_masks_are_never_kept(canvas, target):
    row = [*canvas, IDS.end]
    assert all(x != IDS.mask for x, y in zip(row, label(canvas, target, IDS), strict=True) if x == y)


@given(canvases, tokens)
def test_gaps_cover_what_differs(canvas, target):
    rebuilt, at = [], 0
    for gap in gaps(canvas, target):
        rebuilt += [*canvas[at : gap.start], *gap.wanted]
        at = gap.end
    assert [*rebuilt, *canvas[at:]] == target


def test_an_empty_canvas_grows_at_its_end_token():
    assert label([], [7, 8], IDS) == [IDS.insert]
    assert apply([], [IDS.insert], IDS) == [IDS.mask] * RUN


def test_surplus_slots_are_deleted():
    assert label([IDS.mask] * 3, [7], IDS) == [7, IDS.delete, IDS.delete, IDS.end]


def test_substitution_with_insertion_is_one_gap():
    assert label([4, 5, 6], [4, 7, 8, 6], IDS) == [4, 7, IDS.insert, IDS.end]
