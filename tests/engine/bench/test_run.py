import json
import random
from dataclasses import replace

import pytest
import torch

from engine.bench import machine
from engine.bench.cases import natural, region, scripted
from engine.bench.decoders import Decoder, Weights, decoders
from engine.bench.edits import EditSizes
from engine.bench.generation import TextSizes, chosen_block
from engine.bench.picture import plot
from engine.bench.rows import shown
from engine.bench.run import Plan, run, suites
from engine.bench.timing import in_turns
from engine.checkpoints.folder import DEFAULT
from engine.diffusion.levenshtein import gaps

FUNCTIONS = [
    f"def add_{name}(first, second):\n    total = first + {n} * second\n    if total > {n}:\n        return first\n"
    f"    return total - second\n"
    for n, name in enumerate(["width", "height", "area", "count", "price", "weight"], 2)
]
PLAN = Plan(
    EditSizes(
        regions=(24,),
        changes=(1, 10),
        natural=(32,),
        defects=(1,),
        rows=2,
        batches=(2,),
        batch_region=16,
        times=1,
        repair_times=1,
        slowest=24,
    ),
    TextSizes(lengths=(8,), batches=(1, 2), fills=(1, 4), block=4, given=4, blocks=(1, 4), times=1),
    threads=(1,),
)


@pytest.fixture(scope="module")
def weights(network, tokenizer):
    return Weights("tiny", network, tokenizer, 0.5, DEFAULT)


@pytest.fixture(scope="module")
def found(weights):
    other = replace(weights, name="other", is_trained=False)
    chosen = suites(PLAN, weights, other, FUNCTIONS, lambda _: None)
    del chosen["dtypes"]  # loads the default weights
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(machine, "SIDE", 64)
        patch.setattr(machine, "COPIED", 1 << 16)
        return run(chosen, weights, lambda _: None, lambda _: None)


@pytest.mark.parametrize("changed", [1, 10, 100])
def test_a_scripted_edit_changes_as_many_tokens_as_asked_for(tokenizer, changed):
    case = scripted(tokenizer, FUNCTIONS, 200, changed, 7)
    differing = sum(max(gap.end - gap.start, len(gap.wanted)) for gap in gaps(case.canvas, case.target))
    assert len(case.canvas) == 200
    # A random token may stand where alignment finds a cheaper way.
    assert 0.8 * changed <= differing <= changed


def test_regions_have_the_size_asked_for(tokenizer):
    assert len(region(tokenizer, FUNCTIONS, 333, random.Random(0))) == 333
    with pytest.raises(ValueError, match="no functions"):
        region(tokenizer, [], 3, random.Random(0))


def test_natural_edits_are_defects_of_the_functions(tokenizer):
    cases = natural(tokenizer, FUNCTIONS, 32, 1, 3, 1)
    assert cases
    assert all(tokenizer.decode(case.target) in FUNCTIONS for case in cases)
    assert all(case.canvas != case.target for case in cases)


@pytest.mark.parametrize("changed", [1, 10])
def test_every_decoder_writes_what_it_is_told_to(weights, tokenizer, changed):
    case = scripted(tokenizer, FUNCTIONS, 40, changed, 3)
    for name, way in decoders(weights, weights, forced=True).items():
        (counts,) = way.edit([case])
        assert counts.exact, name
        assert counts.answer == len(case.target)
        if name == "seed":
            assert counts.written == counts.changed
            assert counts.forwards <= 6
        else:
            assert counts.written == len(case.target) + 1
            assert counts.forwards <= len(case.target) + 2


def test_prompt_lookup_takes_fewer_forwards(weights, tokenizer):
    case = scripted(tokenizer, FUNCTIONS, 60, 1, 3)
    plain, guessed = (Decoder(weights, n, forced=True).edit([case])[0].forwards for n in (0, 10))
    assert guessed < plain / 2


def test_together_edits_come_out_as_alone(weights, tokenizer):
    cases = [scripted(tokenizer, FUNCTIONS, n, 2, n) for n in (12, 40, 25)]
    way = Decoder(weights, None, forced=True)
    assert way.edit(cases) == [way.edit([case])[0] for case in cases]


def test_a_run_measures_every_suite(found):
    rows, facts = found
    assert {row.suite for row in rows} == {
        "forwards", "threads", "edits", "repairs", "batch", "generation", "windows",
    }  # fmt: skip
    assert all(row.seconds > 0 for row in rows)
    assert facts["peaks"]["copy"] > 0
    assert facts["block"] in (1, 4)
    one = next(row for row in rows if row.suite == "generation" and row.way == "one token at a time")
    assert one.counts["forwards"] == 9  # the prefix, seven tokens and the end
    repairs = [row for row in rows if row.suite == "repairs" and row.way == "seed"]
    assert all(0 <= row.counts["exact"] <= 1 for row in repairs)


def test_the_report_is_json_a_table_and_a_picture(found, tmp_path):
    rows, facts = found
    json.dumps({**facts, "rows": [row.as_json() for row in rows]})
    assert "FORWARDS" in shown(rows[0], None)
    assert "FORWARDS" not in shown(rows[1], rows[0])
    plot(rows, "tiny", tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")


def test_the_block_is_the_largest_that_costs_little(found):
    rows = [row for row in found[0] if row.suite == "forwards"]
    assert chosen_block([replace(rows[0], ratio=1.0), replace(rows[1], ratio=1.9)]) == 4
    assert chosen_block([replace(rows[0], ratio=1.0), replace(rows[1], ratio=2.1)]) == 1


def test_ways_are_timed_in_turns():
    done = []
    ways = {name: lambda name=name: done.append(name) for name in "ab"}
    timed = in_turns(ways, 2, torch.device("cpu"), warm=1)
    assert done == ["a", "b"] * 3
    assert [len(t.seconds) for t in timed.values()] == [2, 2]
