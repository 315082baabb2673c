import time

from hypothesis import given
from hypothesis import strategies as st

from seedcli.review.intraline import changed_words


def words(lines, spans):
    return [[line[start:end] for start, end in spans.get(i, ())] for i, line in enumerate(lines)]


def test_changed_words_of_a_changed_line():
    old, new = ["    return total + count"], ["    return total - count"]
    removed, added = changed_words(old, new)
    assert words(old, removed) == [["+"]]
    assert words(new, added) == [["-"]]


def test_lines_without_a_counterpart_have_no_spans():
    old = ["value = compute(x)", "print('debugging this')"]
    new = ["value = compute(y)"]
    removed, added = changed_words(old, new)
    assert words(old, removed) == [["x"], []]
    assert 1 not in removed
    assert words(new, added) == [["y"]]


def test_rows_of_numbers_are_not_compared_for_minutes():
    rows = [[",".join(f"{i * j % 7}.{j % 3}" for j in range(140)) for i in range(k, k + 20)] for k in (1, 2)]
    started = time.process_time()
    assert changed_words(*rows) == ({}, {})
    assert changed_words(rows[0][:1], rows[1][:1]) == ({}, {})
    assert time.process_time() - started < 5


def test_a_line_added_before_the_changed_one_is_skipped():
    old, new = ["a = first(b)"], ["# why this is done", "a = first(c)"]
    removed, added = changed_words(old, new)
    assert removed.keys() == {0}
    assert added.keys() == {1}


def test_large_hunks_are_quick():
    old = [f"value_{i} = {i}" for i in range(10_000)]
    new = [f"value_{i} = {i + 1}" for i in range(10_000)]
    start = time.perf_counter()
    changed_words(old, new[:-1])
    changed_words(old, new)
    assert time.perf_counter() - start < 3


@given(st.text(max_size=30), st.text(max_size=30))
def test_what_is_outside_the_spans_is_equal(old, new):
    removed, added = changed_words([old], [new])
    if 0 in removed:
        kept = [without(old, removed[0]), without(new, added[0])]
        assert kept[0] == kept[1]


def without(text, spans):
    for start, end in reversed(spans):
        text = text[:start] + text[end:]
    return text
