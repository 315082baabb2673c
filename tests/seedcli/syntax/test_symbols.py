"""Each language's own words for definitions, uses and imports."""

import pytest

from seedcli.syntax.languages import LANGUAGES, grammar_of, language_of
from seedcli.syntax.symbols import Symbols, read

SAMPLES = {
    "a.py": "import os\nfrom a.b import (\n    c)\n@dec\ndef f(x):\n    def g(): pass\n    return c(x)\n"
    "class A(B):\n    def m(self): return self.z\n",
    "a.js": "import x from 'y';\nconst q = require('z');\nexport function f(a) {\n  return c(a)\n}\n"
    "class A { m() { return this.z } }\nconst h = (x) => x;\n",
    "a.ts": "import {x} from 'y';\nexport class A<T> { m(x: I): T { return c(this.z) } }\nfunction f(a: I): void {}\n",
    "a.tsx": "export function f() { return <c a={z}/> }\nclass A { m() {} }\n",
    "a.go": 'package m\nimport "fmt"\ntype A struct { z int }\nfunc (t *A) m() {}\nfunc f() { c(A{}.z) }\n',
    "a.rs": "use a::b;\nstruct A { z: i32 }\nimpl A { fn m(&self) -> i32 { self.z } }\nfn f() { c() }\n",
    "A.java": "import a.b.C;\nclass A { int z; int m() { return c(z); } void f() {} }\n",
    "a.c": "#include <stdio.h>\nstruct A { int z; };\nstatic int *f(int x) { return c(x)->z; }\n"
    "int m(void) { return 0; }\n",
    "a.cpp": '#include "a.h"\nclass A { int m() { return z; } };\nint n::f(int x) { return c<int>(x); }\n',
    "a.rb": "require 'x'\nclass A\n  def m\n    c(z)\n  end\nend\ndef f\nend\n",
    "a.sh": "source lib.sh\nf() {\n  c $z\n}\nfunction m { f; }\n",
}


def symbols(name: str) -> Symbols:
    language = language_of(name)
    assert language is not None
    assert grammar_of(language) is not None
    return read(SAMPLES[name], language)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_language_tells_definitions_uses_and_imports(name: str) -> None:
    found = symbols(name)
    names = {d.name: d.kind for d in found.definitions}
    assert names["f"] == "function"
    assert names["m"] == "function"
    if name != "a.sh":
        assert names["A"] == "class"
    assert {"c", "z"} <= set(found.references)
    assert bool(found.imports) == (name != "a.tsx")
    lines = SAMPLES[name].split("\n")
    assert all(d.name in "\n".join(lines[d.start : d.end]) for d in found.definitions)


def test_every_language_has_a_sample() -> None:
    assert {language_of(name) for name in SAMPLES} == set(LANGUAGES)


def test_symbols_are_dotted_and_know_their_lines() -> None:
    found = {d.symbol: d for d in symbols("a.py").definitions}
    assert list(found) == ["f", "f.g", "A", "A.m"]
    assert (found["f"].start, found["f"].body, found["f"].end) == (3, 5, 7)  # with its decorator
    assert [d.is_outermost for d in found.values()] == [True, False, True, True]
    assert [(i.text, i.start, i.end) for i in symbols("a.py").imports] == [
        ("import os", 0, 1),
        ("from a.b import ( c)", 1, 3),
    ]
    assert [d.symbol for d in symbols("a.cpp").definitions] == ["A", "A.m", "n.f"]
    assert [d.symbol for d in symbols("a.rs").definitions] == ["A", "A.m", "f"]


def test_uses_have_their_lines_and_words_of_strings_and_comments_are_none() -> None:
    found = read("x = f(1)  # g\ny = 'g'\nf(x)\n", language_of("a.py"))
    assert found.references == {"x": (0, 2), "f": (0, 2), "y": (1,)}


def test_damage_takes_only_what_it_hits() -> None:
    found = read("def f(:\n    pass\n\n\ndef g():\n    return h\n", language_of("a.py"))
    assert "g" in {d.name for d in found.definitions}
    assert found.references["h"] == (5,)


def test_a_file_of_no_language_has_no_symbols() -> None:
    assert language_of("notes.txt") is None
    assert read("def f(): pass\n", None).definitions == ()
