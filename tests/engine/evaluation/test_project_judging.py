import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engine.evaluation.cage import Cage, Limits
from engine.evaluation.judging import judged_scores
from engine.evaluation.ledger import Ledger
from engine.evaluation.project_judging import ProjectBench
from engine.evaluation.projects import read_commits
from engine.requests import Candidate, Proposal
from tests.engine.evaluation.clones import LUCKY, OLD_TESTS, RIGHT, SAME, WRONG, make_clone

ANSWERS = (LUCKY, SAME, RIGHT)


class Scripted:
    """What the wanted test alone accepts, then what is right in another way, then the answer."""

    def propose(self, requests, options):
        found = tuple(Candidate(text, 0.9, 1, 1) for text in ANSWERS[: options.candidates])
        return [Proposal("edit", found, "", 1.0, 3, 2, 9) for _ in requests]


class Unwilling:
    """Runs nothing."""

    def run(self, *_, **__):
        raise AssertionError("it was run again")

    run_all = run


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """One that its tests judge, one without tests, three whose tests say nothing."""
    folder = tmp_path_factory.mktemp("commits")
    row = make_clone(folder / "clones/a+b")
    unnoticed = make_clone(folder / "clones/a+c", OLD_TESTS)
    unnoticed |= {"repo": "a/c", "exec": row["exec"] | {"fail_to_pass": []}}
    elsewhere = row["exec"] | {"fail_to_pass": ["tests/test_adding.py::test_other_machine"]}
    rows = [
        row | {"id": "judged"},
        {key: value for key, value in row.items() if key != "exec"} | {"id": "untested"},
        row | {"id": "elsewhere", "exec": elsewhere},
        row | {"id": "absent", "exec": row["exec"] | {"test_files": ["absent.py"]}},
        unnoticed | {"id": "unnoticed"},
    ]
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_commits(path, folder / "clones", Path(sys.executable))


def test_answers_are_judged_by_the_projects_tests_and_by_equality(cases, tmp_path):
    told = []
    with Ledger(tmp_path / "rows.jsonl", {}) as ledger:
        bench = ProjectBench(Cage(Limits(60, 600, 8 << 30, processes=128)), ledger)
        bench.references(cases, told.append)
        assert bench.right(cases[0], [WRONG]) == {WRONG: False}
        bench.model(cases, Scripted(), [1, 2, 3], None, lambda _: None)
        reasons = bench.unjudged(cases)
    assert sum(told) == 5
    git_said = reasons.pop("absent")
    assert git_said.startswith("the published answer failed here: git: ")
    assert reasons == {
        "untested": "it has no tests",
        "elsewhere": "the published answer failed here: tests/test_adding.py::test_other_machine: "
        "AssertionError: not here",
        "unnoticed": "its tests pass here without the change, too",
    }
    scores = judged_scores(cases, ledger.rows, [1, 2, 3], reasons | {"absent": git_said})
    solved = [scores[f"solved within {k}"] for k in ("1 try", "2 tries", "3 tries")]
    assert [(s.hits, s.count) for s in solved] == [(0, 1), (1, 1), (1, 1)]
    exact = [scores[f"exact within {k}"] for k in ("1 try", "2 tries", "3 tries")]
    assert [(s.hits, s.count) for s in exact] == [(0, 5), (0, 5), (5, 5)]

    with Ledger(tmp_path / "rows.jsonl", {}) as again:
        bench = ProjectBench(Unwilling(), again)
        bench.references(cases, lambda _: None)
        bench.model(cases, Scripted(), [1, 2, 3], None, lambda _: None)
        assert again.rows == ledger.rows


def test_without_named_tests_all_that_the_answer_passes_decide(cases):
    case = replace(cases[0], wanted=())
    with Ledger(None, {}) as ledger:
        bench = ProjectBench(Cage(Limits(60, 600, 8 << 30, processes=128)), ledger)
        bench.references([case], lambda _: None)
        assert bench.unjudged([case]) == {}
        assert bench.right(case, [LUCKY, SAME]) == {LUCKY: False, SAME: True}
