"""The writer that a family needs. Knows nothing of texts."""

from collections.abc import Sequence
from typing import Protocol

from engine.checkpoints.families.family import Family, Ids, Rule
from engine.model.network import Network
from engine.sampling.rules.blockwise import AHEAD, BlockwiseWriter
from engine.sampling.rules.whole import WholeWriter
from engine.sampling.rules.writing import Writing, Written


class Writer(Protocol):
    """What writes answers."""

    def write(self, writings: Sequence[Writing]) -> list[Written]:
        """Answers in the order of what was asked; they share forwards."""


def writer(
    network: Network, family: Family, ids: Ids, block: int, *, rule: Rule | None = None, ahead: int = AHEAD
) -> Writer:
    """A checkpoint's writer.

    Args:
        rule: the family's if None.
        ahead: tokens of a draft that are looked at in one forward, where the family can use one; 0: none.
    """
    rule = rule or family.rule
    if family.sight == "everything":
        return WholeWriter(network, family, ids, block, rule=rule)
    return BlockwiseWriter(network, family, ids, block, rule=rule, ahead=ahead)
