import math
from dataclasses import replace

import pytest
import torch

from engine.diffusion.layout import prefix
from engine.diffusion.levenshtein import EditIds
from engine.model.network import Network
from engine.sampling import edit
from engine.sampling.batch import read_canvases, read_prefixes
from engine.sampling.edit import EditSampler, EditSettings


@pytest.fixture(scope="module")
def sampler(network, tokenizer):
    c = tokenizer.controls
    never = [c.mask, c.context, c.instruction, c.region, c.pad]
    return EditSampler(network, EditIds(c.mask, c.delete, c.insert, c.end), never=never, pad=c.pad)


@pytest.fixture(scope="module")
def requests(tokenizer):
    c = tokenizer.controls
    marks = (c.context, c.instruction, c.region)
    texts = ["def f(x):\n    return x + 1\n", "x = 1\n", "for i in range(3):\n    print(i, i * i)\n", ""]
    instructions = ["fix", "rename x to y", "repair this, please", "fix"]
    prefixes = [prefix((), tokenizer.encode(i), marks=marks) for i in instructions]
    return prefixes, [tokenizer.encode(t) for t in texts]


def test_rows_of_a_batch_read_as_they_do_alone(network, requests, tokenizer):
    prefixes, canvases = requests
    pad = tokenizer.controls.pad
    together = read_canvases(network, read_prefixes(network, prefixes[:3], pad), canvases[:3], pad)
    for i in range(3):
        alone = read_canvases(
            network, read_prefixes(network, prefixes[i : i + 1], pad), canvases[i : i + 1], pad
        )
        torch.testing.assert_close(together[i, : len(canvases[i])], alone[0], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("threshold", [0.0, 0.99])
def test_a_batch_gives_what_single_requests_give(sampler, requests, threshold):
    prefixes, canvases = requests
    settings = EditSettings(threshold=threshold, max_rounds=6)
    together, _ = sampler.run(prefixes, canvases, settings)
    for i, outcome in enumerate(together):
        (alone,), _ = sampler.run(prefixes[i : i + 1], canvases[i : i + 1], settings)
        assert outcome.rows[0].canvas == alone.rows[0].canvas
        assert outcome.forwards == alone.forwards
        assert outcome.change == pytest.approx(alone.change, abs=1e-4)


def test_no_mask_is_left_at_the_cap(sampler, requests, tokenizer):
    prefixes, canvases = requests
    outcomes, _ = sampler.run(prefixes, canvases, EditSettings(threshold=0.0, max_rounds=3, candidates=3))
    controls = tokenizer.controls
    for outcome in outcomes:
        for row in outcome.rows:
            assert not {controls.mask, controls.delete, controls.insert, controls.end} & set(row.canvas)


def changing(network, tokenizer, requests, final=None, **settings):
    """Outcomes at a threshold at which the tiny network edits."""
    c = tokenizer.controls
    sampler = EditSampler(network, c.edits, never=c.never, pad=c.pad, final=final)
    return sampler.run(*requests, EditSettings(threshold=0.3, max_rounds=8, **settings))[0]


@pytest.fixture(scope="module")
def headed(network):
    torch.manual_seed(3)
    made = Network(replace(network.config, exit_hidden=4))
    made.load_state_dict(network.state_dict(), strict=False)
    return made.eval().requires_grad_(False)


def test_a_head_that_has_to_be_surer_than_sure_changes_nothing(network, headed, tokenizer, requests):
    plain = changing(network, tokenizer, requests, candidates=4)
    for threshold in (1.0, math.inf):
        found = changing(headed, tokenizer, requests, candidates=4, exit_threshold=threshold)
        assert found == plain


def test_a_head_that_always_says_final_ends_with_the_first_round_that_leaves_no_mask(
    network, headed, tokenizer, requests
):
    heard = []

    def listen(row, figures):
        heard.append((row.request, row.rounds, row.canvas))
        return 0.0

    confirmed = changing(network, tokenizer, requests, final=listen)
    assert all(tokenizer.controls.mask not in canvas for _, _, canvas in heard)
    first = {request: (rounds, canvas) for request, rounds, canvas in reversed(heard)}
    assert first

    headed.exit.leave.bias.fill_(1e4)
    quick = changing(headed, tokenizer, requests, exit_threshold=0.999)
    for request, (a, b) in enumerate(zip(quick, confirmed, strict=True)):
        if request in first:
            assert (a.forwards, a.rows[0].canvas) == first[request]
            assert a.forwards < b.forwards
        else:
            assert a == b


def test_the_same_seed_gives_the_same_candidates(sampler, requests):
    def drawn(seed):
        outcomes, _ = sampler.run(
            *requests, EditSettings(threshold=0.5, max_rounds=4, candidates=4, temperature=0.7, seed=seed)
        )
        return [[row.canvas for row in o.rows] for o in outcomes]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@pytest.mark.parametrize("longest", [None, 12])
@pytest.mark.parametrize("temperature", [0.001, 0.01, 1.0, 100.0])
def test_any_temperature_draws(network, tokenizer, requests, temperature, longest):
    c = tokenizer.controls
    sampler = EditSampler(network, c.edits, never=c.never, pad=c.pad, longest=longest)
    settings = EditSettings(threshold=0.5, max_rounds=1, candidates=12, temperature=temperature)
    outcomes, _ = sampler.run(*requests, settings)
    assert all(len(outcome.rows) > 1 for outcome in outcomes)


def test_a_threshold_of_one_costs_one_forward(sampler, requests):
    outcomes, seconds = sampler.run(*requests, EditSettings(threshold=1.0))
    assert [o.forwards for o in outcomes] == [1, 1, 1, 1]
    assert [o.rows[0].canvas for o in outcomes] == requests[1]
    assert set(seconds) == {"prefix", "rounds"}


def test_at_temperature_0_candidates_are_the_same_for_any_seed(sampler, requests):
    def found(seed):
        settings = EditSettings(threshold=0.5, max_rounds=4, candidates=6, seed=seed)
        return [[row.canvas for row in o.rows] for o in sampler.run(*requests, settings)[0]]

    assert found(1) == found(2)


def test_further_candidates_leave_the_greedy_one_as_it_is(sampler, requests):
    alone, _ = sampler.run(*requests, EditSettings(threshold=0.3, max_rounds=5))
    among, _ = sampler.run(*requests, EditSettings(threshold=0.3, max_rounds=5, candidates=5))
    assert [o.rows[0].canvas for o in alone] == [o.rows[0].canvas for o in among]
    assert [o.change for o in alone] == pytest.approx([o.change for o in among], abs=1e-4)
    assert all(1 < len(o.rows) <= 5 for o in among)


@pytest.mark.parametrize("candidates", [1, 6])
def test_forwards_are_all_that_the_rows_of_a_request_were_in(sampler, requests, candidates, monkeypatch):
    read, made = edit.read_parts, []
    monkeypatch.setattr(edit, "read_parts", lambda *given: made.append(len(given[2])) or read(*given))
    settings = EditSettings(threshold=0.3, max_rounds=5, candidates=candidates)
    for before, canvas in zip(*requests, strict=True):
        (outcome,), _ = sampler.run([before], [canvas], settings)
        assert outcome.forwards == len(made)
        made.clear()
