"""Bytes of a file to numbers of a network: mapped window by window, converted or packed on the way.

Never more than the network and one window is in memory. Knows nothing of names.
"""

import functools
import mmap
from collections.abc import Callable
from typing import BinaryIO

import torch

from engine.checkpoints.tensors import Tensor
from engine.errors import CheckpointError
from engine.model.packed import PackedRows

TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I8": torch.int8,
    "U8": torch.uint8,
}
WINDOW = 64 << 20
"""Bytes that are mapped at a time; a multiple of every page size."""
PACKED_WINDOW = 2 << 20
"""The same for what is packed: its numbers are float32 on the way, in a few copies."""


def copy(tensor: Tensor, into: torch.Tensor | PackedRows) -> None:
    """Copy a tensor from its file.

    Raises:
        CheckpointError: the file cannot be read.
    """
    try:
        with tensor.path.open("rb") as file:
            if isinstance(into, PackedRows):
                _pack(file, tensor, into)
            else:
                _convert(file, tensor, into)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{tensor.path} cannot be read: {error}") from error


def _convert(file: BinaryIO, tensor: Tensor, into: torch.Tensor) -> None:
    flat, step = into.view(-1), WINDOW // TYPES[tensor.type].itemsize
    for at in range(0, tensor.count, step):
        part = flat[at : at + step]
        _in_window(file, tensor, at, len(part), part.copy_)


def _pack(file: BinaryIO, tensor: Tensor, into: PackedRows) -> None:
    rows, columns = into.shape
    step = max(1, PACKED_WINDOW // TYPES[tensor.type].itemsize // columns)
    for at in range(0, rows, step):
        part = into[at : at + step]
        write = functools.partial(_write, part)
        _in_window(file, tensor, at * columns, part.numel(), write)


def _write(rows: PackedRows, values: torch.Tensor) -> None:
    rows.write(values.view(rows.shape))


def _in_window(
    file: BinaryIO, tensor: Tensor, at: int, count: int, use: Callable[[torch.Tensor], object]
) -> None:
    """Map `count` numbers, from number `at` of the tensor on, while they are used."""
    dtype = TYPES[tensor.type]
    first = tensor.start + at * dtype.itemsize
    inside = first % mmap.ALLOCATIONGRANULARITY
    length = inside + count * dtype.itemsize
    # a private copy, since torch wants memory that it may write
    with mmap.mmap(file.fileno(), length, offset=first - inside, access=mmap.ACCESS_COPY) as window:
        use(torch.frombuffer(window, dtype=dtype, count=count, offset=inside))
