"""Checkpoints from elsewhere made ready to learn edits, and taught by a few steps."""

import json

import pytest
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers

from engine.checkpoints import folder as checkpoint
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.registry import recognise
from engine.checkpoints.loading import load
from engine.editor import Editor
from engine.errors import CheckpointError
from engine.evaluation.finetuned import Wish, finetune
from engine.model.network import Network
from engine.model.tokenizer import CONTROLS, CodeTokenizer
from engine.requests import EditOptions, EditRequest
from engine.training.adopting import adopt
from engine.training.finetuning import Tuning
from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write
from tests.engine.own_repository import function, make_repository

MASK, END = 256, 257


class Listener:
    def line(self, text):
        pass

    def phase(self, name, total, unit):
        pass

    def at(self, done, **figures):
        pass


def write_tokenizer(folder, added=("<|MASK|>", "<|im_end|>", "<think>")):
    """Of bytes, with a normaliser that changes texts, as Qwen's does."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.normalizer = normalizers.NFC()
    made.add_tokens([AddedToken(text, special=text != "<think>", normalized=False) for text in added])
    made.save(str(folder / "tokenizer.json"))


def tiny(folder, family="sdar", vocabulary=320, **fields):
    """SDAR's layout is Qwen3's, name for name; its head is its own, that of `qwen3` the embedding."""
    size = {"vocab_size": vocabulary, "num_hidden_layers": 1, "head_dim": 8, "intermediate_size": 32}
    config = CONFIGS[family] | size | {"eos_token_id": END, "mask_token_id": MASK} | fields
    what = recognise(config, "theirs")
    shape = what.shape(Fields(config))
    with torch.device("meta"):
        parts = Network(shape).state_dict()
    shapes = {}
    for name, place in what.keys(shape).items():
        part = parts[place.parameter]
        shapes[name] = (part if place.rows is None else part[slice(*place.rows)]).shape
    write(folder, config, random_state(shapes))
    write_tokenizer(folder)
    return folder


@pytest.fixture(params=["sdar", "qwen3"])
def folder(request, tmp_path):
    return tiny(tmp_path / "theirs", request.param)


def test_what_was_known_is_known_as_before(folder, tmp_path):
    adopt(folder, tmp_path / "ours")
    theirs = load(folder, device="cpu", dtype=torch.bfloat16).network.float()
    network, tokenizer, settings = checkpoint.load(tmp_path / "ours", device="cpu", dtype=torch.float32)
    ids = torch.arange(60)[None]
    wanted, mine = (n.logits(n(ids, ids, None)) for n in (theirs, network))
    new = settings["adopted"]["rows"]
    old = [i for i in range(320) if i not in new]
    assert torch.equal(mine[..., old], wanted[..., old])
    assert tokenizer.controls.mask == MASK
    assert len(new) == len(CONTROLS) - 1
    assert min(new) == 259
    assert network.config.vocabulary == tokenizer.size == 320
    end = network.embedding.weight[tokenizer.controls.end]
    assert torch.equal(end, theirs.embedding.weight[END])


def test_no_text_is_changed_and_no_spelling_is_a_control(folder, tmp_path):
    adopt(folder, tmp_path / "ours")
    tokenizer = CodeTokenizer.load(tmp_path / "ours")
    for text in ("e\u0301 <|mask|> <think> <|im_end|> <|delete|> <|unused_300|>", "\r\n\t \x00😀"):
        ids = tokenizer.encode(text)
        assert max(ids) < 256
        assert tokenizer.decode(ids) == text


def test_rows_are_added_where_none_are_spare(tmp_path):
    adopt(tiny(tmp_path / "theirs", vocabulary=260), tmp_path / "ours")
    network, tokenizer, settings = checkpoint.load(tmp_path / "ours", device="cpu", dtype=torch.float32)
    assert network.config.vocabulary == tokenizer.size == 259 + len(CONTROLS) - 1
    assert not torch.equal(network.embedding.weight[-1], network.embedding.weight[-2])
    assert settings["adopted"] == {
        "name": "theirs",
        "family": "sdar",
        "licence": "Apache-2.0",
        "shifted": False,
        "rows": list(range(259, 266)),
    }


def test_a_mask_that_the_tokenizer_has_no_name_for(tmp_path):
    adopt(tiny(tmp_path / "theirs", mask_token_id=300), tmp_path / "ours")
    tokenizer = CodeTokenizer.load(tmp_path / "ours")
    assert tokenizer.controls.mask == 300
    assert tokenizer.controls.delete > 300


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.update(added_tokens=3), "cannot be read|cannot be added to"),
        (lambda t: t["model"].update(vocab={"a": 0, "b": 7}), "gaps|byte by byte|cannot be read"),
        (lambda t: t.update(decoder=None, pre_tokenizer={"type": "Whitespace"}), "byte by byte"),
    ],
)
def test_tokenizers_that_do_not_do_are_refused(tmp_path, change, words):
    folder = tiny(tmp_path / "theirs")
    table = json.loads((folder / "tokenizer.json").read_text())
    change(table)
    (folder / "tokenizer.json").write_text(json.dumps(table))
    with pytest.raises(CheckpointError, match=words) as caught:
        adopt(folder, tmp_path / "ours")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ours").exists()


@pytest.mark.slow
def test_a_few_steps_teach_a_mask_only_checkpoint_edits(tmp_path):
    """The loss on held-out commits falls, the new tokens' rows move and no others, and the result edits."""
    theirs = tiny(tmp_path / "theirs")
    make_repository(tmp_path / "shop", 24)
    tuning = Tuning(steps=30, rate=3.0, tokens=1024, rank=8)
    wish = Wish(tmp_path / "shop", None, 3, theirs, tuning, compiled=False)
    done = finetune(wish, tmp_path / "ours", Listener())
    assert done.after.loss < done.before.loss - 0.2
    assert not list(tmp_path.glob("ours.*"))
    report = json.loads((tmp_path / "ours" / "finetune.json").read_text())
    assert report["start_from"]["name"] == "theirs"

    network, tokenizer, settings = checkpoint.load(tmp_path / "ours", device="cpu", dtype=torch.float32)
    before = load(theirs, device="cpu", dtype=torch.bfloat16).network.float()
    rows = settings["adopted"]["rows"]
    moved = (network.embedding.weight != before.embedding.weight).any(-1).nonzero().flatten().tolist()
    assert moved == rows
    learned = (network.head.weight != before.head.weight).any(-1).nonzero().flatten().tolist()
    assert learned == rows
    assert not torch.equal(network.layers[0].qkv.weight, before.layers[0].qkv.weight)

    editor = Editor.load(tmp_path / "ours")
    request = EditRequest(instruction="Log delta rather than print it", region=function(3))
    (proposal,) = editor.propose([request], EditOptions(threshold=0.0))
    assert len(editor.samples([request], 2, EditOptions(threshold=0.0, temperature=0.8))[0]) == 2
    assert proposal.region_tokens == len(tokenizer.encode(function(3)))
