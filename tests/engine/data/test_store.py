import pytest

from engine.data.store import PairStore, TextPair, pack_pairs

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
