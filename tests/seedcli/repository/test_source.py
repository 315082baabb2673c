import codecs
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedcli.errors import TargetError
from seedcli.repository.source import MAX_BYTES, SourceFile
from seedcli.repository.workspace import Workspace


def _read(root: Path, raw: bytes, name: str = "a.py") -> SourceFile:
    (root / name).write_bytes(raw)
    return SourceFile.read(Workspace(root, is_git=False), root / name)


@pytest.mark.parametrize(
    ("raw", "text", "encoding", "newline"),
    [
        (b"", "", "utf-8", b"\n"),
        (b"x = 1", "x = 1", "utf-8", b"\n"),
        (b"x = 1\r\ny\r\n", "x = 1\ny\n", "utf-8", b"\r\n"),
        (b"a\r\nb\nc\n", "a\nb\nc\n", "utf-8", b"\n"),
        (codecs.BOM_UTF8 + b"x\n", "x\n", "utf-8-sig", b"\n"),
        (b"# coding: latin-1\n'\xe9'\n", "# coding: latin-1\n'é'\n", "iso-8859-1", b"\n"),
        (
            b"#!/bin/x\n# -*- coding: cp1252 -*-\n'\x80'\n",
            "#!/bin/x\n# -*- coding: cp1252 -*-\n'€'\n",
            "cp1252",
            b"\n",
        ),
        (
            "# coding: shift_jis\n'表'\n".encode("shift_jis"),
            "# coding: shift_jis\n'表'\n",
            "shift_jis",
            b"\n",
        ),
        (b"old\rmac\n", "old\rmac\n", "utf-8", b"\n"),
    ],
)
def test_reads_what_python_reads(
    tmp_path: Path, raw: bytes, text: str, encoding: str, newline: bytes
) -> None:
    source = _read(tmp_path, raw)
    assert (source.raw, source.text, source.encoding, source.newline) == (raw, text, encoding, newline)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"x = '\xe9'\n", "not utf-8: byte 0xe9 in line 1"),
        (b"a\nb\nc = '\xff'\n", "byte 0xff in line 3"),
        (b"x\0y", "binary"),
        ("x = 1\n".encode("utf-16"), "binary"),
        (b"# coding: nonsense\n", "unknown encoding nonsense"),
        (b"# coding: hex\n", "not a text encoding"),
        (b"# coding: ascii\n'\xe9'\n", "not ascii|not utf-8"),
        (b"#" * (MAX_BYTES + 1), "split it"),
        (b"def f():\r    return 1\r", "carriage returns alone"),
        (codecs.BOM_UTF8 + b"a\rb", "carriage returns alone"),
    ],
)
def test_refuses_what_cannot_be_read_without_loss(tmp_path: Path, raw: bytes, words: str) -> None:
    with pytest.raises(TargetError, match=words) as caught:
        _read(tmp_path, raw)
    assert str(caught.value).startswith("a.py ")
    assert "\n" not in str(caught.value)


def test_a_coding_line_counts_only_in_python(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="not utf-8"):
        _read(tmp_path, b"# coding: latin-1\n\xe9\n", "a.txt")


def test_a_folder_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match="not a regular file"):
        SourceFile.read(Workspace(tmp_path, is_git=False), tmp_path)


