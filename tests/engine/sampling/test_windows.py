import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.diffusion.layout import prefix
from engine.diffusion.levenshtein import label
from engine.sampling.edit import EditSampler, EditSettings
from engine.sampling.rounds import View
from engine.sampling.windows import Window, windows


@given(st.integers(0, 500), st.integers(16, 120), st.data())
def test_cores_tile_a_region_and_no_window_is_too_long(length, most, data):
    starts = sorted(data.draw(st.sets(st.integers(0, length), max_size=20)))
    found = windows(length, most, most // 8, starts)
    at = 0
    for window in found:
        assert window.start + window.left == at
        at = window.end - window.right
        assert 0 <= window.start <= window.end <= length
        assert window.end - window.start <= most
    assert at == length


def test_margins_are_seen_on_both_sides_and_cores_begin_at_starts():
    first, second, third = windows(200, 100, 12, starts=[10, 80, 150])
    assert (first.left, first.right) == (0, 12)
    assert (second.left, second.right) == (12, 12)
    assert (third.left, third.right) == (12, 0)
    assert second.start + second.left == 80
    assert third.start + third.left == 150


def test_what_stands_in_margins_stays():
    window = Window(5, 11, left=2, right=1)
    row = [1, 2, 3, 4, 5, 6, 0]
    view = window.limited(row, View([0.0] * 7, [9] * 7, [1.0] * 7))
    assert view.best == [1, 2, 9, 9, 9, 6, 0]
    assert view.keep == [1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    assert window.core([1, 2, 7, 8, 6]) == [7, 8]


class Fixing(EditSampler):
    """Knows what every token should be, wherever it stands."""

    wrong, right = 300, 301

    def _seen(self, row, view):
        wanted = [self.right if token == self.wrong else token for token in row.canvas]
        labels = label(row.canvas, wanted, self._ids)
        canvas = [*row.canvas, self._ids.end]
        return View([float(a == b) for a, b in zip(canvas, labels, strict=True)], labels, view.keep)


@pytest.mark.parametrize("longest", [None, 24, 40])
def test_a_region_in_windows_is_edited_as_in_one(network, tokenizer, longest):
    c = tokenizer.controls
    made = Fixing(network, c.edits, never=c.never, pad=c.pad, longest=longest, starts=tokenizer.line_breaks)
    canvas = tokenizer.encode("def f(x):\n    y = x + 1\n    return y * 2\n" * 8)
    wrong = [Fixing.wrong if i % 9 == 4 else token for i, token in enumerate(canvas)]
    where = prefix((), tokenizer.encode("fix"), marks=c.marks)
    (outcome, alone), _ = made.run([where] * 2, [wrong, canvas], EditSettings(threshold=0.5, candidates=3))
    assert outcome.rows[0].canvas == [Fixing.right if token == Fixing.wrong else token for token in wrong]
    assert alone.rows[0].canvas == canvas
    assert all(len(row.canvas) > len(canvas) // 2 for row in outcome.rows)
