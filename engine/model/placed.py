"""A network whose layers lie on several devices: what goes through a layer moves to where it is computed.

A layer that is held elsewhere than computed is fetched for the time of its use. Everything else of the network, its
inputs and its features are on the home device. For reading only: nothing here is trained.
"""

import copy
import types
from collections.abc import Sequence

import torch
from torch import Tensor

from engine.model.network import Layer, Network, attend


def spread(network: Network, home: str, held: Sequence[str], computed: Sequence[str]) -> None:
    """Have a network that lies on several devices compute.

    Args:
        held, computed: a device for each layer.
    """
    if all(device == home for device in (*held, *computed)):
        return
    for layer, here, there in zip(network.layers, held, computed, strict=True):
        assert isinstance(layer, Layer)
        work = _Visit(layer, torch.device(there), torch.device(home), is_fetched=here != there)
        layer.enter = types.MethodType(work.enter, layer)  # type: ignore[method-assign]
        layer.leave = types.MethodType(work.leave, layer)  # type: ignore[method-assign]
    network.attend = _attend


def _attend(q_BHLE: Tensor, k_BGKE: Tensor, v_BGKE: Tensor, mask: Tensor | None) -> Tensor:
    return attend(q_BHLE, k_BGKE, v_BGKE, None if mask is None else mask.to(q_BHLE.device))


class _Visit:
    """A layer's work on its device; the stream comes from home and goes back there."""

    def __init__(self, layer: Layer, device: torch.device, home: torch.device, *, is_fetched: bool) -> None:
        self._device, self._home = device, home
        self._shell = _shell(layer) if is_fetched else None
        self._empty = self._shell.state_dict() if self._shell is not None else {}

    def enter(self, layer: Layer, x_ND: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `Layer.enter`, on the layer's device."""
        if self._shell is not None:
            state = {name: t.to(self._device, non_blocking=True) for name, t in layer.state_dict().items()}
            self._shell.load_state_dict(state, assign=True)
        return Layer.enter(self._shell or layer, *(t.to(self._device) for t in (x_ND, cos, sin)))

    def leave(self, layer: Layer, x_ND: Tensor, mixed_ND: Tensor, blocks_N: Tensor | None = None) -> Tensor:
        """As `Layer.leave`; what was fetched is let go."""
        blocks_N = None if blocks_N is None else blocks_N.to(self._device)
        done = Layer.leave(self._shell or layer, x_ND.to(self._device), mixed_ND, blocks_N).to(self._home)
        if self._shell is not None:
            self._shell.load_state_dict(self._empty, assign=True)
        return done


def _shell(layer: Layer) -> Layer:
    """The layer without its numbers."""
    empty: dict[int, Tensor] = {
        id(p): torch.nn.Parameter(p.to("meta"), requires_grad=False) for p in layer.parameters()
    }
    empty |= {id(b): b.to("meta") for b in layer.buffers()}
    return copy.deepcopy(layer, memo=empty)
