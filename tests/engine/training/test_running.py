import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.checkpoints import folder as checkpoint
from engine.data.corpus import build
from engine.data.sources import Source
from engine.editor import Editor
from engine.errors import DataError, DeviceError
from engine.model.exit_head import ExitHead
from engine.requests import EditOptions, EditRequest
from engine.training import preparation
from engine.training.curriculum import read_curriculum
from engine.training.running import CONFIGS, configured, export, run
from tests.engine.training.listener import Listener
from tests.engine.training.tiny import TINY

CONFIG = f"""
{TINY}
[run]
tokens = 512
scored = 64
warmup = 1
decay = 1

[[stage]]
name = "all"
steps = 2
mixture = {{ masked = 1, defective = 1, edited = 1 }}
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A corpus of a few functions, prepared as `seed train corpus` does."""
    base = tmp_path_factory.mktemp("prepared")
    code = base / "code"
    code.mkdir()
    for i in range(30):
        name = f"total_{i}"
        (code / f"m{i}.py").write_text(
            f"def sum_{i}(first, second):\n    {name} = first + {i}\n    return {name} - second\n"
        )
    folder = base / "corpus"
    build(folder, [Source("code", "MIT", code, 100)], [], [], draw=0, seed=1, tell=str)
    (base / "sources.toml").write_text('[[train]]\nname = "code"\nlicence = "MIT"\nrepository = "code"\n')
    listener = Listener()
    preparation.prepare(folder, base / "sources.toml", base, None, seed=1, progress=listener)
    assert [name for name, _, _ in listener.phases] == ["making refactorings", "reading histories"]
    assert f"refactorings: {listener.done} pairs" in listener.said
    assert listener.done
    (base / "run.toml").write_text(CONFIG)
    return base


def trained(prepared, folder, config=None, *, corpus=None, **more):
    given = {"until": None, "device": "cpu", "compiled": False, "workers": 0, "tell": str} | more
    run(corpus or prepared / "corpus", config or prepared / "run.toml", folder, **given)


def test_a_corpus_becomes_a_checkpoint_that_loads(prepared, tmp_path):
    told = []
    run(
        prepared / "corpus",
        prepared / "run.toml",
        tmp_path / "run",
        until=None,
        device="cpu",
        compiled=False,
        tell=told.append,
    )
    assert told[0]["steps"] == 2
    assert told[-1]["step"] == 2
    assert (tmp_path / "run/loss.png").read_bytes().startswith(b"\x89PNG")
    export(prepared / "corpus", tmp_path / "run", tmp_path / "out", threshold=0.6, sure=0.2)
    network, tokenizer, settings = checkpoint.load(tmp_path / "out", device="cpu", dtype=torch.float32)
    assert (settings["threshold"], settings["sure"], settings["steps"]) == (0.6, 0.2, 2)
    assert "hints" not in settings
    assert tokenizer.size == network.config.vocabulary
    assert "| code | MIT | 30 |" in (tmp_path / "out/README.md").read_text()

    # An exit head would be worth nothing once the other weights move.
    network.config = replace(network.config, exit_hidden=4)
    network.exit = ExitHead(4)
    checkpoint.save(tmp_path / "out", network, tokenizer, settings)
    again = []
    run(
        prepared / "corpus",
        prepared / "run.toml",
        tmp_path / "second",
        until=1,
        device="cpu",
        compiled=False,
        start_from=tmp_path / "out",
        tell=again.append,
    )
    assert again[0]["step"] == 0
    export(prepared / "corpus", tmp_path / "second", tmp_path / "tuned", threshold=0.6, sure=0.2)
    tuned, _, settings = checkpoint.load(tmp_path / "tuned", device="cpu", dtype=torch.float32)
    assert tuned.exit is None
    assert settings["began_with"] == {"revision": checkpoint.revision(tmp_path / "out"), "steps": 2}

    config = tmp_path / "second" / "config.toml"
    config.write_text(config.read_text() + "hinted = 0.5\n")
    half = {"threshold": 0.6, "sure": 0.2, "start": tmp_path / "out", "kept": 0.5}
    export(prepared / "corpus", tmp_path / "second", tmp_path / "half", **half)
    mean, _, settings = checkpoint.load(tmp_path / "half", device="cpu", dtype=torch.float32)
    assert settings["began_with"]["kept"] == 0.5
    assert settings["hints"] is True
    assert "50% of it those it began with" in (tmp_path / "half/README.md").read_text()
    for middle, start, end in zip(mean.parameters(), network.parameters(), tuned.parameters(), strict=False):
        torch.testing.assert_close(middle, (start + end) / 2, rtol=0.01, atol=0.001)
    assert not all(map(torch.equal, mean.parameters(), tuned.parameters()))
    with pytest.raises(DataError, match="the run began with checkpoint"):
        export(
            prepared / "corpus", tmp_path / "second", tmp_path / "no", **half | {"start": tmp_path / "tuned"}
        )
    with pytest.raises(DataError, match="name it, or keep none"):
        export(prepared / "corpus", tmp_path / "run", tmp_path / "no", **half)


