"""The checkpoint that comes along, as users get it."""

import hashlib
import json
from dataclasses import replace

import pytest
import torch

from engine.checkpoints.folder import DEFAULT, load, save
from engine.editor import Editor
from engine.model.exit_head import ExitHead
from engine.requests import EditOptions, EditRequest
from engine.syntax import compiles, parses

SOUND = "def area(width, height):\n    result = width * height\n    return result\n"
BROKEN = [
    "def area(width, height):\n    result = width * height)\n    return result\n",
    "def area(width, height)):\n    result = width * height\n    return result\n",
    "def area(width, height):\n    result = width * height\n    return result)\n",
    "def area(width, height)\n    result = width * height\n    return result\n",
    "def area(width, height:\n    result = width * height\n    return result\n",
    "def area(width, height):\n    result = width * * height\n    return result\n",
    "def area(width,, height):\n    result = width * height\n    return result\n",
    "def area(width, height):\n    result = width * height\n    retrun result\n",
]


@pytest.fixture(scope="module")
def editor():
    return Editor.load()


def test_it_repairs_what_a_beginner_breaks(editor):
    proposals = editor.propose([EditRequest("fix the syntax error", text) for text in BROKEN], EditOptions())
    firsts = [p.candidates[0].text if p.candidates else "" for p in proposals]
    # Which of these it repairs may differ by rounding between machines; most it must.
    assert sum(text == SOUND for text in firsts) >= len(BROKEN) // 2


def test_it_leaves_sound_code_alone(editor):
    (proposal,) = editor.propose([EditRequest("fix the bug", SOUND)], EditOptions())
    assert proposal.candidates == ()
    assert proposal.forwards == 1


def test_further_candidates_do_not_break_what_is_sound(editor):
    request = EditRequest(
        "fix the bug", "def add(a, b):\n    total = a + b\n    return total\n", must_parse=True
    )
    (proposal,) = editor.propose([request], EditOptions(candidates=3))
    assert (proposal.verdict, proposal.candidates) == ("unchanged", ())


def test_what_is_formatted_keeps_its_order(editor):
    names = ["total", "name", "count", "path", "user"]
    regions = [
        f"def show({b}, {a}):\n    text = '%s is %s' % ({a}, {b})\n    return text\n"
        for a in names
        for b in names
        if a != b
    ]
    asked = [EditRequest("use f-strings", text, must_parse=True, may_change=("format",)) for text in regions]
    proposals = editor.propose(asked, EditOptions(candidates=4))
    offered = [(text, c.text) for text, p in zip(regions, proposals, strict=True) for c in p.candidates]
    assert offered
    for before, after in offered:
        assert shown(after) == shown(before), after


def shown(text):
    """What the function in the text returns for two arguments."""
    defined = {}
    exec(text, defined)
    return defined["show"](1, 2)


def test_an_answer_that_must_parse_does(editor):
    """At a threshold of 1 the greedy edit never changes anything: what mends these was searched for."""
    requests = [EditRequest("fix the syntax error", text, must_parse=True) for text in BROKEN]
    proposals = editor.propose(requests, EditOptions(threshold=1.0))
    assert sum(p.verdict == "edit" for p in proposals) >= len(BROKEN) - 2
    texts = [c.text for p in proposals for c in p.candidates]
    assert texts
    assert all(map(parses, texts))
    assert sum(p.candidates[0].text == SOUND for p in proposals if p.candidates) >= len(BROKEN) // 2


def test_sound_code_stays_sound_where_it_must(editor):
    asked = [EditRequest("fix the bug", SOUND, must_parse=must_parse) for must_parse in (False, True)]
    free, bound = editor.propose(asked, EditOptions(candidates=40, judged=True))
    assert not all(parses(c.text) for c in free.candidates)
    assert bound.candidates
    # In bfloat16 the order of equally probable ones depends on which rows share a forward.
    sound = {c.text for c in free.candidates if compiles(c.text)}
    assert sound <= {c.text for c in bound.candidates}


def test_a_broken_region_is_not_mended_when_something_else_was_asked(editor):
    text = BROKEN[1].replace("result", "total")
    (proposal,) = editor.propose(
        [EditRequest("rename total to area_of_it", text, must_parse=True)], EditOptions()
    )
    assert all(")):" in c.text for c in proposal.candidates)


def test_it_says_that_poetry_is_not_its_trade(editor):
    (proposal,) = editor.propose([EditRequest("write a poem about the sea", SOUND)], EditOptions())
    assert proposal.verdict == "out_of_scope"


def test_a_batch_gives_what_single_requests_give_in_float32():
    editor = Editor.load(dtype="float32", device="cpu")
    requests = [EditRequest("fix the bug", text) for text in BROKEN]
    together = editor.propose(requests, EditOptions())
    alone = [editor.propose([request], EditOptions())[0] for request in requests]
    assert [p.candidates for p in together] == [p.candidates for p in alone] or [
        [c.text for c in p.candidates] for p in together
    ] == [[c.text for c in p.candidates] for p in alone]


def test_further_candidates_differ_and_follow_the_seed(editor):
    request = EditRequest("fix the bug", BROKEN[0])
    a, b = (editor.propose([request], EditOptions(candidates=8, seed=5, judged=True))[0] for _ in range(2))
    assert [c.text for c in a.candidates] == [c.text for c in b.candidates]
    assert len({c.text for c in a.candidates}) > 1


def test_with_an_exit_head_that_always_says_final_a_repair_costs_one_forward(tmp_path):
    network, tokenizer, settings = load(DEFAULT, device="cpu", dtype=torch.float32)
    network.config = replace(network.config, exit_hidden=4)
    network.exit = ExitHead(4)
    torch.nn.init.constant_(network.exit.leave.bias, 1e4)
    save(tmp_path / "headed", network, tokenizer, settings | {"exit_threshold": 0.5})
    headed = Editor.load(tmp_path / "headed", device="cpu", dtype="float32")
    plain = Editor.load(device="cpu", dtype="float32")
    requests = [EditRequest("fix the syntax error", text) for text in BROKEN]
    confirmed = plain.propose(requests, EditOptions())
    switched_off = headed.propose(requests, EditOptions(exit_head=False))
    assert [answer(p) for p in switched_off] == [answer(p) for p in confirmed]

    quick = headed.propose(requests, EditOptions())
    assert all(a.forwards <= b.forwards for a, b in zip(quick, confirmed, strict=True))
    saved = [a for a, b in zip(quick, confirmed, strict=True) if (a.forwards, b.forwards) == (1, 2)]
    assert saved
    assert all(p.candidates[0].text == SOUND for p in saved)


def answer(proposal):
    """All but the time it took."""
    return replace(proposal, seconds={})


def test_its_weights_are_small_and_documented():
    size = (DEFAULT / "model.safetensors").stat().st_size
    assert size <= 40_000_000
    network, _, settings = load(DEFAULT, device="cpu", dtype=torch.bfloat16)
    card = (DEFAULT / "README.md").read_text()
    assert f"{network.parameter_count():,} parameters" in card
    assert str(settings["steps"]) in card
    for licence in ("MIT", "BSD-3-Clause", "Apache-2.0", "PSF-2.0"):
        assert licence in card
    digest = hashlib.sha256((DEFAULT / "model.safetensors").read_bytes()).hexdigest()
    assert json.loads((DEFAULT / "config.json").read_text())["model_type"] == "seed"
    assert Editor.load().info.revision == digest[:12]
