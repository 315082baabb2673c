from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.diffusion.layout import prefix
from engine.model.network import Network
from engine.sampling.batch import read_canvases, read_prefixes
from engine.sampling.edit import EditSampler, EditSettings
from engine.sampling.nearby import Known, around, merged, read_parts, whole
from engine.sampling.rounds import View

TOKENS = st.lists(st.integers(50, 60), max_size=40)
END = 5


def sure(canvas):
    return View([1.0] * len(canvas), list(canvas), [1.0] * len(canvas))


def known_of(network, cache, canvas, pad):
    _, (read,) = read_parts(network, cache, [whole(canvas)], pad)
    return Known(canvas, read, sure(canvas))


@pytest.fixture(scope="module")
def shallow(network):
    """Of one layer: what a token gives to others does not hang on its neighbours, so that nothing is approximate."""
    torch.manual_seed(5)
    return Network(replace(network.config, layers=1)).eval()


@pytest.fixture(scope="module")
def prefixes(tokenizer):
    marks = tokenizer.controls.marks
    return [prefix((), tokenizer.encode(text), marks=marks) for text in ("fix", "rename x to total_of_all")]


@given(TOKENS, TOKENS, st.integers(0, 12), st.data())
def test_every_place_is_read_or_kept_and_what_changed_is_read(before, after, near, data):
    before, after = [*before, END], [*after, END]
    doubted = data.draw(st.sets(st.integers(0, len(before) - 1)))
    keep = [0.5 if i in doubted else 1.0 for i in range(len(before))]
    found = around(after, Known(before, torch.empty(0), View(keep, before, keep)), near)
    kept = {j: i for i, j in found.kept}
    assert sorted([*found.places, *kept]) == list(range(len(after)))
    assert len(after) - 1 in found.places
    assert all(before[i] == after[j] and i not in doubted for j, i in kept.items())
    assert list(found.places) == sorted(found.places)
    if found.known is not None:
        for j in kept:  # its neighbours as far as `near` were its neighbours before
            for d in range(-near, near + 1):
                if 0 <= j + d < len(after) - 1:
                    assert after[j + d] == before[kept[j] + d]


@torch.inference_mode()
@pytest.mark.parametrize("near", [0, 3])
def test_with_one_layer_a_part_reads_as_the_whole_does(shallow, prefixes, tokenizer, near):
    pad = tokenizer.controls.pad
    cache = read_prefixes(shallow, prefixes[:1], pad)
    steps = [list(range(300, 360))]
    steps.append([*steps[0][:10], 7, *steps[0][11:]])  # one becomes another
    steps.append([*steps[1][:20], 8, 9, 10, *steps[1][20:]])  # three come
    steps.append([*steps[2][:30], *steps[2][32:]])  # two go
    known = known_of(shallow, cache, [*steps[0], END], pad)
    for step in steps[1:]:
        canvas = [*step, END]
        part = around(canvas, known, near)
        assert len(part.kept) > 0
        features, (read,) = read_parts(shallow, cache, [part], pad)
        alone = read_canvases(shallow, cache, [canvas], pad)
        torch.testing.assert_close(features[0], alone[0, list(part.places)], rtol=1e-4, atol=1e-4)
        full = known_of(shallow, cache, canvas, pad)
        torch.testing.assert_close(read, full.read_YSGLE, rtol=1e-4, atol=1e-4)
        known = Known(canvas, read, sure(canvas))


@torch.inference_mode()
def test_parts_of_a_batch_read_as_they_do_alone(network, prefixes, tokenizer):
    pad = tokenizer.controls.pad
    canvases = [[*range(300, 300 + n), END] for n in (60, 30, 45)]
    parts, caches = [], []
    for i, canvas in enumerate(canvases):
        own = read_prefixes(network, [prefixes[i % 2]], pad)
        caches.append(own)
        changed = [*canvas[:12], 7, 8, *canvas[13:]]
        known = known_of(network, own, canvas, pad)
        parts.append(whole(changed) if i == 2 else around(changed, known, 4))
    together = read_prefixes(network, prefixes, pad).rows([0, 1, 0])
    features, reads = read_parts(network, together, parts, pad)
    for i, part in enumerate(parts):
        alone, (read,) = read_parts(network, caches[i], [part], pad)
        torch.testing.assert_close(features[i, : len(part.places)], alone[0], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(reads[i], read, rtol=1e-4, atol=1e-4)


def test_what_was_not_read_is_seen_as_before():
    before = [50, 51, 52, 53, END]
    known = Known(before, torch.empty(0), View([0.99, 1.0, 1.0, 0.98, 1.0], before, [0.9, 1, 1, 0.8, 1]))
    part = around([50, 60, 52, 53, END], known, 0)
    assert list(part.places) == [1, 2, 4]
    view = merged(part, View([0.3, 0.6, 1.0], [61, 62, END], [0.4, 0.7, 1.0]))
    assert view == View([0.99, 0.3, 0.6, 0.98, 1.0], [50, 61, 62, 53, END], [0.9, 0.4, 0.7, 0.8, 1.0])


def test_a_change_all_over_reads_everything():
    before = [*range(50, 60), END]
    part = around([*range(70, 80), END], Known(before, torch.empty(0), sure(before)), 2)
    assert part.known is None
    assert len(part.places) == 11


@pytest.mark.parametrize("candidates", [1, 4])
def test_far_enough_is_as_reading_everything(network, tokenizer, prefixes, candidates):
    c = tokenizer.controls
    sampler = EditSampler(network, c.edits, never=c.never, pad=c.pad)
    canvases = [tokenizer.encode("for i in range(3):\n    print(i, i * i)\n" * n) for n in (1, 4)]
    settings = EditSettings(threshold=0.0, max_rounds=5, candidates=candidates, near=None)
    full, _ = sampler.run(prefixes, canvases, settings)
    near, _ = sampler.run(prefixes, canvases, replace(settings, near=1000))
    for a, b in zip(full, near, strict=True):
        assert [row.canvas for row in a.rows] == [row.canvas for row in b.rows]
        assert all(row.known is None for row in b.rows)