def test_an_exported_twin_edits(prepared, tmp_path):
    config = tmp_path / "twin.toml"
    config.write_text(CONFIG.replace("[run]", '[run]\ndecoder = "autoregressive"'))
    folder = tmp_path / "run"
    trained(prepared, folder, config)
    export(prepared / "corpus", folder, tmp_path / "out", threshold=0.0, sure=0.2)
    _, _, settings = checkpoint.load(tmp_path / "out", device="cpu", dtype=torch.float32)
    assert (settings["decoder"], settings["lookahead"]) == ("autoregressive", 32)
    assert "An autoregressive model" in (tmp_path / "out/README.md").read_text()
    editor = Editor.load(tmp_path / "out", device="cpu", dtype="float32")
    (proposal,) = editor.propose([EditRequest("fix", "x = 1\n")], EditOptions(candidates=3, threshold=0.0))
    assert proposal.verdict in ("edit", "out_of_scope", "unsure", "unchanged")
    assert proposal.forwards > 0


LAPS = """
[trajectories]
keep = "verified"
mixture = { masked = 1 }
tasks = 2
pool = 2
longest = 64
steps = 1
max_rounds = 3
probe = 2
parses = ["masked"]

[[stage]]
name = "on policy"
steps = 2
mixture = { trajectory = 1, masked = 1 }
"""


def test_a_run_in_laps_is_exported_like_any_other(prepared, tmp_path):
    config, told = tmp_path / "laps.toml", []
    config.write_text(CONFIG.split("[[stage]]")[0] + LAPS)
    folder = tmp_path / "run"
    trained(prepared, folder, config, tell=told.append)
    assert [line["step"] for line in told if "probe" in line] == [0, 1, 2]
    assert (folder / "laps.png").read_bytes().startswith(b"\x89PNG")
    export(prepared / "corpus", folder, tmp_path / "out", threshold=0.6, sure=0.2)
    assert "| on policy | 2 |" in (tmp_path / "out/README.md").read_text()


def test_a_configuration_is_named_or_a_file(tmp_path):
    own = tmp_path / "own.toml"
    own.write_text("")
    assert configured(own) == own
    assert configured(None) == CONFIGS / "default.toml"
    assert configured(Path("on_policy")) == CONFIGS / "on_policy.toml"
    assert configured(Path("nowhere.toml")) == Path("nowhere.toml")


@pytest.mark.parametrize("name", ["first", "second", "third", "default", "hints", "order", "on_policy"])
def test_configurations_that_come_along_can_be_read(name):
    assert read_curriculum(configured(Path(name)), 8192).steps > 0


def test_a_checkpoint_with_another_tokenizer_starts_no_run(prepared, tmp_path):
    with pytest.raises(DataError, match="tokenizer"):
        run(
            prepared / "corpus",
            prepared / "run.toml",
            tmp_path / "run",
            until=1,
            device="cpu",
            compiled=False,
            start_from=checkpoint.DEFAULT,
            tell=print,
        )


