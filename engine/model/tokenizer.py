"""Text to token ids and back: byte-level BPE made for code.

Digits are single tokens, a newline with the indentation after it is one piece, no piece joins punctuation with a
name. Control tokens have ids of their own that no text encodes to: their spelling in a repository's text is ordinary
text. Knows nothing of tensors or of what the control tokens do.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from engine.diffusion.levenshtein import EditIds
from engine.errors import DataError

CONTROLS = ("mask", "delete", "insert", "end", "context", "instruction", "region", "pad")

_OPERATORS = r"\*\*=?|//=?|<<=?|>>=?|==|!=|<=|>=|->|:=|[-+*/%&|^@]=|\.\.\.|\"\"\"|'''"
PATTERN = (
    r"\n[ \t]*"  # a line break with the indentation of the next line
    r"| ?[\p{L}_]+| ?\p{N}"  # names and single digits, with the space before
    rf"| ?(?:{_OPERATORS})| ?[^\s\p{{L}}\p{{N}}_]"  # operators and single marks
    r"|[ \t]+|\s"
)


@dataclass(frozen=True, slots=True)
class Controls:
    """Ids of the control tokens."""

    mask: int
    delete: int
    insert: int
    end: int
    context: int
    instruction: int
    region: int
    pad: int

    @property
    def marks(self) -> tuple[int, int, int]:
        """Those that open a prefix's parts: context, instruction, region."""
        return self.context, self.instruction, self.region

    @property
    def edits(self) -> EditIds:
        """Those that edit."""
        return EditIds(self.mask, self.delete, self.insert, self.end)

    @property
    def never(self) -> list[int]:
        """Those that are no answer to anything: the mask, the marks and the padding."""
        return [self.mask, *self.marks, self.pad]

    @property
    def unwritten(self) -> list[int]:
        """Those that a text written token after token never holds: all but the end."""
        return [*self.never, self.delete, self.insert]


class CodeTokenizer:
    """The tokenizer of a native checkpoint: `tokenizer.json`, as the `tokenizers` library saves it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.encode_special_tokens = True  # the spelling of a control token is ordinary text
        self._tokenizer = tokenizer
        self._bytes = [_bytes_of(tokenizer.id_to_token(i) or "") for i in range(tokenizer.get_vocab_size())]
        vocabulary = tokenizer.get_vocab(with_added_tokens=True)
        missing = [name for name in CONTROLS if f"<|{name}|>" not in vocabulary]
        if missing:
            raise ValueError(f"the tokenizer lacks the control tokens {', '.join(missing)}")
        ids: dict[str, int] = {name: vocabulary[f"<|{name}|>"] for name in CONTROLS}
        self.controls = Controls(**ids)
        for id_ in ids.values():
            self._bytes[id_] = b""
        self.line_breaks = frozenset(i for i, text in enumerate(self._bytes) if text.startswith(b"\n"))
        """Tokens with which a line ends and the next begins."""

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int) -> "CodeTokenizer":
        """Learn merges from texts; `vocabulary` counts bytes, merges and control tokens."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(PATTERN), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=[f"<|{name}|>" for name in CONTROLS],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            min_frequency=3,
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    @classmethod
    def load(cls, folder: Path) -> "CodeTokenizer":
        """The tokenizer in a checkpoint's or a corpus's folder.

        Raises:
            DataError: there is none.
        """
        try:
            return cls(Tokenizer.from_file(str(folder / "tokenizer.json")))
        except Exception as error:  # the library raises nothing more precise
            raise DataError(f"{folder} holds no tokenizer.json that can be read: {error}") from error

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` and what transformers needs to read it as `PreTrainedTokenizerFast`."""
        self._tokenizer.save(str(folder / "tokenizer.json"))
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "clean_up_tokenization_spaces": False,
            "split_special_tokens": True,
            "mask_token": "<|mask|>",
            "eos_token": "<|end|>",
            "pad_token": "<|pad|>",
        }
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")

    @property
    def size(self) -> int:
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        """Ids of a text; never a control token."""
        return self._tokenizer.encode(text, add_special_tokens=False).ids

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        return [e.ids for e in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; control tokens have none.

        Raises:
            UnicodeDecodeError: the ids are no whole UTF-8 text (a model may write such ids, `encode` never does).
        """
        return self.raw(ids).decode("utf-8")

    def raw(self, ids: Iterable[int]) -> bytes:
        """The bytes of ids, which need not be whole characters; control tokens have none."""
        return b"".join(self._bytes[i] for i in ids)

    def lengths(self, ids: Iterable[int]) -> list[int]:
        """How many characters begin in each token: of a character that tokens share, the first one counts it."""
        return [sum(byte & 0xC0 != 0x80 for byte in self._bytes[i]) for i in ids]


def _byte_of_character() -> dict[str, int]:
    """The inverse of the printable alphabet that byte-level BPE writes bytes in (Radford et al. 2019)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}


_BYTES = _byte_of_character()


def _bytes_of(token: str) -> bytes:
    return bytes(_BYTES[c] for c in token if c in _BYTES)
