"""Packed training data on disk: regions as flat token arrays, pairs as lines of JSON, both sorted into length classes.

A store is what `pack` makes of a corpus with one tokenizer. It is read memory-mapped, so that worker processes share
it. Knows nothing of examples or of how they are drawn.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import DataError
from engine.files import replacing
from engine.model.tokenizer import CodeTokenizer


@dataclass(frozen=True, slots=True)
class TextPair:
    """A change with its instruction: `recipe` and `variables` for a rule-made one, `subject` for a commit."""

    before: str
    after: str
    recipe: str = ""
    variables: dict[str, str] | None = None
    subject: str = ""


def pack_regions(folder: Path, texts: Sequence[str], tokenizer: CodeTokenizer) -> int:
    """Write `regions.tokens.npy`, then `regions.offsets.npy`; the number of tokens.

    Raises:
        DataError: there are no texts.
    """
    if not texts:
        raise DataError(f"no regions are left for {folder}; check its sources and what is barred from them")
    flat: list[NDArray[np.uint16]] = []
    lengths: list[int] = []
    for start in range(0, len(texts), 4096):
        for ids in tokenizer.encode_batch(texts[start : start + 4096]):
            flat.append(np.array(ids, dtype=np.uint16))
            lengths.append(len(ids))
    _save(folder / "regions.tokens.npy", np.concatenate(flat))
    _save(folder / "regions.offsets.npy", np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))
    return sum(lengths)


def _save(path: Path, array: NDArray[Any]) -> None:
    with replacing(path) as partial, partial.open("wb") as file:
        np.save(file, array)


def pack_pairs(path: Path, pairs: Iterable[TextPair], tokenizer: CodeTokenizer) -> int:
    """Write pairs with their length in tokens; how many. The file has its name only once all are in it."""
    count = 0
    with replacing(path) as partial, partial.open("w") as file:
        for pair in pairs:
            length = max(map(len, tokenizer.encode_batch([pair.before, pair.after])))
            file.write(json.dumps({"length": length, **asdict(pair)}) + "\n")
            count += 1
    return count


class RegionStore:
    """Token arrays of the clean regions."""

    def __init__(self, folder: Path) -> None:
        try:
            self._tokens = np.load(folder / "regions.tokens.npy", mmap_mode="r")
            self._offsets = np.load(folder / "regions.offsets.npy")
        except (OSError, ValueError) as error:
            raise DataError(
                f"{folder} holds no packed corpus; make one with `seed train corpus`: {error}"
            ) from error
        self.lengths = np.diff(self._offsets)

    def __getitem__(self, index: int) -> list[int]:
        tokens: list[int] = self._tokens[self._offsets[index] : self._offsets[index + 1]].tolist()
        return tokens


class PairStore:
    """Pairs of one file, parsed when they are asked for."""

    def __init__(self, path: Path) -> None:
        self._lines = path.read_bytes().splitlines() if path.exists() else []
        self.lengths = np.array([int(line[11 : line.index(b",")]) for line in self._lines], dtype=np.int64)
        recipes = [line.rsplit(b'"recipe": "', 1)[1].split(b'"', 1)[0].decode() for line in self._lines]
        self.recipes = np.array(recipes, dtype=np.str_)
        """Of each pair; empty for a commit's. Found without parsing: inside a text its quotes would be escaped."""

    def __getitem__(self, index: int) -> TextPair:
        row = json.loads(self._lines[index])
        del row["length"]
        return TextPair(**row)
