import pytest

from engine.offers import (
    MADE_UP,
    UNFAITHFUL,
    UNSOUND,
    faithful,
    mends,
    offerable,
    plausible_first,
    without_made_up,
    without_misplaced,
)
from engine.requests import Candidate, EditRequest, Law


def test_a_mend_that_coins_a_name_comes_after_one_that_does_not():
    broken, right, joined = "retrun stock\n", "return stock\n", "retrunock\n"
    found = [
        Candidate(text, score, 1, 1) for text, score in ((joined, 0.9), ("retrun\x00", 0.9), (right, 0.6))
    ]
    assert [(c.text, c.score) for c in mends(broken, found)] == [(right, 0.6), (joined, 0.45)]
    assert mends(broken, [Candidate(right, 0.001, 1, 1)]) == []


def test_names_of_region_instruction_and_context_are_not_made_up():
    request = EditRequest("rename x to `total`", "def f(x):\n    return x\n", "import os\n")
    texts = [
        "def f(total):\n    return total\n",
        "def f(x):\n    return totl\n",
        "def f(x):\n    return os\n",
        "def f(x):\n    return f'{x}'\n",
        "def f(x):\n    return [len(item) for item in x]\n",
    ]
    found = [Candidate(text, 0.9, 1, 1) for text in texts]
    assert [texts.index(c.text) for c in without_made_up(request, found, set())] == [0, 2, 3]
    assert [texts.index(c.text) for c in without_made_up(request, found, {"item"})] == [0, 2, 3, 4]


def test_names_that_nothing_binds_any_more_are_not_offered():
    region = "def f(rows):\n    for row in rows:\n        store(row)\n"
    kept, unbound = (
        "def f(rows):\n    for row in store(rows):\n        store(row)\n",
        region.replace("for row", "for rows"),
    )
    found = [Candidate(text, 0.9, 1, 1) for text in (unbound, kept)]
    assert [c.text for c in without_made_up(EditRequest("fix the bug", region), found, set())] == [kept]
    told = EditRequest("loop over rows, row is a global", region)
    assert [c.text for c in without_made_up(told, found, set())] == [unbound, kept]
    # An edit's own word has to be bound too.
    item = [Candidate(region.replace("(row)", "(item)"), 0.9, 1, 1)]
    assert without_made_up(EditRequest("fix the bug", region), item, {"item"}) == []


def test_where_something_judges_edits_that_make_up_names_come_last():
    request = EditRequest("fix", "f(a)\n")
    found = [
        Candidate(f"{text}\n", score, 1, 1)
        for text, score in (("f(x)", 0.9), ("a(a)", 0.8), ("f(y)", 0.7), ("a", 0.6))
    ]
    assert [c.text for c in plausible_first(request, found, set())] == ["a(a)\n", "a\n", "f(x)\n", "f(y)\n"]


def test_other_names_are_used_exactly_as_often():
    region = "def f(a, b):\n    return '{} {}'.format(a, b.c)\n"
    new = ("f'{a} {b}'", "f'{a} {b.c}'", "f'{", "f'{a} {b.c}{a}'")
    texts = [region.replace("'{} {}'.format(a, b.c)", one) for one in new]
    found = [Candidate(text, 0.9, 1, 1) for text in texts]
    request = EditRequest("use f-strings", region)
    assert [texts.index(c.text) for c in faithful(request, found, ["format"])] == [1, 2]
    assert [texts.index(c.text) for c in faithful(request, found, [])] == [2]
    assert [texts.index(c.text) for c in faithful(request, found, ["a", "b.c", "format"])] == [0, 1, 2, 3]
    assert [texts.index(c.text) for c in faithful(request, found, ["`a` please", "format"])] == [1, 2, 3]
    broken = EditRequest("use f-strings", "def f(:\n")
    assert faithful(broken, found, []) == found


def test_a_text_that_an_edit_changes_is_not_faithful():
    request = EditRequest("use f-strings", 'print("<%s> %d" % (a, b))\n')
    texts = ['print(f"<{a}> {b}")\n', 'print(f"<{a} {b}")\n', 'print(f"{a}> <{b}")\n']
    found = [Candidate(text, 0.9, 1, 1) for text in texts]
    assert faithful(request, found, ()) == [found[0], found[2]]


