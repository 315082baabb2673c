"""Weights of other families into Seed's network: straight from files into the type, device and place they end up in.

Files are mapped into memory window by window, so that never more than the network and one window is in memory. Every
tensor of the files is used exactly once, and every number of the network is written exactly once, but for the parts
that only Seed has, which start at zero.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.checkpoints.contents import enumerated
from engine.checkpoints.copying import copy
from engine.checkpoints.describing import Described, describe
from engine.checkpoints.families.family import Family, Ids
from engine.checkpoints.families.keys import Keys, Place
from engine.checkpoints.memory import demand, free_bytes
from engine.checkpoints.placing import Placement, Room, place, single
from engine.checkpoints.tensors import Tensor
from engine.errors import CheckpointError, DeviceError
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.model.packed import PackedRows, Packing, pack
from engine.model.placed import spread

OWN = ("scope.",)
"""Parameters that only Seed's training makes."""
EXACT = (".experts.bias",)
"""Parameters that stay float32 whatever the rest is: rounding the bias would choose other experts."""
PACKED = (".codes", ".scales", ".lows")
"""Buffers of packed matrices, which have types of their own."""
BUFFERS = re.compile(r"(^|\.)rotary_emb\.inv_freq$")
"""What old releases of transformers saved although the config says it."""
EVERY = "cuda"
"""The device that is every GPU there is, and main memory for layers that none of them holds; `cuda:1` is that alone."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checkpoint with its weights."""

    network: Network
    family: Family
    ids: Ids
    block: int
    """Tokens of a block."""
    placement: Placement


def load(
    folder: Path,
    *,
    device: str,
    dtype: torch.dtype,
    family: str | None = None,
    packing: Packing | None = None,
) -> Loaded:
    """The network in evaluation mode, with what its family says.

    Args:
        device: a device's name, or `EVERY`.
        dtype: of what is computed, and of weights that are not packed.
        family: the name of one to take whatever the config says.
        packing: keep the matrices of layers in so few bits.

    Raises:
        CheckpointError: the folder is no checkpoint of a known family, not to be trusted, or of another shape than its
            config says.
        DeviceError: it does not fit into memory.
    """
    what = describe(folder, family)
    keys = what.family.keys(what.shape)
    tensors = _used(what, keys)
    with torch.device("meta"):
        network = Network(what.shape)
    _check_shapes(what, keys, tensors, network.state_dict())
    if packing is not None:
        _pack(what, network, packing, dtype)
    planned = {name: p.to(_type(name, p, dtype)) for name, p in network.state_dict().items()}
    placement = _placed(what, planned, device, packing, dtype)
    state = {name: _fresh(name, p, placement.of(name)) for name, p in planned.items()}
    for name in sorted(tensors, key=lambda name: (tensors[name].path, tensors[name].start)):
        copy(tensors[name], _part(state, keys[name]))
    network.load_state_dict(state, strict=True, assign=True)
    network.eval().requires_grad_(False)
    spread(network, placement.home, placement.held, placement.computed)
    return Loaded(network, what.family, what.ids, what.block, placement)


def _pack(what: Described, network: Network, packing: Packing, dtype: torch.dtype) -> None:
    try:
        with torch.device("meta"):
            pack(network, packing, dtype)
    except ValueError as error:
        raise CheckpointError(f"{what.folder} cannot be packed as {packing}: {error}; take int8") from error


def _type(name: str, parameter: torch.Tensor, dtype: torch.dtype) -> torch.dtype:
    if name.endswith(PACKED):
        return parameter.dtype
    return torch.float32 if name.endswith(EXACT) else dtype


