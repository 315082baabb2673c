"""Decoding of families whose tokens see their block and earlier ones: block by block, with keys and values kept.

With a draft, many blocks are decoded side by side, each as if the draft before it were final: finished text and the
draft stand in the input as they are, after them the same blocks under way, as in training. Blocks that come out as the
draft has them are accepted in order, and so is the first that differs, since what stands before it is known by then.
After it the draft is taken up again where it probably goes on. The answer is the plain decoder's, to the token: what a
block becomes depends on what stands before it, and on chance that is keyed by block and step, not on forwards.

A block is finished text to the next one's first forward, so that no forward is spent on that alone, unless the next
one's first token is told by it (`Family.opened`). Autoregressive decoding is the case of blocks of one token, all of
them told. Many answers share forwards. Knows nothing of texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.model.network import Network
from engine.sampling.lookup import place
from engine.sampling.rules.block import Block
from engine.sampling.rules.elastic import ElasticBlock
from engine.sampling.rules.guesses import Guess, guesses
from engine.sampling.rules.tentative import Reading, TentativeCache
from engine.sampling.rules.writing import Answer, Writing, Written, chances

AHEAD = 64
"""Tokens of a draft that are looked at in one forward."""


@dataclass(slots=True)
class _Row:
    """One text: what is known of it, and the blocks under way."""

    answer: Answer
    line: list[int]
    """The text as far as it is known, then what the draft says of the rest."""
    known: int
    read: int = 0
    """Tokens of the line whose keys and values are kept."""
    blocks: list[Block] = field(default_factory=list)
    told: dict[int, Guess] = field(default_factory=dict)
    """First tokens of blocks, by position."""
    horizon: int | None = None
    """Position from which on the draft is known to be worthless."""
    offset: int = 0
    """How far the place in the draft last stood ahead of the answer's length."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one row reads in a forward, and what is asked of it."""

    reading: Reading
    opens: list[int]
    """Positions whose tokens are told by the clean token before them."""


