from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diffusion.blocks import cut
from engine.diffusion.layout import prefix
from engine.diffusion.levenshtein import EditIds, label, label_filling
from engine.sampling.batch import read_canvases, read_on, read_prefixes
from engine.sampling.complete import CompletionSampler, CompletionSettings, Gap

IDS = EditIds(mask=0, delete=1, insert=2, end=3)
PAD, SIZE = 4, 32
WHERE = prefix((), (), marks=(5, 6, 7))
tokens = st.lists(st.integers(8, 31), max_size=20)
few = settings(max_examples=40, deadline=None)


class Oracle:
    """Stands for a network that knows the labels of every canvas; its features are its logits."""

    def __init__(self, labels):
        self.labels = labels
        self.embedding = SimpleNamespace(weight=torch.zeros(1))
        self.config = SimpleNamespace(vocabulary=SIZE)
        self.forwards = 0

    def __call__(self, ids, positions, mask, cache=None, *, keep=None):
        if keep is not None:
            cached = cache[0][0].shape[2] if cache else 0
            keep.append((torch.zeros(len(ids), 1, cached + ids.shape[1], 1),) * 2)
        features = torch.zeros(*ids.shape, SIZE)
        for b, row in enumerate(ids.tolist() if cache else []):
            start = row.index(IDS.mask) if keep is not None and IDS.mask in row else 0
            canvas = row[start : row.index(IDS.end)]
            for i, answer in enumerate(self.labels(canvas, int(positions[b, start]) - len(WHERE.ids))):
                features[b, start + i, answer] = 30.0
        self.forwards += cache is not None
        return features

    def logits(self, features):
        return features


def filler(before, wanted, after):
    def labels(canvas, _):
        gap = canvas[len(before) : len(canvas) - len(after)]
        return label_filling(before, gap, after, wanted, IDS)

    return CompletionSampler(Oracle(labels), IDS, never=[IDS.mask, 4, 5, 6, 7], pad=PAD)