def test_an_unsaved_run_exports_nothing(prepared, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/config.toml").write_text(CONFIG)
    with pytest.raises(DataError, match="no saved run"):
        export(prepared / "corpus", tmp_path / "run", tmp_path / "out", threshold=0.6, sure=0.2)


def contents(folder):
    """Times and texts; the data card is written again, and stays the same."""
    return {
        p.name: p.read_text() if p.name == "README.md" else p.stat().st_mtime_ns for p in folder.iterdir()
    }


def test_preparing_again_keeps_what_exists(prepared):
    before = contents(prepared / "corpus")
    preparation.prepare(
        prepared / "corpus", prepared / "sources.toml", prepared, None, seed=1, progress=Listener()
    )
    assert before == contents(prepared / "corpus")
    assert "| code | MIT | 30 | 0 | 0 |" in (prepared / "corpus/README.md").read_text()
    assert json.loads((prepared / "corpus/card.json").read_text())["pairs"]


def test_a_run_does_not_go_on_as_another_one(prepared, tmp_path):
    trained(prepared, tmp_path / "run", until=1)
    before = (tmp_path / "run/config.toml").read_text()
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.replace("edited = 1", "edited = 2"))
    with pytest.raises(DataError, match="another configuration"):
        trained(prepared, tmp_path / "run", other)
    assert (tmp_path / "run/config.toml").read_text() == before
    same = tmp_path / "same.toml"
    same.write_text(CONFIG + "\n# a comment changes nothing\n")
    trained(prepared, tmp_path / "run", same)


def test_a_run_does_not_go_on_with_another_corpus(prepared, tmp_path):
    trained(prepared, tmp_path / "run", until=1)
    corpus = tmp_path / "corpus"
    shutil.copytree(prepared / "corpus", corpus)
    tokenizer = corpus / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + " ")
    with pytest.raises(DataError, match="another corpus"):
        trained(prepared, tmp_path / "run", corpus=corpus)
    with pytest.raises(DataError, match="another corpus"):
        export(corpus, tmp_path / "run", tmp_path / "out", threshold=0.6, sure=0.2)
    assert not (tmp_path / "out").exists()


def test_a_report_that_cannot_be_read_leaves_the_checkpoint_as_it_was(prepared, tmp_path):
    trained(prepared, tmp_path / "run", until=1)
    out = tmp_path / "out"
    export(prepared / "corpus", tmp_path / "run", out, threshold=0.6, sure=0.2)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    trained(prepared, tmp_path / "run")
    report = tmp_path / "report.json"
    report.write_text('{"command": "seed eval", "date": "today", "scores": {"a": {}}}')
    with pytest.raises(DataError, match="model card"):
        export(prepared / "corpus", tmp_path / "run", out, threshold=0.6, sure=0.2, reports=[report])
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    report.write_text(
        '{"command": "seed eval scan", "date": "today",'
        ' "scores": {"ahead": {"difference": 0.25, "interval": [0.1, 0.4], "count": 9}}}'
    )
    export(prepared / "corpus", tmp_path / "run", out, threshold=0.6, sure=0.2, reports=[report])
    assert "| ahead | 25.0% | 10.0% to 40.0% | 9 |" in (out / "README.md").read_text()


def test_what_a_corpus_has_nothing_of_is_told_before_training(prepared, tmp_path):
    config = tmp_path / "commits.toml"
    config.write_text(CONFIG.replace("edited = 1", "committed = 1"))
    with pytest.raises(DataError, match="no pairs of committed"):
        trained(prepared, tmp_path / "run", config)


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for what is not there")
def test_a_device_that_is_not_there_is_named(prepared, tmp_path):
    with pytest.raises(DeviceError, match="cuda"):
        trained(prepared, tmp_path / "run", until=1, device="cuda")


def test_a_corpus_does_not_go_on_as_another_one(prepared, tmp_path):
    (tmp_path / "suite.jsonl").write_text(json.dumps({"before": "print('hello, evaluation')\n" * 9}) + "\n")
    with pytest.raises(DataError, match="other barred"):
        preparation.prepare(
            prepared / "corpus", prepared / "sources.toml", prepared, tmp_path, seed=1, progress=Listener()
        )
    with pytest.raises(DataError, match="other seed"):
        preparation.prepare(
            prepared / "corpus", prepared / "sources.toml", prepared, None, seed=2, progress=Listener()
        )
    assert "No evaluation suite was named" in (prepared / "corpus/README.md").read_text()
