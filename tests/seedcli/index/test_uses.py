"""Renaming by the places found must leave programs that still run: each test says which places those are."""

from collections.abc import Callable

import pytest

from seedcli.errors import TargetError
from seedcli.index.store import Store
from seedcli.index.uses import Finder, Uses, Wanted
from seedcli.repository.workspace import Workspace

Write = Callable[[dict[str, str]], None]


@pytest.fixture
def find(workspace: Workspace, store: Store) -> Callable[[Wanted], Uses]:
    def found(wanted: Wanted) -> Uses:
        store.refresh()
        return Finder(store, lambda path: (workspace.root / path).read_text()).find(wanted)

    return found


Find = Callable[[Wanted], Uses]


def marked(workspace: Workspace, uses: Uses, name: str) -> dict[str, str]:
    """The files with every place found in guillemets."""
    texts = {}
    for path, spots in uses.spots.items():
        lines = (workspace.root / path).read_text().split("\n")
        for spot in reversed(spots):
            line, end = lines[spot.line], spot.column + len(name)
            assert line[spot.column : end] == name, (path, spot, line)
            lines[spot.line] = f"{line[: spot.column]}«{name}»{line[end:]}"
        texts[path] = "\n".join(lines)
    return texts


def check(workspace: Workspace, write: Write, find: Find, wanted: Wanted, expected: dict[str, str]) -> Uses:
    write({path: text.replace("«", "").replace("»", "") for path, text in expected.items()})
    uses = find(wanted)
    found = marked(workspace, uses, wanted.name)
    assert found == {path: text for path, text in expected.items() if "«" in text}
    return uses


def test_imports_aliases_and_modules(workspace: Workspace, write: Write, find: Find) -> None:
    check(workspace, write, find, Wanted("pkg/a.py", "load"), {
        "pkg/__init__.py": "from .a import «load»\nfrom pkg import a\n__all__ = ['«load»', 'loader']\n",
        "pkg/a.py": "def «load»(x):\n    return «load»(x - 1)\n\n\ndef other(load):\n    return load\n",
        "pkg/b.py": "from .a import «load» as read\nfrom . import a as m\nread(1)\nm.«load»(2)\nm.other.load\n",
        "c.py": "import pkg\nimport pkg.a\npkg.«load»(1)\npkg.a.«load»(2)\nx.load()\nload = 3\n",
        "d.py": "from pkg import «load»\n\n\ndef f():\n    load = 1\n    return load\n\n\nprint(f'{«load»(1)} load')\n",
        "e.py": "from other import load\nload()\n",
        "f.py": "from pkg.a import *\n«load»()\n",
        "g.py": "import unrelated\nunrelated.load()\nload('load')\n",
        "tests/test_a.py": "from unittest import mock\nmock.patch('pkg.a.«load»')\nmock.patch('pkg.b.load')\n# load\n",
    })  # fmt: skip


def test_scopes_decide_on_bare_names(workspace: Workspace, write: Write, find: Find) -> None:
    check(workspace, write, find, Wanted("a.py", "n"), {
        "a.py": "«n» = 1\n\n\ndef f():\n    global «n»\n    «n» += 1\n\n\n"
        "def g():\n    n = 2\n    return [n for n in (n,)]\n\n\n"
        "class A:\n    n = 3\n\n    def m(self, k=n):\n        return «n», self.n, lambda n: n\n\n\n"
        "print([«n» for q in (1,)], (lambda: «n»)(), f(n=«n»))\n",
    })  # fmt: skip


def test_members_of_one_family(workspace: Workspace, write: Write, find: Find) -> None:
    uses = check(workspace, write, find, Wanted("a.py", "Base.run"), {
        "a.py": "class Base:\n    def «run»(self):\n        return self.«run»\n\n\nclass Child(Base):\n"
        "    def «run»(self):\n        return super().«run»()\n",
        "b.py": "import subprocess\nfrom a import Child\nsubprocess.run('x')\nChild().«run»()\nrun = 1\n"
        "getattr(Child, '«run»')\n",
    })  # fmt: skip
    assert uses.unclear == []


