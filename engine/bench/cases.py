"""What is edited: regions of a given number of tokens, with changes of a given number of tokens.

Regions are held-out functions, or several of them after each other. A scripted change says which tokens an answer
changes; it makes no sense as code, but costs what any edit of its size does. A natural one is an injected defect.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from engine.data.defects import Code, inject_many
from engine.model.tokenizer import CodeTokenizer

RUN = 10
"""Tokens of a scripted inserted run."""
NEAR = 0.15
"""Share by which a region of one function may be shorter or longer than asked for."""
TRIES = 40
"""Functions in which a natural defect is looked for, for each that is found."""


@dataclass(frozen=True, slots=True)
class EditCase:
    """One edit: tokens as they stand, and as they should be."""

    canvas: tuple[int, ...]
    target: tuple[int, ...]
    changed: int
    """Tokens substituted or inserted; for a natural defect, the defects."""
    instruction: str = "fix the bug"


def region(tokenizer: CodeTokenizer, functions: Sequence[str], tokens: int, rng: random.Random) -> list[int]:
    """Exactly so many tokens of held-out functions.

    Raises:
        ValueError: there are none.
    """
    found: list[int] = []
    if not any(functions):
        raise ValueError("there are no functions to make regions of")
    while len(found) < tokens:
        found += tokenizer.encode(rng.choice(functions) + "\n\n")
    return found[:tokens]


def scripted(
    tokenizer: CodeTokenizer, functions: Sequence[str], tokens: int, changed: int, seed: int
) -> EditCase:
    """A region whose answer changes so many tokens, at places apart from each other.

    A fifth of them are substituted, the others inserted in runs of at most `RUN`; a single one is substituted.
    """
    rng = random.Random(f"{seed}:{tokens}:{changed}")
    canvas = region(tokenizer, functions, tokens, rng)
    letters = tokenizer.encode("value = other + total")
    substituted = max(1, changed // 5)
    runs = [RUN] * ((changed - substituted) // RUN) + [r for r in [(changed - substituted) % RUN] if r]
    places = sorted(rng.sample(range(0, len(canvas) - 1, 2), substituted + len(runs)))
    inserting = set(rng.sample(places, len(runs)))
    target: list[int] = []
    for i, token in enumerate(canvas):
        if i in inserting:
            target += [rng.choice(letters) for _ in range(runs.pop())]
        is_changed = i in places and i not in inserting
        target.append(rng.choice([x for x in letters if x != token]) if is_changed else token)
    return EditCase(tuple(canvas), tuple(target), changed)


def natural(
    tokenizer: CodeTokenizer, functions: Sequence[str], tokens: int, defects: int, count: int, seed: int
) -> list[EditCase]:
    """Up to `count` functions of about so many tokens with so many injected defects each."""
    rng = random.Random(f"natural:{seed}:{tokens}:{defects}")
    found: list[EditCase] = []
    tried = 0
    for text in functions:
        target = tokenizer.encode(text)
        if abs(len(target) - tokens) > NEAR * tokens:
            continue
        tried += 1
        if tried > TRIES * count or len(found) == count:
            break
        try:
            broken = inject_many(Code(text), defects, rng)
        except ValueError:
            continue
        if broken is not None:
            found.append(EditCase(tuple(tokenizer.encode(broken)), tuple(target), defects))
    return found
