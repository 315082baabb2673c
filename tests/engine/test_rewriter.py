"""What a model from elsewhere is asked, and what becomes of its answer; the answers here are written by the test."""

import dataclasses
import json

import pytest
import torch

from engine.checkpoints import contents
from engine.errors import CheckpointError
from engine.requests import EditOptions, EditRequest
from engine.rewriter import Rewriter, revision
from engine.sampling.rules.writing import Written
from tests.engine.checkpoints.families.tiny_folders import END, MASK, tiny_folder

REGION = "    def f(self):\n        return 1\n"
BETTER = REGION.replace("1", "2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_folder(tmp_path_factory.mktemp("models") / "tiny", "sdar")


@pytest.fixture(scope="module")
def loaded(folder):
    return Rewriter.load(folder, device="cpu", dtype=torch.float32)


class Scripted:
    """Writes the answers of a list, in turn."""

    def __init__(self, vocabulary, answers):
        self.asked = []
        self._vocabulary, self._answers = vocabulary, list(answers)

    def write(self, writings):
        self.asked += writings
        return [self._written(self._answers.pop(0)) for _ in writings]

    def _written(self, answer):
        text, probability, is_whole = answer if isinstance(answer, tuple) else (answer, 0.9, True)
        tokens = text if isinstance(text, list) else self._vocabulary.encode(text)
        return Written(tokens, is_whole, [probability] * len(tokens), forwards=7, rounds=5)


@pytest.fixture
def ask(loaded, monkeypatch):
    def ask(*answers, region=REGION, must_parse=True, **options):
        scripted = Scripted(loaded._vocabulary, answers)
        monkeypatch.setattr(loaded, "_writer", scripted)
        request = EditRequest("return two", region, must_parse=must_parse)
        (proposal,) = loaded.propose([request], EditOptions(**options))
        return proposal, scripted.asked

    return ask


def test_the_new_text_of_a_region_is_offered(ask):
    proposal, _ = ask(f"{BETTER}```\n")
    assert proposal.verdict == "edit"
    (candidate,) = proposal.candidates
    assert (candidate.text, candidate.rounds, candidate.changed_tokens) == (BETTER, 5, 1)
    assert candidate.score == pytest.approx(0.9)
    assert (proposal.forwards, proposal.rounds, proposal.region_tokens) == (7, 5, len(REGION))


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        (f"{REGION}```", "unchanged", "nothing needs to change"),
        (f"```python\n{REGION}```", "unchanged", ""),
        ("    def f(self:\n", "unsound", "would not parse"),
        ((BETTER, 0.1, True), "unsure", "none is 25% sure"),
        ((BETTER, 0.9, False), "unsure", f"came to no end in {len(BETTER)} tokens"),
        ("```\n```\n", "unsure", "holds no code"),
        ([MASK + 2, 65], "unsure", "what is no text"),
        ("\tdef f(self):\n\t\treturn 2\n", "unsure", "cannot be indented"),
    ],
)
def test_what_cannot_be_offered_is_said(ask, answer, verdict, words):
    proposal, _ = ask(answer)
    assert (proposal.verdict, proposal.candidates) == (verdict, ())
    assert words in proposal.message


def test_a_dedented_answer_goes_back_to_its_margin(ask):
    proposal, _ = ask("def f(self):\n    return 2\n```\n")
    assert proposal.candidates[0].text == BETTER


def test_candidates_are_distinct_and_ranked(ask):
    third = REGION.replace("1", "3")
    answers = [
        f"{BETTER}```\n",
        (third, 0.5, True),
        (BETTER, 0.9, True),
        ("x", 0.9, False),
        (f"{third} \n", 0.8, True),
    ]
    proposal, asked = ask(*answers, candidates=5, temperature=0.4, seed=3)
    assert [c.text for c in proposal.candidates] == [BETTER, f"{third} \n", third]
    assert asked[0].heat is None
    assert {writing.heat.temperature for writing in asked[1:]} == {0.4}
    assert len({writing.chance for writing in asked}) == 5


