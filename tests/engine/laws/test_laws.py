"""What the edits of recipes have to keep: right ones pass, near misses do not."""

import inspect
import json
import random
import textwrap

import pytest

from engine.data.refactorings import RULES, make
from engine.laws import BROKEN, COMMENTS, IDLE, LAWS, fault, is_idle
from engine.laws.loops import CHANGED
from engine.laws.trees import OTHER
from engine.laws.values import values_fault
from prompts.recipes import LAWS as NAMED
from prompts.recipes import load_recipes


def body(*lines: str) -> str:
    """A function of these lines."""
    return "def f(a, b):\n" + "".join(f"    {line}\n" for line in lines)


def test_every_law_has_a_recipe_and_is_known_to_recipes():
    assert set(LAWS) == {recipe.law for recipe in load_recipes().values()} - {""} == set(NAMED) - {""}


@pytest.mark.parametrize("recipe", list(RULES))
def test_what_the_rules_answer_keeps_the_law(recipe):
    rng, seen = random.Random(recipe), 0
    functions = [
        inspect.getsource(function)
        for module in (json, random, textwrap, inspect)
        for _, function in inspect.getmembers(module, inspect.isroutine)
        if inspect.isfunction(function)
    ]
    for text in functions * 3:
        pair = make(recipe, text, rng, ["size_of_all", "kept"])
        if pair is not None:
            seen += 1
            assert fault(recipe, pair.before, pair.after, pair.variables) == "", (pair.before, pair.after)
    assert seen > 3


FORMATTING = [
    ('"%s: %d" % (a, b)', 'f"{a}: {b:d}"', True),
    ('"%s: %d" % (a, b)', 'f"{b}: {a:d}"', False),
    ('"%5.2f%%" % a', 'f"{a:5.2f}%"', True),
    ('"%-8r|" % a', 'f"{a!r:<8}|"', True),
    ('"%(x)s %(y)s" % {"y": b, "x": a}', 'f"{a} {b}"', True),
    ('"%s" % a', 'f"{a!s}"', True),
    ('"%s" % a % 3', 'f"{a}"', False),
    ('"%s" % (a,)', 'f"{(a,)}"', False),
    ('"{1} {0}".format(a, b)', 'f"{a} {b}"', False),
    ('"{1} {0}".format(a, b)', 'f"{b} {a}"', True),
    ('"{1} {0}".format(a(), b())', 'f"{b()} {a()}"', False),  # the calls change places
    ('"{0}{0}".format(a())', 'f"{a()}{a()}"', False),
    ('"{0}{0}".format(a)', 'f"{a}{a}"', True),
    ('"{{}} {}".format(a)', 'f"{{}} {a}"', True),
    ('"{{}} {}".format(a)', 'f"{{a}} {a}"', False),
    ('"{:>{}}".format(a, b)', 'f"{a:>{b}}"', True),
    ('"{x.y[0][k]}".format(x=a)', "f\"{a.y[0]['k']}\"", True),
    ('"{}".format(a, b)', 'f"{a}"', False),
    ('"{}".format(await_(a))', 'f"{a}"', False),
    ('"{}".format(lambda: a)', 'f"{a}"', False),
    ('"%s: %s" % (a, b or "none")', "f\"{a}: {b or 'none'}\"", True),
    ('"%s: %s" % (a, b or "none")', 'f"{a}: {b}" or "none"', False),
    ('_("hello %s") % a', '_(f"hello {a}")', False),
    ('log("got %s", a)', 'log("got {a}", a)', False),
    ('log("got %s", a)', 'log(f"got {a}")', False),
    ('"%s" "%s" % (a, b)', 'f"{a}" f"{b}"', True),
    ('"a" + "%s" % b', 'f"a{b}"', False),
    ('f"{a}" + "%s" % b', 'f"{a}" + f"{b}"', True),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "is_kept"), FORMATTING)
def test_formatting(before, after, is_kept):
    assert fault("fstring", body(f"return {before}"), body(f"return {after}"), {}) == (
        "" if is_kept else OTHER
    )


