from dataclasses import replace

import pytest

from engine.editor import Editor
from engine.errors import CheckpointError, DeviceError
from engine.requests import EditOptions, EditRequest

TEXT = "def f(x):\n    return x + 1\n"


def test_a_long_region_is_refused_and_the_others_answered(made):
    long, short = made(threshold=1.0, sure=1.0).propose(
        [EditRequest("fix", TEXT * 2000), EditRequest("fix", TEXT)], EditOptions()
    )
    assert long.verdict == "too_long"
    assert str(long.region_tokens) in long.message
    assert short.verdict == "unchanged"


def test_a_twin_that_follows_the_region_leaves_it_unchanged(made):
    editor = made(decoder="autoregressive", lookahead=4, threshold=1.0, sure=1.0)
    (proposal,) = editor.propose([EditRequest("fix", TEXT)], EditOptions())
    assert (proposal.verdict, proposal.candidates) == ("unchanged", ())
    assert proposal.forwards == -(-(proposal.region_tokens + 1) // 5)


@pytest.mark.parametrize(
    "settings",
    [
        {"recipes": None},
        {"recipes": "fix"},
        {"own_words": "x"},
        {"threshold": "high"},
        {"threshold": float("nan")},
        {"threshold": 2},
        {"context_tokens": "many"},
        {"context_tokens": 100_000},
        {"sure": []},
    ],
)
def test_odd_settings_of_a_checkpoint_are_refused(made, settings):
    with pytest.raises(CheckpointError):
        made(**settings)


@pytest.mark.parametrize("device", ["foo", "cuda:one"])
def test_a_device_that_does_not_exist_is_named(made, tmp_path, device):
    made()
    with pytest.raises(DeviceError, match=device.partition(":")[0]):
        Editor.load(tmp_path / "model", device=device)


@pytest.mark.parametrize("temperature", [0.0, 0.01, 1.0])
def test_where_nothing_judges_no_candidate_is_below_the_threshold(made, temperature):
    editor, request = made(threshold=1.0), EditRequest("fix", TEXT)
    options = EditOptions(candidates=6, temperature=temperature)
    (alone,) = editor.propose([request], EditOptions())
    (among,) = editor.propose([request], options)
    assert alone.candidates == among.candidates == ()
    assert among.verdict == alone.verdict
    (judged,) = editor.propose([request], replace(options, judged=True))
    assert judged.verdict == "edit"


def test_a_twin_offers_candidates_and_reads_half_as_much(made):
    limit = made(threshold=1.0).info.max_region_tokens
    editor = made(decoder="autoregressive", threshold=1.0)
    assert editor.info.max_region_tokens == limit // 2
    (proposal,) = editor.propose([EditRequest("fix", TEXT)], EditOptions(candidates=8, judged=True))
    texts = [c.text for c in proposal.candidates]
    assert proposal.verdict == "edit"
    assert len(set(texts)) == len(texts)
    assert TEXT not in texts
    assert all(0 <= c.score <= 1 and c.changed_tokens > 0 for c in proposal.candidates)


def test_an_unknown_decoder_is_named(made):
    with pytest.raises(CheckpointError, match="oracle"):
        made(decoder="oracle")


def test_no_requests_give_no_proposals(made):
    assert made().propose([], EditOptions()) == []


def test_an_empty_region_is_read(made):
    (proposal,) = made(threshold=1.0, sure=1.0).propose([EditRequest("fix", "")], EditOptions())
    assert proposal.region_tokens == 0


def test_info_names_the_model(made, network):
    info = made(threshold=0.6).info
    assert (info.name, info.recipes, info.threshold) == ("model", ("fix",), 0.6)
    assert info.parameters == network.parameter_count()
    assert info.dtype == "float32"


def test_unknown_places_and_kinds_are_named(tmp_path, made):
    with pytest.raises(CheckpointError, match="absent"):
        Editor.load(tmp_path / "absent")
    made()
    with pytest.raises(DeviceError, match="int3"):
        Editor.load(tmp_path / "model", dtype="int3", device="cpu")
