import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcli.review.visible_text import decode, encoding_of, is_hidden, visible, visible_name


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (b"plain\n", "plain"),
        ("grün 日本\n".encode(), "grün 日本"),
        ("a\u202eb\n".encode(), r"a\u202eb"),
        (b"a\x1b[2Jb\n", r"a\x1b[2Jb"),
        ("a\u200bb\ufeff\n".encode(), r"a\u200bb\ufeff"),
        ("a\u00a0b\n".encode(), r"a\xa0b"),
        ("x\U000e0041\n".encode(), r"x\U000e0041"),
        ("x\ufe0f\n".encode(), r"x\ufe0f"),
        (b"caf\xe9\n", r"caf\xe9"),
        (b"\tx\n", "→   x"),
        (b"ab\tx\n", "ab→ x"),
        (b"x\r\n", "x^M"),
        (b"x\ry\n", r"x\x0dy"),
        (b"x", "x ∅ no newline at end of file"),
        (b"", " ∅ no newline at end of file"),
    ],
)
def test_what_is_shown(line, shown):
    assert visible(line).text == shown


def test_made_up_spans_are_marked():
    shown = visible("\ta\u202e\r\n".encode())
    assert [(shown.text[mark.start : mark.end], mark.kind) for mark in shown.marks] == [
        ("→   ", "tab"),
        (r"\u202e", "escape"),
        ("^M", "note"),
    ]


def test_a_written_escape_is_not_marked():
    assert not visible(rb"'\u202e'" + b"\n").has_escapes


def test_the_coding_line_is_heeded():
    data = "# -*- coding: latin-1 -*-\nx = 'é'\n".encode("latin-1")
    assert visible(data.splitlines(keepends=True)[1], encoding_of(data)).text == "x = 'é'"
    assert encoding_of(b"# coding: no-such-thing\n") == "utf-8"
    for odd in (b"unicode_escape", b"hz", b"iso2022_jp", b"utf-16", b"utf-7"):
        assert encoding_of(b"# coding: " + odd + b"\n") == "utf-8"
    assert encoding_of(b"# coding: shift_jis\n") == "shift_jis"
    assert encoding_of(b"\xef\xbb\xbfx = 1\n") == "utf-8"


def test_names_stay_on_one_row():
    assert visible_name("a\nb\x1b") == r"a\x0ab\x1b"


@given(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"") + b"\n"))
def test_nothing_hidden_is_left_of_any_bytes(line):
    shown = visible(line).text
    assert not any(is_hidden(character) for character in shown)
    assert not any(unicodedata.category(character).startswith("C") for character in shown)


@given(st.text(st.sampled_from("ab\t\u202e\u00e9\r"), max_size=12))
def test_columns_lead_from_the_line_to_what_is_shown(text):
    shown = visible(text.encode() + b"\n")
    source = decode(text.encode() + b"\n")
    for index, character in enumerate(source):
        start, end = shown.column(index), shown.column(index + 1)
        assert start < end
        if not is_hidden(character) and character != "\t":
            assert shown.text[start:end] == character
