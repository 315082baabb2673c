"""Near-duplicates among texts: MinHash and locality-sensitive hashing (Broder 1997; Leskovec et al., chapter 3).

Two texts are near when the Jaccard similarity of their 5-token shingles, estimated from `PERMUTATIONS` minima, is at
least `NEAR`. Whitespace and layout do not count. The same texts in the same order give the same answers everywhere.
"""

import zlib

from datasketch import MinHash, MinHashLSH

from engine.data.decontamination import SHINGLE, tokens_of

NEAR = 0.8
PERMUTATIONS = 128
_EMPTY = MinHash(PERMUTATIONS, seed=1, hashfunc=zlib.crc32)


class Duplicates:
    """The texts taken so far, indexed."""

    def __init__(self) -> None:
        self._index = MinHashLSH(NEAR, PERMUTATIONS)
        self._taken: list[MinHash] = []

    def has_near(self, text: str) -> bool:
        """Whether a text like this was taken already; if not, it is taken now.

        Texts of fewer tokens than a shingle are near to none.
        """
        words = [token.encode() for token in tokens_of(text)]
        shingles = {b" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1)}
        if not shingles:
            return False
        minima = _EMPTY.copy()
        minima.update_batch(shingles)
        if any(minima.jaccard(self._taken[i]) >= NEAR for i in self._index.query(minima)):
            return True
        self._index.insert(len(self._taken), minima, check_duplication=False)
        self._taken.append(minima)
        return False
