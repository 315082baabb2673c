import pytest
import torch

from engine.data.batches import BatchMaker
from engine.data.examples import ExampleMaker, Noise
from engine.data.parcels import packed, unpacked
from engine.data.rewrites import RewriteMaker
from engine.data.store import PairStore, RegionStore, TextPair, pack_pairs, pack_regions

FUNCTION = "def add_{0}(first, second):\n    total = first + second * {0}\n    return total\n"
MIXTURE = dict.fromkeys(
    ("masked", "edited", "defective", "refactored", "idle", "committed", "refused", "infilled", "generated"),
    1,
)
NOISE = Noise(light=0.5, beside=0.2, drafts=0.3, hinted=0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("corpus")
    texts = [FUNCTION.format(i) for i in range(40)]
    pack_regions(folder, texts, tokenizer)
    words = {"old": "total", "new": "result"}
    renamed = [TextPair(t, t.replace("total", "result"), recipe="rename", variables=words) for t in texts]
    pack_pairs(folder / "refactored.jsonl", renamed, tokenizer)
    changed = [TextPair(t, t.replace("+", "-"), subject="fix sign") for t in texts]
    pack_pairs(folder / "committed.jsonl", changed, tokenizer)
    return folder


@pytest.mark.parametrize("kind", [ExampleMaker, RewriteMaker])
@pytest.mark.parametrize("scored", [64, 4096])
def test_a_batch_comes_back_bit_for_bit(folder, tokenizer, kind, scored):
    pairs = {n: PairStore(folder / f"{n}.jsonl") for n in ("refactored", "committed")}
    regions = RegionStore(folder)
    maker = BatchMaker(kind(tokenizer), tokenizer.decode, regions, pairs, tokens=2048, scored=scored, seed=3)
    kinds = [MIXTURE, {"masked": 1}, {"generated": 1}, {"refused": 1}]
    for index, mixture in enumerate(kinds):
        batch = maker.batch(index, mixture, NOISE)
        again = unpacked(packed(batch))
        for name in batch.__slots__[:-1]:
            here, there = getattr(batch, name), getattr(again, name)
            assert (here.dtype, here.shape) == (there.dtype, there.shape), name
            # Views, since 0.0 and -0.0 are equal.
            assert here.numpy().tobytes() == there.numpy().tobytes(), name
        assert (again.tokens, type(again.tokens)) == (batch.tokens, int)
        again.ids_BL[0, 0] += 1  # it may be written to
        assert not torch.equal(again.ids_BL, batch.ids_BL)


def test_a_batch_takes_few_bytes(folder, tokenizer):
    pairs = {n: PairStore(folder / f"{n}.jsonl") for n in ("refactored", "committed")}
    maker = BatchMaker(
        ExampleMaker(tokenizer),
        tokenizer.decode,
        RegionStore(folder),
        pairs,
        tokens=4096,
        scored=1536,
        seed=3,
    )
    batch = maker.batch(0, MIXTURE, NOISE)
    assert len(packed(batch)) < 4 * batch.tokens


@pytest.mark.parametrize("wrong", [b"", b"no parcel", b"x\x9c\x03\x00\x00\x00\x00\x01"])
def test_other_bytes_are_refused(wrong):
    with pytest.raises(ValueError, match="no packed batch"):
        unpacked(wrong)
