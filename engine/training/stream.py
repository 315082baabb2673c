"""A run's batches in order, each a function of its index. Knows nothing of how one is made."""

from collections.abc import Mapping
from typing import Protocol

from torch.utils.data import Dataset

from engine.data.batches import Batch
from engine.data.examples import Noise
from engine.training.curriculum import Curriculum


class Maker(Protocol):
    """Whoever has batches."""

    def batch(self, index: int, mixture: Mapping[str, float], noise: Noise) -> Batch:
        """The batch with this index, of a mixture of kinds."""


class Stream(Dataset[Batch]):
    """The batches of a run, from the mixtures of its stages."""

    def __init__(self, maker: Maker, curriculum: Curriculum, each: int) -> None:
        """
        Args:
            each: batches a step, of all processes together.
        """
        self._maker, self._curriculum, self._each = maker, curriculum, each

    def __getitem__(self, index: int) -> Batch:
        stage = self._curriculum.stage(index // self._each)
        return self._maker.batch(index, stage.mixture, stage.noise)
