"""Batches in few bytes: arrays in the narrowest integers that hold them, compressed; unpacked, equal bit for bit.

Positions, blocks and examples rise evenly over stretches of tokens, and are kept as stretches. Labels are mostly the
tokens that they stand on, and are kept as what differs. Weights and sorts come in few pairs, and are kept as the pairs'
numbers. Knows nothing of how a batch is drawn or where it is kept. Letters as in `engine.data.batches`, and N numbers.
"""

import zlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from engine.data.batches import Batch

_NARROW = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.int64)
_EVEN = ("positions_BL", "blocks_BL", "examples_BL")
_SORTS = 8
"""Bits of a pair's number that are the sort; the others are those of the weight."""


def packed(batch: Batch) -> bytes:
    """A batch as bytes."""
    given = {name: getattr(batch, name).numpy() for name in batch.__slots__[:-1]}
    ids, places = given["ids_BL"], given["scored_S"]
    pairs = given["weights_S"].view(np.uint32).astype(np.int64) << _SORTS | given["sorts_S"]
    pairs, numbers = np.unique(pairs, return_inverse=True)
    kept = {
        "ids": ids,
        "scored": places,
        "labels": given["labels_S"] ^ ids.ravel()[places],
        "weights": pairs >> _SORTS,
        "sorts": pairs & (1 << _SORTS) - 1,
        "pairs": numbers,
        "scope": given["scope_E"],
        "in_scope": given["in_scope_E"].astype(np.int64),
        "drafts": given["drafts_M"],
    }
    for name in _EVEN:
        kept[f"{name} lengths"], kept[f"{name} rises"] = _stretches(given[name].ravel())
    return zlib.compress(save({name: _narrow(array) for name, array in kept.items()}))


def unpacked(parcel: bytes) -> Batch:
    """The batch that was packed.

    Raises:
        ValueError: these bytes are no packed batch.
    """
    try:
        kept = {name: array.astype(np.int64) for name, array in load(zlib.decompress(parcel)).items()}
        ids, places, pairs = kept["ids"], kept["scored"], kept["pairs"]
        even = {name: _joined(kept[f"{name} lengths"], kept[f"{name} rises"]) for name in _EVEN}
        positions, blocks, examples = (even[name].reshape(ids.shape) for name in _EVEN)
        return Batch(
            torch.from_numpy(ids),
            torch.from_numpy(positions),
            torch.from_numpy(blocks.astype(np.int16)),
            torch.from_numpy(examples.astype(np.int16)),
            torch.from_numpy(places),
            torch.from_numpy(kept["labels"] ^ ids.ravel()[places]),
            torch.from_numpy(kept["weights"].astype(np.uint32).view(np.float32)[pairs]),
            torch.from_numpy(kept["sorts"].astype(np.int8)[pairs]),
            torch.from_numpy(kept["scope"]),
            torch.from_numpy(kept["in_scope"].astype(np.float32)),
            torch.from_numpy(kept["drafts"]),
            int((examples > 0).sum()),
        )
    except (zlib.error, SafetensorError, LookupError) as error:
        raise ValueError(f"no packed batch: {error}") from error


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    """The same integers, in as few bytes each as hold them all."""
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    return array.astype(next(t for t in _NARROW if np.iinfo(t).min <= low and high <= np.iinfo(t).max))


def _stretches(values_N: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lengths of stretches over which the values rise evenly, and by how much a value in each."""
    rises_N = np.diff(values_N.astype(np.int64), prepend=0)
    starts = np.flatnonzero(np.diff(rises_N, prepend=rises_N[:1] + 1))
    return np.diff(starts, append=len(rises_N)), rises_N[starts]


def _joined(lengths: NDArray[Any], rises: NDArray[Any]) -> NDArray[Any]:
    """The values of stretches."""
    values_N: NDArray[Any] = np.repeat(rises, lengths).cumsum()
    return values_N
