import json
import sys

import pytest
from typer.testing import CliRunner

from engine.requests import Candidate, ModelInfo, Proposal
from seedcli.commands import lab_eval
from seedcli.errors import SettingsError
from tests.engine.evaluation.clones import make_clone

WRONG, RIGHT = "def f(n):\n    return n + 0\n", "def f(n):\n    return n + 1\n"
ROW = {"id": "one", "before": WRONG, "after": RIGHT, "tests": "assert f(1) == 2"}


class Scripted:
    info = ModelInfo("scripted", "0" * 12, "", 1, "float32", "cpu", 999, ("fix",), 0.5)

    def __init__(self):
        self.asked = 0

    def propose(self, requests, options):
        self.asked += len(requests)
        found = (Candidate("def f(n):\n    return n\n", 0.9, 1, 1), Candidate(RIGHT, 0.2, 1, 1))
        return [
            Proposal("unchanged", (), "", 0.0, 1, 1, 9)
            if r.region == RIGHT
            else Proposal("edit", found[: options.candidates], "", 1.0, 3, 2, 9)
            for r in requests
        ]


@pytest.fixture
def editor(monkeypatch):
    made = Scripted()
    monkeypatch.setattr(lab_eval, "open_editor", lambda model: made)
    return made


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return path


def seed_eval(*arguments):
    return CliRunner().invoke(lab_eval.app, list(map(str, arguments)))


def test_a_judged_suite_ends_in_a_report_and_a_picture(editor, data, tmp_path):
    out = tmp_path / "found" / "fix.json"
    done = seed_eval("fix", "--data", data, "--tries", "1,2", "--baseline", "--out", out)
    assert done.exit_code == 0, done.output
    assert "solved within 2 tries          100.0%" in done.stdout
    report = json.loads(out.read_text())
    assert report["scores"]["solved within 1 try"]["hits"] == 0
    assert report["scores"]["some substitution is right"]["hits"] == 1
    assert report["calibration"]["bins"][0]["right"] == 0
    assert len(report["cases_sha256"]) == 64
    assert report["limits"]["cpu_seconds"] == 1.0
    assert out.with_suffix(".png").exists()


def test_a_second_start_goes_on_and_other_options_begin_anew(editor, data, tmp_path):
    out = tmp_path / "fix.json"
    for tries, asked in (("1", 3), ("1", 3), ("1,2", 7)):
        assert seed_eval("fix", "--data", data, "--tries", tries, "--out", out).exit_code == 0
        assert editor.asked == asked
    assert seed_eval("fix", "--data", data, "--tries", "1,2", "--out", out, "--no-resume").exit_code == 0
    assert editor.asked == 11


def test_commits_are_compared_exactly(editor, tmp_path):
    rows = tmp_path / "commits.jsonl"
    commit = {
        "id": "x",
        "subject": "Add one",
        "before": WRONG,
        "after": RIGHT,
        "repo": "a/b",
        "commit": "1" * 40,
    }
    rows.write_text(json.dumps(commit) + "\n")
    done = seed_eval("commits", "--data", rows, "--tries", "2", "--out", tmp_path / "c.json")
    assert done.exit_code == 0, done.output
    report = json.loads((tmp_path / "c.json").read_text())
    assert report["scores"]["exact within 2 tries"]["hits"] == 1
    assert not any(name.startswith("solved") for name in report["scores"])
    assert report["not_judged"] == {"x": "it has no tests"}


def test_commits_are_judged_by_the_tests_of_their_projects(editor, tmp_path):
    judged = make_clone(tmp_path / "clones/a+b")
    untested = {key: value for key, value in judged.items() if key != "exec"} | {"id": "a/b/2"}
    data, out = tmp_path / "commits.jsonl", tmp_path / "c.json"
    data.write_text(json.dumps(judged) + "\n" + json.dumps(untested) + "\n")
    asked = ["commits", "--data", data, "--tries", "1,2", "--out", out]
    tests = ["--clones", tmp_path / "clones", "--python", sys.executable, "--seconds", "60"]
    done = seed_eval(*asked, *tests)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    found = {name: (score["hits"], score["count"]) for name, score in report["scores"].items()}
    assert found["solved within 1 try"] == (0, 1)
    assert found["solved within 2 tries"] == (1, 1)
    assert found["exact within 2 tries"] == (2, 2)
    assert report["not_judged"] == {"a/b/2": "it has no tests"}
    assert report["project_tests"] is True

    # What was finished counts, and the tests are part of what was asked.
    before = editor.asked
    assert seed_eval(*asked, *tests).exit_code == 0
    assert editor.asked == before
    assert seed_eval(*asked).exit_code == 0
    assert editor.asked > before
    report = json.loads(out.read_text())
    assert "project_tests" not in report
    assert not any(name.startswith("solved") for name in report["scores"])
    assert "--clones" in report["not_judged"]["a/b/1"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--clones", "absent"], "absent"),
        (["--python", "python3"], "--clones"),
        (["--clones", ".", "--python", "no-such-python"], "no-such-python"),
        (["--clones", ".", "--python", "false"], "has no pytest"),
        (["--clones", ".", "--seconds", "0"], "--seconds 0"),
    ],
)
def test_wrong_options_of_commits_are_named(editor, data, arguments, named):
    done = seed_eval("commits", "--data", data, *arguments)
    assert isinstance(done.exception, SettingsError)
    assert named in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--tries", "1,x"], "--tries 1,x"),
        (["--tries", "0"], "--tries 0"),
        (["--seconds", "0"], "--seconds 0"),
        (["--data", "absent.jsonl"], "absent.jsonl"),
    ],
)
def test_wrong_options_are_named(editor, data, arguments, named):
    done = seed_eval("fix", "--data", data, *arguments)
    assert isinstance(done.exception, SettingsError)
    assert named in str(done.exception)
