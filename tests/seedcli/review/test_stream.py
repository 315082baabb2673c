import time

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from seedcli.patches.patch import FilePatch, Patch, file_patch
from seedcli.review.decisions import Place
from seedcli.review.file_text import FileText
from seedcli.review.stream import Stream, rows_of, wrap
from seedcli.review.visible_text import visible
from tests.seedcli.review.patches import two_files


def stream_of(patch, width=60):
    return Stream([FileText(file) for file in patch.files], width)


def rows(stream):
    return [stream.row(number) for number in range(stream.height)]


def test_the_order_of_rows():
    patch = Patch((file_patch("a.py", b"a\nb\nc\n", b"a\nB\nc\n", notes=("mode changes",)),))
    shown = rows(stream_of(patch))
    assert [row.kind for row in shown] == ["file", "note", "head", "line", "line", "line", "line", "gap"]
    assert [row.line.raw for row in shown if row.line] == [b"a\n", b"b\n", b"B\n", b"c\n"]
    assert [(row.line.old_number, row.line.new_number) for row in shown if row.line] == [
        (1, 1),
        (2, None),
        (None, 2),
        (3, 3),
    ]


def test_a_file_without_hunks_has_a_head():
    patch = Patch((FilePatch("run.sh", b"x\n", b"x\n", (), ("mode changes to 100755",)),))
    assert [row.kind for row in rows(stream_of(patch))] == ["file", "note", "head", "gap"]


def test_context_between_close_hunks_is_shown_once():
    old = b"".join(b"%d\n" % i for i in range(12))
    patch = Patch((file_patch("a", old, old.replace(b"3\n", b"x\n").replace(b"8\n", b"y\n")),))
    context = [row.line.raw for row in rows(stream_of(patch)) if row.line and row.line.kind == "context"]
    assert context == [b"0\n", b"1\n", b"2\n", b"4\n", b"5\n", b"6\n", b"7\n", b"9\n", b"10\n", b"11\n"]


def test_the_heading_is_the_definition_around_the_hunk():
    old = b"class A:\n    def f(self):\n        x = 1\n        y = 2\n\nz = 3\n"
    inside, outside = (
        FileText(file_patch("a", old, old.replace(b"2", b"4"))),
        FileText(file_patch("a", old, old.replace(b"3", b"4"))),
    )
    assert inside.heading(0) == "def f(self)"
    assert outside.heading(0) == ""


def test_places_and_rows_agree():
    stream = stream_of(two_files())
    for place in (Place(0, 0), Place(0, 1), Place(0, 2), Place(1, 0)):
        assert stream.row(stream.head(place)).kind == "head"
        assert all(
            stream.row(number).place == place for number in range(stream.top(place), stream.end(place))
        )
        assert stream.row(stream.end(place)).kind == "gap"


def test_ten_thousand_lines_in_each_of_many_hunks_are_quick():
    old = b"".join(b"value_%d = %d\n" % (i, i) for i in range(10_000))
    files = tuple(file_patch(f"{i}.py", None, old) for i in range(20))
    start = time.perf_counter()
    stream = stream_of(Patch(files))
    assert stream.row(stream.height - 3).line.raw == b"value_9998 = 9998\n"
    assert time.perf_counter() - start < 5


lines = st.lists(
    st.text(st.sampled_from("ab \t日\u202e\u0301\r"), max_size=30).map(lambda text: text.encode() + b"\n"),
    max_size=6,
).map(b"".join)


@settings(max_examples=60)
@given(lines, lines, st.integers(2, 12))
def test_every_character_is_shown_once_at_any_width(old, new, width):
    if old == new:
        return
    stream = stream_of(Patch((file_patch("a.py", old, new),)), width)
    for row in rows(stream):
        if row.line is None:
            continue
        text = visible(row.line.raw).text
        starts = wrap(text, width)
        assert 0 <= row.part < len(starts) == rows_of(row.line.raw, "utf-8", width)
        pieces = [text[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]
        assert "".join(pieces) == text
        assert all(cell_len(piece) <= width for piece in pieces)