@pytest.mark.parametrize(
    ("raw", "start", "end", "new", "expected"),
    [
        (b"a\r\nb\r\nc\r\n", 1, 2, "B\n", b"a\r\nB\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", 1, 2, "b\nb2\n", b"a\r\nb\r\nb2\r\nc\r\n"),
        (b"a\nb\r\nc\n", 0, 3, "a\nB\nc\n", b"a\nB\r\nc\n"),
        (b"a\nb\r\nc\n", 0, 3, "a\nb\nx\nc\n", b"a\nb\r\nx\r\nc\n"),
        (b"a\nb", 1, 2, "B\n", b"a\nB"),
        (b"a\nb", 1, 2, "b\nc\n", b"a\nb\nc"),
        (b"a\r\nb", 1, 2, "b\nc", b"a\r\nb\r\nc"),
        (b"a\nb\n", 1, 2, "B", b"a\nB\n"),
        (b"a\nb\n", 1, 2, "", b"a\n"),
        (b"a\nb", 1, 2, "", b"a\n"),
        (b"a\nb", 2, 2, "c\n", b"a\nb\nc"),
        (b"", 0, 0, "x\n", b"x\n"),
        (b"a", 0, 1, "", b""),
        (codecs.BOM_UTF8 + b"a\r\nb\r\n", 0, 1, "A\n", codecs.BOM_UTF8 + b"A\r\nb\r\n"),
        (b"\tif a:\n\t\tb\n", 0, 2, "\tif a:\n        b\n        c\n", b"\tif a:\n\t\tb\n\t\tc\n"),
        (b"  a\n", 0, 1, "  a\n  b\n", b"  a\n  b\n"),
        (b"a\rb\nc\n\rd\n", 1, 2, "C\n", b"a\rb\nC\n\rd\n"),
        (b"a\rb\nc\nd\r", 0, 2, "a\rb\nC\n", b"a\rb\nC\nd\r"),
        (b"a\r\r\nb\r\n", 0, 2, "a\r\nB\n", b"a\r\r\nB\r\n"),
        (b"# coding: latin-1\n'\xe9'\nx\n", 2, 3, "'\xfc'\n", b"# coding: latin-1\n'\xe9'\n'\xfc'\n"),
    ],
)
def test_replace(tmp_path: Path, raw: bytes, start: int, end: int, new: str, expected: bytes) -> None:
    assert _read(tmp_path, raw).replace(start, end, new) == expected


def test_replace_refuses_what_the_encoding_lacks(tmp_path: Path) -> None:
    source = _read(tmp_path, b"# coding: latin-1\nx\n")
    with pytest.raises(TargetError, match=r"U\+20AC"):
        source.replace(1, 2, "'€'\n")


def test_replace_refuses_to_change_the_declared_encoding(tmp_path: Path) -> None:
    source = _read(tmp_path, b"# coding: latin-1\n'\xe9'\n")
    with pytest.raises(TargetError, match="declared encoding iso-8859-1"):
        source.replace(0, 1, "# coding: utf-8\n")


_LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=8).filter(
    lambda s: "coding" not in s
)
_RAW_LINES = st.lists(st.tuples(_LINE, st.sampled_from([b"\n", b"\r\n"])), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=_RAW_LINES, bare=st.booleans(), mark=st.booleans(), new=st.lists(_LINE, max_size=6), data=st.data()
)
def test_lines_outside_and_equal_lines_keep_their_bytes(
    tmp_path: Path,
    lines: list[tuple[str, bytes]],
    bare: bool,
    mark: bool,
    new: list[str],
    data: st.DataObject,
) -> None:
    pieces = [text.encode() + ending for text, ending in lines]
    if bare and pieces:
        pieces[-1] = pieces[-1].rstrip(b"\r\n") or b"x"
    source = _read(tmp_path, (codecs.BOM_UTF8 if mark else b"") + b"".join(pieces), "a.txt")
    start = data.draw(st.integers(0, len(pieces)))
    end = data.draw(st.integers(start, len(pieces)))
    texts = source.text.split("\n")[: len(pieces)]
    # Tabs may be put for spaces; a line that is kept must survive among the new ones.
    new = [*(line.strip() for line in new), *texts[start:end][:1]]
    result = source.replace(start, end, "".join(line + "\n" for line in new))
    assert result.startswith(codecs.BOM_UTF8) == mark
    assert result.endswith(b"".join(pieces[end:]))
    if end < len(pieces):
        assert result.startswith(source.raw[: len(source.raw) - len(b"".join(pieces[start:]))])
    again = _read(tmp_path, result, "b.txt").text
    expected = "\n".join([*texts[:start], *new, *texts[end:]])
    assert again in (expected, expected + "\n")
    assert source.replace(start, end, "".join(text + "\n" for text in texts[start:end])) == source.raw


def test_thousands_of_equal_lines_take_no_time_and_keep_their_endings(tmp_path: Path) -> None:
    """Comparing each line with each would take minutes."""
    raw = b"pass\r\npass\n" * 10_000
    source = _read(tmp_path, raw)
    assert source.replace(0, 20_000, "x\n" + "pass\n" * 20_000) == b"x\r\n" + raw
    assert source.replace(0, 20_000, "pass\n" * 20_000 + "x\n") == raw + b"x\n"
    plain = _read(tmp_path, b"pass\n" * 20_000)
    assert plain.replace(0, 20_000, "x\n" + "pass\n" * 20_000 + "y\n") == b"x\n" + plain.raw + b"y\n"
