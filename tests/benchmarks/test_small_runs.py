"""The rows of the comparisons are runs that the trainer reads, and as long as each other."""

import json
import sys
from pathlib import Path

import pytest

from engine.training.curriculum import read_curriculum

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import ablations
import small_runs
import twin

ROWS = ablations.rows(400, 0.4)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_can_be_read_and_has_as_many_steps(row, tmp_path):
    for part in row.parts:
        path = tmp_path / "run.toml"
        path.write_text(part.toml(3))
        curriculum = read_curriculum(path, 8192)
        assert curriculum.steps == part.steps
        assert (curriculum.seed, curriculum.tokens) == (3, small_runs.TOKENS)
        assert (curriculum.trajectories is not None) == (part.trajectories is not None)
    assert sum(part.steps for part in row.parts) == 400


def test_runs_of_one_name_are_the_same_run():
    texts = {}
    for part in (part for row in ROWS for part in row.parts):
        assert texts.setdefault(part.name, part.toml(1)) == part.toml(1)


def test_the_twin_has_the_same_steps_and_draws(tmp_path):
    read = []
    for decoder in twin.DECODERS:
        path = tmp_path / "run.toml"
        path.write_text(twin.part(decoder, 80, {"drafts": 0.5} if decoder == "edit" else {}).toml(1))
        read.append(read_curriculum(path, 8192))
    edit, other = read
    assert [stage.mixture for stage in edit.stages] == [stage.mixture for stage in other.stages]
    assert (edit.steps, edit.tokens, edit.seed) == (other.steps, other.tokens, other.seed)
    assert edit.stages[-1].drafts == 0.5
    assert (other.decoder, other.scored) == ("autoregressive", other.tokens)


def test_finished_rows_are_kept_and_other_settings_refused(tmp_path):
    path = tmp_path / "found.json"
    row = dict.fromkeys(ablations.COLUMNS, 0.25)
    small_runs.Results(path, {"steps": 5}).add("edits/1", row)
    small_runs.Results(path, {"steps": 5}).add("edits/2", dict.fromkeys(ablations.COLUMNS, 0.75))
    found = small_runs.Results(path, {"steps": 5})
    assert set(found.rows) == set(json.loads(path.read_text())["rows"]) == {"edits/1", "edits/2"}
    with pytest.raises(SystemExit, match="other settings"):
        small_runs.Results(path, {"steps": 6})


def test_a_table_shows_the_mean_and_the_spread_of_seeds(tmp_path):
    settings = {"steps": 5, "cases": 100, "cases_digest": "ab", "threshold": 0.7}
    results = small_runs.Results(tmp_path / "found.json", settings)
    for seed, share in ((1, 0.25), (2, 0.75)):
        results.add(f"edits/{seed}", dict.fromkeys(ablations.COLUMNS, share))
    assert "| edits | 2 | 50.0% (25.0% to 75.0%) |" in ablations.markdown(results, ROWS)
