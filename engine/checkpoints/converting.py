"""A checkpoint written anew with numbers of another type, in its own layout: one shard in memory at a time.

JSON and tokenizer files are copied, nothing else; the copy appears whole or not at all. Knows nothing of downloads.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import torch
from safetensors.torch import save_file

from engine.checkpoints import contents
from engine.checkpoints.copying import copy
from engine.checkpoints.describing import describe
from engine.checkpoints.hub import SMALL
from engine.checkpoints.memory import gibibytes
from engine.checkpoints.tensors import Tensor
from engine.errors import CheckpointError

WHOLE = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
Type = Literal["bfloat16", "float16", "float32"]


def convert(folder: Path, out: Path, type_: Type, tell: Callable[[int], None] = lambda _: None) -> None:
    """Write the checkpoint in `folder` to `out`.

    Args:
        tell: receives how many tensors were written since the last time.

    Raises:
        CheckpointError: it is no checkpoint of a known family, `out` is there already, or it cannot be written.
    """
    what = describe(folder)
    if out.exists():
        raise CheckpointError(f"{out} exists already; name another folder, or remove it")
    dtype = WHOLE[type_]
    size = sum(tensor.count for tensor in what.tensors.values()) * dtype.itemsize
    partial = out.with_name(f"{out.name}.partial")
    try:
        partial.mkdir(parents=True)
        free = shutil.disk_usage(partial).free
        if size > free:
            raise CheckpointError(f"{out} does not fit: {gibibytes(size)} to write, {gibibytes(free)} free")
        _copy_small(folder, partial, type_)
        _write(what.tensors, partial, dtype, tell)
        os.replace(partial, out)
    except OSError as error:
        raise CheckpointError(f"{out} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _copy_small(folder: Path, out: Path, type_: Type) -> None:
    for name in SMALL:
        if contents.has(folder, name):
            shutil.copyfile(contents.member(folder, name), out / name)
    config = contents.read_json(folder, contents.CONFIG)
    for field in ("torch_dtype", "dtype"):
        if field in config:
            config[field] = type_
    (out / contents.CONFIG).write_text(json.dumps(config, indent=1) + "\n")


def _write(tensors: Mapping[str, Tensor], out: Path, dtype: torch.dtype, tell: Callable[[int], None]) -> None:
    """The same names in the same shards."""
    shards: dict[Path, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        shards.setdefault(tensor.path, {})[name] = tensor
    index: dict[str, str] = {}
    for number, path in enumerate(sorted(shards), 1):
        file = contents.WEIGHTS
        if len(shards) > 1:
            file = f"model-{number:05}-of-{len(shards):05}.safetensors"
        state = {}
        for name, tensor in shards[path].items():
            state[name] = torch.empty(tensor.shape, dtype=dtype)
            copy(tensor, state[name])
            tell(1)
        save_file(state, out / file, metadata={"format": "pt"})
        index |= dict.fromkeys(state, file)
    if len(shards) > 1:
        (out / contents.INDEX).write_text(json.dumps({"metadata": {}, "weight_map": index}, indent=1) + "\n")
