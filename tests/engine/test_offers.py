from engine.offers import mends, without_made_up
from engine.requests import Candidate, EditRequest


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
        "def f(x):\n    return len(item)\n",
    ]
    found = [Candidate(text, 0.9, 1, 1) for text in texts]
    assert [texts.index(c.text) for c in without_made_up(request, found, set())] == [0, 2, 3]
    assert [texts.index(c.text) for c in without_made_up(request, found, {"item"})] == [0, 2, 3, 4]