RENAMES = [
    ("a = b\nreturn a", "c = b\nreturn c", "a", "c", "it leaves 'a' in some places"),
    ("x = b\nreturn x", "y = b\nreturn y", "x", "y", ""),
    ("x = b\nreturn x.x(x=x)", "y = b\nreturn y.x(x=y)", "x", "y", ""),
    ("x = b\nreturn x.x(x=x)", "y = b\nreturn y.y(x=y)", "x", "y", OTHER),
    ("x = b\nreturn x.x(x=x)", "y = b\nreturn y.x(y=y)", "x", "y", OTHER),
    ("x = b\nreturn x - b", "b = b\nreturn b - b", "x", "b", "'b' is there already; choose another name"),
    ("x = b\nreturn x - b", "y = b\nreturn y + b", "x", "y", OTHER),
    ("x = 'x'\nreturn x", "y = 'y'\nreturn y", "x", "y", OTHER),
    ("a.x = a.b.x", "a.y = a.b.x", "a.x", "a.y", ""),
    ("a.x = a.b.x", "a.y = a.b.y", "a.x", "a.y", OTHER),
    ("a.x = a.y", "a.y = a.y", "a.x", "a.y", "'y' is there already; choose another name"),
    ("a.x = b.x", "a.y = b.y", "x", "y", ""),
    ("a.x = b.x", "a.y = b.x", "x", "y", "it leaves 'x' in some places"),
    ("def g(x):\n    global k\n    k = g(x=x)", "def h(x):\n    global k\n    k = h(x=x)", "g", "h", ""),
    ("def g(x):\n    return g(x=x)", "def g(y):\n    return g(y=y)", "x", "y", ""),
    ("try:\n    b()\nexcept E as e:\n    raise e", "try:\n    b()\nexcept E as why:\n    raise why", "e", "why", ""),
    ("match b:\n    case [x, *_]:\n        return x", "match b:\n    case [y, *_]:\n        return y", "x", "y", ""),
    ("import x as z\nreturn z", "import x as y\nreturn y", "z", "y", ""),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "old", "new", "why"), RENAMES)
def test_renames(before, after, old, new, why):
    texts = [body(*text.split("\n")) for text in (before, after)]
    assert fault("rename", *texts, {"old": old, "new": new}) == why


LOOPS = [
    ("c(a[i], b[i])", "c(item, b[i])", ""),
    ("c(a[i], b[i])", "c(item, item)", OTHER),
    ("c(a[i:])", "c(item[:])", OTHER),
    ("a[i] = a[i] + 1", "item = item + 1", OTHER),
    ("a[i] = a[i] + 1", "a[i] = item + 1", CHANGED),
    ("del a[i]", "del item", OTHER),
    ("a.append(a[i])", "a.append(item)", CHANGED),
    ("i = a[i]", "i = item", CHANGED),
    ("c(i)", "c(i)", ""),
    ("c(item, a[i])", "c(item, item)", "'item' is there already"),
]


@pytest.mark.parametrize(("before", "after", "why"), LOOPS)
def test_loops(before, after, why):
    old = body("for i in range(len(a)):", f"    {before}")
    new = body("for i, item in enumerate(a):", f"    {after}")
    assert fault("enumerate", old, new, {}) == why
    assert fault("enumerate", old, old, {}) == IDLE


def test_a_loop_whose_first_line_names_the_item():
    old = body("for i in range(len(a)):", "    x = a[i]", "    c(x, i)")
    assert fault("enumerate", old, body("for i, x in enumerate(a):", "    c(x, i)"), {}) == ""
    assert fault("enumerate", old, body("for i, y in enumerate(a):", "    c(y, i)"), {}) == ""
    assert fault("enumerate", old, body("for i, y in enumerate(a):", "    x = y", "    c(x, i)"), {}) == ""
    assert fault("enumerate", old, body("for i, x in enumerate(b):", "    c(x, i)"), {}) == OTHER


IDIOMS = [
    ("if a == None: pass", "if a is None: pass", True),
    ("return a != None", "return a is not None", True),
    ("return q.filter(U.name == None)", "return q.filter(U.name is None)", False),
    ("return t[t.x == None]", "return t[t.x is None]", False),
    ("return any(x == None for x in a)", "return any(x is None for x in a)", True),
    ("return [a == True]", "return [a]", False),
    ("return {'b': a == False}", "return {'b': a}", False),
    ("if a == True: pass", "if a: pass", True),
    ("if a == False: pass", "if not a: pass", True),
    ("if a == False: pass", "if a: pass", False),
    ("a = a != False", "a = a", False),
    ("return len(a) > 0", "return len(a)", False),
    ("return len(a) == 0", "return not a", True),
    ("while len(a) >= 1 and b: pass", "while a and b: pass", True),
    ("if len(a) >= 2: pass", "if a: pass", False),
    ("return a is None == True", "return a is None", False),
    ("return not a in b", "return a not in b", True),
    ("return not a in b", "return a in b", False),
    ("if not len(a): pass", "if not a: pass", True),
    ("return [x for x in a if len(x) != 0]", "return [x for x in a if x]", True),
    ("return a if b == None else 1", "return a if b is None else 1", True),
]