def test_members_that_others_have_too_are_taken_where_the_object_is_known(
    workspace: Workspace, write: Write, find: Find
) -> None:
    uses = check(workspace, write, find, Wanted("a.py", "A.run"), {
        "a.py": "class A:\n    def «run»(self):\n        return self.«run»\n",
        "b.py": "class B:\n    def run(self):\n        return self.run\n",
        "c.py": "from a import A\nA.«run»\nunknown.run\n",
    })  # fmt: skip
    assert uses.unclear == ["c.py:3 unknown.run"]


def test_parameters_and_the_keywords_of_callers(workspace: Workspace, write: Write, find: Find) -> None:
    check(workspace, write, find, Wanted("a.py", "load", "path"), {
        "a.py": "def load(«path»):\n    return open(«path»)\n\n\ndef other(path):\n    return load(«path»=path)\n",
        "b.py": "import a\na.load(«path»=1)\na.other(path=2)\npath = 3\n",
    })  # fmt: skip


def test_a_parameter_of_what_makes_an_object_is_given_by_calls_of_its_class(
    workspace: Workspace, write: Write, find: Find
) -> None:
    uses = check(workspace, write, find, Wanted("a.py", "C.__init__", "x"), {
        "a.py": "class C:\n    def __init__(self, «x»):\n        self.x = «x»\n",
        "b.py": "from a import C\nC(«x»=1)\nother(x=2)\nclass D(C): pass\nD(x=3)\n",
    })  # fmt: skip
    assert uses.unclear == ["b.py:5 D(x=3)"]


def test_a_parameter_of_an_overriding_method_is_unclear(
    workspace: Workspace, write: Write, find: Find
) -> None:
    uses = check(workspace, write, find, Wanted("a.py", "A.m", "x"), {
        "a.py": (
            "class A:\n    def m(self, «x»): return «x»\n\n\nclass B(A):\n    def m(self, x): return x + x\n"
            "\n\nclass Other:\n    def n(self, x): return x\n"
        ),
    })  # fmt: skip
    assert uses.unclear == ["a.py:6 def m(self, x): return x + x"]


def test_a_captured_name_is_where_its_pattern_ends(workspace: Workspace, write: Write, find: Find) -> None:
    check(workspace, write, find, Wanted("a.py", "area", "x"), {
        "a.py": (
            "def area(p, «x»):\n    match p:\n        case Point(x=«x»):\n            return «x»\n"
            "        case [*«x»]:\n            return «x»\n        case (1 as «x»):\n            return «x»\n"
        ),
    })  # fmt: skip


def test_a_global_statement_is_not_all_of_its_line(workspace: Workspace, write: Write, find: Find) -> None:
    check(workspace, write, find, Wanted("a.py", "total"), {
        "a.py": "«total» = 0\n\n\ndef f(o):\n    global «total»; o.total = 1; «total» = 2  # total\n",
    })  # fmt: skip


def test_a_file_with_a_lone_carriage_return_counts_as_broken(
    workspace: Workspace, write: Write, store: Store
) -> None:
    write({"a.py": "def f(): pass\n"})
    (workspace.root / "b.py").write_bytes(b"from a import f\nx = 1\ry = 2\rz = f()\n")
    store.refresh()
    finder = Finder(store, lambda path: (workspace.root / path).read_bytes().decode())
    assert list(finder.find(Wanted("a.py", "f")).spots) == ["a.py"]
    assert finder.broken_with("f") == ["b.py"]


def test_a_name_without_letters(workspace: Workspace, write: Write, find: Find) -> None:
    check(
        workspace,
        write,
        find,
        Wanted("a.py", "_"),
        {"a.py": "def «_»(s): return s\n", "b.py": "from a import «_»\n"},
    )


def test_text_before_names_may_be_of_any_alphabet(workspace: Workspace, write: Write, find: Find) -> None:
    check(workspace, write, find, Wanted("a.py", "f"), {
        "a.py": "def «f»(): pass\nx = 'äöü', «f», f'é{«f»()!r:>{«f»}}'\n",
    })  # fmt: skip


def test_what_is_no_global_or_member_is_refused(workspace: Workspace, write: Write, find: Find) -> None:
    write({"a.py": "def f():\n    x = 1\n", "b.py": "def broken(:\n"})
    with pytest.raises(TargetError, match="not a name of a module or class"):
        find(Wanted("a.py", "f.x"))
    with pytest.raises(TargetError, match="does not parse"):
        find(Wanted("b.py", "broken"))
    with pytest.raises(TargetError, match="no parameter 'y'"):
        find(Wanted("a.py", "f", "y"))
