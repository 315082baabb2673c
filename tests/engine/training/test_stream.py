from engine.model.config import ModelConfig
from engine.training.curriculum import Curriculum, Stage
from engine.training.stream import Stream


class Asked:
    """Tells what it was asked for."""

    def batch(self, index, mixture, noise):
        return index, mixture, noise.drafts


def test_a_batch_is_of_the_stage_of_its_step():
    stages = (Stage("a", 2, {"masked": 1.0}), Stage("b", 1, {"edited": 1.0}, drafts=0.5))
    curriculum = Curriculum(ModelConfig(100, width=32, layers=1, heads=2, kv_heads=1, hidden=32), stages)
    stream = Stream(Asked(), curriculum, 3)
    assert stream[5] == (5, {"masked": 1.0}, 0.0)
    assert stream[6] == (6, {"edited": 1.0}, 0.5)
