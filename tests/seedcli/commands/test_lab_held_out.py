"""Suites on held-out functions, as `seed eval` runs them."""

import json

import pytest

from seedcli.commands import lab_held_out
from tests.seedcli.commands.test_lab_eval import RIGHT, WRONG, Scripted, seed_eval


@pytest.fixture
def editor(monkeypatch):
    made = Scripted()
    monkeypatch.setattr(lab_held_out, "open_editor", lambda model: made)
    return made


def test_repair_within_tries_and_against_the_substitutions(editor, tmp_path, monkeypatch):
    from engine.evaluation import repair
    from engine.evaluation.repair import RepairCase

    cases = [RepairCase("integer", False, WRONG, RIGHT), RepairCase("untouched", False, RIGHT, RIGHT)]
    monkeypatch.setattr(repair, "repair_cases", lambda *_: cases)
    monkeypatch.setattr(lab_held_out, "_functions", lambda _: [RIGHT])
    command = ("repair", "--tries", "1,2", "--baseline", "--out", tmp_path / "r.json")
    done = seed_eval(*command)
    asked = editor.asked
    assert seed_eval(*command).stdout.split("seconds")[0] == done.stdout.split("seconds")[0]
    assert editor.asked == asked
    seed_eval(*command, "--no-resume")
    assert editor.asked == 2 * asked
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "r.json").read_text())["scores"]
    assert (scores["exact within 2 tries"]["hits"], scores["exact within 2 tries"]["count"]) == (1, 1)
    assert scores["exact within 1 try"]["hits"] == 0
    assert scores["other defects repaired"]["hits"] == 0
    assert scores["untouched left untouched"]["hits"] == 1
    assert scores["exact within 2 tries, defects that parse"] == scores["exact within 2 tries"]
    assert (
        scores["random substitutions, 2 tries, defects that parse"] == scores["random substitutions, 2 tries"]
    )
    assert 0 < scores["random substitutions, 1 try"]["mean"] < scores["random substitutions, 2 tries"]["mean"]


def test_repair_of_the_same_functions_with_what_a_user_may_see(editor, tmp_path, monkeypatch):
    from engine.evaluation import repair
    from engine.evaluation.repair import RepairCase

    cases = [RepairCase("integer", False, WRONG, RIGHT), RepairCase("untouched", False, RIGHT, RIGHT)]
    monkeypatch.setattr(repair, "repair_cases", lambda *_: cases)
    monkeypatch.setattr(lab_held_out, "_functions", lambda _: [RIGHT])
    propose, told = editor.propose, []
    monkeypatch.setattr(editor, "propose", lambda requests, o: told.extend(requests) or propose(requests, o))
    done = seed_eval("repair", "--told", "--out", tmp_path / "r.json")
    assert done.exit_code == 0, done.output
    lines = [request.instruction.split("\n") for request in told]
    assert all(first == "fix the bug" for first, *_ in lines)
    regions = [[line.strip() for line in request.region.splitlines()] for request in told]
    assert all(line in region for (_, line), region in zip(lines, regions, strict=True))
    assert "untouched left untouched" in json.loads((tmp_path / "r.json").read_text())["scores"]


def test_scan_ranks_defective_functions_and_compares(tmp_path, monkeypatch):
    from engine.editor import Editor
    from engine.evaluation import scanning
    from engine.evaluation.scanning import ScanCase

    cases = [ScanCase(WRONG, "integer", (1,)), ScanCase("def g(n)\n    return n\n", "syntax", (0,))]
    cases += [ScanCase(f"def h{i}(n):\n    return n\n", "clean") for i in range(4)]
    monkeypatch.setattr(scanning, "scan_cases", lambda *_: cases)
    monkeypatch.setattr(lab_held_out, "_functions", lambda _: [RIGHT])
    out = tmp_path / "scan.json"
    done = seed_eval("scan", "--rows", "2", "--out", out)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    assert report["model"]["revision"] == Editor.load().info.revision
    assert report["scores"]["precision at 2, scan"]["count"] == 2
    assert report["costs"]["functions_read"] == 6
    assert len(out.with_name("scan.json.cases.jsonl").read_text().splitlines()) == 7
    again = seed_eval("scan", "--rows", "2", "--out", out)
    assert again.stdout == done.stdout


def test_a_function_that_a_recipe_offers_nothing_is_to_stay(editor, tmp_path, monkeypatch):
    monkeypatch.setattr(lab_held_out, "_functions", lambda _: [RIGHT] * 9 + [WRONG] * 9)
    done = seed_eval("idle", "--each", "2", "--out", tmp_path / "idle.json")
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "idle.json").read_text())["scores"]
    own = [score for name, score in scores.items() if "phrasings" not in name]
    assert sum(score["count"] for score in own) == editor.asked == 14
    assert 0 < sum(score["hits"] for score in own) < 14


def test_recipes_are_asked_by_name_too(editor, tmp_path):
    named = "def f(total, other):\n    return total + other\n"
    held_out = tmp_path / "held_out.jsonl"
    held_out.write_text(4 * (json.dumps({"text": named, "source": "s", "kind": "function"}) + "\n"))
    done = seed_eval("recipes", "--each", "2", "--held-out", held_out, "--out", tmp_path / "recipes.json")
    assert done.exit_code == 0, done.output
    scores = json.loads((tmp_path / "recipes.json").read_text())["scores"]
    by_name = {name: score["count"] for name, score in scores.items() if "by name" in name}
    assert by_name == {
        f"{name}, by name": 2 for name in ("rename", "add-default", "remove-default", "remove-prints")
    }
    in_words = {name.split(",")[0]: s["count"] for name, s in scores.items() if "phrasings" not in name}
    assert in_words == {name.split(",")[0]: count for name, count in by_name.items()}
    assert editor.asked == 2 * sum(by_name.values())
