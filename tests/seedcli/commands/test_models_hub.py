"""`seed models pull | list | show | verify | rm` and `--model org/name`, against a hub of our own."""

import json

import pytest
from huggingface_hub import constants

from engine.checkpoints import store
from seedcli.model_client import get_model
from tests.engine.checkpoints.conftest import server  # noqa: F401
from tests.engine.checkpoints.families.test_logits import llada_shapes
from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write
from tests.engine.checkpoints.hub_server import COMMIT

REPO = "apple/LLaDA-tiny"
SHARD = "model-00001-of-00002.safetensors"


@pytest.fixture
def hub(server, tmp_path):  # noqa: F811
    config = CONFIGS["llada"]
    folder = write(tmp_path / "vendor", config, random_state(llada_shapes(config)), shards=2)
    server.repos[REPO] = {path.name: path.read_bytes() for path in folder.iterdir()}
    server.licences[REPO] = "apple-amlr"
    return server


def test_a_model_from_pull_to_rm(repo, seed, hub):
    done = seed("models", "pull", REPO)
    assert done.code == 0, done.err
    folder = done.out.decode().strip()
    assert folder.endswith(f"models--apple--LLaDA-tiny/snapshots/{COMMIT}")
    assert "seed: the licence MIT apple-amlr does not allow commercial use\n" in done.err

    listed = seed("models", "list").out.decode()
    assert f"{REPO}  {folder}  llada\n    0.0 GB; needs 0.25 GiB as float32, " in listed
    assert "    warning: the licence MIT apple-amlr does not allow commercial use\n" in listed
    assert "    unverified: " in listed
    (row,) = [row for row in seed("models", "list", "--json").json["models"] if row["name"] == REPO]
    assert row["licence"] == "apple-amlr"
    assert row["block"] == 32
    assert row["memory_bytes"]["int4"] < row["memory_bytes"]["bfloat16"]
    assert json.dumps(row["unverified"])

    assert b"family             llada\n" in seed("models", "show", REPO).out
    assert seed("models", "verify", REPO).out.decode() == (f"{REPO} {COMMIT}: 4 files as the hub has them\n")
    refused = seed("models", "rm", REPO)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "only with -y" in refused.err
    assert seed("models", "rm", REPO, "-y").code == 0
    assert seed("models", "rm", REPO, "-y").code == 3
    assert REPO not in seed("models", "list").out.decode()


def test_a_damaged_download_is_found_and_mended(repo, seed, hub):
    seed("models", "pull", REPO)
    path = (store.find(store.Wanted(REPO)).folder / SHARD).resolve()
    path.write_bytes(bytes(path.stat().st_size))
    done = seed("models", "verify", REPO)
    assert (done.code, done.out) == (3, b"")
    assert f"{REPO}: {SHARD} is not as the hub has it; run `seed models pull {REPO}`" in done.err
    path.write_bytes(b"short")
    shown = seed("models", "show", REPO)
    assert (shown.code, shown.err.count("\n")) == (3, 1)
    assert "has 5 bytes, not " in shown.err
    assert seed("models", "pull", REPO).code == 0
    assert seed("models", "verify", REPO).code == 0


def test_model_by_the_hubs_name_is_downloaded_once(repo, seed, hub):
    folder = get_model(REPO)
    assert get_model(f"{REPO}@{COMMIT}") == folder
    hub.asked.clear()
    assert get_model(REPO) == folder
    assert hub.asked == [], "a model that is here is used without asking anybody"


def test_what_cannot_be_had_is_one_line(repo, seed, hub, monkeypatch):
    for arguments, words in [
        (("models", "pull", "apple/nosuch"), "the hub has no apple/nosuch"),
        (("edit", "fix", "calc.py", "--model", "apple/nosuch"), "the hub has no apple/nosuch"),
        (("models", "show", REPO), f"`seed models pull {REPO}` gets it"),
        (("models", "verify", REPO), f"{REPO} is not downloaded"),
    ]:
        done = seed(*arguments, model=None)
        assert (done.code, done.out, done.err.count("\n")) == (3, b"", 1), done
        assert words in done.err
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    done = seed("edit", "fix", "calc.py", "--model", REPO, model=None)
    assert (done.code, done.err.count("\n")) == (3, 1)
    assert "offline mode is on" in done.err
    assert seed("models", "pull", "./x").code == 2


def test_a_model_in_a_settings_file_may_be_the_hubs(repo, seed, hub):
    (repo / "seed.toml").write_text(f'model = "{REPO}"')
    done = seed("models", "show")
    assert f"{REPO} is neither a folder nor downloaded" in done.err


def test_convert(repo, seed, hub):
    done = seed("models", "convert", REPO, "half")
    assert (done.code, done.out) == (0, b"half\n")
    assert b"family             llada\n" in seed("models", "show", "./half").out
    again = seed("models", "convert", REPO, "half")
    assert (again.code, again.err) == (3, "seed: half exists already; name another folder, or remove it\n")
    assert seed("models", "convert", REPO, "other", "--to", "int3").code == 2
