import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checkpoints.folder import DEFAULT
from engine.model.tokenizer import CONTROLS, CodeTokenizer

TOKENIZER = CodeTokenizer.load(DEFAULT)


@given(st.text())
def test_every_unicode_text_survives(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@given(st.lists(st.sampled_from(["<|mask|>", "<|end|>", "<|", "|>", "mask", "\n    ", "x"])).map("".join))
def test_spelled_control_tokens_are_ordinary_text(text):
    ids = TOKENIZER.encode(text)
    controls = {getattr(TOKENIZER.controls, name) for name in CONTROLS}
    assert not controls & set(ids)
    assert TOKENIZER.decode(ids) == text


def test_digits_are_single_tokens():
    assert len(TOKENIZER.encode("12345")) == 5


def test_a_line_break_takes_the_indentation_along():
    assert [TOKENIZER.decode([i]) for i in TOKENIZER.encode("x\n    y")] == ["x", "\n    ", "y"]


@pytest.mark.parametrize("text", ["foo()", "a):", "x==y", "self.name"])
def test_marks_and_names_share_no_token(text):
    for token in (TOKENIZER.decode([i]) for i in TOKENIZER.encode(text)):
        assert token.isidentifier() or not any(c.isalnum() for c in token)


def test_no_text_has_the_bytes_of_half_a_character():
    with pytest.raises(UnicodeDecodeError):
        TOKENIZER.decode(
            TOKENIZER.encode("é")[:1]
            if len(TOKENIZER.encode("é")) > 1
            else TOKENIZER.encode("\U0001f600")[:1]
        )


@pytest.mark.slow
def test_transformers_reads_it():
    from transformers import PreTrainedTokenizerFast

    theirs = PreTrainedTokenizerFast.from_pretrained(DEFAULT)
    text = "def f(x):\n    return '<|mask|>' % 12\n"
    assert theirs(text, add_special_tokens=False)["input_ids"] == TOKENIZER.encode(text)
    assert theirs.decode(TOKENIZER.encode(text)) == text
    assert theirs.mask_token_id == TOKENIZER.controls.mask
