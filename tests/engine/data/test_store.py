import pytest

from engine.data.store import PairStore, RegionStore, TextPair, pack_pairs, pack_regions
from engine.errors import DataError

PAIRS = [
    TextPair("def f():\n    return 1\n", "def f():\n    return 2\n", subject='say "two"'),
    TextPair("def f(a):\n    return a\n", "def f(b):\n    return b\n", "rename", {"old": "a", "new": "b"}),
]


def test_pairs_come_back_as_they_were_packed(tmp_path, tokenizer):
    assert pack_pairs(tmp_path / "pairs.jsonl", PAIRS, tokenizer) == 2
    store = PairStore(tmp_path / "pairs.jsonl")
    assert [store[0], store[1]] == PAIRS
    assert store.recipes.tolist() == ["", "rename"]
    sides = [len(ids) for ids in tokenizer.encode_batch([PAIRS[0].before, PAIRS[0].after])]
    assert store.lengths[0] == max(sides)


def test_pairs_that_were_interrupted_do_not_pass_for_all_there_are(tmp_path, tokenizer):
    def interrupted():
        yield PAIRS[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack_pairs(tmp_path / "pairs.jsonl", interrupted(), tokenizer)
    assert not (tmp_path / "pairs.jsonl").exists()
    assert pack_pairs(tmp_path / "pairs.jsonl", PAIRS, tokenizer) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["pairs.jsonl"]


def test_a_store_that_was_cut_off_is_named(tmp_path, tokenizer):
    pack_regions(tmp_path, ["x = 1\n"] * 40, tokenizer)
    offsets = tmp_path / "regions.offsets.npy"
    offsets.write_bytes(offsets.read_bytes()[:100])
    with pytest.raises(DataError, match="no packed corpus"):
        RegionStore(tmp_path)


def test_no_regions_are_an_error_and_no_store(tmp_path, tokenizer):
    with pytest.raises(DataError, match="no regions are left"):
        pack_regions(tmp_path, [], tokenizer)
    assert not list(tmp_path.iterdir())
