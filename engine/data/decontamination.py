"""Keeping evaluation code out of training code.

A region is contaminated when it is a near-duplicate of a barred text (Jaccard similarity of 5-token shingles at
least 0.7) or shares a run of 30 tokens with one. Tokens here are words and single punctuation marks.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from engine.errors import DataError
from engine.files import read_json_lines

_TOKEN = re.compile(r"\w+|[^\w\s]")
SHINGLE, RUN, JACCARD = 5, 30, 0.7


def tokens_of(text: str) -> list[str]:
    """Words and single punctuation marks."""
    found: list[str] = _TOKEN.findall(text)
    return found


class Barrier:
    """The barred texts, indexed."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._runs: set[int] = set()
        self._owners: dict[int, list[int]] = {}
        self._sizes: list[int] = []
        for text in texts:
            tokens = tokens_of(text)
            self._runs.update(_grams(tokens, RUN))
            shingles = set(_grams(tokens, SHINGLE))
            for shingle in shingles:
                self._owners.setdefault(shingle, []).append(len(self._sizes))
            self._sizes.append(len(shingles))

    def bars(self, text: str) -> bool:
        """Whether this text must not be trained on."""
        tokens = tokens_of(text)
        if any(gram in self._runs for gram in _grams(tokens, RUN)):
            return True
        shingles = set(_grams(tokens, SHINGLE))
        shared: Counter[int] = Counter()
        for shingle in shingles:
            shared.update(self._owners.get(shingle, ()))
        return any(n / (len(shingles) + self._sizes[i] - n) >= JACCARD for i, n in shared.items())


def _grams(tokens: list[str], n: int) -> Iterator[int]:
    for i in range(len(tokens) - n + 1):
        yield hash(tuple(tokens[i : i + n]))


def texts_of_suites(folder: Path) -> Iterator[str]:
    """Every text of code or prose in the evaluation suites below a folder, short fields left out.

    Suites are files `*.jsonl` of one JSON object a line, and Python files as they are.

    Raises:
        DataError: a file is no such suite, or there is none.
    """
    found = False
    for path in sorted(p for p in folder.rglob("*") if p.suffix in (".jsonl", ".py") and p.is_file()):
        try:
            held = read_json_lines(path) if path.suffix == ".jsonl" else path.read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise DataError(f"{path} cannot be kept out, it is no suite: {error}") from error
        for barred in _strings(held):
            found = True
            yield barred
    if not found:
        raise DataError(f"{folder} holds no suite (*.jsonl, *.py) to keep out of the corpus")


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if len(value) > 40:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
