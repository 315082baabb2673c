"""How a request lies in the network's input: `[context] | [instruction] | canvas`, each a block.

Blocks are causal among each other and bidirectional inside: a token sees every token of its own and of earlier
blocks. Knows nothing of tensors.
"""

from collections.abc import Sequence
from dataclasses import dataclass

CONTEXT_BLOCK, INSTRUCTION_BLOCK, CANVAS_BLOCK, PADDING_BLOCK = 0, 1, 2, 127


@dataclass(frozen=True, slots=True)
class Prefix:
    """What stands before the canvas and never changes."""

    ids: tuple[int, ...]
    blocks: tuple[int, ...]
    """The block of each token, ascending."""


def prefix(context: Sequence[int], instruction: Sequence[int], *, marks: tuple[int, int, int]) -> Prefix:
    """The prefix of a request.

    Args:
        marks: ids of the control tokens `context`, `instruction`, `region`. The region mark ends the instruction's
            block: it has seen the instruction and nothing of the canvas.
    """
    before = [marks[0], *context] if context else []
    ids = (*before, marks[1], *instruction, marks[2])
    blocks = (CONTEXT_BLOCK,) * len(before) + (INSTRUCTION_BLOCK,) * (len(ids) - len(before))
    return Prefix(ids, blocks)
