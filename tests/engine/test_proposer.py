"""Proposals of random weights, whose scope head says yes."""

from dataclasses import replace

import pytest

from engine.identifiers import coined
from engine.offers import UNFAITHFUL, UNSOUND
from engine.proposer import Bounds, Proposer
from engine.requests import EditOptions, EditRequest, Law

TEXT = "def f(x):\n    return x + 1\n"


def test_bounds_are_those_of_the_config():
    assert Bounds.of({}) == Bounds()
    assert Bounds.of({"sure": "0.2", "least_label": 0.5, "own_words": ["item"]}) == Bounds(
        0.2, 0.5, 1.0, {"item"}
    )


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (
            EditRequest("fix it", "retrun x\n", must_parse=True),
            "fix it\nretrun x\nSyntaxError: invalid syntax",
        ),
        (
            EditRequest("fix it", "    y = (\n", must_parse=True),
            "fix it\ny = (\nSyntaxError: '(' was never closed",
        ),
        (EditRequest("fix it", "retrun x\n"), "fix it"),
        (EditRequest("fix it", TEXT, must_parse=True), "fix it"),
        (EditRequest("fix it\nKeyError: 1", "retrun x\n", must_parse=True), "fix it\nKeyError: 1"),
        (EditRequest("rename x to y", "retrun x\n", must_parse=True, may_change=("x", "y")), "rename x to y"),
    ],
)
def test_what_python_says_of_broken_code_is_told_to_a_model_trained_for_it(made, tokenizer, request_, told):
    for hints, instruction in ((True, told), (False, request_.instruction)):
        proposer = Proposer(None, tokenizer, made(hints=hints).info, Bounds(), 100)
        assert proposer.prefix(request_) == proposer.prefix(EditRequest(instruction, ""))


def test_candidates_are_distinct_and_none_is_the_region(made):
    (proposal,) = made(threshold=0.0).propose(
        [EditRequest("fix", TEXT)], EditOptions(candidates=6, max_rounds=3)
    )
    assert proposal.verdict == "edit"
    texts = [c.text for c in proposal.candidates]
    assert len(set(texts)) == len(texts)
    assert TEXT not in texts
    assert all(0 <= c.score <= 1 and c.changed_tokens > 0 for c in proposal.candidates)


def test_an_instruction_out_of_scope_is_said_to_be_so(made):
    (proposal,) = made(in_scope=False, threshold=0.0).propose([EditRequest("sing", TEXT)], EditOptions())
    assert proposal.verdict == "out_of_scope"
    assert proposal.candidates == ()
    assert "fix" in proposal.message
    assert (proposal.forwards, proposal.rounds) == (0, 0)  # its region is not read for it


@pytest.mark.parametrize(("sure", "verdict"), [(1.0, "unchanged"), (-1.0, "unsure")])
def test_without_an_edit_the_model_is_sure_or_not(made, sure, verdict):
    (proposal,) = made(threshold=1.0, sure=sure).propose([EditRequest("fix", TEXT)], EditOptions())
    assert (proposal.verdict, proposal.candidates) == (verdict, ())
    assert proposal.forwards == 1


def test_where_something_must_change_the_likeliest_edit_is_offered(made):
    editor = made(threshold=1.0, sure=-1.0)
    (judged,) = editor.propose([EditRequest("fix", TEXT)], EditOptions(judged=True))
    assert (judged.verdict, judged.candidates) == ("unsure", ())
    several, one = (
        editor.propose([EditRequest("fix", TEXT)], EditOptions(candidates=n, judged=True, needed=True))[0]
        for n in (5, 1)
    )
    assert (several.verdict, several.stands, one.stands) == ("edit", False, False)
    assert len(several.candidates) == 5
    assert one.candidates == several.candidates[:1]


def test_what_is_offered_without_a_judge_the_model_stands_by(made):
    (proposal,) = made(threshold=0.0).propose([EditRequest("fix", TEXT)], EditOptions(max_rounds=3))
    assert (proposal.verdict, proposal.stands) == ("edit", True)


def test_an_option_outranks_the_checkpoint(made):
    editor = made(threshold=1.0, sure=-1.0)
    (eager,) = editor.propose(
        [EditRequest("fix", TEXT)], EditOptions(threshold=0.0, max_rounds=3, candidates=6)
    )
    assert eager.verdict == "edit"


def test_names_that_nothing_defines_are_made_up(made):
    request, options = EditRequest("fix", TEXT), EditOptions(max_rounds=3)
    (free,) = made(threshold=0.0).propose([request], options)
    new = coined(TEXT, free.candidates[0].text) - {"fix"}
    assert new  # random weights make up some
    (left,) = made(threshold=0.0, own_words=[]).propose([request], options)
    assert left.verdict in ("made_up", "edit")
    assert all(not coined(TEXT, c.text) - {"fix"} for c in left.candidates)
    assert ("names that neither" in left.message) is (left.verdict == "made_up")
    (allowed,) = made(threshold=0.0, own_words=[]).propose([request], replace(options, new_names=True))
    assert allowed.candidates[0].text == free.candidates[0].text
    several = replace(options, candidates=6, new_names=True)
    (judged,) = made(threshold=0.0, own_words=["fix"]).propose([request], several)
    makes_up = [bool(coined(TEXT, c.text) - {"fix"}) for c in judged.candidates]
    assert makes_up == sorted(makes_up)


