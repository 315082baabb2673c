"""What an exit head learns from: questions edited to the fixed point, and whether each round was the last.

A round that changed something and left no mask is an example: was the canvas after it the final one? Knows nothing of
heads.

Letters: R rounds, F figures of each.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine.data.defects import Code
from engine.data.examples import Example, ExampleMaker, Noise
from engine.data.store import PairStore, RegionStore
from engine.diffusion.layout import Prefix
from engine.errors import DataError
from engine.model.exit_head import FIGURES
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.sampling.edit import EditSampler, EditSettings, Row

Question = tuple[Prefix, Sequence[int]]
"""What is asked, and the canvas without its end token."""
REPAIRS = 0.6
"""Share of the questions that ask for a repair; the others ask for a recipe."""
NOISE = Noise(defects=(10, 60, 20, 10, 0))
MOST_TOKENS = 600
"""Of a region, so that many share a forward."""
TOGETHER = 32
"""Questions in one batch."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Rounds that may have been the last of their edits."""

    figures_RF: Tensor
    final_R: Tensor
    """Whether they were."""
    questions: list[int]
    """Whose they are."""

    def of(self, chosen: Callable[[int], bool]) -> "Rounds":
        """The rounds of some questions."""
        rows = torch.tensor([chosen(q) for q in self.questions], dtype=torch.bool)
        return Rounds(self.figures_RF[rows], self.final_R[rows], [q for q in self.questions if chosen(q)])


class _Questions(ExampleMaker):
    """Questions as users ask them: no states on the way."""

    def towards(
        self,
        where: Prefix,
        canvas: Sequence[int],
        target: Sequence[int],  # noqa: ARG002
        rng: random.Random,  # noqa: ARG002
        in_scope: bool | None,
    ) -> Example:
        row = (*canvas, self._ids.end)
        return Example(where, row, row, (), (), in_scope=in_scope)


def draw(corpus: Path, tokenizer: CodeTokenizer, count: int, seed: int) -> list[Question]:
    """Repairs of injected defects and recipes, in a random order.

    Raises:
        DataError: the corpus is not prepared, or its regions offer too few places for defects.
    """
    found = [q for _, q in zip(range(count), _drawn(corpus, tokenizer, seed, 20 * count), strict=False)]
    if len(found) < count:
        raise DataError(
            f"{corpus} offers only {len(found)} of {count} questions; ask for fewer, or add sources"
        )
    return found


def _drawn(corpus: Path, tokenizer: CodeTokenizer, seed: int, attempts: int) -> Iterator[Question]:
    regions, pairs = RegionStore(corpus), PairStore(corpus / "refactored.jsonl")
    short, short_pairs = (np.flatnonzero(store.lengths <= MOST_TOKENS) for store in (regions, pairs))
    maker, rng = _Questions(tokenizer), random.Random(seed)
    for _ in range(attempts):
        example: Example | None
        if rng.random() > REPAIRS and len(short_pairs):
            example = maker.refactored(pairs[int(rng.choice(short_pairs))], rng)
        else:
            example = _defective(maker, regions[int(rng.choice(short))], tokenizer, rng)
        if example:
            yield example.prefix, example.canvas[:-1]


def _defective(
    maker: ExampleMaker, tokens: list[int], tokenizer: CodeTokenizer, rng: random.Random
) -> Example | None:
    try:
        return maker.defective(Code(tokenizer.decode(tokens)), tokens, NOISE, rng)
    except ValueError:  # the region is no code that defects can be put into
        return None


def watch(
    network: Network,
    tokenizer: CodeTokenizer,
    questions: Sequence[Question],
    threshold: float,
    tell: Callable[[int], object],
) -> Rounds:
    """Edit to the fixed point and look back at every round that may have been the last."""
    heard: list[tuple[Row, list[int], list[float]]] = []

    def hear(row: Row, figures: list[float]) -> float:
        heard.append((row, row.canvas, figures))
        return 0.0

    c = tokenizer.controls
    sampler = EditSampler(network, c.edits, never=c.never, pad=c.pad, final=hear)
    order = sorted(range(len(questions)), key=lambda q: len(questions[q][1]))
    found, final, whose = [], [], []
    for at in range(0, len(order), TOGETHER):
        chosen = order[at : at + TOGETHER]
        prefixes, canvases = [questions[q][0] for q in chosen], [questions[q][1] for q in chosen]
        sampler.run(prefixes, canvases, EditSettings(threshold))
        for row, canvas, figures in heard:
            found.append(figures)
            final.append(canvas == row.canvas)
            whose.append(chosen[row.request])
        heard.clear()
        tell(len(chosen))
    return Rounds(torch.tensor(found).view(-1, FIGURES), torch.tensor(final, dtype=torch.bool), whose)