def _placed(
    what: Described,
    planned: Mapping[str, torch.Tensor],
    device: str,
    packing: Packing | None,
    dtype: torch.dtype,
) -> Placement:
    """Where everything goes.

    Raises:
        DeviceError: it does not fit.
    """
    count, name = what.shape.layers, str(what.folder)
    needed = sum(p.nbytes for p in planned.values())
    gpus = [f"cuda:{i}" for i in range(torch.cuda.device_count())] if device == EVERY else []
    if not gpus:
        smaller = _smaller(packing, dtype)
        demand(name, what.parameters, needed, device=device, free=free_on(device), smaller=smaller)
        return single(device, count)
    layers = [sum(p.nbytes for n, p in planned.items() if n.startswith(f"layers.{i}.")) for i in range(count)]
    rooms = [Room(gpu, free_on(gpu)) for gpu in gpus]
    cure = f"{_smaller(packing, dtype) or 'free some'}, or choose a smaller checkpoint"
    return place(name, needed - sum(layers), layers, rooms, Room("cpu", free_on("cpu")), cure)


def _smaller(packing: Packing | None, dtype: torch.dtype) -> str:
    """What to take for fewer bytes; empty: nothing."""
    if packing == "int4":
        return ""
    if packing == "int8":
        return "take int4"
    return "take bfloat16, int8 or int4" if dtype.itemsize > 2 else "take int8 or int4"


def free_on(device: str) -> int | None:
    """Bytes that can still be taken on a device; None: nothing says.

    Raises:
        DeviceError: there is no such device.
    """
    if device.startswith("cuda"):
        try:
            return int(torch.cuda.mem_get_info(torch.device(device))[0])
        except (RuntimeError, AssertionError, ValueError) as error:
            raise DeviceError(f"device {device} does not exist on this machine; see `seed doctor`") from error
    return free_bytes() if device == "cpu" else None


def _fresh(name: str, like: torch.Tensor, device: str) -> torch.Tensor:
    make = torch.zeros if name.startswith(OWN) else torch.empty
    return make(like.shape, dtype=like.dtype, device=device)


def _used(what: Described, keys: Keys) -> dict[str, Tensor]:
    """The tensors that the network takes; what is too many or too few is named."""
    found = {name: tensor for name, tensor in what.tensors.items() if not BUFFERS.search(name)}
    if what.shape.tied:
        # transformers leaves an output head unread that the config says is the embedding
        head = set(what.family.keys(_untied(what.shape))) - set(keys)
        found = {name: tensor for name, tensor in found.items() if name not in head}
    missing, surplus = keys.keys() - found.keys(), found.keys() - keys.keys()
    if missing or surplus:
        parts = [f"lacks {enumerated(missing)}"] * bool(missing)
        parts += [f"has {enumerated(surplus)}, which nothing takes"] * bool(surplus)
        raise CheckpointError(f"{what.folder} as {what.family.name} {' and '.join(parts)}")
    return found


def _untied(shape: ModelConfig) -> ModelConfig:
    return ModelConfig.read(shape.table() | {"tied": False})


def _check_shapes(
    what: Described, keys: Keys, tensors: Mapping[str, Tensor], state: Mapping[str, torch.Tensor]
) -> None:
    for name, tensor in tensors.items():
        wanted = tuple(_part(state, keys[name]).shape)
        if tensor.shape != wanted:
            raise CheckpointError(
                f"{what.folder}: {name!r} has shape {list(tensor.shape)}, config.json makes it {list(wanted)}"
            )
    taken = sum(_part(state, place).numel() for place in keys.values())
    made = sum(p.numel() for name, p in state.items() if not name.startswith(OWN))
    assert taken == made, f"{what.family.name}: its keys fill {taken} of {made} numbers"


def _part(state: Mapping[str, torch.Tensor], place: Place) -> torch.Tensor | PackedRows:
    stem = place.parameter.removesuffix(".weight")
    part: torch.Tensor | PackedRows
    if f"{stem}.codes" in state:
        part = PackedRows(state[f"{stem}.codes"], state[f"{stem}.scales"], state.get(f"{stem}.lows"))
    else:
        part = state[place.parameter]
    if place.expert is not None:
        part = part[place.expert]
    return part if place.rows is None else part[slice(*place.rows)]
