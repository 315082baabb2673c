import random

import pytest

from engine.data.refactorings import idioms

CASES = [
    ("if x == None: pass", "if x is None: pass"),
    ("return x != None", "return x is not None"),
    ("if (a or b) == None: pass", "if (a or b) is None: pass"),
    ("if x == True and y: pass", "if x and y: pass"),
    ("if x == False or y: pass", "if not x or y: pass"),
    ("while f(x) is True: pass", "while f(x): pass"),
    ("assert x != True", "assert not x"),
    ("assert x is not False", "assert x"),
    ("return x == True", "return x == True"),
    ("y = [a for a in b if a.c == False]", "y = [a for a in b if not a.c]"),
    ("y = 1 if len(x) > 0 else 2", "y = 1 if x else 2"),
    ("if len(x.y) == 0: pass", "if not x.y: pass"),
    ("if not len(x): pass", "if not x: pass"),
    ("if len(x): pass", "if x: pass"),
    ("if len(x) >= 1 or len(y) < 1: pass", "if x or not y: pass"),
    ("return len(x) == 0", "return not x"),
    ("return len(x) > 0", "return len(x) > 0"),
    ("if len(x) > 1: pass", "if len(x) > 1: pass"),
    ("return not x in y", "return x not in y"),
    ("return not (x in y)", "return x not in y"),
    ("return a and not x is y", "return a and x is not y"),
    ("return not x is None", "return x is not None"),
    ("return not x == y", "return not x == y"),
    ("if a == b == None: pass", "if a == b == None: pass"),
    ("if (x ==\n            None): pass", "if (x is None): pass"),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_rewrite(before: str, after: str) -> None:
    assert idioms.rewrite(f"def f():\n    {before}\n") == f"def f():\n    {after}\n"


@pytest.mark.parametrize(
    "code",
    [
        "if not x == False: pass",
        "if not len(x) == 0: pass",
        "if 0 == len(x): pass",
        "if len(a or b) == 0: pass",
    ],
)
def test_what_has_no_one_answer_is_left_alone(code: str) -> None:
    assert idioms.rewrite(f"def f():\n    {code}\n") is None


SOUND = (
    "def f(items, flag, x=None):\n    if x is None and flag:\n        return not items\n"
    "    if 1 not in items and x is not flag:\n        return [ok for ok in items if ok]\n    while items:\n"
    "        items.pop()\n"
)


def test_made_questions_mean_what_their_answers_mean() -> None:
    sorts = set()
    for seed in range(200):
        pair = idioms.make(SOUND, random.Random(seed))
        if pair is None:
            continue
        sorts.add(pair.variables.get("sort"))
        assert pair.after == SOUND
        functions = []
        for text in (pair.before, pair.after):
            scope: dict[str, object] = {}
            exec(text, scope)
            functions.append(scope["f"])
        for items in ([], [True], [False, True]):
            for flag in (True, False):
                results = [f(list(items), flag, x) for f in functions for x in (None, 4)]  # type: ignore[operator]
                assert results[:2] == results[2:]
    assert sorts == {None, *idioms.SORTS}


def test_a_sort_is_told_only_where_no_other_is_there() -> None:
    marks = {"none": ("== None", "!= None"), "bool": ("True", "False"), "len": ("len(",)}
    for seed in range(300):
        pair = idioms.make(SOUND, random.Random(seed))
        if pair is not None and "sort" in pair.variables:
            others = [
                mark for sort, words in marks.items() if sort != pair.variables["sort"] for mark in words
            ]
            assert not any(mark in pair.before for mark in others)


def test_conditions_in_fstrings_are_left_alone() -> None:
    text = 'def f(x):\n    return f"{1 if x == None else 2}"\n'
    assert idioms.rewrite(text) == text
    assert idioms.make(text, random.Random(0)) is None
