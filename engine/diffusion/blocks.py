"""Texts written block by block: how they are cut, and what their blocks look like on the way.

A text is cut into blocks of one size. The last one is shorter, or empty: it has slots to spare, and that those are
deleted says that the text has ended. Lists of ids and a `random.Random`; nothing knows of models or texts.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.diffusion.corruption import ALPHA_MAX, mask_tokens, random_edits
from engine.diffusion.layout import CANVAS_BLOCK
from engine.diffusion.levenshtein import EditIds, label

WHOLE = 0.25
"""Share of noisy blocks that are masked as a whole: every block begins so."""
RATES = (0.15, 0.95)
"""Mask rates of the others, clipped as in BD3-LM: with few masks a block teaches little, for much variance."""
EDITED = 0.3
"""Share of the others in which tokens are edited besides, since what was filled in is not always right."""


@dataclass(frozen=True, slots=True)
class NoisyBlocks:
    """Noisy blocks one after another, each with its end token."""

    canvas: tuple[int, ...]
    labels: tuple[int, ...]
    rates: tuple[float, ...]
    """At which each token was masked: that of its block, 1 for spare slots."""
    blocks: tuple[int, ...]
    """Negated number of each token's clean twin."""
    positions: tuple[int, ...]


def cut(tokens: Sequence[int], size: int) -> list[tuple[int, ...]]:
    """Blocks of `size` tokens, and a last one of fewer, maybe none."""
    return [tuple(tokens[i : i + size]) for i in range(0, len(tokens) + 1, size)]


def longest(size: int) -> int:
    """Tokens of a noisy block at most, with its end token."""
    return size + int(size * ALPHA_MAX) + 2


def noisy(
    clean: Sequence[Sequence[int]],
    chosen: Sequence[int],
    size: int,
    start: int,
    ids: EditIds,
    draw: Callable[[random.Random], int],
    rng: random.Random,
) -> NoisyBlocks:
    """Noisy twins of some blocks.

    Args:
        clean: what `cut` gave for `size`.
        chosen: indices of the blocks, ascending.
        start: position of the first block's first token.
        draw: a token from outside the text.
    """
    canvas: list[int] = []
    labels: list[int] = []
    rates: list[float] = []
    blocks: list[int] = []
    positions: list[int] = []
    for index in chosen:
        rate = 1.0 if rng.random() < WHOLE else rng.uniform(*RATES)
        row, spare = noisy_block(clean[index], size, rate, ids, draw, rng)
        first, length = start + index * size, len(row) + 1
        canvas += [*row, ids.end]
        labels += label(row, clean[index], ids)
        rates += [*(rate,) * (length - spare - 1), *(1.0,) * spare, rate]
        blocks += [-(CANVAS_BLOCK + 1 + index)] * length
        positions += range(first, first + length)
    return NoisyBlocks(tuple(canvas), tuple(labels), tuple(rates), tuple(blocks), tuple(positions))


def noisy_block(
    wanted: Sequence[int],
    size: int,
    rate: float,
    ids: EditIds,
    draw: Callable[[random.Random], int],
    rng: random.Random,
) -> tuple[list[int], int]:
    """A block on its way, and how many spare slots it ends with.

    It is masked at a rate, its spare slots are there or some already deleted, a few tokens wrong.
    """
    row, spare = mask_tokens(wanted, rate, ids.mask, rng), size - len(wanted)
    if rate < 1:
        if rng.random() < EDITED:
            row = random_edits(row, int(len(row) * rng.uniform(0, ALPHA_MAX) + rng.random()), draw, rng)
        if rng.random() < 0.5:
            spare = rng.randint(0, spare)
    return row + [ids.mask] * spare, spare
