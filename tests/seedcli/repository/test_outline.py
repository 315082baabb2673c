import ast
import random
import re
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from seedcli.repository.outline import Definition, outline
from tests.seedcli.repository.damage import KINDS, Function


def _outline(text: str) -> list[tuple[str, str, int, int]]:
    return [(d.kind, d.symbol, d.start, d.end) for d in outline(dedent(text).lstrip("\n"))]


def test_functions_methods_classes() -> None:
    assert _outline(
        """
        @decorated(
            1,
        )
        async def f():
            def inner():
                pass
            # its own comment

        # not its comment
        class C(Base):
            x = 1

            class D:
                @property
                def m(self): return 1
            def m(self):
                pass
        """
    ) == [
        ("function", "f", 0, 7),
        ("class", "C", 9, 17),
        ("class", "C.D", 12, 15),
        ("method", "C.D.m", 13, 15),
        ("method", "C.m", 15, 17),
    ]


def test_definitions_within_compound_statements() -> None:
    assert _outline(
        """
        try:
            import x
        except ImportError:
            def f():
                def inner():
                    pass
        else:
            class C:
                def m(self):
                    pass
        """
    ) == [
        ("block", "", 0, 10),
        ("function", "f", 3, 6),
        ("class", "C", 7, 10),
        ("method", "C.m", 8, 10),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(:\n    return 1\n\ndef g():\n    pass\n", [("f", 0, 2), ("g", 3, 5)]),
        ("def f()\n    return 1\nx = f()\n", [("f", 0, 2)]),
        ("def f():\n    x = (1,\n    return x\ny = 1\n", [("f", 0, 3)]),
        ("def f():\nx = 1\n    return x\ny = 1\n", [("f", 0, 3)]),
        ("def f():\n    x = 1\nreturn x\ny = 1\n", [("f", 0, 3)]),
        ("def f():\n    x = 1\nif x:\n        y()\n    return x\nz = 1\n", [("f", 0, 5)]),
        ('def f():\n    """Doc.""\n    return 1\n\ndef g():\n    """Doc."""\n', [("f", 0, 3), ("g", 4, 6)]),
        (
            'def f():\n    x = """\ndef no(): pass\n"""\n    y = (\n\ndef g():\n    pass\n',
            [("f", 0, 5), ("g", 6, 8)],
        ),
        (
            "dfe f(a):\n    return a\n\nclas C:\n    def m(self):\n        pass\n",
            [("f", 0, 2), ("C", 3, 6), ("C.m", 4, 6)],
        ),
        ("def f():\ndef f():\n    pass\n", [("f", 0, 3)]),
        ("def (a):\n    return a\n", [("", 0, 2)]),
        (
            "class C:\n    def a(self):\n        return (1\n    def b(self):\n        pass\n",
            [("C", 0, 5), ("C.a", 1, 3), ("C.b", 3, 5)],
        ),
        ("def f():\n    pass\n\nX = [1, 2\n\ndef g():\n    pass\n", [("f", 0, 2), ("g", 5, 7)]),
        ("if x\n    def f():\n        pass\n", [("", 1, 3), ("f", 1, 3)]),
        ("x = = 1\n", []),
        ("", []),
    ],
)
def test_defective_text(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert [(d.symbol, d.start, d.end) for d in outline(text)] == expected


def _functions(rng: random.Random) -> Iterator[tuple[str, Definition]]:
    """Functions of the standard library with the text of their files: at most three of a file."""
    files = sorted(Path(sysconfig.get_paths()["stdlib"]).rglob("*.py"))
    rng.shuffle(files)
    for file in files:
        text = file.read_bytes().decode("utf-8", "replace")
        if len(text) > 15_000 or "\r" in text or "site-packages" in file.parts or not _parses(text):
            continue
        functions = [d for d in outline(text) if d.kind in ("function", "method")]
        for function in rng.sample(functions, min(3, len(functions))):
            yield text, function


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


def _has_same_region(text: str, function: Definition, broken: list[str]) -> bool:
    lines = text.split("\n")
    found = outline("\n".join([*lines[: function.start], *broken, *lines[function.end :]]))
    name_is_lost = not re.search(rf"\b{function.symbol.rpartition('.')[2]}\b", "\n".join(broken))
    return any(
        (d.start, d.end) == (function.start, function.start + len(broken))
        and (name_is_lost or d.symbol == function.symbol)
        for d in found
    )


@pytest.mark.slow
def test_damage_leaves_the_region_as_it_was() -> None:
    rng = random.Random(20250801)
    same: Counter[str] = Counter()
    tried: Counter[str] = Counter()
    for text, function in _functions(rng):
        lines = text.split("\n")
        whole = Function(lines[function.start : function.end], rng)
        for break_it in rng.sample(KINDS, 3):
            broken = break_it(whole)
            if broken is None or _parses(
                "\n".join([*lines[: function.start], *broken, *lines[function.end :]])
            ):
                continue
            tried[break_it.__name__] += 1
            same[break_it.__name__] += _has_same_region(text, function, broken)
        if tried.total() >= 900:
            break
    assert set(tried) == {kind.__name__ for kind in KINDS}
    # Measured: 0.995 over 1,500 cases; what is left has lost its last line, or its keyword and more.
    assert same.total() / tried.total() >= 0.985, {kind: f"{same[kind]}/{n}" for kind, n in tried.items()}
