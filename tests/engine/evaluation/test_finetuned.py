import json
import shutil
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from engine.editor import Editor
from engine.errors import DataError
from engine.evaluation import finetuned
from engine.evaluation.finetuned import Wish, finetune
from engine.evaluation.own_commits import EXACT, LEFT, Figures
from engine.evaluation.scores import Share
from engine.training.finetuning import Tuning
from tests.engine.own_repository import make_checkpoint, make_repository
from tests.engine.training.listener import Listener


@pytest.fixture(scope="module")
def base(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("base")
    make_checkpoint(folder / "tiny", tokenizer)
    make_repository(folder / "shop", 36)
    return folder


@pytest.fixture
def wish(base):
    tuning = Tuning(steps=21, rate=1.0, tokens=512)
    return Wish(base / "shop", None, 8, base / "tiny", tuning, compiled=False)


def weights(folder):
    return load_file(folder / "model.safetensors")


@pytest.mark.slow
def test_the_loss_on_held_out_commits_falls_and_the_checkpoint_tells(wish, tmp_path):
    listener = Listener()
    done = finetune(wish, tmp_path / "ours", listener)
    assert done.after.loss < done.before.loss - 0.1
    assert "  held out: 8" in listener.said[-2]
    assert "kept: the weights after step 21, " in listener.said[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["ours"]
    assert Editor.load(tmp_path / "ours").info.recipes == ("fix",)
    report = json.loads((tmp_path / "ours/finetune.json").read_text())
    assert report["commits"]["held out"] == len(report["held_out"]) == 8
    assert report["kept"]["step"] == 21
    assert Figures.read(report["after"]).shares == done.after.shares
    card = (tmp_path / "ours/README.md").read_text()
    assert "repository\n`shop`" in card
    assert f"| {EXACT} | " in card
    assert "\n### Data" in card
    assert card.count("license:") == 1
    with pytest.raises(DataError, match="exists already"):
        finetune(wish, tmp_path / "ours", Listener())


@pytest.mark.slow
def test_weights_that_tuning_makes_worse_are_not_kept(wish, base, tmp_path):
    done = finetune(replace(wish, tuning=replace(wish.tuning, rate=1000.0)), tmp_path / "ours", Listener())
    assert not done.better
    assert done.after == done.before
    first, tuned = weights(base / "tiny"), weights(tmp_path / "ours")
    assert all(torch.equal(first[name], tuned[name]) for name in tuned)
    assert json.loads((tmp_path / "ours/finetune.json").read_text())["kept"]["step"] == 0


@pytest.mark.slow
def test_low_rank_pairs_change_the_matrices_of_layers_only(wish, base, tmp_path):
    finetune(replace(wish, tuning=replace(wish.tuning, rank=4)), tmp_path / "ours", Listener())
    first, tuned = weights(base / "tiny"), weights(tmp_path / "ours")
    for name in [name for name in first if name.startswith("exit.")]:
        del first[name]  # the exit head is left behind: it knows the other weights only
    assert set(first) == set(tuned)
    matrices = {name for name in first if name.startswith("layers.") and name.endswith(".weight")}
    assert {name for name in first if not torch.equal(first[name], tuned[name])} == matrices


@pytest.mark.slow
def test_an_interrupted_run_leaves_no_checkpoint_and_goes_on_to_the_same_end(wish, tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    finetune(wish, whole, Listener())
    for phase in ("measuring before", "tuning", "measuring after"):
        with pytest.raises(KeyboardInterrupt):
            finetune(wish, parts, Listener(interrupt=phase))
        assert not parts.exists()
    with pytest.raises(DataError, match="other options"):
        finetune(replace(wish, holdout=9), parts, Listener())
    finetune(wish, parts, Listener())
    assert (parts / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["parts", "whole"]


def test_better_is_more_exact_matches_or_as_many_and_a_lower_loss():
    def figures(exact, within, loss):
        names = (EXACT, "exact match within 4 candidates", LEFT)
        return Figures({n: Share(hits, 20) for n, hits in zip(names, (exact, within, 20), strict=True)}, loss)

    before = figures(3, 5, 2.0)
    assert figures(4, 5, 2.5).better_than(before)
    assert figures(3, 5, 1.9).better_than(before)
    assert not before.better_than(before)
    assert not figures(3, 4, 1.0).better_than(before)
    assert Figures.read(json.loads(json.dumps(before.as_json()))) == before


def test_what_was_adopted_of_another_checkpoint_is_not_taken(wish, tmp_path, monkeypatch):
    def adopt(_, out):
        shutil.copytree(wish.start_from, out)

    monkeypatch.setattr(finetuned, "family_name", lambda _: "llada")
    monkeypatch.setattr(finetuned, "adopt", adopt)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "config.json").write_text(folder.name)
    native = finetuned._native(replace(wish, start_from=first), tmp_path / "ours", Listener())
    assert native.start_from == tmp_path / "ours.base"
    assert finetuned._native(replace(wish, start_from=first), tmp_path / "ours", Listener()) == native
    with pytest.raises(DataError, match="another checkpoint than"):
        finetuned._native(replace(wish, start_from=second), tmp_path / "ours", Listener())
