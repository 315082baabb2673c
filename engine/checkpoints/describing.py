"""What a folder of another family holds, from its config and the headers of its files. Knows nothing of torch."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.checkpoints import contents, licences, store
from engine.checkpoints.families.family import Family, Ids
from engine.checkpoints.families.fields import Fields
from engine.checkpoints.families.registry import recognise
from engine.checkpoints.memory import RESERVE, free_bytes, gibibytes
from engine.checkpoints.sizes import KINDS, needed
from engine.checkpoints.tensors import Tensor
from engine.errors import CheckpointError
from engine.model.config import ModelConfig

WHOLE = {"float32": 4, "bfloat16": 2}
"""Bytes of a number, for the types that are not packed."""


@dataclass(frozen=True, slots=True)
class Described:
    """A checkpoint without its weights."""

    folder: Path
    family: Family
    shape: ModelConfig
    ids: Ids
    block: int
    """Tokens of a block."""
    tensors: Mapping[str, Tensor]

    @property
    def parameters(self) -> int:
        return sum(tensor.count for tensor in self.tensors.values())

    @property
    def licence(self) -> str:
        """As the hub has it for a download, else as the family's sources have it."""
        download = store.of(self.folder)
        return (download.licence if download else "") or self.family.licence

    @property
    def warning(self) -> str | None:
        """What to know of the licence."""
        return licences.warning(f"{self.family.licence} {self.licence}", contents.called(self.folder))

    def bytes_as(self) -> dict[str, int]:
        """Bytes of memory that it needs in each type that it can be loaded in, with room to work in."""
        if self.family.through:
            return {kind: self.parameters * size + RESERVE for kind, size in WHOLE.items()}
        keys = self.family.keys(self.shape)
        used = {name: tensor for name, tensor in self.tensors.items() if name in keys}
        places = {name: keys[name].parameter for name in used}
        return {kind: needed(used, places, kind) + RESERVE for kind in KINDS}

    def rows(self) -> dict[str, str | int]:
        """What it is, by name; `facts` of the family apart."""
        rows: dict[str, str | int] = {
            "name": contents.called(self.folder),
            "path": str(self.folder),
            "family": self.family.name,
            "parameters": self.parameters,
            "size": f"{gibibytes(self.size)} of weights",
            "max_tokens": self.shape.max_tokens,
            "memory": self.memory(),
        }
        return rows | ({"warning": self.warning} if self.warning else {})

    def memory(self) -> str:
        """What is needed against what is there, as one line."""
        free = free_bytes()
        parts = [
            f"{gibibytes(count)} as {kind}{'' if free is None or count <= free else ' (too much)'}"
            for kind, count in self.bytes_as().items()
        ]
        line = ", ".join(parts)
        return line if free is None else f"{line}; {gibibytes(free)} free"

    @property
    def size(self) -> int:
        """Bytes of its tensors in the files."""
        return sum(tensor.size for tensor in self.tensors.values())

    def facts(self) -> dict[str, tuple[str, str]]:
        """What the family says of it, by name: the fact and its source."""
        return self.family.known(self.ids, self.block)


def family_name(folder: Path) -> str | None:
    """The family that a folder's config is of; None for Seed's own, and for what is of no known one."""
    try:
        return recognise(contents.read_json(folder, contents.CONFIG), contents.called(folder)).name
    except CheckpointError:
        return None


def describe(folder: Path, family: str | None = None) -> Described:
    """Recognise and check a folder.

    Args:
        family: the name of one to take whatever the config says.

    Raises:
        CheckpointError: the folder is no checkpoint of a known family, or not to be trusted.
    """
    if not folder.is_dir():
        raise CheckpointError(
            f"there is no model folder {folder}; give a folder with config.json and weights"
        )
    table = contents.read_json(folder, contents.CONFIG)
    name = contents.called(folder)
    found = recognise(table, name, family)
    config = Fields(table)
    shape = found.shape(config)
    ids, block = found.own(config, shape, name)
    if contents.has(folder, contents.GENERATION):
        more = Fields(contents.read_json(folder, contents.GENERATION), contents.GENERATION)
        stops = (*ids.stops, *more.ids("eos_token_id", shape.vocabulary))
        ids = replace(ids, stops=tuple(dict.fromkeys(stops)))
    tensors = contents.weights(folder)
    least = shape.layers * (shape.experts.count if shape.experts else 1)
    if least > len(tensors):  # a key map of absurd length is never built
        raise CheckpointError(
            f"{folder}: config.json needs {least} tensors and more, the files have {len(tensors)}"
        )
    return Described(folder, found, shape, ids, block, tensors)
