"""A block on its way from masks to text, one forward at a time, by its family's rule. Pure lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.checkpoints.families.family import Rule
from engine.sampling.rules.guesses import Guess
from engine.sampling.rules.schedule import schedule


@dataclass(slots=True)
class Block:
    """Tokens that are decoded together."""

    rule: Rule
    mask: int
    """The mask token."""
    start: int
    """Position of the first token."""
    tokens: list[int]
    given: int
    """First tokens that were there before: the prompt's end, or what the token before it told."""
    step: int = 0
    """Forwards so far, those left out included that would have filled nothing."""
    late: int = 0
    """Of these, how many saw no mask."""
    probabilities: list[float] = field(default_factory=list)
    """With which each token was written; 1 for those given."""
    is_done: bool = False
    _counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        masks = self.tokens.count(self.mask)
        self.probabilities = [1.0] * len(self.tokens)
        self._counts = schedule(self.rule, len(self.tokens), masks)
        self._pass_idle_steps()
        self.is_done = not masks and not self._edits

    @property
    def _edits(self) -> bool:
        return self.rule.edit_threshold is not None and self.rule.edit_rounds > 0

    def wanted(self) -> list[int]:
        """Places whose guesses the next step needs: masks of the part that is being filled, tokens that may change."""
        masks = self._masks()
        if not self._edits:
            return masks
        return sorted({*masks, *range(self.given, len(self.tokens))})

    def advance(self, found: Mapping[int, Guess]) -> None:
        """Move on by one forward.

        Args:
            found: a guess for each of the `wanted` places.
        """
        masks = self._masks()
        changed = [
            i for i, guess in found.items() if i not in masks and self._is_replaced(i, guess)
        ] + self._filled(masks, found)
        for i in changed:
            self.tokens[i], self.probabilities[i] = found[i].token, found[i].probability
        self.step += 1
        self.late += not masks
        if masks:
            self.is_done = self.mask not in self.tokens and not self._edits
        else:
            self.is_done = not changed or self.late >= self.rule.edit_rounds
        self._pass_idle_steps()

    def differs(self, expected: Sequence[int]) -> bool:
        """Whether it is sure by now that the block will not be this."""
        if self._edits and not self.is_done:
            return False
        seen = [(a, b) for a, b in zip(self.tokens, expected, strict=False) if a != self.mask]
        return any(a != b for a, b in seen) or (self.is_done and len(expected) < len(self.tokens))

    def settled(self) -> int:
        """How many tokens it begins with that are final."""
        if self._edits and not self.is_done:
            return 0
        return next((i for i, token in enumerate(self.tokens) if token == self.mask), len(self.tokens))

    def _masks(self) -> list[int]:
        """Masks that may be filled now: those of the first part that has any."""
        masks = [i for i, token in enumerate(self.tokens) if token == self.mask]
        part = self.rule.part
        return [i for i in masks if i // part == masks[0] // part] if part else masks

    def _filled(self, masks: Sequence[int], found: Mapping[int, Guess]) -> list[int]:
        """Which masks are filled, as the rule says."""
        above = [i for i in masks if found[i].is_above]
        ranked = sorted(masks, key=lambda i: -found[i].sureness)
        count = self._count()
        if self.rule.picks == "best and above":
            return above or ranked[:1]
        if self.rule.picks == "above or scheduled" and len(above) >= count:
            return above
        return ranked[:count]

    def _is_replaced(self, i: int, guess: Guess) -> bool:
        return guess.replaces and guess.token != self.tokens[i]

    def _count(self) -> int:
        return self._counts[self.step] if self.step < len(self._counts) else 1

    def _pass_idle_steps(self) -> None:
        """Leave out forwards that a schedule gives nothing to fill: the next one would see the same."""
        while self.rule.picks == "scheduled" and self.step < len(self._counts) and not self._count():
            self.step += 1
