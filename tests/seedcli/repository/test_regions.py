from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcli.errors import TargetError
from seedcli.repository.regions import find_symbol, lines_region, parses, regions_of
from seedcli.repository.source import SourceFile

_TEXT = dedent(
    '''\
    """Doc."""
    import os

    # About f.
    def f():
        return 1


    X = 2
    Y = 3
    class C:
        limit = 3

        @property
        def m(self):
            return self._m

        @m.setter
        def m(self, value):
            self._m = value

        def n(self):
            pass

    if X:
        def g():
            pass
    print(X)
    '''
)


def _source(text: str, name: str = "a.py") -> SourceFile:
    return SourceFile(Path("/r") / name, name, text.encode(), text, "utf-8", b"\n", "")


def test_regions_of_python() -> None:
    found = [(r.kind, r.symbol, r.start + 1, r.end) for r in regions_of(_source(_TEXT))]
    assert found == [
        ("module", "", 1, 4),
        ("function", "f", 5, 6),
        ("module", "", 9, 10),
        ("method", "C.m", 14, 16),
        ("method", "C.m", 18, 20),
        ("method", "C.n", 22, 23),
        ("function", "g", 26, 27),
        ("module", "", 28, 28),
    ]


def test_text_is_whole_lines() -> None:
    assert find_symbol(_source("def f():\n    return 1"), "f").text == "def f():\n    return 1\n"


def test_another_language_is_one_region() -> None:
    [region] = regions_of(_source("fn f() {}\nfn g() {}", "a.rs"))
    assert (region.kind, region.start, region.end) == ("file", 0, 2)


@pytest.mark.parametrize(
    ("symbol", "lines"), [("f", (5, 6)), ("C", (11, 23)), ("C.n", (22, 23)), ("n", (22, 23)), ("g", (26, 27))]
)
def test_find_symbol(symbol: str, lines: tuple[int, int]) -> None:
    region = find_symbol(_source(_TEXT), symbol)
    assert (region.start + 1, region.end) == lines


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("C.nn", r"did you mean C\.n, C\.m\?"),
        ("fn", "did you mean"),
        ("zzzzzz", "it has C, C.m, C.n, f, g"),
        ("C.m", r"more than once \(C.m 14-16, C.m 18-20\)"),
    ],
)
def test_find_symbol_helps(symbol: str, words: str) -> None:
    with pytest.raises(TargetError, match=words):
        find_symbol(_source(_TEXT), symbol)


def test_symbols_of_other_languages_need_their_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    source = _source("struct A;\nimpl A {\n  fn f() {}\n}\n", "a.rs")
    assert find_symbol(source, "A.f").text == "  fn f() {}\n"
    monkeypatch.setattr("seedcli.repository.regions.grammar_of", lambda _: None)
    with pytest.raises(TargetError, match=r"install seedcli\[languages\], or give lines, as a\.rs:START-END"):
        find_symbol(source, "A.f")
    with pytest.raises(TargetError, match=r"cannot be read; give lines, as notes\.txt:START-END"):
        find_symbol(_source("f\n", "notes.txt"), "f")


@pytest.mark.parametrize(("start", "end"), [(0, 3), (2, 3), (1, 1), (-1, 1)])
def test_lines_must_exist(start: int, end: int) -> None:
    with pytest.raises(TargetError, match="has 2 lines"):
        lines_region(_source("a\nb\n"), start, end)


@pytest.mark.parametrize(
    ("text", "name", "sound"),
    [
        ("x = 1\n", "a.py", True),
        ("x = = 1\n", "a.py", False),
        ("x = = 1\n", "a.js", True),
        ("'\\d'\n", "a.py", True),
        ("x\0", "a.py", False),
        ("def f(a, a): pass\n", "a.py", False),
        ("return 1\n", "a.py", False),
        ("(" * 5000, "a.py", False),
    ],
)
def test_parses(text: str, name: str, sound: bool) -> None:
    assert parses(text, name) is sound


_LINES = st.sampled_from(
    [
        "def f():",
        "    def g(self):",
        "class C:",
        "    x = 1",
        "        return (",
        ")",
        '"""',
        "    '''",
        "x = 1",
        "",
        "# c",
        "    # c",
        "@d",
        "    @d(",
        "async def f(a):",
        "if x:",
        "else:",
        "        pass",
        "dfe f(x):",
        "\tpass",
        " x",
    ]
)


@given(st.lists(_LINES, max_size=20))
def test_regions_are_disjoint_and_inside_whatever_the_text(lines: list[str]) -> None:
    source = _source("\n".join(lines))
    position = 0
    for region in regions_of(source):
        assert position <= region.start < region.end <= len(lines)
        assert region.text == "".join(line + "\n" for line in lines[region.start : region.end])
        position = region.end
