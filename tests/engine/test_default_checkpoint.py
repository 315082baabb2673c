"""The checkpoint that comes along, as users get it."""

import hashlib
import json

import pytest
import torch

from engine.checkpoints.folder import DEFAULT, load
from engine.editor import Editor
from engine.requests import EditOptions, EditRequest

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
    a, b = (editor.propose([request], EditOptions(candidates=8, seed=5))[0] for _ in range(2))
    assert [c.text for c in a.candidates] == [c.text for c in b.candidates]
    assert len({c.text for c in a.candidates}) > 1


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
