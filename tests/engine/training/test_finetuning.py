import pytest
import torch

from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.training.finetuning import Best, Tuning


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Network(ModelConfig(64, width=16, layers=1, heads=1, kv_heads=1, hidden=16, max_tokens=32))


def fill(network, value):
    with torch.no_grad():
        network.embedding.weight.fill_(value)


def test_the_weights_with_the_least_loss_are_kept_across_an_interruption(network, tmp_path):
    best = Best(tmp_path / "best.pt", network)
    for step, loss in enumerate((3.0, 2.0, float("nan"), 2.0)):
        fill(network, float(step))
        best.offer(step, loss)
    best = Best(tmp_path / "best.pt", network)  # as after a kill
    fill(network, 4.0)
    best.offer(4, 2.5)
    best.take()
    assert (best.step, best.loss) == (1, 2.0)
    assert network.embedding.weight.unique().tolist() == [1.0]
    assert [p.name for p in tmp_path.iterdir()] == ["best.pt"]


def test_what_is_not_trained_is_not_kept(network, tmp_path):
    network.embedding.weight.requires_grad_(False)
    best = Best(tmp_path / "best.pt", network)
    best.offer(0, 1.0)
    fill(network, 7.0)
    best.take()
    assert network.embedding.weight.unique().tolist() == [7.0]


@pytest.mark.parametrize(("changes", "steps"), [(10, 20), (100, 20), (250, 50), (5000, 300)])
def test_steps_follow_from_the_number_of_changes_unless_they_are_given(changes, steps):
    assert Tuning().fitted(changes).steps == steps
    assert Tuning(steps=7).fitted(changes).steps == 7


def test_smaller_steps_are_more():
    assert Tuning(tokens=1024).fitted(250).steps == 4 * Tuning().fitted(250).steps
