import json

import pytest
from typer.testing import CliRunner

from engine.requests import Completed, Completion, ModelInfo
from seedcli.commands import lab_eval, lab_writing
from seedcli.errors import SettingsError

PROMPT = "def f(n):\n"
ROW = {"id": "one", "before": PROMPT, "after": PROMPT + "    return n + 1\n", "tests": "assert f(1) == 2"}
GAP = {
    "id": "one",
    "prefix": PROMPT,
    "suffix": "\n",
    "middle": "    return n + 1",
    "tests": "assert f(1) == 2",
}
TASK = {
    "id": 12,
    "instruction": "Add one.",
    "before": "",
    "after": "x = 1",
    "tests": "assert f(1) == 2",
    "split": "test",
}


class Scripted:
    info = ModelInfo("scripted", "0" * 12, "", 1, "float32", "cpu", 999, (), 0.5)

    def __init__(self):
        self.asked, self.options = [], None
        self.texts = ["    return n\n", "    return n + 1\n"]

    def complete(self, requests, options):
        self.asked += requests
        self.options = options
        texts = self.texts * options.samples
        found = tuple(Completion(t, 0.5, 4, True, 2, 2) for t in texts[: options.samples])
        return [Completed(found, 9) for _ in requests]


@pytest.fixture
def editor(monkeypatch):
    made = Scripted()
    monkeypatch.setattr(lab_writing, "open_editor", lambda model: made)
    return made


def rows(folder, *found):
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in found))
    return path


def seed_eval(*arguments):
    return CliRunner().invoke(lab_eval.app, list(map(str, arguments)))


def test_a_suite_ends_in_a_report_and_goes_on_where_it_stopped(editor, tmp_path):
    out = tmp_path / "found" / "humaneval.json"
    data = rows(tmp_path, ROW, ROW | {"id": "two"}, ROW | {"id": "three"})
    sampled = ["--samples", 4, "--pass", "1,2", "--temperature", 0.8, "--limit", 2]
    for _ in range(2):
        done = seed_eval("humaneval", "--data", data, *sampled, "--out", out)
        assert done.exit_code == 0, done.output
        assert "pass@2" in done.stdout
        assert len(editor.asked) == 2
    report = json.loads(out.read_text())
    assert report["scores"]["pass@1"]["mean"] == 0.5
    assert report["scores"]["pass@2"]["mean"] == pytest.approx(1 - 1 / 6, abs=1e-4)
    assert report["scores"]["exact"]["mean"] == 0.5
    assert report["costs"]["forwards_per_sample"] == 2
    assert report["options"]["samples"] == 4
    assert report["calibration"]["answers"] == 8
    assert out.with_suffix(".png").exists()
    seed_eval("humaneval", "--data", data, *sampled, "--seed", 3, "--out", out)
    assert len(editor.asked) == 4


def test_infilling_asks_for_what_stands_between(editor, tmp_path):
    done = seed_eval("infilling", "--data", rows(tmp_path, GAP), "--slots", 8, "--max-tokens", 40)
    assert done.exit_code == 0, done.output
    assert (editor.asked[0].prefix, editor.asked[0].suffix) == (PROMPT, "\n")
    assert (editor.options.slots, editor.options.max_tokens, editor.options.samples) == (8, 40, 1)


def test_mbpp_takes_a_split(editor, tmp_path):
    data = rows(tmp_path, TASK, TASK | {"id": 13, "split": "train"})
    assert seed_eval("mbpp", "--data", data).exit_code == 0
    assert len(editor.asked) == 1
    assert "Add one." in editor.asked[0].prefix
    done = seed_eval("mbpp", "--data", data, "--split", "prompt")
    assert isinstance(done.exception, SettingsError)
    assert "prompt" in str(done.exception)


def test_contest_problems_may_have_inputs_of_megabytes(editor, tmp_path):
    editor.texts = ["print(len(open(0).read()))\n"]
    case = {"input": "x" * (5 << 20), "output": str(5 << 20), "testtype": "stdin"}
    problem = {
        "question_id": "one",
        "question_content": "Print the length of the input.",
        "starter_code": "",
        "public_test_cases": json.dumps([case]),
        "private_test_cases": "[]",
        "metadata": "{}",
    }
    out = tmp_path / "report.json"
    done = seed_eval("livecodebench", "--data", rows(tmp_path, problem), "--out", out)
    assert done.exit_code == 0, done.output
    assert json.loads(out.read_text())["scores"]["pass@1"]["hits"] == 1


@pytest.mark.parametrize(
    ("suite", "arguments", "named"),
    [
        ("humaneval", ["--samples", "4"], "--samples 4"),
        ("humaneval", ["--samples", "4", "--temperature", "1", "--pass", "1,8"], "pass@8"),
        ("humaneval", ["--pass", "x"], "--pass x"),
        ("infilling", ["--seconds", "0"], "--seconds 0"),
        ("bigcodebench", ["--prompt", "chat"], "--prompt chat"),
        ("livecodebench", [], "row 1"),
        ("aider", [], "no Python exercise"),
    ],
)
def test_wrong_options_are_named(editor, tmp_path, suite, arguments, named):
    data = rows(tmp_path, ROW)
    done = seed_eval(suite, "--data", tmp_path if suite == "aider" else data, *arguments)
    assert isinstance(done.exception, SettingsError)
    assert named in str(done.exception)
