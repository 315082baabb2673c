"""Decoding of families whose tokens see everything: the whole answer stands as masks, every forward reads it all.

Blocks are filled one after the other, counted from the prompt's end; what stands after them is seen as masks. Nothing
is cached, and drafts are of no use. Many answers share forwards. Knows nothing of texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.model.network import Network
from engine.sampling.rules.block import Block
from engine.sampling.rules.guesses import guesses
from engine.sampling.rules.writing import Answer, Writing, Written, chances


@dataclass(slots=True)
class _Row:
    """One text: prompt and answer, masks included, and the block under way."""

    answer: Answer
    line: list[int]
    block: Block


class WholeWriter:
    """Answers of one checkpoint."""

    def __init__(self, network: Network, family: Family, ids: Ids, block: int, *, rule: Rule) -> None:
        """
        Args:
            block: tokens of a block; a family whose schedule goes by time has the whole answer as one.
        """
        assert ids.mask is not None, f"{family.name} fills masks"
        self._network, self._ids, self._mask = network, ids, ids.mask
        self._shift = int(family.shifted)
        self._size, self._rule = block, rule

    @torch.inference_mode()
    def write(self, writings: Sequence[Writing]) -> list[Written]:
        """Answers in the order of what was asked; they share forwards."""
        rows = [self._row(writing) for writing in writings]
        while going := [row for row in rows if not row.answer.is_done]:
            features = self._read([row.line for row in going])
            self._take(going, features)
        return [row.answer.written() for row in rows]

    def _row(self, writing: Writing) -> _Row:
        size = self._size_of(writing)
        blocks = -(-writing.most // size)
        line = [*writing.prompt, *[self._mask] * (blocks * size)]
        return _Row(Answer(writing, self._ids), line, self._block(len(writing.prompt), size))

    def _size_of(self, writing: Writing) -> int:
        return max(writing.most, 1) if self._rule.schedule == "time" else self._size

    def _block(self, start: int, size: int) -> Block:
        return Block(self._rule, self._mask, start, [self._mask] * size, 0)

    def _read(self, lines: Sequence[Sequence[int]]) -> Tensor:
        """Features of every token, (B, L, D)."""
        device = self._network.embedding.weight.device
        width = max(map(len, lines))
        ids = torch.tensor([[*line, *[0] * (width - len(line))] for line in lines], device=device)
        lengths = torch.tensor([len(line) for line in lines], device=device)
        positions = torch.arange(width, device=device).expand_as(ids)
        seen = positions < lengths[:, None]
        mask = None if bool(seen.all()) else seen[:, None, :].expand(-1, width, -1)
        features: Tensor = self._network(ids, positions, mask)
        return features

    def _take(self, rows: Sequence[_Row], features_BLD: Tensor) -> None:
        """Fill in what each block's rule says."""
        wanted = [(n, i) for n, row in enumerate(rows) for i in row.block.wanted()]
        at = torch.tensor([n for n, _ in wanted], device=features_BLD.device)
        columns = torch.tensor(
            [rows[n].block.start + i - self._shift for n, i in wanted], device=features_BLD.device
        )
        logits = self._network.logits(features_BLD[at, columns])
        logits[:, self._mask] = float("-inf")
        own = [
            chance
            for row in rows
            for chance in chances(
                row.answer.writing, self._rule, row.block.start, row.block.step, row.block.wanted()
            )
        ]
        found = iter(guesses(logits, self._rule, [rows[n].answer.writing.heat for n, _ in wanted], own))
        for row in rows:
            row.answer.forwards += 1
            row.answer.rounds += 1
            row.block.advance({i: next(found) for i in row.block.wanted()})
            self._settle(row)

    def _settle(self, row: _Row) -> None:
        """Take over what is final: a finished block, or all up to the answer's end if no mask is left before it."""
        block, size, answer = row.block, len(row.block.tokens), row.answer
        row.line[block.start : block.start + size] = block.tokens
        settled = block.settled()
        head = block.tokens[:settled]
        has_end = any(token in self._ids.stops for token in head)
        if block.is_done or has_end or answer.writing.ended([*answer.tokens, *head]):
            row.answer.grow(block.tokens[:settled], block.probabilities[:settled])
            row.block = self._block(block.start + size, size)