class BlockwiseWriter:
    """Answers of one checkpoint."""

    def __init__(
        self, network: Network, family: Family, ids: Ids, block: int, *, rule: Rule, ahead: int = AHEAD
    ) -> None:
        """
        Args:
            block: tokens of a block.
            ahead: tokens of a draft that are looked at in one forward; 0: drafts are left alone.
        """
        self._network, self._family, self._ids = network, family, ids
        self._size, self._rule = block, rule
        self._most = max(1, ahead // block)
        self._uses_drafts = ahead > 0
        self._mask = -1 if ids.mask is None else ids.mask

    @torch.inference_mode()
    def write(self, writings: Sequence[Writing]) -> list[Written]:
        """Answers in the order of what was asked; they share forwards."""
        rows = [self._row(writing) for writing in writings]
        going = [row for row in rows if not row.answer.is_done]
        cache = TentativeCache(self._network, len(going), causal=self._family.sight != "blocks")
        while going:
            plans = [self._plan(row) for row in going]
            features = cache.read([plan.reading for plan in plans])
            self._take(going, plans, features)
            for i, row in enumerate(going):
                self._settle(row, cache, i)
            left = [i for i, row in enumerate(going) if not row.answer.is_done]
            if left and (len(left) < len(going) or cache.is_torn):
                cache.keep_rows(left)
            going = [going[i] for i in left]
        return [row.answer.written() for row in rows]

    def _row(self, writing: Writing) -> _Row:
        prompt = list(writing.prompt)
        draft = list(writing.draft) if self._uses_drafts else []
        return _Row(Answer(writing, self._ids), [*prompt, *draft], len(prompt))

    def _origin(self, row: _Row) -> int:
        """Position from which blocks are counted."""
        return 0 if self._family.grid == "absolute" else len(row.answer.writing.prompt)

    def _block_of(self, row: _Row, position: int) -> int:
        """The number of a token's block; what stands before the origin is one block, the last before it."""
        return max(-1, (position - self._origin(row)) // self._size)

    def _first(self, row: _Row) -> int:
        """Position of the first token of the block that comes next."""
        origin = self._origin(row)
        return origin + (row.known - origin) // self._size * self._size

    def _starts(self, row: _Row) -> list[int]:
        """Where the next blocks begin, as far as the draft leads, is of use, and is looked at."""
        first = self._first(row)
        end = len(row.answer.writing.prompt) + row.answer.writing.most
        end = min(end, first + self._most * self._size, row.horizon or end)
        starts = range(first, max(end, first + 1), self._size)
        return [start for start in starts if start <= len(row.line)]

    def _plan(self, row: _Row) -> _Plan:
        """Begin blocks as far as they can be begun, and read what stands before them."""
        starts = self._starts(row)
        for start in starts[len(row.blocks) :]:
            if not self._begin(row, start):
                break
        at, upto = row.read, self._readable(row, starts)
        row.read = upto
        opens: list[int] = []
        if self._family.opened:
            opens = [s for s in (*starts, starts[-1] + self._size) if at < s <= upto and s >= row.known]
        blocks = [block for block in row.blocks if not block.is_done]
        reading = Reading(
            clean=row.line[at:upto],
            clean_blocks=[self._block_of(row, position) for position in range(at, upto)],
            at=at,
            noisy=[token for block in blocks for token in block.tokens],
            noisy_blocks=[self._block_of(row, block.start) for block in blocks for _ in block.tokens],
            noisy_positions=[block.start + i for block in blocks for i in range(len(block.tokens))],
        )
        return _Plan(reading, opens)

    def _readable(self, row: _Row, starts: Sequence[int]) -> int:
        """How far the line is read: to the last block under way, or where it tells the next, to its last whole one."""
        if not self._family.opened:
            return max(row.read, starts[-1])
        whole = row.horizon is None and starts[-1] + self._size <= len(row.line)
        return max(row.read, starts[-1] + self._size * whole)

    def _begin(self, row: _Row, start: int) -> bool:
        """Begin the block at a position; false if its first token is not told yet."""
        head = row.line[start : row.known]
        probabilities = [1.0] * len(head)
        if self._family.opened and not head:
            if start not in row.told:
                return False
            head, probabilities = [row.told[start].token], [row.told[start].probability]
        masks = [self._mask] * (self._size - len(head))
        block = self._new(start, [*head, *masks], len(head))
        block.probabilities[: len(head)] = probabilities
        row.blocks.append(block)
        return True

    def _new(self, start: int, tokens: list[int], given: int) -> Block:
        rule, ids = self._rule, self._ids
        if rule.picks != "above or opened":
            return Block(rule, self._mask, start, tokens, given)
        assert ids.delete is not None, "such a family has it"
        assert ids.insert is not None, "such a family has it"
        return ElasticBlock(rule, self._mask, start, tokens, given, delete=ids.delete, insert=ids.insert)

    def _take(self, rows: Sequence[_Row], plans: Sequence[_Plan], features_BLD: Tensor) -> None:
        """Read off the features what each block becomes, and the first tokens of the next ones."""
        wanted: list[tuple[int, int, float]] = []  # row, column, chance
        for i, (row, plan) in enumerate(zip(rows, plans, strict=True)):
            row.answer.forwards += 1
            row.answer.rounds += bool(plan.reading.noisy) or bool(plan.opens)
            wanted += [(i, column, chance) for column, chance in self._columns(row, plan)]
        if not wanted:
            return
        at = torch.tensor([w[:2] for w in wanted], device=features_BLD.device)
        logits = self._network.logits(features_BLD[at[:, 0], at[:, 1]])
        if self._mask >= 0:
            logits[:, self._mask] = float("-inf")
        heats = [rows[i].answer.writing.heat for i, _, _ in wanted]
        found = iter(guesses(logits, self._rule, heats, [chance for _, _, chance in wanted]))
        for row, plan in zip(rows, plans, strict=True):
            for position in plan.opens:
                row.told[position] = next(found)
            for block in row.blocks:
                if not block.is_done:
                    block.advance({i: next(found) for i in block.wanted()})

    def _columns(self, row: _Row, plan: _Plan) -> list[tuple[int, float]]:
        """Columns of the input that tell what is asked, with their chances: told tokens, then those of the blocks."""
        writing, clean = row.answer.writing, len(plan.reading.clean)
        columns = []
        for position in plan.opens:
            chance = chances(writing, self._rule, position, "first", [0])[0]
            columns.append((position - 1 - plan.reading.at, chance))
        for block in row.blocks:
            if not block.is_done:
                places = block.wanted()
                own = chances(writing, self._rule, block.start, block.step, places)
                columns += [
                    (clean + max(i - self._family.shifted, 0), c) for i, c in zip(places, own, strict=True)
                ]
                clean += len(block.tokens)
        return columns

    def _settle(self, row: _Row, cache: TentativeCache, index: int) -> None:
        """Accept blocks in order, as long as they are as the draft has them, and the first that is not."""
        while True:
            if not row.blocks and not self._begin_told(row):
                break
            block = row.blocks[0]
            if not block.is_done:
                break
            row.blocks.pop(0)
            self._accept(row, block, cache, index)
            if row.answer.is_done:
                return
        for i, block in enumerate(row.blocks):
            if block.differs(row.line[block.start : block.start + self._size]):
                del row.blocks[i + 1 :]
                row.horizon = block.start + 1
                break

    def _begin_told(self, row: _Row) -> bool:
        """Begin the next block if it needs no forward for that."""
        start = self._first(row)
        if not self._family.opened or start not in row.told or row.line[start : row.known]:
            return False
        return self._begin(row, start)

    def _accept(self, row: _Row, block: Block, cache: TentativeCache, index: int) -> None:
        end = block.start + self._size
        same = row.line[block.start : end] == block.tokens
        fresh = row.known - block.start
        row.answer.grow(block.tokens[fresh:], block.probabilities[fresh:])
        row.known = end
        row.told.pop(block.start, None)
        if same:
            return
        row.blocks, row.told, row.horizon = [], {}, None
        if row.read > block.start:
            cache.take_back(index, self._block_of(row, block.start))
            row.read = block.start
        row.line = row.line[: block.start] + block.tokens
        if self._uses_drafts and row.answer.writing.draft:
            self._realign(row)

    def _realign(self, row: _Row) -> None:
        """Go on with the draft behind the last run of tokens that it shares with the answer."""
        draft, written = row.answer.writing.draft, row.line[len(row.answer.writing.prompt) :]
        at = place(draft, written, row.offset)
        row.offset = at - len(written)
        row.line += draft[at:]
