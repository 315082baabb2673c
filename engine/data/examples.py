"""Training examples: from a clean region to what the network reads and what it should answer.

Each kind of example is a method of `ExampleMaker`; the mixture of kinds is the curriculum's business. All chance comes
from the `random.Random` that is passed in, so that an example can be made again from its seed.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from engine.data.cuts import missing, start
from engine.data.defects import EVEN, KINDS, Code, inject, inject_many
from engine.data.phrasings import out_of_scope, phrase, worn
from engine.data.refactorings import IDLE, idle
from engine.data.store import TextPair
from engine.data.symptoms import hint
from engine.diffusion.blocks import cut, longest, noisy
from engine.diffusion.corruption import (
    ALPHA_MAX,
    between,
    half_filled_gap,
    mask_tokens,
    random_edits,
    slots,
)
from engine.diffusion.layout import Prefix, prefix
from engine.diffusion.levenshtein import label, label_filling
from engine.model.tokenizer import CodeTokenizer
from engine.requests import COMPLETE

CHANGED_WEIGHT, SLOT_WEIGHT, KEPT_WEIGHT = 2.0, 1.0, 0.5
"""Of a token that is edited, of a mask among tokens to edit, of a token that stays."""
DEFECT_COUNTS = (0, 1, 2, 3, 5)
IDLE_SHARES = {"rename": 6, "add-default": 3, "remove-default": 2}
"""How often a recipe is asked of code that offers it nothing, where not once; to miss a name is hard."""
MASKED, CHANGED, KEPT = 0, 1, 2
"""What a label is, for the log; those that keep are left out first where there is no room for all."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How much is wrong with a row."""

    light: float = 0.0
    """Share of rows whose rate is drawn from `LIGHT` rather than from `FULL`: there an answer can be known."""
    weight: float = 0.3
    """Weight of a masked token at rate 1; at rate t it is divided by t, at most by a quarter."""
    beside: float = 0.0
    """Share of rows with defects where tokens are masked besides, so that a row teaches more than a few tokens."""
    drafts: float = 0.0
    """Share of masked rows whose masks the network itself fills in before it is asked to edit them: its own mistakes as
    corruption, since random ones look unlike them."""
    defects: tuple[int, ...] = (20, 45, 15, 12, 8)
    """How often a row to repair has 0, 1, 2, 3, 5 defects. Many teach more, few teach how seldom code is wrong."""
    kinds: tuple[int, ...] = EVEN
    """How often each kind of defect is drawn, in the order of `KINDS`."""
    hinted: float = 0.0
    """Share of the rows with one defect or none whose request says what a user saw of it: the line, the error."""
    carry_over: bool = False
    """Whether masked rows also teach that every visible token stays, as carry-over unmasking has it by construction.
    The paper leaves it out (remark 3.1): a model that copies what it sees does not correct it."""


BLOCK_SIZES = (8, 16, 32, 64)
"""Tokens a block of texts written block by block; drawn for each row, so that a text may be cut anyhow in use."""
FULL, LIGHT = (0.1, 0.95), (0.05, 0.4)
MAX_RISE = 4.0
"""Bound of γ'/γ = 1/t, against the variance of small rates."""


@dataclass(frozen=True, slots=True)
class Example:
    """One row: prefix, canvas and what is learned of it."""

    prefix: Prefix
    canvas: tuple[int, ...]
    """With its end token."""
    labels: tuple[int, ...]
    """One for each canvas token."""
    weights: tuple[float, ...]
    """Of each label in the loss; 0 leaves it out."""
    sorts: tuple[int, ...]
    """What each label is: `MASKED`, `CHANGED` or `KEPT`."""
    written: int = 0
    """Tokens at the canvas's end that see only what stands before them."""
    in_scope: bool | None = None
    """What the scope head should say; None teaches it nothing."""
    draft: bool = False
    """Whether the network fills the masks first; what it got wrong is then to be edited."""
    blocks: tuple[int, ...] = ()
    """Block of each canvas token; none where the canvas is one block, but for its written tokens."""
    positions: tuple[int, ...] = ()
    """Position of each canvas token; none where they go on from the prefix."""

    @property
    def length(self) -> int:
        return len(self.prefix.ids) + len(self.canvas)


