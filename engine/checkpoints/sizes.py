"""Bytes that a network takes in each type, from its tensors' shapes alone. Knows nothing of torch."""

import re
from collections.abc import Mapping
from typing import Literal

from engine.checkpoints.tensors import Tensor

Kind = Literal["float32", "bfloat16", "int8", "int4"]
KINDS: tuple[Kind, ...] = ("float32", "bfloat16", "int8", "int4")
PACKED = re.compile(r"^layers\.\d+\.(experts\.)?(shared_)?(qkv|out|gate_up|down)(\.weight)?$")
"""Parameters that are packed in eight or four bits; the others stay bfloat16 then."""
BYTES = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.0, "int4": 0.5}
BESIDE = {"int8": 4, "int4": 4}
"""Bytes of scales: for a row at eight bits, for a group at four."""


def needed(tensors: Mapping[str, Tensor], places: Mapping[str, str], kind: Kind) -> int:
    """Bytes of the weights.

    Args:
        places: the network's parameter that each tensor goes to.
    """
    return round(sum(_bytes(tensor, places[name], kind) for name, tensor in tensors.items()))


def _bytes(tensor: Tensor, place: str, kind: Kind) -> float:
    if kind not in BESIDE:
        return tensor.count * BYTES[kind]
    if not PACKED.match(place):
        return tensor.count * BYTES["bfloat16"]
    rows, columns = tensor.shape
    scales = 1 if kind == "int8" else columns // min(64, columns & -columns)
    return tensor.count * BYTES[kind] + rows * scales * BESIDE[kind]
