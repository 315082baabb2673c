import json
import signal

import pytest
import torch

from engine.data.batches import BatchMaker, visible
from engine.data.examples import CHANGED, CHANGED_WEIGHT, KEPT, KEPT_WEIGHT, ExampleMaker, Noise
from engine.data.rewrites import RewriteMaker
from engine.data.store import PairStore, RegionStore, TextPair, pack_pairs, pack_regions
from engine.errors import DataError
from engine.model.config import ModelConfig
from engine.training.curriculum import Curriculum, Stage, read_curriculum
from engine.training.trainer import Trainer

FUNCTION = "def add_{0}(first, second):\n    total = first + second * {0}\n    return total\n"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("corpus")
    texts = [FUNCTION.format(i) for i in range(40)]
    pack_regions(folder, texts, tokenizer)
    pairs = [
        TextPair(
            t, t.replace("total", "result"), recipe="rename", variables={"old": "total", "new": "result"}
        )
        for t in texts
    ]
    pack_pairs(folder / "refactored.jsonl", pairs, tokenizer)
    pack_pairs(
        folder / "committed.jsonl",
        [TextPair(t, t.replace("+", "-"), subject="fix sign") for t in texts],
        tokenizer,
    )
    return folder


@pytest.fixture
def start(corpus, tokenizer, tmp_path):
    stages = (
        Stage("masks", 2, {"masked": 1.0}),
        Stage(
            "edits",
            4,
            {"masked": 1, "edited": 1, "defective": 3, "refactored": 2, "committed": 1, "refused": 1},
        ),
    )
    model = ModelConfig(tokenizer.size, width=32, layers=2, heads=2, kv_heads=1, hidden=48)
    curriculum = Curriculum(model, stages, tokens=512, scored=128, warmup=2, decay=2, save_every=100)

    def made(name, kind=ExampleMaker):
        pairs = {n: PairStore(corpus / f"{n}.jsonl") for n in ("refactored", "committed")}
        maker = BatchMaker(
            kind(tokenizer),
            tokenizer.decode,
            RegionStore(corpus),
            pairs,
            tokens=512,
            scored=128,
            seed=3,
        )
        c = tokenizer.controls
        return Trainer(tmp_path / name, curriculum, maker, never=[c.mask, c.pad], device="cpu")

    return made


def go(trainer, until=None):
    trainer.run(until=until, workers=0, compiled=False, tell=lambda line: None)


def logged(trainer):
    """What its log says, but how fast it went."""
    lines = [json.loads(line) for line in (trainer.folder / "log.jsonl").read_text().splitlines()]
    return [
        {k: v for k, v in line.items() if k not in ("tokens_per_second", "share_of_peak")} for line in lines
    ]


