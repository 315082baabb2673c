"""What the decoders of open checkpoints are asked for and what they answer. Plain data."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.checkpoints.families.family import Ids, Rule
from engine.sampling.rules.guesses import Heat

Ended = Callable[[Sequence[int]], bool]
"""Whether an answer so far needs no more tokens, by what it says."""


def never(_: Sequence[int]) -> bool:
    """Only a stop token ends the answer."""
    return False


@dataclass(frozen=True, slots=True)
class Writing:
    """One answer to write."""

    prompt: Sequence[int]
    most: int
    """Tokens of the answer at most; whole blocks are written, and cut."""
    draft: Sequence[int] = ()
    """A guess of the answer; it saves forwards and changes nothing else."""
    heat: Heat | None = None
    chance: str = ""
    """Source of the answer's chance."""
    ended: Ended = never


@dataclass(frozen=True, slots=True)
class Written:
    """One answer."""

    tokens: list[int]
    """Without the stop token."""
    is_whole: bool
    """Whether it came to its end; else it was cut off."""
    probabilities: list[float]
    """With which each token was written."""
    forwards: int
    """In which it took part."""
    rounds: int
    """Of these, how many filled something in."""


@dataclass(slots=True)
class Answer:
    """An answer as far as it is settled."""

    writing: Writing
    ids: Ids
    tokens: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    forwards: int = 0
    rounds: int = 0
    is_whole: bool = False

    @property
    def is_done(self) -> bool:
        return self.is_whole or len(self.tokens) >= self.writing.most

    def grow(self, tokens: Sequence[int], probabilities: Sequence[float]) -> None:
        """Take over tokens that are final, up to the first stop."""
        for token, probability in zip(tokens, probabilities, strict=True):
            if self.is_done:
                return
            if token in self.ids.stops:
                self.is_whole = True
                return
            self.tokens.append(token)
            self.probabilities.append(probability)
        self.is_whole = self.writing.ended(self.tokens)

    def written(self) -> Written:
        return Written(self.tokens, self.is_whole, self.probabilities, self.forwards, self.rounds)


def chances(writing: Writing, rule: Rule, block: int, step: int | str, places: Sequence[int]) -> list[float]:
    """A number in [0, 1) for each place of a block at a step, however steps share forwards.

    Args:
        block: the position of its first token after the prompt's start.
    """
    if writing.heat is None:
        return [0.0] * len(places)
    source = random.Random(f"{writing.chance}:{block}:{step}:{rule.picks}")
    numbers = [source.random() for _ in range(max(places, default=-1) + 1)]
    return [numbers[i] for i in places]
