"""`seed undo`, `redo`, `log`, `models`, `doctor`."""

import json
from pathlib import Path

import pytest

from seedcli.model_client import ScriptedModel
from tests.seedcli.commands.conftest import ADD, ADD_FIXED, Seed
from tests.seedcli.commands.scripted import replacing


def test_a_run_is_undone_by_its_id(repo: Path, seed: Seed) -> None:
    (repo / "other.py").write_text(ADD)
    first = seed("edit", "-y", "--json", "fix one", "calc.py::add").json["run"]
    assert seed("edit", "-y", "fix two", "other.py").code == 0
    result = seed("undo", first)
    assert (result.code, result.out) == (0, b"")
    assert f"took back {first} (fix one): calc.py" in result.err
    assert (repo / "calc.py").read_text().startswith(ADD)
    assert (repo / "other.py").read_text() == ADD_FIXED
    assert f"wrote {first} (fix one) again: calc.py" in seed("redo").err


def test_log_lists_runs_newest_first(repo: Path, seed: Seed) -> None:
    result = seed("log")
    assert (result.code, result.out, result.err) == (0, b"", "seed: no run has written files here yet\n")
    (repo / "other.py").write_text(ADD)
    assert seed("edit", "-y", "fix\nboth", "calc.py", "other.py").code == 0
    assert seed("edit", "-y", "back", "other.py", model=ScriptedModel(replacing({"+": "-"}))).code == 0
    assert seed("undo").code == 0
    newest, oldest = seed("log").out.decode().splitlines()
    assert newest.endswith("undone    other.py  back")
    assert oldest.endswith("applied   calc.py and 1 more  fix\\nboth")
    runs = seed("log", "--json").json["runs"]
    assert [(run["state"], run["files"]) for run in runs] == [
        ("undone", ["other.py"]),
        ("applied", ["calc.py", "other.py"]),
    ]
    assert set(runs[0]) == {"id", "time", "state", "label", "files"}


def test_what_an_interrupted_run_left_is_set_right_first(
    repo: Path, seed: Seed, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = home / "seed-state"
    monkeypatch.setenv("SEED_STATE_DIR", str(state))
    before = (repo / "calc.py").read_bytes()
    assert seed("edit", "-y", "fix the bug", "calc.py").code == 0
    (record,) = state.rglob("run.json")
    content = json.loads(record.read_text())
    content["run"]["state"] = "undoing"
    record.write_text(json.dumps(content))
    result = seed("edit", "-y", "fix the bug", "calc.py", model=ScriptedModel({}))
    assert "was interrupted" in result.err
    assert seed("undo").code == 0
    assert (repo / "calc.py").read_bytes() == before


class TestModels:
    @pytest.fixture
    def mine(self, home: Path) -> Path:
        folder = home / "data" / "seed" / "models" / "mine"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        return folder

    def test_list(self, repo: Path, seed: Seed, mine: Path) -> None:
        assert f"mine  {mine}\n".encode() in seed("models").out
        assert seed("models", "list").out == seed("models").out
        rows = seed("models", "list", "--json").json["models"]
        assert {"name": "mine", "path": str(mine)} in rows

    def test_show(self, repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
        opened: list[str | None] = []

        def open_model(name: str | None, weights: str | None) -> ScriptedModel:
            opened.append(name)
            return ScriptedModel({})

        monkeypatch.setattr("seedcli.model_client.open_model", open_model)
        assert b"revision           000000000000\n" in seed("models", "show").out
        (repo / "seed.toml").write_text("model = 'configured'")
        assert seed("models", "show", "--json").json["model"]["name"] == "scripted"
        assert seed("models", "show", "named").code == 0
        assert opened == [None, "configured", "named"]

    def test_show_one_that_is_not_there(self, repo: Path, seed: Seed) -> None:
        result = seed("models", "show", "nosuch")
        assert (result.code, result.err.count("\n")) == (3, 1)


class TestModelsFromElsewhere:
    @pytest.fixture
    def llada(self, home: Path) -> Path:
        from tests.engine.checkpoints.families.test_logits import llada_shapes
        from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write

        config = CONFIGS["llada"]
        return write(home / "data" / "seed" / "models" / "tiny", config, random_state(llada_shapes(config)))

    def test_list_names_families_and_what_is_unverified(self, repo: Path, seed: Seed, llada: Path) -> None:
        out = seed("models", "list").out.decode()
        assert f"tiny  {llada}  llada\n" in out
        assert "\nsdar  mask 151669, block 4, logits in place; Apache-2.0  unverified: stops, chat\n" in out
        table = seed("models", "list", "--json").json
        (row,) = [row for row in table["models"] if row["name"] == "tiny"]
        assert (row["path"], row["family"], row["licence"]) == (str(llada), "llada", "MIT")
        facts = {one["name"]: one["facts"] for one in table["families"]}
        assert facts["sdar"]["stops"]["verified"] is False
        assert facts["sdar"]["mask"]["value"] == "151669"
        assert facts["sdar"]["mask"]["source"]

    def test_show_gives_each_fact_with_its_source(self, repo: Path, seed: Seed, llada: Path) -> None:
        out = seed("models", "show", "tiny").out.decode()
        assert "family             llada\n" in out
        assert "parameters         36576\n" in out
        assert "GiB as bfloat16, " in out
        assert "mask               150  (generate.py of ML-GSAI/LLaDA" in out
        assert "licence            MIT  (unverified: " in out
        model = seed("models", "show", str(llada), "--json").json["model"]
        assert model["facts"]["licence"]["verified"] is False
        assert model["max_tokens"] == 4096

    def test_a_damaged_one_is_one_line(self, repo: Path, seed: Seed, llada: Path) -> None:
        weights = llada / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:-1])
        result = seed("models", "show", "tiny")
        assert (result.code, result.out, result.err.count("\n")) == (3, b"", 1)
        assert "cut short or damaged" in result.err

    def test_one_that_does_not_load_is_refused_by_edit(self, repo: Path, seed: Seed, llada: Path) -> None:
        result = seed("edit", "fix", "calc.py", "--model", "tiny", model=None)
        assert (result.code, result.out, result.err.count("\n")) == (3, b"", 1)
        assert "tiny has no tokenizer" in result.err


class TestDoctor:
    def test_a_healthy_machine(self, repo: Path, seed: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("seedcli.model_client.open_model", lambda name, weights: ScriptedModel({}))
        result = seed("doctor")
        assert (result.code, result.err) == (0, "")
        assert all(line.startswith("ok  ") for line in result.out.decode().splitlines())
        report = seed("doctor", "--json").json
        names = [check["name"] for check in report["checks"]]
        wanted = ["python", "packages", "git", "state folder", "terminal", "checks", "settings and model"]
        assert names == wanted

    def test_every_fault_is_found(
        self, repo: Path, seed: Seed, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / "file").write_text("")
        monkeypatch.setenv("SEED_STATE_DIR", str(home / "file" / "state"))
        (repo / "seed.toml").write_text("nonsense = 1")
        result = seed("doctor")
        assert result.code == 1
        failed = [line for line in result.out.decode().splitlines() if line.startswith("FAIL")]
        assert ["state folder" in failed[0], "nonsense" in failed[1]] == [True, True]
        assert len(failed) == 2

    def test_a_missing_model_is_found(self, repo: Path, seed: Seed) -> None:
        result = seed("doctor", "--model", "nosuch", "--isolated")
        assert result.code == 1
        assert b"no model 'nosuch'" in result.out