def test_a_resumed_run_ends_with_the_same_weights(start):
    whole = start("whole")
    go(whole)
    go(start("parts"), until=1)
    go(start("parts"), until=3)
    last = start("parts")
    assert last.step == 3
    go(last)
    for a, b in zip(whole.network.parameters(), last.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_run_that_was_stopped_logs_what_an_uninterrupted_one_does(start):
    go(start("whole"))
    for stop in (2, 5):
        trainer = start("stopped")
        step = trainer._one_step

        def one_step(*arguments, trainer=trainer, step=step, stop=stop):
            step(*arguments)
            if trainer.step == stop:
                trainer._stop()

        trainer._one_step = one_step
        with pytest.raises(KeyboardInterrupt):
            go(trainer)
    go(start("stopped"))
    lines = [logged(start(name)) for name in ("whole", "stopped")]
    assert len(lines[0]) == 1
    assert lines[0] == lines[1]


def test_a_run_that_was_killed_before_it_saved_logs_every_step_once(start, monkeypatch):
    monkeypatch.setattr("engine.training.trainer.LOG_EVERY", 2)
    whole, killed = start("whole"), start("killed")
    go(whole)
    killed.save = lambda: None  # as the kill leaves its folder
    go(killed, until=5)
    assert [line["step"] for line in logged(killed)] == [2, 4, 5]
    last = start("killed")
    assert last.step == 0
    go(last)
    assert [line["step"] for line in logged(last)] == [2, 4, 6]
    assert logged(last) == logged(whole)


def test_a_line_that_could_not_be_told_is_not_counted_again(start, monkeypatch):
    monkeypatch.setattr("engine.training.trainer.LOG_EVERY", 2)
    whole, deaf = start("whole"), start("deaf")
    go(whole)

    def tell(line):
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        deaf.run(workers=0, compiled=False, tell=tell)
    go(start("deaf"))
    assert logged(deaf) == logged(whole)


def test_the_log_holds_what_was_learned(start, tmp_path):
    go(start("run"))
    (line,) = [json.loads(x) for x in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert line["step"] == 6
    assert line["stage"] == "edits"
    assert line["masked"] > 0
    assert line["changed"] > 0
    assert 0 < line["share_of_peak"] < 1


@pytest.mark.parametrize("kind", [ExampleMaker, RewriteMaker])
def test_training_lowers_the_loss(start, kind):
    trainer = start("more", kind)
    batch = trainer._maker.batch(0, {"refactored": 1.0})
    before = trainer._loss(batch, {}).item()
    for _ in range(12):
        trainer._one_step([batch], {})
        trainer.step = 2
    assert trainer._loss(batch, {}).item() < before


def test_a_batch_is_a_function_of_its_index(start):
    maker = start("x")._maker
    mixture = {"defective": 1.0, "edited": 1.0}
    a, b, other = maker.batch(5, mixture), maker.batch(5, mixture), maker.batch(6, mixture)
    assert torch.equal(a.ids_BL, b.ids_BL)
    assert torch.equal(a.labels_S, b.labels_S)
    assert a.ids_BL.shape != other.ids_BL.shape or not torch.equal(a.ids_BL, other.ids_BL)


def test_padding_is_scored_nowhere(start, tokenizer):
    batch = start("y")._maker.batch(1, {"defective": 1.0})
    scored = batch.scored_S[batch.weights_S > 0]
    assert (batch.blocks_BL.flatten()[scored] == 2).all()


def test_an_unknown_key_is_an_error(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[run]\nspeed = 3\n[[stage]]\nname = "a"\nsteps = 1\nmixture = { masked = 1 }\n')
    with pytest.raises(DataError, match="speed"):
        read_curriculum(path, 100)


def test_an_unknown_kind_of_example_is_an_error(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[[stage]]\nname = "a"\nsteps = 1\nmixture = { poems = 1 }\n')
    with pytest.raises(DataError, match="poems"):
        read_curriculum(path, 100)


def test_drafts_are_filled_and_what_is_wrong_in_them_weighs_more(start, tokenizer):
    trainer = start("drafts")
    batch = trainer._maker.batch(2, {"masked": 1.0}, Noise(drafts=1.0))
    mask = tokenizer.controls.mask
    assert (batch.ids_BL.flatten()[batch.drafts_M] == mask).all()
    to = {name: getattr(batch, name) for name in batch.__slots__[:-1]}
    trainer._fill_drafts(to, visible(batch.blocks_BL, batch.examples_BL))
    assert (batch.ids_BL == mask).any()  # the batch itself stays
    assert not ((to["ids_BL"] == mask) & (batch.examples_BL > 0)).any()
    drafted = torch.isin(to["scored_S"], batch.drafts_M) & (batch.weights_S > 0)
    assert drafted.any()
    wrong = to["ids_BL"].flatten()[to["scored_S"]] != to["labels_S"]
    assert set(batch.weights_S[drafted].tolist()) == {KEPT_WEIGHT}
    assert (to["weights_S"][drafted & wrong] == CHANGED_WEIGHT).all()
    assert (to["sorts_S"][drafted & wrong] == CHANGED).all()
    assert (to["sorts_S"][drafted & ~wrong] == KEPT).all()
    assert torch.equal(to["weights_S"][~drafted], batch.weights_S[~drafted])


def test_what_is_wrong_in_drafts_weighs_more_as_well_where_not_all_is_scored(start, tokenizer):
    trainer = start("drafts")
    batch = trainer._maker.batch(2, {"masked": 1.0}, Noise(drafts=0.3))
    to = {name: getattr(batch, name) for name in batch.__slots__[:-1]}
    trainer._fill_drafts(to, visible(batch.blocks_BL, batch.examples_BL))
    drafted = torch.isin(to["scored_S"], batch.drafts_M)
    wrong = drafted & (to["sorts_S"] == CHANGED)
    assert wrong.any()
    assert (batch.weights_S[drafted] > KEPT_WEIGHT).all()
    assert torch.equal(to["weights_S"][wrong], batch.weights_S[wrong] * (CHANGED_WEIGHT / KEPT_WEIGHT))


def test_a_run_with_drafts_learns(start):
    trainer = start("with drafts")
    batch = trainer._maker.batch(0, {"masked": 1.0}, Noise(drafts=0.5))
    totals = {}
    trainer._one_step([batch], totals)
    assert totals["changed_n"] > 0
    assert totals["masked_n"] > 0


def test_an_interrupt_waits_for_the_step_and_a_second_does_not(start):
    trainer = start("stopped")
    seen = []

    def tell(line):
        seen.append(line["step"])

    trainer._stop()
    with pytest.raises(KeyboardInterrupt):
        trainer.run(workers=0, compiled=False, tell=tell)
    assert trainer.step == 0
    assert start("stopped").step == 0
    with pytest.raises(KeyboardInterrupt):
        trainer._stop()


def test_a_half_step_is_never_saved(start, monkeypatch):
    trainer = start("half")
    go(trainer, until=1)
    before = torch.load(trainer.folder / "state.pt", weights_only=True)

    def fail():
        raise KeyboardInterrupt

    monkeypatch.setattr(trainer._optimizers[1][0], "step", fail)
    with pytest.raises(KeyboardInterrupt):
        go(trainer)
    after = torch.load(trainer.folder / "state.pt", weights_only=True)
    assert after["step"] == 1
    assert all(torch.equal(before["network"][n], w) for n, w in after["network"].items())


def test_signals_are_given_back(start):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    go(start("signals"), until=1)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_log_line_that_was_cut_off_is_dropped(start):
    trainer = start("cut")
    go(trainer, until=1)
    log = trainer.folder / "log.jsonl"
    whole = log.read_text()
    log.write_text(whole + '{"step": 1, "sta')
    assert start("cut").step == 1
    assert log.read_text() == whole


@pytest.mark.parametrize("key", ["warmup", "accumulate", "tokens"])
def test_a_number_that_must_be_positive_is_named(tmp_path, key):
    path = tmp_path / "run.toml"
    path.write_text(f'[run]\n{key} = 0\n[[stage]]\nname = "a"\nsteps = 1\nmixture = {{ masked = 1 }}\n')
    with pytest.raises(DataError, match=key):
        read_curriculum(path, 300)