@pytest.mark.parametrize(("before", "after", "is_kept"), IDIOMS)
def test_comparisons(before, after, is_kept):
    assert fault("idioms", body(before), body(after), {}) == ("" if is_kept else OTHER)


PRINTS = [
    (("print(a)", "return b"), ("return b",), True),
    (("print(a)", "return b"), ("return a",), False),
    (("if a:", "    print(b)", "return b"), ("if a:", "    pass", "return b"), True),
    (("if a:", "    return b", "else:", "    print(b)"), ("if a:", "    return b"), True),
    (("if a():", "    print(b)", "return b"), ("return b",), False),
    (("for x in a:", "    print(x)"), ("return",), False),
    (("x = print(a)", "return x"), ("return x",), False),
    (("self.print(a)", "return b"), ("return b",), False),
    (("'''print(a)'''", "return b"), ("return b",), False),
    (("print(a)  # why", "return b"), ("return b",), True),
]


@pytest.mark.parametrize(("before", "after", "is_kept"), PRINTS)
def test_prints(before, after, is_kept):
    found = fault("remove-prints", body(*before), body(*after), {})
    assert (found == "") is is_kept


def test_defaults():
    text = "    def f(self, x, y, *, z):\n        return lambda y: y\n"
    for name, answer, why in (
        ("y", text.replace("y, *", "y=None, *"), ""),
        ("z", text.replace("z)", "z=None)"), ""),
        ("y", text.replace("lambda y", "lambda y=None"), OTHER),
        ("y", text.replace("x, y", "x=None, y=None"), OTHER),
        ("x", text, "no parameter 'x' of f() can have a default"),
        ("w", text, "no parameter 'w' of f() can have a default"),
    ):
        assert fault("add-default", text, answer, {"parameter": name, "value": "None"}) == why
    given = text.replace("y, *", "y=0, *")
    assert fault("remove-default", given, text, {"parameter": "y"}) == ""
    assert (
        fault("remove-default", text, text, {"parameter": "y"})
        == "no parameter 'y' of f() can lose a default"
    )


@pytest.mark.parametrize(
    ("law", "before", "after"),
    [
        ("fstring", "return f'{a}'", "return '%s' % a"),
        ("fstring", "return 'a'", 'return "a"'),
        ("idioms", "return a is None", "return a == None"),
        ("remove-prints", "return a", "print(a); return a"),
        ("enumerate", "return a", "return (a)"),
        ("rename", "return a", "return (a)"),
    ],
)
def test_the_way_back_and_what_only_looks_other_are_no_such_edit(law, before, after):
    values = {"old": "c", "new": "d"}
    assert fault(law, body(before), body(after), values) == IDLE
    assert is_idle(law, body(before), values)


def test_where_a_recipe_has_something_to_do():
    for law, text in (("fstring", "return '%s' % a"), ("idioms", "return a == None"), ("rename", "c = a.c")):
        assert not is_idle(law, body(text), {"old": "c", "new": "d"})
    assert not is_idle("idioms", "return (", {})
    for name, law in (("a", "remove-default"), ("c", "add-default")):
        assert is_idle(law, body("pass"), {"parameter": name, "value": "None"})
    assert not is_idle("add-default", body("pass"), {"parameter": "a", "value": "None"})


def test_comments_stay():
    before, after = body("return '%s' % a  # why"), body("return f'{a}'  # why")
    assert fault("fstring", before, after, {}) == ""
    assert fault("fstring", before, after.replace("why", "what"), {}) == COMMENTS
    assert fault("fstring", before, after.replace("  # why", ""), {}) == COMMENTS


def test_what_does_not_parse_is_not_judged():
    assert fault("fstring", "return (", "return f'{a}'\n", {}) == ""
    assert fault("fstring", "return a\n", "return (", {}) == BROKEN


@pytest.mark.parametrize(
    ("law", "values", "why"),
    [
        ("rename", {"old": "a", "new": "b"}, ""),
        ("rename", {"old": "self.a", "new": "self.b"}, ""),
        ("rename", {"old": "a", "new": "1 2"}, "new='1 2' is no name that Python code can have"),
        ("rename", {"old": "a", "new": "class"}, "new='class' is no name that Python code can have"),
        ("rename", {"old": "a", "new": "a"}, "old and new are both 'a'"),
        ("add-default", {"parameter": "a", "value": "("}, "value='(' is no Python expression"),
        ("idioms", {}, ""),
    ],
)
def test_variables_that_no_code_could_have(law, values, why):
    assert values_fault(law, values) == why
