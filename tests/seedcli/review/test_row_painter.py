from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from seedcli.patches.patch import Patch, file_patch
from seedcli.review.decisions import Decisions, Place
from seedcli.review.file_text import FileText
from seedcli.review.highlight import tokens_of
from seedcli.review.row_painter import STYLES, Gutter, RowPainter, fit
from seedcli.review.stream import Stream
from seedcli.review.visible_text import is_hidden

WIDTH = 44
PALETTE = {name: Style(color=f"color({number + 16})") for number, name in enumerate(STYLES)}


def painted(patch, *, accept=(), both_sides=True):
    """Every row of the patch, as styled text."""
    decisions = Decisions(patch)
    for place in accept:
        decisions.accept(place)
    texts = [FileText(file) for file in patch.files]
    tokens = {
        index: tuple(tokens_of(file.path, side or b"", "utf-8") for side in (file.old, file.new))
        for index, file in enumerate(patch.files)
    }
    gutter = Gutter(3, both_sides)
    stream = Stream(texts, WIDTH - gutter.width)
    painter = RowPainter(decisions, texts, tokens, gutter, PALETTE.__getitem__)
    return [painter.paint(stream.row(number), WIDTH, stream.width) for number in range(stream.height)]


def pieces(text, name):
    """The parts of a row in one style."""
    return [text.plain[span.start : span.end] for span in text.spans if span.style == PALETTE[name]]


def test_rows_of_a_small_patch():
    patch = Patch((file_patch("a.py", b"x = 1\ny = f(2)\n", b"x = 1\ny = f(3)\n"),))
    rows = [row.plain.rstrip() for row in painted(patch)]
    assert rows == [
        " a.py                                 +1 -1",
        "▌ ○ hunk 1 of 1",
        "▌  1   1   x = 1",
        "▌  2     - y = f(2)",
        "▌      2 + y = f(3)",
        "",
    ]
    one_column = [row.plain.rstrip() for row in painted(patch, both_sides=False)]
    assert one_column[2:5] == ["▌  1   x = 1", "▌  2 - y = f(2)", "▌  2 + y = f(3)"]


def test_changed_words_and_syntax_lie_over_each_other():
    patch = Patch((file_patch("a.py", b"if x: y = 2\n", b"if x: y = 3\n"),))
    removed = painted(patch)[2]
    assert pieces(removed, "removed-word") == ["2"]
    assert pieces(removed, "number") == ["2"]
    assert pieces(removed, "keyword") == ["if"]


def test_spans_are_where_the_text_is_after_tabs_and_escapes():
    patch = Patch((file_patch("a.py", "\tif a\u202e: y = 2\n".encode(), "\tif a\u202e: y = 3\n".encode()),))
    added = painted(patch)[3]
    assert pieces(added, "added-word") == ["3"]
    assert pieces(added, "escape") == [r"\u202e"]
    assert pieces(added, "tab") == ["→   "]


def test_rejected_hunks_lose_their_colours_but_not_their_escapes():
    patch = Patch((file_patch("a.py", b"x = 1\n", "x = '\u202e'\n".encode()),))
    decisions = Decisions(patch)
    decisions.reject(Place(0, 0))
    text = FileText(patch.files[0])
    stream = Stream([text], WIDTH)
    painter = RowPainter(decisions, [text], {}, Gutter(3, False), PALETTE.__getitem__)
    row = painter.paint(stream.row(3), WIDTH, stream.width)
    assert row.style == PALETTE["set-aside"]
    assert pieces(row, "escape") == [r"\u202e"]


def test_long_names_lose_the_part_that_matters_least():
    assert fit("src/very/long/name.py", 9, keep_end=True) == "…/name.py"
    assert fit("def name(argument)", 9) == "def name…"
    assert fit("日本語", 5) == "日本…"
    assert fit("abc", 5) == "abc  "
    assert fit("abc", 0) == ""


contents = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.sampled_from([b"def f(x):\r", b"\tif a == 1:", "日本語\u0301\u202e = 'é'".encode()]),
    ),
    max_size=5,
).map(b"\n".join)


@settings(max_examples=60, deadline=None)
@given(contents, contents, st.text(min_size=1, max_size=60))
def test_every_row_of_any_bytes_fills_the_width_and_hides_nothing(old, new, name):
    patch = Patch((file_patch(name, old, new, notes=(name,)), file_patch("new.py", None, new)))
    for row in painted(patch, accept=[Place(1, 0)]):
        assert row.cell_len == WIDTH
        assert not any(is_hidden(character) for character in row.plain)