def test_a_broken_region_may_get_any_name(made):
    request = EditRequest("fix", "retrun stock\n", must_parse=True)
    free, bound = (
        made(threshold=0.0, **own).propose([request], EditOptions()) for own in ({}, {"own_words": []})
    )
    assert [c.text for c in bound[0].candidates] == [c.text for c in free[0].candidates]


@pytest.mark.parametrize("decoder", ["edit", "autoregressive"])
def test_samples_are_as_many_as_asked_for_equal_ones_included(made, decoder):
    editor = made(threshold=0.3, decoder=decoder)
    requests = [EditRequest("fix", TEXT), EditRequest("fix", TEXT * 2000), EditRequest("fix", "x = 1\n")]
    options = EditOptions(temperature=2.0, max_rounds=2, seed=1)
    short, long, other = editor.samples(requests, 12, options)
    assert (len(short), len(long), len(other)) == (12, 0, 12)
    assert editor.samples(requests[:1], 12, options) == [short]
    assert editor.samples(requests[:1], 5, options) == [short[:5]]
    assert editor.samples(requests[:1], 12, EditOptions(temperature=2.0, max_rounds=2, seed=2)) != [short]


def test_a_twin_does_not_look_for_others(made, monkeypatch):
    monkeypatch.setattr("engine.proposer.NEEDED", 0.0)
    monkeypatch.setattr("engine.proposer.offerable", lambda *_: ([], UNSOUND))
    monkeypatch.setattr("engine.proposer.Proposer._look_on", lambda *_: pytest.fail("looked for others"))
    (proposal,) = made(threshold=0.0, decoder="autoregressive").propose(
        [EditRequest("fix", TEXT)], EditOptions()
    )
    assert proposal.verdict == "unsound"


def test_a_name_put_in_the_place_of_another_is_no_reason_to_look_for_others(made, monkeypatch):
    monkeypatch.setattr("engine.proposer.NEEDED", 0.0)
    monkeypatch.setattr("engine.proposer.offerable", lambda *_: ([], UNFAITHFUL))
    request, options = EditRequest("rename a to b", TEXT), EditOptions(max_rounds=3)
    editor = made(threshold=0.0)
    proposals = editor.propose([request, replace(request, may_change=("a", "b"))], options)
    assert [p.verdict for p in proposals] == ["unfaithful"] * 2
    assert proposals[0].forwards < proposals[1].forwards  # what the recipe says is looked for


def test_what_has_no_place_for_a_recipe_is_not_read(made):
    idle, busy = EditRequest("use f-strings", TEXT, law=Law("fstring")), EditRequest("fix", TEXT)
    proposals = made(threshold=0.0).propose([idle, busy], EditOptions(max_rounds=3))
    assert [(p.verdict, p.forwards > 0) for p in proposals] == [("unchanged", False), ("edit", True)]


def test_where_a_law_judges_less_probable_edits_are_looked_for(made, monkeypatch):
    bound = EditRequest("rename x to y", TEXT, law=Law("rename", (("old", "x"), ("new", "y"))))
    editor = made(threshold=1.0, sure=-1.0)
    (none,) = editor.propose([bound], EditOptions())
    assert (none.verdict, none.candidates) == ("unsure", ())
    assert none.forwards > editor.propose([replace(bound, law=None)], EditOptions())[0].forwards
    monkeypatch.setattr("engine.offers.fault", lambda *_: "")
    (found,) = editor.propose([bound], EditOptions())
    assert (found.verdict, found.stands, len(found.candidates)) == ("edit", True, 1)
    assert found.candidates[0].score < 1
    (strict,) = editor.propose([bound], EditOptions(threshold=1.0))  # the user has said how sure it must be
    assert strict.verdict == "unsure"


def test_where_the_first_edit_may_not_be_offered_another_is_looked_for(made, monkeypatch):
    request, options = EditRequest("fix", TEXT), EditOptions(max_rounds=3)
    editor = made(threshold=0.0)
    (first,) = editor.propose([request], options)
    refused = first.candidates[0].text

    def refuse(_request, candidates, _own_words):
        left = [c for c in candidates if c.text != refused]
        return left, UNSOUND if candidates and not left else None

    monkeypatch.setattr("engine.proposer.offerable", refuse)
    monkeypatch.setattr("engine.proposer.NEEDED", 2.0)
    (none,) = editor.propose([request], options)
    assert (none.verdict, none.candidates, none.forwards) == ("unsound", (), first.forwards)
    monkeypatch.setattr("engine.proposer.NEEDED", 0.0)
    monkeypatch.setattr("engine.proposer.LEAST_OTHER", 0.0)
    monkeypatch.setattr("engine.proposer.MOST_DOUBT", 1.0)
    (other,) = editor.propose([request], options)
    assert other.candidates[0].text not in (refused, TEXT)
    assert other.forwards > first.forwards
    for name, bound in (("LEAST_OTHER", 2.0), ("MOST_DOUBT", -1.0)):
        with monkeypatch.context() as bounds:
            bounds.setattr(f"engine.proposer.{name}", bound)
            (unlikely,) = editor.propose([request], options)
        assert (unlikely.verdict, unlikely.message) == (none.verdict, none.message)
