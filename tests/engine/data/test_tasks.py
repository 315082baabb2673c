import random

import pytest

from engine.data.batches import TRAJECTORY, BatchMaker
from engine.data.examples import CHANGED, KEPT, MASKED, ExampleMaker, Noise
from engine.data.store import PairStore, RegionStore, TextPair, pack_pairs, pack_regions
from engine.data.tasks import Task, TaskMaker, bridge, draw
from engine.diffusion.levenshtein import apply
from engine.errors import DataError

FUNCTION = "def add_{0}(first, second):\n    total = first + second * {0}\n    return total\n"
MIXTURE = {
    "masked": 1,
    "edited": 1,
    "defective": 1,
    "refactored": 1,
    "committed": 1,
    "infilled": 1,
    "generated": 1,
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("corpus")
    texts = [FUNCTION.format(i) for i in range(20)]
    pack_regions(folder, texts, tokenizer)
    renamed = {"recipe": "rename", "variables": {"old": "total", "new": "result"}}
    pairs = {
        "refactored": [TextPair(t, t.replace("total", "result"), **renamed) for t in texts],
        "committed": [TextPair(t, t.replace("+", "-"), subject="fix sign") for t in texts],
    }
    for name, rows in pairs.items():
        pack_pairs(folder / f"{name}.jsonl", rows, tokenizer)
    kept = {name: PairStore(folder / f"{name}.jsonl") for name in pairs}
    regions = RegionStore(folder)
    return BatchMaker(
        ExampleMaker(tokenizer), tokenizer.decode, regions, kept, tokens=512, scored=256, seed=1
    )


@pytest.fixture(scope="module")
def tasks(stores, tokenizer):
    return draw(stores, TaskMaker(tokenizer), "lap 0", 60, MIXTURE, Noise(), longest=100)


def test_tasks_are_a_function_of_their_name(stores, tokenizer, tasks):
    maker = TaskMaker(tokenizer)
    assert draw(stores, maker, "lap 0", 60, MIXTURE, Noise(), longest=100) == tasks
    assert draw(stores, maker, "lap 1", 60, MIXTURE, Noise(), longest=100) != tasks


def test_tasks_are_of_the_kinds_asked_for_and_not_too_long(tasks):
    assert {task.kind for task in tasks} == set(MIXTURE)
    assert max(task.length for task in tasks) <= 100
    assert any(task.is_clean for task in tasks)


def test_a_task_starts_where_a_user_would(tasks, tokenizer):
    for task in tasks:
        has_masks = tokenizer.controls.mask in task.canvas
        assert has_masks == (task.kind in ("masked", "infilled", "generated"))
        assert task.is_instructed == (task.kind not in ("masked", "edited"))
        assert task.is_clean == (task.start == task.target)


def test_a_block_is_written_after_the_blocks_before_it(stores, tokenizer):
    found = draw(stores, TaskMaker(tokenizer), "blocks", 40, {"generated": 1}, Noise(), longest=100)
    mask = tokenizer.controls.mask
    assert all(set(task.start) == {mask} for task in found)
    assert any(task.prefix.blocks[-1] > 2 for task in found)
    text = tokenizer.decode(found[0].prefix.ids + found[0].target)
    assert text.startswith("complete")


def test_the_same_rows_still_make_ordinary_examples(stores):
    assert not any(isinstance(e, Task) for _, e in stores.examples("x", 20, MIXTURE, Noise(), longest=100))


def test_a_bridge_leads_to_the_end(tasks, tokenizer):
    ids = tokenizer.controls.edits
    for task in tasks:
        state = list(task.start)
        for _ in range(50):
            example = bridge(task, state, task.target, ids, mask_weight=0.2)
            assert example.prefix == task.prefix
            assert example.canvas == (*state, ids.end)
            assert not example.blocks or set(example.blocks) == {task.prefix.blocks[-1] + 1}
            state = apply(state, example.labels, ids)
            if tuple(state) == task.target:
                break
        assert tuple(state) == task.target


def test_gain_weighs_masks_only(tasks, tokenizer):
    ids = tokenizer.controls.edits
    task = next(t for t in tasks if t.kind == "refactored" and not t.is_clean)
    plain, heavy = (
        bridge(task, (ids.mask, *task.start), task.target, ids, mask_weight=0.2, gain=g) for g in (1, 3)
    )
    for a, b, sort in zip(plain.weights, heavy.weights, plain.sorts, strict=True):
        assert b == (3 * a if sort == MASKED else a)
    assert {*plain.sorts} == {MASKED, CHANGED, KEPT}


def test_of_another_end_than_the_target_nothing_is_learned_of_what_stays(tasks, tokenizer):
    ids = tokenizer.controls.edits
    task = next(t for t in tasks if t.kind == "masked")
    example = bridge(task, task.start, [*task.target, 9], ids, mask_weight=0.2)
    for weight, sort in zip(example.weights, example.sorts, strict=True):
        assert (weight == 0) == (sort == KEPT)


def test_the_fewer_masks_the_more_one_weighs(tasks, tokenizer):
    ids = tokenizer.controls.edits
    task = next(t for t in tasks if t.kind == "masked")
    weights = []
    for hidden in (2, len(task.target)):
        state = [ids.mask] * hidden + list(task.target[hidden:])
        weights.append(bridge(task, state, task.target, ids, mask_weight=0.2).weights[0])
    assert weights[0] == pytest.approx(0.8)
    assert weights[1] == pytest.approx(0.2, rel=0.1)


def test_sorts_say_what_a_label_is(tasks, tokenizer):
    ids = tokenizer.controls.edits
    for task in tasks:
        example = bridge(task, task.start, task.target, ids, mask_weight=0.2)
        for token, wanted, sort in zip(example.canvas, example.labels, example.sorts, strict=True):
            assert sort == (MASKED if token == ids.mask else KEPT if token == wanted else CHANGED)


def test_batches_draw_what_was_kept(stores, tasks, tokenizer):
    ids = tokenizer.controls.edits
    marked = [
        bridge(t, [ids.delete] * 3, t.target, ids, mask_weight=0.2) for t in tasks
    ]  # nothing else makes such canvases
    mixture = {TRAJECTORY: 1.0, "masked": 1.0}
    assert ids.delete not in stores.batch(3, mixture).ids_BL
    stores.keep(marked)
    try:
        batch = stores.batch(3, mixture)
        assert ids.delete in batch.ids_BL
        assert ids.mask in batch.ids_BL
    finally:
        stores.keep([])


def test_a_recipe_without_pairs_is_an_error(stores, tokenizer):
    with pytest.raises(DataError, match="fstring"):
        draw(stores, TaskMaker(tokenizer), "x", 1, {"fstring": 1}, Noise(), longest=100)


def test_a_token_is_never_a_control(tokenizer):
    maker, rng = TaskMaker(tokenizer), random.Random(0)
    controls = {getattr(tokenizer.controls, n) for n in tokenizer.controls.__slots__}
    assert not controls & {maker.token(rng) for _ in range(500)}
