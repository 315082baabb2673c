"""The door to a model: names and folders, the scripted twin, and one real checkpoint behind it."""

import sys
from pathlib import Path

import pytest

from engine.requests import EditOptions, EditRequest
from seedcli.errors import ModelError
from seedcli.model_client import ScriptedModel, find_model, known_models, open_model
from tests.seedcli.commands.scripted import replacing


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = tmp_path / "data" / "seed" / "models"
    for name in ("one", "two"):
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text("{}")
    (folder / "unfinished").mkdir()
    return folder


def test_models_of_the_user_are_known_by_name(models: Path) -> None:
    assert known_models().items() >= {"one": models / "one", "two": models / "two"}.items()
    assert "unfinished" not in known_models()
    assert find_model("two") == models / "two"


def test_a_folder_is_a_model_too(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_model(str(models / "one")) == models / "one"
    assert find_model("./one") == Path("one")
    assert find_model("~/data/seed/models/one") == models / "one"


def test_what_is_no_model_is_refused_with_what_there_is(models: Path) -> None:
    with pytest.raises(ModelError, match=r"no model 'three': .*one.*two"):
        find_model("three")
    with pytest.raises(ModelError, match=r"unfinished' is no model: it has no config.json"):
        find_model(str(models / "unfinished"))


def test_the_scripted_model_answers_as_it_was_told() -> None:
    model = ScriptedModel({"a\n": ["b\n", "c\n", "d\n"]})
    requests = [EditRequest("do", "a\n"), EditRequest("do", "z\n")]
    edited, unchanged = model.propose(requests, EditOptions(candidates=2))
    assert [candidate.text for candidate in edited.candidates] == ["b\n", "c\n"]
    assert (edited.verdict, unchanged.verdict, unchanged.candidates) == ("edit", "unchanged", ())
    assert model.asked == requests
    assert (
        ScriptedModel(replacing({"a": "b"})).propose(requests, EditOptions())[0].candidates[0].text == "b\n"
    )


def test_a_damaged_checkpoint_is_a_model_error(models: Path) -> None:
    with pytest.raises(ModelError, match="one") as caught:
        open_model("one")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_real_checkpoint_answers_every_request(models: Path) -> None:
    from engine.checkpoints.folder import save
    from engine.model.config import ModelConfig
    from engine.model.network import Network
    from engine.model.tokenizer import CodeTokenizer

    source = Path(__file__).read_text()
    tokenizer = CodeTokenizer.train([source] * 3, 400)
    config = ModelConfig(
        vocabulary=tokenizer.size, layers=1, width=32, heads=2, kv_heads=1, hidden=64, max_tokens=512
    )
    save(models / "tiny", Network(config), tokenizer, {"threshold": 0.9, "recipes": ["fix"]})
    model = open_model("tiny")
    assert (model.info.name, model.info.recipes, model.info.threshold) == ("tiny", ("fix",), 0.9)
    regions = ["def f(a):\n    return a\n", "x = 1\n", "y = 2\n" * 4000]
    proposals = model.propose([EditRequest("fix the bug", region) for region in regions], EditOptions())
    assert len(proposals) == 3
    assert proposals[2].verdict == "too_long"
    assert "torch" in sys.modules
