import pytest

from engine.evaluation.cage import Cage, Limits
from engine.evaluation.judging import Bench
from engine.evaluation.ledger import Ledger
from engine.evaluation.writing import write, writing_costs, writing_scored, writing_scores
from engine.evaluation.writing_cases import WritingCase
from engine.requests import Completed, Completion, CompletionOptions

PREFIX, RIGHT, OTHER, WRONG = "def f(n):\n", "    return n + 1\n", "    return 1 + n\n", "    return n\n"
CASES = [
    WritingCase("one", PREFIX, RIGHT, "assert f(1) == 2", head=PREFIX, stops=("\ndef ",)),
    WritingCase("lacking", PREFIX, RIGHT, "import no_such_module", head=PREFIX),
    WritingCase("unpublished", PREFIX, "", "assert f(1) == 2", head=PREFIX),
]
TEXTS = [WRONG, RIGHT + "\ndef g():\n    pass\n", WRONG, OTHER]


class Scripted:
    def __init__(self):
        self.asked = []

    def complete(self, requests, options):
        self.asked += [(r.prefix, r.suffix) for r in requests]
        samples = tuple(Completion(t, 0.5, 6, t != OTHER, 3, 3) for t in TEXTS[: options.samples])
        return [Completed(samples, 9) for _ in requests]


@pytest.fixture
def bench(tmp_path):
    with Ledger(tmp_path / "rows.jsonl", {}) as ledger:
        yield Bench(Cage(Limits(seconds=60)), ledger)


def test_equal_samples_stay_and_are_judged_each(bench):
    editor, told = Scripted(), []
    bench.references(CASES[:2], lambda _: None)
    write(bench, CASES, editor, CompletionOptions(samples=4, temperature=1.0), told.append)
    rows, reasons = bench.ledger.rows, bench.unjudged(CASES)
    assert sum(told) == 3
    assert set(reasons) == {"lacking"}
    assert rows["model one"]["passed"] == [False, True, False, True]
    scores = writing_scores(CASES, rows, [1, 2, 3], reasons)
    assert scores["pass@1"].value == pytest.approx(0.5)
    assert scores["pass@2"].value == pytest.approx(1 - 1 / 6)
    assert scores["pass@3"].value == pytest.approx(1.0)
    assert scores["pass@1"].count == 2
    # Samples of one case are no independent cases.
    assert (scores["came to its end"].value, scores["came to its end"].count) == (0.75, 3)
    assert scores["not empty"].value == 1
    costs = writing_costs(CASES, rows)
    assert (costs["forwards_per_sample"], costs["tokens_per_sample"]) == (3, 6)
    assert costs["tokens_per_forward"] == 2
    assert len(writing_scored(CASES, rows, reasons)[0]) == 8  # as pass@k


def test_what_is_published_is_compared_exactly_up_to_the_stop(bench):
    case = WritingCase("one", PREFIX, RIGHT + "\n", "assert f(1) == 2", head=PREFIX, stops=("\ndef ",))
    write(bench, [case], Scripted(), CompletionOptions(samples=4, temperature=1.0), lambda _: None)
    assert bench.ledger.rows["model one"]["exact"] == [False, True, False, False]
    assert writing_scores([case], bench.ledger.rows, [1], {})["exact"].value == 0.25


def test_finished_cases_are_not_asked_again(bench):
    write(bench, CASES[:2], Scripted(), CompletionOptions(), lambda _: None)
    editor, told = Scripted(), []
    write(bench, CASES, editor, CompletionOptions(), told.append)
    assert editor.asked == [(PREFIX, None)]
    assert sum(told) == 3
