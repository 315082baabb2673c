"""Drafts save forwards and change nothing; nor does what else shares the forwards."""

import copy
import dataclasses
import random

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.checkpoints.families.registry import FAMILIES
from engine.sampling.rules.guesses import Heat
from engine.sampling.rules.writer import writer
from engine.sampling.rules.writing import Writing
from tests.engine.sampling.rules.conftest import DELETE, IDS, INSERT, MASK, STOP, VOCABULARY, cases
from tests.engine.sampling.rules.test_published import FAMILY, PUBLISHED, rule_of

BLOCKWISE = [name for name in PUBLISHED if FAMILY[name].sight != "everything"]
DISTINCT = [
    "stable-diffcoder",
    "sdar",
    "llada2",
    "llada2.1",
    "llada2.2",
    "fast-dllm-v2",
    "nemotron-labs-diffusion",
    "llama",
]
"""One of each kind of rule."""


def write(tiny, name, asked, ahead):
    block, *_ = PUBLISHED[name]
    return writer(tiny, FAMILY[name], IDS, block, rule=rule_of(name), ahead=ahead).write(asked)


def damaged(tokens, source, edits):
    """A draft that is wrong in a few places, and shifted by what is missing or too much."""
    draft = list(tokens)
    for _ in range(edits):
        at = source.randrange(len(draft) + 1)
        draft[at : at + source.randrange(3)] = [
            source.randrange(VOCABULARY - 2) for _ in range(source.randrange(3))
        ]
    return draft


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(DISTINCT),
    seed=st.integers(0, 10_000),
    ahead=st.sampled_from([1, 8, 24, 64]),
    heat=st.sampled_from([None, None, Heat(0.8, 0, 1.0), Heat(1.3, 5, 0.9)]),
)
def test_a_draft_changes_no_token(tiny, name, seed, ahead, heat):
    source = random.Random(seed)
    asked = [
        dataclasses.replace(writing, heat=heat, chance=f"{seed}:{i}")
        for i, writing in enumerate(cases(6, most=(1, 40), seed=seed))
    ]
    plain = write(tiny, name, asked, 0)
    drafts = [damaged(w.tokens, source, source.randrange(4)) for w in plain]
    with_drafts = [dataclasses.replace(w, draft=d) for w, d in zip(asked, drafts, strict=True)]
    for drafted in (
        write(tiny, name, with_drafts, ahead),
        [write(tiny, name, [w], ahead)[0] for w in with_drafts],
    ):
        assert [w.tokens for w in drafted] == [w.tokens for w in plain]
        assert [w.is_whole for w in drafted] == [w.is_whole for w in plain]
        for one, other in zip(drafted, plain, strict=True):
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-4)


@pytest.mark.parametrize("name", DISTINCT)
def test_a_right_draft_saves_most_forwards(name, tiny):
    never_ends = dataclasses.replace(IDS, stops=())
    asked = [Writing(w.prompt, 64) for w in cases(4)]
    block, *_ = PUBLISHED[name]

    def made(asked):
        return writer(tiny, FAMILY[name], never_ends, block, rule=rule_of(name)).write(asked)

    plain = made(asked)
    drafted = made([dataclasses.replace(w, draft=p.tokens) for w, p in zip(asked, plain, strict=True)])
    assert [w.tokens for w in drafted] == [w.tokens for w in plain]
    least = (
        1.5 if FAMILY[name].rule.edit_threshold else 2.5
    )  # one block that changes its mind holds up the others
    assert sum(w.forwards for w in drafted) < sum(w.forwards for w in plain) / least


def test_a_useless_draft_costs_no_forward(tiny):
    """What stands in the draft is never what the model writes; each block takes as many forwards as without."""
    asked = cases(8, most=(16, 24))
    plain = write(tiny, "sdar", asked, 0)
    wrong = [dataclasses.replace(w, draft=[MASK] * 24) for w in asked]
    assert [w.forwards for w in write(tiny, "sdar", wrong, 64)] == [w.forwards for w in plain]


@pytest.mark.parametrize("name", ["sdar", "llama"])
def test_chance_is_the_answers_own(name, tiny):
    heat = Heat(1.5, 0, 1.0)
    (writing,) = cases(1, most=(24, 24))
    asked = [dataclasses.replace(writing, heat=heat, chance=str(i)) for i in range(6)]
    made = [tuple(w.tokens) for w in write(tiny, name, asked, 0)]
    assert len(set(made)) > 3
    assert [tuple(w.tokens) for w in write(tiny, name, asked[2:4], 0)] == made[2:4]


def test_an_answer_ends_where_its_text_says_so(tiny):
    for name in ("sdar", "llada", "dream-coder", "llama"):
        asked = [Writing([1, 2, 3], 24, ended=lambda tokens: len(tokens) > 2)]
        (made,) = write(tiny, name, asked, 0)
        assert made.is_whole
        assert 2 < len(made.tokens) < 24


def test_nothing_is_read_for_an_answer_of_no_length(tiny):
    for family in FAMILIES:
        (made,) = writer(tiny, family, IDS, 4).write([Writing([1], 0)])
        assert (made.tokens, made.forwards, made.is_whole) == ([], 0, False)


def test_stops_are_not_part_of_an_answer(tiny):
    every = [write(tiny, name, cases(20), 0) for name in PUBLISHED]
    for made in write(tiny, "llada2.2", cases(), 0):
        assert not {DELETE, INSERT} & {*made.tokens}
    assert all(STOP not in w.tokens and MASK not in w.tokens for made in every for w in made)
    assert any(w.is_whole for made in every for w in made)


def test_bfloat16_weights_write_too(tiny):
    half = copy.deepcopy(tiny).to(torch.bfloat16)
    for name in DISTINCT:
        assert all(w.forwards for w in write(half, name, cases(3), 64))
