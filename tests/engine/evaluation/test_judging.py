import pytest

from engine.evaluation.cage import Cage, Limits
from engine.evaluation.judged import FIX, JudgedCase
from engine.evaluation.judging import Bench, costs, judged_scores, scored
from engine.evaluation.ledger import Ledger
from engine.requests import Candidate, EditOptions, Proposal

WRONG, RIGHT = "def f(n):\n    return n + 0\n", "def f(n):\n    return n + 1\n"
CASES = [
    JudgedCase("tested", FIX, WRONG, RIGHT, "assert f(1) == 2"),
    JudgedCase("lacking", FIX, WRONG, RIGHT, "import no_such_module"),
    JudgedCase("commit", "Add one", WRONG, RIGHT, "", unjudged="it has no tests"),
]
SAME = "def f(n):\n    return 1 + n\n"


class Scripted:
    """Proposes nothing for sound code; else a wrong text, then one that is right in another way, then the answer."""

    def __init__(self):
        self.asked = []

    def samples(self, requests, count, options):
        self.asked += [(r.region, count, options.temperature) for r in requests]
        return [[SAME, WRONG, SAME, "def f(n):\n    return n\n"][:count] for _ in requests]

    def propose(self, requests, options):
        self.asked += [(r.region, options.candidates, r.must_parse) for r in requests]
        texts = ["def f(n):\n    return n\n", SAME, RIGHT]
        found = tuple(Candidate(t, 0.9 - i / 10, 1, 1) for i, t in enumerate(texts[: options.candidates]))
        return [
            Proposal("unchanged", (), "", 0.0, 1, 1, 9)
            if request.region == RIGHT
            else Proposal("edit", found, "", 1.0, 3, 2, 9)
            for request in requests
        ]


@pytest.fixture
def bench(tmp_path):
    with Ledger(tmp_path / "rows.jsonl", {}) as ledger:
        yield Bench(Cage(Limits(seconds=60)), ledger)


def test_tries_are_judged_by_tests_or_by_equality(bench):
    editor, told = Scripted(), []
    bench.references(CASES, told.append)
    bench.model(CASES, editor, [1, 2, 3], None, told.append)
    reasons = bench.unjudged(CASES)
    assert reasons == {
        "lacking": "the published answer failed here: ModuleNotFoundError: No module named 'no_such_module'",
        "commit": "it has no tests",
    }
    scores = judged_scores(CASES, bench.ledger.rows, [1, 2, 3], reasons)
    assert [scores[f"solved within {k}"].hits for k in ("1 try", "2 tries", "3 tries")] == [0, 1, 1]
    assert scores["solved within 1 try"].count == 1
    assert scores["solved by edits it stands by"].hits == 0
    assert [scores[f"exact within {k}"].hits for k in ("1 try", "2 tries", "3 tries")] == [0, 0, 3]
    assert (scores["sound code left alone"].hits, scores["sound code left alone"].count) == (2, 2)
    assert scored(CASES, bench.ledger.rows, reasons) == ([0.9], [False])  # as what is solved
    assert costs(CASES, bench.ledger.rows) | {"seconds_per_edit": 0} == {
        "forwards_per_edit": 3,
        "rounds_per_change": 1,
        "tokens_per_forward": 0.333,
        "seconds_per_edit": 0,
        "median_region_tokens": 9,
    }
    assert all(must_parse for _, _, must_parse in editor.asked)


def test_all_substitutions_are_counted_exactly(bench):
    bench.references(CASES, lambda _: None)
    bench.substitutions(CASES, lambda _: None)
    rows = bench.ledger.rows
    # Within `n + 0`: 0 becomes 1; by tests no other one-token change adds one, by equality neither.
    assert [rows[f"substitutions {c.name}"]["solved"] for c in CASES] == [1, 1, 1]
    count = rows["substitutions tested"]["count"]
    scores = judged_scores(CASES, rows, [1, 4], {})
    assert scores["random substitutions, 1 try"].value == pytest.approx(1 / count)
    judged = judged_scores(CASES, rows, [1], bench.unjudged(CASES))
    assert judged["some substitution is right"].count == 1  # as what the model solves
    assert scores["random substitutions, 4 tries"].value == pytest.approx(4 / count)
    assert scores["some substitution is right"].hits == 3


def test_finished_cases_are_not_asked_again(bench):
    bench.references(CASES, lambda _: None)
    bench.model(CASES[:2], Scripted(), [1], None, lambda _: None)
    editor, told = Scripted(), []
    bench.model(CASES, editor, [1], None, told.append)
    # The commit alone, without a judge and with one, and no sound code, as it is no repair.
    assert editor.asked == [(WRONG, 1, True), (WRONG, 1, True)]
    assert sum(told) == 3


def test_samples_are_drawn_apart_and_equal_ones_count(bench):
    editor, told = Scripted(), []
    bench.references(CASES, lambda _: None)
    bench.model(CASES, Scripted(), [1, 2], None, lambda _: None)
    for _ in range(2):
        bench.samples(CASES, editor, 4, EditOptions(temperature=0.7), told.append)
    assert editor.asked == [(WRONG, 4, 0.7)] * 3
    assert sum(told) == 6
    rows = bench.ledger.rows
    assert rows["samples tested"]["passed"] == [True, False, True, False]
    assert rows["samples commit"]["passed"] == [False] * 4  # by equality: none is the published answer
    scores = judged_scores(CASES, rows, [1, 2], bench.unjudged(CASES))
    assert scores["pass@1"].value == pytest.approx(0.5)
    assert scores["pass@2"].value == pytest.approx(5 / 6)
