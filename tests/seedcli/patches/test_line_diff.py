import time

from hypothesis import given
from hypothesis import strategies as st

from seedcli.patches.line_diff import changes, split_lines

_LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"}\n", b"c\r\n"]), max_size=30)


@given(old=_LINES, new=_LINES)
def test_changes_turn_old_into_new(old: list[bytes], new: list[bytes]) -> None:
    out: list[bytes] = []
    position = 0
    for i1, i2, j1, j2 in changes(old, new):
        assert position < i1 or position == i1 == 0
        out += old[position:i1]
        assert len(out) == j1
        out += new[j1:j2]
        position = i2
    assert [*out, *old[position:]] == new


@given(st.binary(max_size=50))
def test_split_loses_nothing(data: bytes) -> None:
    lines = split_lines(data)
    assert b"".join(lines) == data
    assert all(line.endswith(b"\n") for line in lines[:-1])
    assert all(line.count(b"\n") <= 1 and line for line in lines)


def test_a_moved_block_is_found_by_its_unique_lines() -> None:
    old = split_lines(b"def f():\n    return 1\n\n\ndef g():\n    return 1\n")
    new = split_lines(b"def e():\n    return 1\n\n\ndef f():\n    return 1\n\n\ndef g():\n    return 1\n")
    assert changes(old, new) == [(0, 0, 0, 4)]


def test_large_files_take_little_time() -> None:
    old = [b"%d\n" % (i % 7) for i in range(60_000)]
    new = [*old[:30_000], b"new\n", *old[30_000:]]
    start = time.perf_counter()
    assert changes(old, new) == [(30_000, 30_000, 30_000, 30_001)]
    assert changes(old, [b"x\n"] * 60_000) == [(0, 60_000, 0, 60_000)]
    assert time.perf_counter() - start < 2