def test_the_last_reason_tells_why_nothing_is_offered():
    request = EditRequest("fix", "f(a)\n", must_parse=True, may_change=())
    broken, made_up, unfaithful, right = (
        Candidate(f"{text}\n", 0.9, 1, 1) for text in ("f(", "f(a, b)", "a(f)", "f((a))")
    )
    assert offerable(request, [broken, made_up, unfaithful, right], set()) == ([right], None)
    assert offerable(request, [broken, made_up, unfaithful], set()) == ([], UNFAITHFUL)
    assert offerable(request, [broken, made_up], set()) == ([], MADE_UP)
    assert offerable(request, [broken], set()) == ([], UNSOUND)
    assert offerable(request, [made_up], None) == ([], UNFAITHFUL)
    assert offerable(EditRequest("fix", "f(a)\n"), [made_up], None) == ([made_up], None)
    assert offerable(EditRequest("fix", "f(a)\n"), [broken], None) == ([broken], None)
    assert offerable(request, [], set()) == ([], None)


def test_what_breaks_the_law_of_a_recipe_is_not_offered():
    law = Law("fstring")
    request = EditRequest("use f-strings", "return '{1} {0}'.format(a, b)\n", must_parse=True, law=law)
    right, wrong = (Candidate(f"return f'{text}'\n", 0.9, 1, 1) for text in ("{b} {a}", "{a} {b}"))
    assert offerable(request, [wrong, right], set()) == ([right], None)
    left, refusal = offerable(request, [wrong], None)
    assert left == []
    assert refusal.message.endswith("it does other things than the recipe says")


def test_what_parses_and_does_not_compile_is_not_offered():
    request = EditRequest("rename b to a", "def f(a, b):\n    pass\n", must_parse=True)
    twice = Candidate("def f(a, a):\n    pass\n", 0.9, 1, 1)
    assert offerable(request, [twice], None) == ([], UNSOUND)
    # By itself this does not compile as it stands: then only what parses can be asked for.
    inner = EditRequest("fix", "def f(a, b):\n    nonlocal c\n", must_parse=True)
    other = Candidate("def f(a, b):\n    nonlocal c\n    c = a\n", 0.9, 1, 1)
    assert offerable(inner, [other], None) == ([other], None)


def test_a_name_of_the_instruction_takes_no_other_ones_place():
    region = "def f(old, other):\n    return old + other.b\n"
    request = EditRequest("`old` is a bad name, call it new", region)
    texts = [
        "def f(new, other):\n    return new + other.b\n",
        "def f(old, new):\n    return old + new.b\n",
        "def f(old, other):\n    return old + other.new\n",
        "def f(old, other):\n    return old + new.b  # other\n",
        "def f(old, other):\n    return other.b\n",
    ]
    found = [Candidate(text, 0.9, 1, 1) for text in texts]
    assert without_misplaced(request, found) == [found[0], found[4]]
    assert offerable(request, found[1:3], {"item"}) == ([], UNFAITHFUL)
    assert offerable(request, found[1:3], None) == (found[1:3], None)


def test_what_a_name_of_the_instruction_may_be_put_for():
    region = "for i in range(len(xs)):\n    use(xs[i], limit, top)\n"
    request = EditRequest("enumerate, with x as the item; compare with top", region)
    texts = ["for i, x in enumerate(xs):\n    use(x, limit, top)\n", region.replace("limit", "top")]
    found = [Candidate(text, 0.9, 1, 1) for text in texts]
    assert without_misplaced(request, found) == found


@pytest.mark.parametrize(
    ("instruction", "is_offered"),
    [
        ("accum is a bad name, call it parts", False),
        ("`name` is a bad name, call it parts", True),
        ("rename name to parts", True),
        ("rename name to parts for readability in Shop", True),
        ("accum -> parts is the name that the others in Shop have", False),
    ],
)
def test_prose_is_no_name_where_the_instruction_says_another(instruction, is_offered):
    found = [Candidate("def f(parts):\n    return parts\n", 0.9, 1, 1)]
    request = EditRequest(instruction, "def f(name):\n    return name\n")
    assert without_misplaced(request, found) == found * is_offered