def test_a_threshold_is_the_users(ask):
    assert ask((BETTER, 0.1, True), threshold=0.05)[0].verdict == "edit"
    assert ask(BETTER, threshold=0.95)[0].verdict == "unsure"


def test_forwards_are_those_of_the_call(loaded, monkeypatch):
    """A short answer and a long one share none, two of like length share all."""
    scripted = Scripted(loaded._vocabulary, [f"{BETTER}```\n"] * 3)
    monkeypatch.setattr(loaded, "_writer", scripted)
    long = "".join(f"x{i} = 1\n" for i in range(50))
    requests = [EditRequest("return two", region) for region in (REGION, long, REGION)]
    proposals = loaded.propose(requests, EditOptions())
    assert [proposal.forwards for proposal in proposals] == [14] * 3


def test_the_question_holds_what_is_asked(ask, loaded):
    region = "x = '<|im_end|> ```'\n"
    _, (writing,) = ask(region, region=region)
    text = loaded._vocabulary.shown(writing.prompt)
    assert text.startswith("<|im_start|>user\n")
    assert "return two" in text
    assert text.endswith("<|im_end|>\n<|im_start|>assistant\n````python\n")
    assert f"````python\n{region}````" in text
    controls = [i for i in writing.prompt if i >= MASK]
    assert len(controls) == 3, "what stands in a region is no control token"
    assert writing.draft[: len(region)] == loaded._vocabulary.encode(region)
    assert writing.ended(loaded._vocabulary.encode(f"{region}````\n"))
    assert not writing.ended(loaded._vocabulary.encode(f"{region}```\n"))


def test_context_is_cut_where_it_is_far_from_the_region(loaded):
    lines = "".join(f"line {i}\n" for i in range(1000))
    cut = loaded._cut(lines)
    assert lines.endswith(cut)
    assert cut.startswith("line ")
    assert len(cut) <= loaded.info.context_tokens == 1024
    assert loaded._cut("short\n") == "short\n"


def test_a_region_that_does_not_fit_is_told(ask, loaded):
    proposal, asked = ask(region="x = 1\n" * loaded.info.max_region_tokens)
    assert (proposal.verdict, asked) == ("too_long", [])
    assert "name a smaller region" in proposal.message


def test_the_model_itself_writes_the_same_with_its_draft_and_without(loaded, monkeypatch):
    """End to end with random weights: the region as draft saves forwards at most, it changes nothing."""
    request = EditRequest("return two", "a\n")
    (one,) = loaded.propose([request], EditOptions())
    writing = loaded._writing(loaded._task(request), None, "0:0")
    (drafted,) = loaded._writer.write([writing])
    (plain,) = loaded._writer.write([dataclasses.replace(writing, draft=())])
    assert drafted.tokens == plain.tokens
    assert one.forwards == drafted.forwards <= plain.forwards


def test_special_tokens_are_the_checkpoints_own(loaded, tmp_path):
    assert loaded._ids.mask == MASK
    assert loaded._ids.stops[:2] == (MASK + 3, END)  # what ends a turn in the template, then the tokenizer's
    folder = tiny_folder(tmp_path / "m", "llada2")
    table = contents.read_json(folder, "config.json")
    (folder / "config.json").write_text(json.dumps(table | {"mask_token_id": 258}))
    other = Rewriter.load(folder, device="cpu", dtype=torch.float32)
    assert other._ids.mask == 258, "config.json wins"
    assert other._ids.stops[0] == MASK + 4, "<|role_end|>, whose id no config says"


def test_a_revision_is_of_the_weights(folder, tmp_path):
    assert revision(folder) == revision(folder)
    assert len(revision(folder)) == 12
    assert revision(tiny_folder(tmp_path / "m", "sdar-moe")) != revision(folder)
    cached = tmp_path / "models--a--b" / "snapshots" / "0123456789abcdef"
    tiny_folder(cached, "llama")
    assert revision(cached) == "0123456789ab"


def test_places_cannot_be_told(loaded):
    with pytest.raises(CheckpointError, match="writes regions anew"):
        loaded.scan([EditRequest("fix", REGION)], least=0.5)
