"""Tokenizers of vendors' folders: control tokens count in the frame alone, texts survive to the byte."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, normalizers

from engine.checkpoints.vocabulary import Vocabulary
from engine.errors import CheckpointError
from tests.engine.checkpoints.families.tiny_folders import CONTROLS, MASK, byte_tokenizer, write_tokenizer
from tests.engine.checkpoints.families.tiny_gemma import gemma_tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("m")
    made = byte_tokenizer()
    made.normalizer = normalizers.NFC()
    made.add_tokens([AddedToken("<tool_call>", normalized=False), AddedToken("    ", normalized=False)])
    made.save(str(path / "tokenizer.json"))
    return path


@pytest.fixture(scope="module")
def vocabulary(folder):
    return Vocabulary.load(folder, 320)


def test_control_tokens_count_in_the_frame_alone(vocabulary):
    for text in [*CONTROLS, "<tool_call>"]:
        assert len(vocabulary.frame(text)) == 1
        assert vocabulary.is_control(vocabulary.frame(text)[0])
        assert len(vocabulary.encode(text)) == len(text.encode())
        assert vocabulary.text(vocabulary.encode(text)) == text
        assert vocabulary.text(vocabulary.frame(text)) is None
    assert vocabulary.id_of("<|mask|>") == MASK
    assert vocabulary.id_of("nothing") is None


def test_runs_of_spaces_stay_tokens(vocabulary):
    assert len(vocabulary.encode("    ")) == 1
    assert vocabulary.text(vocabulary.encode("    x")) == "    x"


def test_sentencepieces_spaces_are_text(tmp_path):
    gemma_tokenizer().save(str(tmp_path / "tokenizer.json"))
    vocabulary = Vocabulary.load(tmp_path, 320)
    text = "def f():\n    return 1  # é\n"
    ids = vocabulary.encode(text)
    assert len(ids) == len(text.encode()) - 3 - 1, "four spaces, and two, are a token each"
    assert vocabulary.text(ids) == text
    assert vocabulary.text(vocabulary.frame("<turn|>")) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_texts_survive(vocabulary, text):
    """Decomposed letters too, though the tokenizer would compose them."""
    if "\ufffd" not in text:
        assert vocabulary.text(vocabulary.encode(text)) == text


def test_bytes_that_are_no_text_are_told(vocabulary):
    assert vocabulary.text(vocabulary.encode("é")[:1]) is None


def test_words_and_merges_will_do(tmp_path, vocabulary):
    write_tokenizer(tmp_path, as_one_file=False)
    table = {str(MASK + i): {"content": text} for i, text in enumerate(CONTROLS)}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"added_tokens_decoder": table}))
    other = Vocabulary.load(tmp_path, 320)
    text = "def f(x):\n    return x  # "
    assert other.encode(text) == list(byte_tokenizer().encode(text).ids)
    assert other.text(other.encode(f"{text}<|mask|>\n")) == f"{text}<|mask|>\n"
    assert other.frame("<|im_end|>") == vocabulary.frame("<|im_end|>")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read as JSON"),
        ("{}", "cannot be read: "),
        (
            '{"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}}',
            "cannot be read: ",
        ),
        (
            '{"version": "1.0", "added_tokens": 3, "model": {"type": "BPE", "vocab": {}, "merges": []}}',
            "cannot be read",
        ),
    ],
)
def test_damaged_tokenizers_are_refused(tmp_path, text, words):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(CheckpointError, match=words) as caught:
        Vocabulary.load(tmp_path, 320)
    assert "\n" not in str(caught.value)


def test_more_tokens_than_the_network_knows_are_refused(folder):
    with pytest.raises(CheckpointError, match="the tokenizer has token 267, the network knows 200 tokens"):
        Vocabulary.load(folder, 200)


def test_no_tokenizer_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="has no tokenizer"):
        Vocabulary.load(tmp_path, 320)
