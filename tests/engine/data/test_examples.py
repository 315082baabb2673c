import random

import pytest

from engine.data.defects import Code
from engine.data.examples import CHANGED, KEPT, KEPT_WEIGHT, MASKED, ExampleMaker, Noise
from engine.diffusion.levenshtein import apply
from engine.requests import COMPLETE

TEXT = "def add(first, second):\n    total = first + second\n    return total\n"
LONG = "def f(x):\n" + "".join(f"    x = x * {i} + {i}\n" for i in range(30))


@pytest.fixture(scope="module")
def maker(tokenizer):
    return ExampleMaker(tokenizer)


def examples(make, count=60):
    return [make(random.Random(seed)) for seed in range(count)]


def test_a_completion_has_a_mark_of_its_own_and_teaches_no_scope(maker, tokenizer):
    for example in (
        maker.infilled(TEXT, 200, random.Random(1)),
        maker.generated(TEXT, Noise(), 200, random.Random(1)),
    ):
        mark = example.prefix.mark
        assert tokenizer.decode(example.prefix.ids[: mark + 1]) == COMPLETE
        assert example.in_scope is None


def test_gaps_have_other_counts_of_slots_than_tokens_that_are_missing(maker, tokenizer):
    mask, delete, insert = (getattr(tokenizer.controls, n) for n in ("mask", "delete", "insert"))
    found = examples(lambda rng: maker.infilled(TEXT, 200, rng), 200)
    assert sum(delete in e.labels for e in found) > 40
    assert sum(insert in e.labels for e in found) > 40
    assert sum(mask not in e.canvas for e in found) > 10
    assert sum(mask in e.canvas and {delete, insert}.isdisjoint(e.labels) for e in found) > 20


def test_labels_of_a_gap_leave_the_rest_alone(maker, tokenizer):
    ids, target = tokenizer.controls.edits, tokenizer.encode(TEXT)
    for example in examples(lambda rng: maker.infilled(TEXT, 200, rng)):
        assert example.length <= 200
        kept = [i for i, sort in enumerate(example.sorts) if sort == KEPT]
        assert all(example.labels[i] == example.canvas[i] for i in kept)
        assert {example.weights[i] for i in kept} <= {KEPT_WEIGHT}
        after = apply(example.canvas[:-1], example.labels, ids)
        if ids.mask not in after and len(after) >= len(target):
            assert tokenizer.decode(after) == TEXT


@pytest.mark.parametrize("room", [70, 150, 400, 900])
def test_a_row_of_blocks_fits_its_room_and_ends_with_a_noisy_one(maker, tokenizer, room):
    text = tokenizer.decode(tokenizer.encode(LONG)[: room - 40])
    for example in examples(lambda rng: maker.generated(text, Noise(), room, rng)):
        assert example.length <= room
        assert list(example.blocks) == sorted(example.blocks, reverse=True)
        assert max(example.prefix.blocks, default=0) < -example.blocks[-1]
        assert len(example.blocks) == len(example.positions) == len(example.canvas)


def test_masks_weigh_the_more_the_fewer_of_a_block_there_are(maker, tokenizer):
    weights, deletes, revised = set(), 0, 0
    for example in examples(lambda rng: maker.generated(LONG, Noise(weight=0.25), 900, rng)):
        rows = list(zip(example.canvas, example.labels, example.weights, example.sorts, strict=True))
        masks = [row for row in rows if row[3] == MASKED]
        assert all(row[0] == tokenizer.controls.mask for row in masks)
        weights |= {row[2] for row in masks}
        deletes += any(row[1] == tokenizer.controls.delete for row in masks)
        revised += any(row[3] == CHANGED for row in rows)
    assert min(weights) == 0.25
    assert max(weights) == 1.0
    assert deletes > 20
    assert revised > 20


def test_a_slot_that_is_always_masked_weighs_as_at_rate_1(maker, tokenizer, monkeypatch):
    """At rate 1/2 a token is masked half of the time and weighs twice as much then; a spare slot is always masked."""
    for name, value in {"WHOLE": 0.0, "RATES": (0.5, 0.5), "EDITED": 0.0}.items():
        monkeypatch.setattr(f"engine.diffusion.blocks.{name}", value)
    mask, delete = tokenizer.controls.mask, tokenizer.controls.delete
    seen = set()
    for example in examples(lambda rng: maker.generated(TEXT, Noise(weight=0.25), 400, rng)):
        for token, wanted, weight in zip(example.canvas, example.labels, example.weights, strict=True):
            expected = KEPT_WEIGHT if token != mask else 0.25 if wanted == delete else 0.25 / 0.5
            assert weight == expected
            seen.add((token == mask, wanted == delete))
    assert seen == {(False, False), (True, False), (True, True)}


def test_carry_over_teaches_masked_rows_to_keep_what_they_see(maker, tokenizer):
    tokens, mask = tokenizer.encode(TEXT), tokenizer.controls.mask
    without, with_ = (maker.masked(tokens, Noise(carry_over=on), random.Random(4)) for on in (False, True))
    assert without.canvas == with_.canvas
    visible = [i for i, token in enumerate(with_.canvas) if token != mask]
    assert {without.weights[i] for i in visible} == {0.0}
    assert {with_.weights[i] for i in visible} == {KEPT_WEIGHT}
    assert all(with_.labels[i] == with_.canvas[i] and with_.sorts[i] == KEPT for i in visible)
    assert [w for w, t in zip(without.weights, without.canvas, strict=True) if t == mask] == [
        w for w, t in zip(with_.weights, with_.canvas, strict=True) if t == mask
    ]


def test_code_that_a_recipe_offers_nothing_stays(maker, tokenizer):
    tokens = tokenizer.encode(TEXT)
    found = [e for e in examples(lambda rng: maker.idle(TEXT, tokens, rng)) if e is not None]
    assert len(found) > 30
    for example in found:
        assert example.in_scope
        assert tuple(example.canvas[:-1]) == tuple(tokens)
        assert example.labels == example.canvas
        assert set(example.weights) == {KEPT_WEIGHT}
    said = {tokenizer.decode(e.prefix.ids[: e.prefix.mark + 1]) for e in found}
    assert len(said) > 25


def test_a_share_of_the_repairs_is_told_what_was_seen(maker, tokenizer):
    code, clean = Code(TEXT), tokenizer.encode(TEXT)
    noise = Noise(defects=(1, 1, 0, 0, 0), hinted=0.5)
    found = [maker.defective(code, clean, noise, random.Random(seed)) for seed in range(80)]
    told = [tokenizer.decode(e.prefix.ids[: e.prefix.mark]) for e in found if e]
    lines = sum(any(line.strip() in text for line in TEXT.splitlines()) or "Error" in text for text in told)
    assert 20 < lines < 60
    assert all(e.in_scope for e in found if e)
    plain = maker.defective(code, clean, Noise(defects=(1, 1, 0, 0, 0)), random.Random(3))
    assert plain == maker.defective(code, clean, Noise(defects=(1, 1, 0, 0, 0), hinted=0.0), random.Random(3))
