import json

import pytest
from typer.testing import CliRunner

from seedcli.main import app

FUNCTION = "def add(first, second):\n    total = first + 2 * second\n    return total - second\n"


@pytest.fixture
def held_out(tmp_path):
    path = tmp_path / "held_out.jsonl"
    path.write_text(json.dumps({"source": "here", "kind": "function", "text": FUNCTION}) + "\n")
    return path


def test_an_unknown_suite_and_missing_functions_are_named(tmp_path):
    unknown = CliRunner().invoke(app, ["bench", "--only", "edit"])
    assert unknown.exit_code == 2
    missing = CliRunner().invoke(app, ["bench", "--held-out", str(tmp_path / "none.jsonl")])
    assert missing.exit_code == 2


def test_forwards_are_timed_and_reported(held_out, tmp_path, monkeypatch):
    monkeypatch.setattr("engine.bench.machine.SIDE", 64)
    out = tmp_path / "bench.json"
    asked = [
        "bench",
        "--quick",
        "--only",
        "forwards",
        "--threads",
        "1",
        "--held-out",
        str(held_out),
        "--out",
        str(out),
    ]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    assert {row["suite"] for row in report["rows"]} == {"forwards"}
    assert report["peaks"]["product_bfloat16"] > 0
    assert "FORWARDS" in done.output