class ExampleMaker:
    """Makes examples of every kind with one tokenizer."""

    copies = 1
    """How often an example holds its region."""

    def __init__(self, tokenizer: CodeTokenizer, *, commits_in_scope: bool = False) -> None:
        """
        Args:
            commits_in_scope: whether commits' subjects teach the scope head that it knows such instructions.
        """
        c = tokenizer.controls
        self._tokenizer = tokenizer
        self._commits_in_scope = commits_in_scope or None
        self._marks = c.marks
        self._ids = c.edits
        self._bare = prefix((), (), marks=self._marks)
        self._complete = prefix((), tokenizer.encode(COMPLETE), marks=self._marks)
        self._ordinary = tuple(
            i for i in range(tokenizer.size) if i not in {getattr(c, n) for n in c.__slots__}
        )

    def masked(self, tokens: Sequence[int], noise: Noise, rng: random.Random) -> Example:
        """Mask process: loss on masked tokens, weighted γ'/γ = 1/t (equation 6, second term); or a draft."""
        if noise.drafts and rng.random() < noise.drafts:
            return self._drafted(tokens, rng)
        t = rng.uniform(*(LIGHT if noise.light and rng.random() < noise.light else FULL))
        canvas = mask_tokens(tokens, t, self._ids.mask, rng)
        row, labels = (*canvas, self._ids.end), (*tokens, self._ids.end)
        weight = noise.weight * min(1 / t, MAX_RISE)
        visible = KEPT_WEIGHT if noise.carry_over else 0.0
        weights = tuple(weight if token == self._ids.mask else visible for token in row)
        sorts = tuple(MASKED if token == self._ids.mask else KEPT for token in row)
        return Example(self._bare, row, labels, weights, sorts)

    def _drafted(self, tokens: Sequence[int], rng: random.Random) -> Example:
        """Edit process from the network's own guesses; weights are those of tokens that stay."""
        canvas = mask_tokens(tokens, rng.uniform(*LIGHT), self._ids.mask, rng)
        row, weights = (*tokens, self._ids.end), (KEPT_WEIGHT,) * (len(tokens) + 1)
        sorts = (*(CHANGED if token == self._ids.mask else KEPT for token in canvas), KEPT)
        return Example(self._bare, (*canvas, self._ids.end), row, weights, sorts, draft=True)

    def edited(self, tokens: Sequence[int], rng: random.Random) -> Example:
        """Edit process: loss on every token (equation 6, first term).

        Without an instruction: rare tokens are suspect amid random noise, and must not be so when a user asks for a
        repair.
        """
        count = int(len(tokens) * rng.uniform(0, ALPHA_MAX))
        canvas = random_edits(tokens, count, self._drawn, rng)
        return self.towards(self._bare, canvas, tokens, rng, in_scope=None)

    def defective(self, code: Code, clean: Sequence[int], noise: Noise, rng: random.Random) -> Example | None:
        """Injected bugs, or none: the instruction is to repair."""
        count = rng.choices(DEFECT_COUNTS, noise.defects)[0]
        text = code.text
        if count == 1:
            text = inject(code, rng.choices(KINDS, noise.kinds)[0], rng) or ""
        elif count:
            text = inject_many(code, count, rng, noise.kinds) or ""
        if not text:
            return None
        canvas = self._tokenizer.encode(text)
        if noise.beside and rng.random() < noise.beside:
            canvas = mask_tokens(canvas, rng.uniform(*LIGHT), self._ids.mask, rng)
        asked = self._worded("fix", {}, rng)
        if noise.hinted and count < 2 and rng.random() < noise.hinted:
            asked = hint(asked, text, code.text, rng)
        return self.towards(self._told(asked), canvas, clean, rng, in_scope=True)

    def refactored(self, pair: TextPair, rng: random.Random) -> Example:
        """A recipe's pair; now and then the code as it is after, where nothing is left to do."""
        done = rng.random() < 0.12
        before, after = self._tokenizer.encode_batch([pair.after if done else pair.before, pair.after])
        return self.towards(
            self._instruction(pair.recipe, pair.variables or {}, rng), before, after, rng, in_scope=True
        )

    def idle(self, text: str, tokens: Sequence[int], rng: random.Random) -> Example | None:
        """A recipe asked of code that offers it nothing: the code stays. None where it may offer something."""
        recipe = rng.choices(list(IDLE), [IDLE_SHARES.get(name, 1) for name in IDLE])[0]
        variables = idle(recipe, text, rng)
        if variables is None:
            return None
        return self.towards(self._instruction(recipe, variables, rng), tokens, tokens, rng, in_scope=True)

    def committed(self, pair: TextPair, rng: random.Random) -> Example:
        """A real change with its message."""
        before, after = self._tokenizer.encode_batch([pair.before, pair.after])
        where = prefix((), self._tokenizer.encode(pair.subject), marks=self._marks)
        return self.towards(where, before, after, rng, in_scope=self._commits_in_scope)

    def refused(self, tokens: Sequence[int], rng: random.Random) -> Example:
        """An instruction that the model is not trained for: only the scope head learns."""
        where = prefix((), self._tokenizer.encode(out_of_scope(rng)), marks=self._marks)
        end = (self._ids.end,)
        canvas = (*tokens[:48], *end)
        count = len(canvas)
        return Example(where, canvas, canvas, (0.0,) * count, (KEPT,) * count, in_scope=False)

    def infilled(self, text: str, room: int, rng: random.Random) -> Example:
        """A text with a gap: its slots say nothing of how much is missing, and some may be filled already.

        Args:
            room: most tokens of the row.

        Raises:
            ValueError: the text is blank.
        """
        first, end = missing(text, rng)
        before, wanted, after = self._tokenizer.encode_batch([text[:first], text[first:end], text[end:]])
        return self.filling(before, wanted, after, room, rng)

    def filling(
        self,
        before: Sequence[int],
        wanted: Sequence[int],
        after: Sequence[int],
        room: int,
        rng: random.Random,
    ) -> Example:
        """The labels of a gap, as it begins or on its way."""
        most = max(room - len(self._complete.ids) - len(before) - len(after) - 1, 0)
        if rng.random() < 0.4:
            gap = [self._ids.mask] * slots(len(wanted), most, rng)
        else:
            gap = half_filled_gap(wanted, most, self._ids, self._drawn, rng)
        labels = label_filling(before, gap, after, wanted, self._ids)
        return self._edits(self._complete, [*before, *gap, *after], labels, None)

    def generated(self, text: str, noise: Noise, room: int, rng: random.Random) -> Example:
        """A text that is given in part; the rest is written block by block.

        Args:
            room: most tokens of the row; as many noisy blocks are in it as it holds.

        Raises:
            ValueError: the text is blank.
        """
        given, rest = self._tokenizer.encode_batch(list(start(text, rng)))
        return self.going_on(given, rest, noise, room, rng)

    def going_on(
        self, given: Sequence[int], rest: Sequence[int], noise: Noise, room: int, rng: random.Random
    ) -> Example:
        """Blocks of the rest, clean and noisy (BD3-LM, arXiv 2503.09573); the last noisy one ends the row."""
        free = room - len(self._complete.ids) - len(given)
        size = rng.choice([size for size in BLOCK_SIZES if longest(size) <= free] or BLOCK_SIZES[:1])
        clean = cut(rest, size)
        # Before the last noisy block stand all clean ones; what room they leave holds more noisy ones.
        most = max(0, min(len(clean) - 1, (free - longest(size)) // size))
        last = most if rng.random() < 0.5 else rng.randint(0, most)
        others = min(last, max(0, (free - last * size) // longest(size) - 1))
        chosen = [*sorted(rng.sample(range(last), others)), last]
        where = self._complete.then(given, *clean[:last])
        first = len(self._complete.ids) + len(given)
        row = noisy(clean, chosen, size, first, self._ids, self._drawn, rng)
        is_mask = [token == self._ids.mask for token in row.canvas]
        weights = tuple(
            noise.weight * min(1 / rate, MAX_RISE) if masked else KEPT_WEIGHT if a == b else CHANGED_WEIGHT
            for a, b, rate, masked in zip(row.canvas, row.labels, row.rates, is_mask, strict=True)
        )
        sorts = tuple(
            MASKED if masked else KEPT if a == b else CHANGED
            for a, b, masked in zip(row.canvas, row.labels, is_mask, strict=True)
        )
        return Example(
            where, row.canvas, row.labels, weights, sorts, blocks=row.blocks, positions=row.positions
        )

    def _drawn(self, rng: random.Random) -> int:
        """A token from anywhere."""
        return rng.choice(self._ordinary)

    def _instruction(self, recipe: str, variables: dict[str, str], rng: random.Random) -> Prefix:
        return self._told(self._worded(recipe, variables, rng))

    def _worded(self, recipe: str, variables: dict[str, str], rng: random.Random) -> str:
        return worn(phrase(recipe, variables, rng), variables, rng)

    def _told(self, instruction: str) -> Prefix:
        return prefix((), self._tokenizer.encode(instruction), marks=self._marks)

    def towards(
        self,
        where: Prefix,
        canvas: Sequence[int],
        target: Sequence[int],
        rng: random.Random,
        in_scope: bool | None,
    ) -> Example:
        """The labels of a canvas, or of a state on its way."""
        if rng.random() < 0.35:
            canvas = between(canvas, target, self._ids, rng)
        return self._edits(where, canvas, label(canvas, target, self._ids), in_scope)

    def _edits(
        self, where: Prefix, canvas: Sequence[int], labels: Sequence[int], in_scope: bool | None
    ) -> Example:
        """A canvas with labels for its tokens and its end."""
        row = (*canvas, self._ids.end)
        weights = tuple(
            KEPT_WEIGHT if a == b else SLOT_WEIGHT if a == self._ids.mask else CHANGED_WEIGHT
            for a, b in zip(row, labels, strict=True)
        )
        sorts = tuple(KEPT if a == b else CHANGED for a, b in zip(row, labels, strict=True))
        return Example(where, row, tuple(labels), weights, sorts, in_scope=in_scope)