def writer(given_, rest, size):
    blocks = cut(rest, size)

    def labels(canvas, start):
        return label(canvas, blocks[(start - len(given_)) // size], IDS)

    return CompletionSampler(Oracle(labels), IDS, never=[IDS.mask, 4, 5, 6, 7], pad=PAD)


@few
@given(tokens, tokens, tokens, st.integers(0, 24), st.sampled_from([0.5, 1.0]))
def test_who_knows_the_labels_fills_any_gap(before, wanted, after, slots, threshold):
    sampler = filler(before, wanted, after)
    options = CompletionSettings(max_tokens=64, slots=slots, threshold=threshold)
    ((draft,),), _ = sampler.fill(WHERE, [Gap(before, after)], options)
    assert draft.written == wanted
    assert draft.is_whole
    assert draft.rounds == sampler._network.forwards
    assert threshold == 1.0 or draft.rounds <= 3 + 2 * len(wanted) // 4


@few
@given(tokens, tokens, st.integers(1, 9))
def test_who_knows_the_labels_writes_any_text_to_its_end(given_, rest, size):
    sampler = writer(given_, rest, size)
    ((draft,),), _ = sampler.go_on(WHERE, [given_], CompletionSettings(max_tokens=64, block=size))
    assert draft.written == rest
    assert draft.is_whole
    # A block's last state is read with the next block's first round: nothing is read twice.
    assert draft.rounds == sampler._network.forwards == len(cut(rest, size))


def test_what_is_longer_than_allowed_is_cut_off():
    rest = list(range(8, 30))
    ((draft,),), _ = writer([], rest, 4).go_on(WHERE, [[]], CompletionSettings(max_tokens=10, block=4))
    assert (draft.written, draft.is_whole) == (rest[:10], False)
    ((draft,),), _ = filler([9], rest, [9]).fill(
        WHERE, [Gap([9], [9])], CompletionSettings(max_tokens=10, slots=8)
    )
    assert (draft.written, draft.is_whole) == (rest[:8], False)


@pytest.fixture(scope="module")
def sampler(network, tokenizer):
    return CompletionSampler(
        network, tokenizer.controls.edits, never=tokenizer.controls.never, pad=tokenizer.controls.pad
    )


@pytest.fixture(scope="module")
def where(tokenizer):
    return prefix((), tokenizer.encode("complete"), marks=tokenizer.controls.marks)


TEXTS = ["def f(x):\n    return x + 1\n", "x = 1\n", "for i in range(3):\n    print(i, i * i)\n", ""]


@pytest.mark.parametrize("block", [None, 8])
def test_who_opens_what_he_deletes_comes_to_an_end(block):
    def labels(canvas, _):
        return [IDS.delete if token == IDS.mask else token for token in canvas] + [IDS.insert]

    oracle = Oracle(labels)
    sampler = CompletionSampler(oracle, IDS, never=[IDS.mask, 4, 5, 6, 7], pad=PAD)
    if block is None:
        ((draft,),), _ = sampler.fill(WHERE, [Gap([], [])], CompletionSettings(max_tokens=128))
        assert not draft.is_whole
    else:
        ((draft,),), _ = sampler.go_on(WHERE, [[]], CompletionSettings(max_tokens=128, block=block))
    assert draft.written == []
    assert oracle.forwards < 12


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_batch_gives_what_single_requests_give(sampler, where, tokenizer, temperature):
    texts = [tokenizer.encode(text) for text in TEXTS]
    gaps = [Gap(text[: len(text) // 2], text[len(text) // 2 + 2 :]) for text in texts]
    options = CompletionSettings(
        max_tokens=20, samples=2, temperature=temperature, top_k=40, slots=6, block=8, threshold=0.01, seed=5
    )
    for run, inputs in ((sampler.fill, gaps), (sampler.go_on, texts)):
        together, seconds = run(where, inputs, options)
        assert set(seconds) == {"prefix", "rounds"}
        for own, one in zip(together, inputs, strict=True):
            (alone,), _ = run(where, [one], options)
            assert [(d.written, d.rounds, d.is_whole) for d in own] == [
                (d.written, d.rounds, d.is_whole) for d in alone
            ]
            assert all(len(d.written) <= 20 for d in own)
            controls = tokenizer.controls
            assert not {controls.mask, controls.delete, controls.insert, controls.end} & set(own[0].written)


def test_samples_are_drawn_apart_from_each_other(sampler, where, tokenizer):
    gap = Gap(tokenizer.encode("x = "), tokenizer.encode("\n"))

    def drawn(seed, temperature=1.0):
        options = CompletionSettings(max_tokens=12, samples=6, temperature=temperature, seed=seed)
        return [d.written for d in sampler.fill(where, [gap], options)[0][0]]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert len({tuple(text) for text in drawn(1)}) > 3
    assert len({tuple(text) for text in drawn(1, 0.0)}) == 1


def test_a_finished_block_is_read_as_if_everything_were_read_at_once(network, tokenizer, where):
    """Cached block by block = one forward over prefix, blocks and canvas."""
    pad, end = tokenizer.controls.pad, tokenizer.controls.end
    given_ = [tokenizer.encode(text) for text in TEXTS[:3]]
    cache = read_prefixes(network, [where.then(text) for text in given_], pad)
    finished = [tokenizer.encode(text) for text in (" + 2", "", "    return i")]
    canvases = [[tokenizer.controls.mask] * n + [end] for n in (3, 7, 0)]
    first, cache = read_on(network, cache, finished, canvases, pad)
    again = [[*tokenizer.encode(text), end] for text in ("a", "b = 2", "c")]
    second = read_canvases(network, cache, again, pad)
    for i, text in enumerate(given_):
        for found, canvas in ((first[i], canvases[i]), (second[i], again[i])):
            whole = where.then(text, finished[i], canvas)
            blocks = torch.tensor([whole.blocks])
            features = network(
                torch.tensor([whole.ids]),
                torch.arange(len(whole.ids))[None],
                blocks[:, None, :] <= blocks[:, :, None],
            )[0, -len(canvas) :]
            torch.testing.assert_close(found[: len(canvas)], features, rtol=1e-4, atol=1e-4)
