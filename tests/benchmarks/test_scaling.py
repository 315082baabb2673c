"""Sizes and budgets are runs that the trainer reads; lines through the points say what they were drawn from."""

import json
import sys
from pathlib import Path

import pytest

from engine.training.curriculum import read_curriculum

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import ablations
import scaling
import small_runs


@pytest.mark.parametrize("size", scaling.SIZES)
def test_every_size_can_be_read_and_draws_the_same(size, tmp_path):
    path = tmp_path / "run.toml"
    read = []
    for one in ("small", size):
        path.write_text(scaling.part(one, 100).toml(3))
        read.append(read_curriculum(path, 8192))
    small, other = read
    assert other.stages == small.stages
    assert (other.steps, other.tokens, other.seed) == (100, small_runs.TOKENS, 3)


def test_the_small_size_is_the_row_of_the_ablations():
    edits = next(row for row in ablations.rows(100, scaling.MASKS) if row.name == "edits")
    assert scaling.part("small", 100).toml(1) == edits.parts[0].toml(1)


def test_the_last_tenth_of_a_log_is_its_loss(tmp_path):
    log = tmp_path / "log.jsonl"
    lines = [{"step": 20 * n, "changed": float(n)} for n in range(1, 101)]
    log.write_text("".join(json.dumps(line) + "\n" for line in [*lines, {"evaluated": 1, "step": 2000}]))
    assert scaling.last_loss(log) == sum(range(91, 101)) / 10


def test_a_power_law_is_found_and_continued():
    rows = [_row(10.0**n, 2 * (10.0**n) ** -0.1) for n in (12, 13, 14, 15)]
    found = scaling.predicted([*rows, _row(1e14, 5.0)])
    assert found["exponent"] == pytest.approx(-0.1)
    assert found["operations"] == pytest.approx(4e15)
    assert found["loss"] == pytest.approx(2 * 4e15**-0.1)
    assert found["syntax"] == pytest.approx(0.25)


def test_too_few_runs_say_nothing():
    assert scaling.predicted([_row(1e12, 3.0), _row(1e13, 2.0), _row(1e14, 2.5)]) == {}
    with pytest.raises(ValueError, match="two places"):
        scaling.line([(1.0, 2.0), (1.0, 3.0)])


def test_the_table_has_every_run_and_what_the_lines_say(tmp_path):
    settings = {"steps": 5, "cases": 100, "cases_digest": "ab", "threshold": 0.7}
    results = small_runs.Results(tmp_path / "found.json", settings)
    for n in (12, 13, 14):
        row = _row(10.0**n, 5.0 - n / 10)
        results.add(f"size/{n}", {**row, "parameters": 10**6, "steps": 10, "seconds": 5.0})
    text = scaling.markdown(results, "picture.png")
    assert text.count("| 1.0 M | 0.1 M |") == 3
    assert "4.0e+14 operations" in text
    scaling.plot(list(results.rows.values()), tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 1000


def _row(operations, loss):
    shares = dict.fromkeys(scaling.SHARES, 0.25)
    return {"operations": operations, "loss": loss, **shares}
