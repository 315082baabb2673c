"""Answers that transformers' own decoder writes: its network is made to want a text of the test's."""

import math

import pytest
import torch

from engine.checkpoints.vocabulary import Vocabulary
from engine.requests import EditOptions, EditRequest
from engine.rewriter import Rewriter
from engine.sampling.rules.writing import Writing
from tests.engine.checkpoints.families.tiny_gemma import CANVAS, STEPS, TURN_END, tiny_gemma

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore:.torch.jit.script_method:DeprecationWarning"
    ),  # torch's own, on its way
]
REGION = "def add(a, b):\n    return a - b  # as it has always been\n"
BETTER = REGION.replace("-", "+")
LOGIT = 24.0


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tiny_gemma(tmp_path_factory.mktemp("gemma") / "m")
    return Rewriter.load(folder, device="cpu", dtype=torch.float32)


@pytest.fixture(scope="module")
def vocabulary(loaded):
    return Vocabulary.load(loaded._writer._model.what.folder, 320)


@pytest.fixture
def wants(loaded, monkeypatch):
    """Make the network want a text, whatever it reads, and count its true forwards."""
    model = loaded._writer._model.model
    count = {"encoder": 0, "decoder": 0}

    def wants(prompt, tokens):
        forward = model.forward

        def wanting(*args, decoder_position_ids, **kwargs):
            out = forward(*args, decoder_position_ids=decoder_position_ids, **kwargs)
            at = (decoder_position_ids[0] - len(prompt)).tolist()
            out.logits = torch.zeros_like(out.logits)
            for i, place in enumerate(at):
                out.logits[0, i, tokens[place] if place < len(tokens) else 0] = LOGIT
            return out

        monkeypatch.setattr(model, "forward", wanting)
        return count

    def counting(name):
        def hook(*_):
            count[name] += 1

        return hook

    hooks = [getattr(model.model, name).register_forward_hook(counting(name)) for name in count]
    yield wants
    for hook in hooks:
        hook.remove()


def test_an_answer_and_its_forwards(loaded, vocabulary, wants):
    prompt, answer = list(range(5, 25)), [*vocabulary.encode(f"{BETTER}```\n"), TURN_END]
    count = wants(prompt, answer)
    (written,) = loaded._writer.write([Writing(prompt, most=3 * CANVAS, chance="0:0")])
    assert (written.tokens, written.is_whole) == (answer[:-1], True)
    assert CANVAS < len(answer) <= 2 * CANVAS
    sure = math.exp(LOGIT) / (math.exp(LOGIT) + 319)
    assert written.probabilities == pytest.approx([sure] * len(written.tokens))
    # a canvas that is as it was a step before is done
    assert (written.rounds, written.forwards) == (4, 6)
    assert count == {"encoder": 2, "decoder": 4}


def test_an_answer_ends_where_its_text_says_so_or_is_cut(loaded, vocabulary, wants):
    prompt, answer = list(range(5, 25)), vocabulary.encode("x" * 200)
    wants(prompt, answer)

    def ended(tokens):
        return len(tokens) >= 40

    one, two = loaded._writer.write(
        [Writing(prompt, 100, ended=ended, chance="0:0"), Writing(prompt, CANVAS + 1, chance="0:1")]
    )
    assert (one.tokens, one.is_whole) == (answer[:40], True)
    assert (two.tokens, two.is_whole) == (answer[: CANVAS + 1], False)


def test_an_edit_is_offered_with_what_it_took(loaded, vocabulary, wants):
    request = EditRequest("return the sum", REGION, must_parse=True)
    prompt = loaded._task(request).prompt
    text = vocabulary.shown(prompt)
    assert text.startswith("<bos><|turn>user\n")
    assert text.endswith("<turn|>\n<|turn>model\n```python\n")
    count = wants(prompt, [*vocabulary.encode(f"{BETTER}```"), TURN_END])
    (proposal,) = loaded.propose([request], EditOptions(candidates=2))
    assert [candidate.text for candidate in proposal.candidates] == [BETTER]
    assert proposal.candidates[0].score > 0.99
    assert (proposal.rounds, proposal.forwards) == (4, 12), "both answers' forwards, none of them shared"
    assert sum(count.values()) == 12


def test_chance_is_the_seeds(loaded):
    def write(*chances):
        return [loaded._writer.write([Writing(range(5, 25), CANVAS, chance=chance)])[0] for chance in chances]

    one, other, again = write("0:0", "0:1", "0:0")
    assert one == again != other
    assert one.rounds == STEPS
