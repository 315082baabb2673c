import hashlib
import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from engine.checkpoints import folder as checkpoint
from engine.data.store import TextPair, pack_pairs, pack_regions
from engine.errors import DataError
from engine.sampling.edit import EditSampler, EditSettings
from engine.training.exit_rounds import draw, watch
from engine.training.exits import ExitTuning, least_threshold, train_exit

CODE = [
    f"def sum_{i}(first, second):\n    total = first + {i}\n    return total - second\n" for i in range(20)
]
SMALL = ExitTuning(questions=30, hidden=4, steps=20, precision=0.5)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("corpus")
    pack_regions(folder, CODE, tokenizer)
    pairs = [TextPair(t, t.replace("total", "all"), "rename", {"old": "total", "new": "all"}) for t in CODE]
    pack_pairs(folder / "refactored.jsonl", pairs, tokenizer)
    return folder


@pytest.fixture(scope="module")
def plain(tmp_path_factory, network, tokenizer):
    """A checkpoint without a head that edits at its own threshold."""
    folder = tmp_path_factory.mktemp("plain") / "model"
    checkpoint.save(folder, network, tokenizer, {"threshold": 0.5, "recipes": ["fix"]})
    (folder / "README.md").write_text("# model\n")
    return folder


def trained(plain, corpus, out, tuning=SMALL):
    return train_exit(plain, corpus, out, tuning, device="cpu", tell=lambda _: None)


def test_a_checkpoint_gets_a_head_and_keeps_its_other_weights(plain, corpus, tmp_path):
    told = []
    exits = train_exit(plain, corpus, tmp_path / "out", SMALL, device="cpu", tell=told.append)
    assert sum(told) == 30
    before, after = (load_file(f / "model.safetensors") for f in (plain, tmp_path / "out"))
    added = after.keys() - before.keys()
    assert added == {"exit.enter.weight", "exit.enter.bias", "exit.leave.weight", "exit.leave.bias"}
    for name, weight in before.items():
        assert torch.equal(weight.view(torch.uint8), after[name].view(torch.uint8)), name
    assert (tmp_path / "out/tokenizer.json").read_bytes() == (plain / "tokenizer.json").read_bytes()

    network, _, settings = checkpoint.load(tmp_path / "out", device="cpu", dtype=torch.float32)
    assert network.config.exit_hidden == 4
    assert settings == {"threshold": 0.5, "recipes": ["fix"], "exit_threshold": exits.threshold}
    assert exits.said >= exits.right >= exits.said * 0.5
    assert exits.rounds >= exits.final >= exits.right
    card = (tmp_path / "out/README.md").read_text()
    assert card.startswith("# model\n")
    assert f"{network.parameter_count():,} parameters" in card


@pytest.mark.slow
def test_the_same_seed_gives_the_same_head_and_a_head_is_replaced(plain, corpus, tmp_path):
    first = trained(plain, corpus, tmp_path / "first")
    again = trained(tmp_path / "first", corpus, tmp_path / "again")
    assert first == again
    a, b = (hashlib.sha256((tmp_path / n / "model.safetensors").read_bytes()) for n in ("first", "again"))
    assert a.digest() == b.digest()
    assert (tmp_path / "again/README.md").read_text() == (tmp_path / "first/README.md").read_text()


def test_a_round_counts_as_final_if_the_next_one_changes_nothing(network, tokenizer, corpus):
    questions = draw(corpus, tokenizer, 12, seed=1)
    rounds = watch(network, tokenizer, questions, 0.5, lambda _: None)
    c = tokenizer.controls
    sampler = EditSampler(network, c.edits, never=c.never, pad=c.pad)
    outcomes, _ = sampler.run([q[0] for q in questions], [q[1] for q in questions], EditSettings(0.5))
    ended = [o.rows[0] for o in outcomes]
    final = [q for q, is_final in zip(rounds.questions, rounds.final_R.tolist(), strict=True) if is_final]
    assert final
    for q in final:
        (once,), _ = sampler.run([questions[q][0]], [ended[q].canvas], EditSettings(0.5, max_rounds=1))
        assert once.rows[0].canvas == ended[q].canvas or ended[q].rounds == 17


def test_questions_are_a_function_of_the_seed_and_ask_for_both(corpus, tokenizer):
    asked = draw(corpus, tokenizer, 40, seed=3)
    assert asked == draw(corpus, tokenizer, 40, seed=3)
    assert asked != draw(corpus, tokenizer, 40, seed=4)
    texts = [tokenizer.decode(canvas) for _, canvas in asked]
    assert any(text in CODE for text in texts)
    assert any(text not in CODE for text in texts)
    assert not any(tokenizer.controls.end in canvas for _, canvas in asked)


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.7, 0.9]), st.booleans()), min_size=1, max_size=30),
    st.sampled_from([0.4321, 0.6543, 0.8765]),
)
def test_the_least_threshold_is_the_least_that_is_precise(rows, precision):
    probability, final = torch.tensor([p for p, _ in rows]), torch.tensor([f for _, f in rows])

    def good(threshold):
        said = probability > threshold
        if not said.any():
            return False
        n, share = int(said.sum()), float(final[said].float().mean())
        half = math.sqrt(share * (1 - share) / n + 1 / (4 * n * n))
        return (share + 1 / (2 * n) - half) / (1 + 1 / n) >= precision

    found = least_threshold(probability, final, precision)
    places = [0.0, *np.unique(probability.numpy()).tolist()]
    assert found == pytest.approx(min((t for t in places if good(t)), default=1.0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda plain, out: out.mkdir(), "exists already"),
        (lambda plain, out: set_(plain, decoder="autoregressive"), "does not edit in rounds"),
        (lambda plain, out: set_(plain, threshold=1.0), "edits next to nothing"),
    ],
)
def test_what_cannot_be_done_is_said(plain, corpus, tmp_path, change, words):
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(plain, copy)
    change(copy, tmp_path / "out")
    with pytest.raises(DataError, match=words):
        trained(copy, corpus, tmp_path / "out")


def set_(folder, **values):
    table = json.loads((folder / "config.json").read_text())
    table["seed"] |= values
    (folder / "config.json").write_text(json.dumps(table))


def test_a_corpus_without_places_for_defects_is_named(tmp_path, tokenizer):
    pack_regions(tmp_path, ["((((\n"], tokenizer)
    with pytest.raises(DataError, match="0 of 5 questions"):
        draw(tmp_path, tokenizer, 5, seed=1)
