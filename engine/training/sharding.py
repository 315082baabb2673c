"""One network parted among processes (FSDP2): weights, gradients and the optimizers' state, gathered layer by layer.

What is saved is whole, so that a run may go on with another number of processes. Knows nothing of batches or losses.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor, distribute_tensor

from engine.model.network import Network


def shard(network: Network) -> None:
    """Part a network, the same in all processes that have met, among them. Gradients come out as means."""
    # Nothing is added in place to what a layer returns.
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view tensor", UserWarning)
    for layer in network.layers:
        fully_shard(layer)
    fully_shard(network)
    gather_in_layers(network)


def gather_in_layers(network: Network) -> None:
    """Have each layer gather its weights wherever it is entered; once more after these methods were replaced."""
    for layer in network.layers:
        for method in ("enter", "leave"):
            register_fsdp_forward_method(layer, method)


def whole(state: Any) -> Any:
    """The same dicts and lists with whole tensors on the CPU; all processes have to ask together."""
    if isinstance(state, DTensor):
        return state.full_tensor().cpu()
    if isinstance(state, Mapping):
        return {key: whole(value) for key, value in state.items()}
    return [whole(value) for value in state] if isinstance(state, list) else state


@torch.no_grad()
def fill(parts: Iterable[Tensor], values: Iterable[Tensor]) -> None:
    """Put whole tensors into parted ones."""
    for part, value in zip(parts, values, strict=True):
        part.copy_(_parted(value, part))


def parted_state(state: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """An optimizer's saved state with its tensors parted as the parameters are."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    entries = {
        index: {
            name: _parted(value, parameters[index]) if _is_like(value, parameters[index]) else value
            for name, value in entry.items()
        }
        for index, entry in state["state"].items()
    }
    return {**state, "state": entries}


def _is_like(value: object, parameter: Tensor) -> bool:
    return isinstance(value, Tensor) and value.shape == parameter.shape


def _parted(value: Tensor, like: Tensor) -> Tensor:
    if not isinstance(like, DTensor):
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)
