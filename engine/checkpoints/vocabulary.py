"""Text to token ids and back, by the tokenizer that a checkpoint from elsewhere brings along.

Only the chat's frame is read for control tokens: their spelling in a repository's text is ordinary text. Knows nothing
of torch.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from engine.checkpoints import contents
from engine.checkpoints.chat import TOKENIZER_CONFIG
from engine.errors import CheckpointError

TOKENIZER, VOCABULARY, MERGES = "tokenizer.json", "vocab.json", "merges.txt"
SPACE = "\u2581"
"""A space in Gemma's tokenizer, as SentencePiece has it; runs of it are added tokens, and no control tokens."""
LOST = "\ufffd"
"""What stands for bytes that are no text."""
QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where Qwen2's tokenizer, and Dream's after it, parts a text; where there is no tokenizer.json only Python says so."""


class Vocabulary:
    """A tokenizer with its control tokens."""

    def __init__(self, framed: Tokenizer, ordinary: Tokenizer, controls: Iterable[int]) -> None:
        self._framed, self._ordinary = framed, ordinary
        self._controls = frozenset(controls)

    @classmethod
    def load(cls, folder: Path, size: int) -> "Vocabulary":
        """From `tokenizer.json`, or from `vocab.json` and `merges.txt`.

        Args:
            size: tokens that the network knows.

        Raises:
            CheckpointError: no tokenizer that can be read, or one with more tokens than the network.
        """
        table = _table(folder)
        try:
            framed = Tokenizer.from_str(json.dumps(table))
            ordinary = Tokenizer.from_str(json.dumps(_for_text(table)))
            ordinary.encode_special_tokens = True  # the spelling of a control token is ordinary text
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # the tokenizers library raises bare Exception, and panics
            reason = " ".join(str(error).split())[:160]
            raise CheckpointError(f"{folder / TOKENIZER} cannot be read: {reason}") from error
        most = max(framed.get_vocab(with_added_tokens=True).values(), default=-1)
        if most >= size:
            raise CheckpointError(
                f"{folder}: the tokenizer has token {most}, the network knows {size} tokens"
            )
        added = framed.get_added_tokens_decoder()
        controls = (i for i, token in added.items() if token.content.replace(SPACE, " ").strip())
        return cls(framed, ordinary, controls)

    def frame(self, text: str) -> list[int]:
        """Ids of a text in which control tokens count."""
        ids: list[int] = self._framed.encode(text, add_special_tokens=False).ids
        return ids

    def encode(self, text: str) -> list[int]:
        """Ids of a text that has none."""
        ids: list[int] = self._ordinary.encode(text, add_special_tokens=False).ids
        return ids

    def text(self, ids: Sequence[int]) -> str | None:
        """The text of ids; None where they hold a control token, or bytes that are no text."""
        if self._controls.intersection(ids):
            return None
        text = self.shown(ids)
        return None if LOST in text else text

    def shown(self, ids: Sequence[int]) -> str:
        """The text of ids, whatever they are."""
        text: str = self._framed.decode(list(ids), skip_special_tokens=False)
        return text

    def id_of(self, token: str) -> int | None:
        """The id of a token that is spelled like this."""
        found: int | None = self._framed.token_to_id(token)
        return found

    def is_control(self, id_: int) -> bool:
        return id_ in self._controls


def _table(folder: Path) -> dict[str, Any]:
    """The tokenizer as `tokenizer.json` has it."""
    if contents.has(folder, TOKENIZER):
        return contents.read_json(folder, TOKENIZER)
    if not (contents.has(folder, VOCABULARY) and contents.has(folder, MERGES)):
        raise CheckpointError(
            f"{folder} has no tokenizer: neither {TOKENIZER} nor {VOCABULARY} with {MERGES}"
        )
    try:
        model = models.BPE.from_file(
            str(contents.member(folder, VOCABULARY)), str(contents.member(folder, MERGES))
        )
        made = Tokenizer(model)
        made.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(QWEN_PATTERN), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        made.decoder = decoders.ByteLevel()
        for token in _added(folder):
            made.add_special_tokens([AddedToken(token, special=True, normalized=False)])
        table = json.loads(made.to_str())
    except CheckpointError:
        raise
    except Exception as error:  # the tokenizers library raises bare Exception
        reason = " ".join(str(error).split())[:160]
        raise CheckpointError(f"{folder / VOCABULARY} cannot be read: {reason}") from error
    assert isinstance(table, dict), "the library writes an object"
    return table


def _added(folder: Path) -> list[str]:
    """Control tokens of a tokenizer without `tokenizer.json`, by their ids."""
    if not contents.has(folder, TOKENIZER_CONFIG):
        return []
    table = contents.read_json(folder, TOKENIZER_CONFIG).get("added_tokens_decoder")
    if not isinstance(table, dict):
        return []
    named = [
        (int(id_), token["content"])
        for id_, token in table.items()
        if id_.isdecimal() and isinstance(token, dict) and isinstance(token.get("content"), str)
    ]
    return [text for _, text in sorted(named)]


def _for_text(table: dict[str, Any]) -> dict[str, Any]:
    """The same tokenizer for ordinary text: every added token but runs of blanks is special, nothing is rewritten.

    A normaliser would change bytes of a region that the model was not asked to change.
    """
    added = table.get("added_tokens")
    if isinstance(added, list):
        marked = [t | {"special": bool(str(t.get("content")).strip())} for t in added if isinstance(t, dict)]
        table = table | {"added_tokens": marked}
    normalizer = table.get("normalizer")
    composes = isinstance(normalizer, dict) and normalizer.get("type") in ("NFC", "NFKC")
    return table | ({"normalizer": None} if composes else {})
