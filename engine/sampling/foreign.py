"""Answers of checkpoints that transformers loads and decodes, one after the other.

Knows nothing of texts.
"""

import random
from collections.abc import Sequence

from engine.checkpoints.families.family import Ids
from engine.checkpoints.through_transformers import Canvas, Foreign
from engine.sampling.rules.writing import Answer, Writing, Written


class ForeignWriter:
    """Answers of one checkpoint. Its rule draws all of them: heat changes nothing, a draft saves nothing."""

    def __init__(self, model: Foreign, ids: Ids) -> None:
        self._model, self._ids = model, ids

    def write(self, writings: Sequence[Writing]) -> list[Written]:
        """Answers in the order of what was asked; none shares its forwards."""
        return [self._answer(writing) for writing in writings]

    def _answer(self, writing: Writing) -> Written:
        answer = Answer(writing, self._ids)

        def take(canvas: Canvas) -> bool:
            answer.forwards += canvas.steps + 1
            answer.rounds += canvas.steps
            for token, probability in zip(canvas.tokens, canvas.probabilities, strict=True):
                answer.grow([token], [probability])  # a canvas may go on behind the answer's end
            return answer.is_done

        seed = random.Random(writing.chance).getrandbits(63)
        self._model.write(writing.prompt, writing.most, take, seed=seed)
        return answer.written()
