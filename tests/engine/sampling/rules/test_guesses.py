import math

import pytest
import torch

from engine.checkpoints.families.family import Rule
from engine.sampling.rules.guesses import Heat, filtered, guesses

LOGITS = torch.tensor([[0.1, 2.0, 1.0, -1.0], [3.0, 0.0, 0.0, 0.0]])
P = LOGITS.softmax(-1)


def guess(rule, logits=LOGITS, heat=None, chances=(0.0, 0.0)):
    return guesses(logits, rule, [heat] * len(logits), chances)


def test_the_most_probable_token_without_heat():
    found = guess(Rule("scheduled"))
    assert [g.token for g in found] == [1, 0]
    assert [g.probability for g in found] == pytest.approx([float(P[0, 1]), float(P[1, 0])])
    assert [g.sureness for g in found] == [g.probability for g in found]


def test_a_threshold_may_be_met_or_exceeded():
    half = torch.tensor([[1.0, 1.0]])
    for inclusive in (False, True):
        (found,) = guess(Rule("best and above", threshold=0.5, inclusive=inclusive), half)
        assert found.is_above is inclusive
        assert not found.replaces


def test_visible_tokens_have_a_threshold_of_their_own():
    rule = Rule("best and above", threshold=0.99, edit_threshold=0.7)
    assert [(g.is_above, g.replaces) for g in guess(rule)] == [(False, False), (False, True)]


def test_probabilities_are_of_the_type_that_the_vendor_computes_in():
    coarse = LOGITS.to(torch.bfloat16)
    for name, exact in (("weights", torch.bfloat16), ("float32", torch.float32), ("float64", torch.float64)):
        found = guess(Rule("scheduled", softmax=name), coarse)
        assert found[0].probability == float(coarse.to(exact).softmax(-1)[0, 1])


def test_thresholds_are_compared_in_that_type_too():
    """0.85 is 0.8516 in bfloat16: a probability of just that is not above it."""
    near = torch.tensor([[math.log(0.8515625), math.log(1 - 0.8515625)]]).to(torch.bfloat16)
    p = near.softmax(-1)[0, 0]
    (found,) = guess(Rule("above or scheduled", threshold=0.85), near)
    assert found.is_above == bool(p > 0.85)
    assert float(torch.tensor(0.85).to(torch.bfloat16)) > 0.85


def test_sureness_by_entropy():
    found = guess(Rule("scheduled", sureness="entropy"))
    assert [g.sureness for g in found] == pytest.approx((P * P.log()).sum(-1).tolist(), abs=1e-6)
    kept = guess(Rule("scheduled", sureness="entropy", top_p=0.7))
    q = LOGITS[0, 1:3].softmax(-1)
    assert kept[0].sureness == pytest.approx(float((q * q.log()).sum()), abs=1e-6)
    assert kept[1].sureness == pytest.approx(0, abs=1e-6)


def test_heat_is_each_rows_own():
    heats = [Heat(2.0, 0, 1.0), None]
    found = guesses(LOGITS, Rule("scheduled"), heats, [0.999, 0.999])
    assert [g.token for g in found] == [3, 0]
    assert found[0].probability == pytest.approx(float((LOGITS[0] / 2).softmax(-1)[3]))
    plain = guesses(LOGITS, Rule("scheduled", heated=False), heats, [0.999, 0.999])
    assert plain[0].probability == pytest.approx(float(P[0, 3]))


def test_tokens_are_drawn_as_often_as_they_are_probable():
    heat, n = Heat(1.0, 0, 1.0), 1000
    rows = LOGITS[:1].expand(n, -1)
    found = guesses(rows, Rule("scheduled"), [heat] * n, [(i + 0.5) / n for i in range(n)])
    shares = [sum(g.token == token for g in found) / n for token in range(4)]
    assert shares == pytest.approx(P[0].tolist(), abs=2e-3)


@pytest.mark.parametrize(
    ("top_k", "top_p", "kept"),
    [(0, 1.0, 4), (2, 1.0, 2), (9, 1.0, 4), (0, 0.7, 2), (0, 0.01, 1), (1, 0.99, 1)],
)
def test_only_the_most_probable_are_left(top_k, top_p, kept):
    left = filtered(LOGITS[:1], top_k, top_p)
    assert int(left.isfinite().sum()) == kept
    assert torch.equal(left.argmax(-1), LOGITS[:1].argmax(-1))
