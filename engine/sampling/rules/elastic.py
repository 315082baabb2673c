"""A block whose model may also delete tokens and insert masks, on its way to text: LLaDA2.2's rule. Pure lists.

A written DELETE takes its place away; a written INSERT puts a mask before what stood there. What is too long is cut at
the block's end, what is too short is filled with masks there: these masks, and those inserted, are `opened`, the
others are the block's first. Masks are filled and visible tokens replaced in the same forward, as in LLaDA2.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.sampling.rules.block import Block
from engine.sampling.rules.guesses import Guess

Written = tuple[int, float]
"""A token and its probability."""


@dataclass(slots=True)
class ElasticBlock(Block):
    """Tokens that are decoded together; as many in the end as in the beginning."""

    delete: int = -1
    insert: int = -1
    _opened: list[bool] = field(default_factory=list)
    """For each place, whether its mask is none of the first."""
    _seen: set[tuple[int, ...]] = field(default_factory=set)
    """Tokens that the block has had."""
    _tried: dict[int, set[int]] = field(default_factory=dict)
    """What was written at each place."""

    def __post_init__(self) -> None:
        Block.__post_init__(self)
        self._opened = [False] * len(self.tokens)

    def advance(self, found: Mapping[int, Guess]) -> None:
        """Move on by one forward; the last one that is allowed fills every mask and changes no length.

        Args:
            found: a guess for each of the `wanted` places.
        """
        masks = self._masks()
        first = [i for i in masks if not self._opened[i]]
        self.late += not first
        is_last = self.late > self.rule.edit_rounds or self.step >= len(self.tokens) + self.rule.edit_rounds
        written = {
            i: self._of_any_length(guess) if is_last else (guess.token, guess.probability)
            for i, guess in found.items()
        }
        filled = masks if is_last or not first else self._surest(masks, 1 + len(masks) - len(first), found)
        replaced = [i for i in found if i not in masks and found[i].replaces]
        changed = [*filled, *(i for i in replaced if written[i][0] != self.tokens[i])]
        self.step += 1
        self.is_done = is_last or not changed
        if not changed:
            return
        if not is_last:
            self._leave_the_circle(changed, written, found)
        for i in changed:
            self._tried.setdefault(i, set()).add(written[i][0])
        self._write({i: written[i] for i in changed})

    def _surest(self, masks: Sequence[int], least: int, found: Mapping[int, Guess]) -> list[int]:
        """All masks above the threshold, or if they are too few the surest so many."""
        above = [i for i in masks if found[i].is_above]
        return above if len(above) >= least else sorted(masks, key=lambda i: -found[i].sureness)[:least]

    def _of_any_length(self, guess: Guess) -> Written:
        """The guess, or the most probable token that leaves the length as it is."""
        if guess.token not in (self.delete, self.insert):
            return guess.token, guess.probability
        return next(w for w in guess.ranked if w[0] not in (self.delete, self.insert, self.mask))

    def _leave_the_circle(
        self, changed: Sequence[int], written: dict[int, Written], found: Mapping[int, Guess]
    ) -> None:
        """Where the block has been before, write at its least sure place what was not written there yet."""
        state = tuple(self.tokens)
        if state in self._seen:
            at = min(sorted(changed), key=lambda i: found[i].probability)
            tried = {*self._tried.get(at, ()), self.mask}
            written[at] = next((w for w in found[at].ranked if w[0] not in tried), written[at])
        self._seen.add(state)

    def _write(self, written: Mapping[int, Written]) -> None:
        size, new = len(self.tokens), (self.mask, 1.0, True)
        cells: list[tuple[int, float, bool]] = []
        for i, old in enumerate(zip(self.tokens, self.probabilities, self._opened, strict=True)):
            token, probability = written.get(i, old[:2])
            if i in written and token == self.insert:
                cells += [new, old]
            elif i not in written or token != self.delete:
                cells.append((token, probability, old[2]))
        cells = [*cells, *[new] * size][:size]
        self.tokens, self.probabilities, self._opened = (list(column) for column in zip(*cells, strict=True))
