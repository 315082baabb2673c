"""A native checkpoint as a folder: `config.json`, `model.safetensors`, `tokenizer.json`, `README.md` (the model card).

Weights are mapped into memory, not read. Nothing in the folder is ever run.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from engine.checkpoints import contents
from engine.checkpoints.families.registry import recognise
from engine.errors import CheckpointError, DataError
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer

MODEL_TYPE = "seed"
DEFAULT = Path(__file__).parent / "default"
"""The checkpoint that comes with Seed."""


def save(folder: Path, network: Network, tokenizer: CodeTokenizer, settings: dict[str, Any]) -> None:
    """Write weights as bfloat16 with config and tokenizer; `settings` are the sampler's own (threshold, recipes)."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: p.detach().to("cpu", torch.bfloat16).contiguous() for name, p in network.state_dict().items()
    }
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    fields = network.config.table()
    config = {"model_type": MODEL_TYPE, "architectures": ["SeedModel"], **fields, "seed": settings}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    tokenizer.save(folder)


def read_config(folder: Path) -> tuple[ModelConfig, dict[str, Any]]:
    """Shape and sampler settings of a checkpoint.

    Raises:
        CheckpointError: there is no such folder, or its `config.json` is not one of ours.
    """
    path = folder / contents.CONFIG
    if not folder.is_dir():
        raise CheckpointError(
            f"there is no model folder {folder}; give a folder with config.json and model.safetensors"
        )
    table = contents.read_json(folder, contents.CONFIG)
    if table.get("model_type") != MODEL_TYPE:
        raise CheckpointError(f"{path} is no Seed model: {_foreign(table, contents.called(folder))}")
    settings = table.get("seed", {})
    if not isinstance(settings, dict):
        raise CheckpointError(f"{path}: `seed` is {settings!r}, no table")
    try:
        return ModelConfig.read(table), settings
    except (TypeError, ValueError, ArithmeticError) as error:
        raise CheckpointError(f"{path}: {error}") from error


def _foreign(table: dict[str, Any], name: str) -> str:
    try:
        family = recognise(table, name)
    except CheckpointError as error:
        return str(error)
    return f"it is of the family {family.name}; `seed edit` and `seed batch` take it, this does not"


def load(folder: Path, *, device: str, dtype: torch.dtype) -> tuple[Network, CodeTokenizer, dict[str, Any]]:
    """Network in evaluation mode, tokenizer and sampler settings.

    Raises:
        CheckpointError: a part is missing, damaged, or of another shape than the config says.
    """
    config, settings = read_config(folder)
    try:
        tokenizer = CodeTokenizer.load(folder)
    except DataError as error:
        raise CheckpointError(str(error)) from error
    try:
        with torch.device("meta"):
            network = Network(config)
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise CheckpointError(f"{folder / contents.CONFIG}: no network can be made of it: {error}") from error
    try:
        state = load_file(folder / "model.safetensors", device=device)
        network.load_state_dict({k: v.to(dtype) for k, v in state.items()}, strict=True, assign=True)
    except (OSError, SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{folder / 'model.safetensors'} does not fit its config: {reason}") from error
    if tokenizer.size != config.vocabulary:
        raise CheckpointError(
            f"{folder}: the tokenizer has {tokenizer.size} tokens, the config says {config.vocabulary}"
        )
    return network.eval().requires_grad_(False), tokenizer, settings


def revision(folder: Path) -> str:
    """First 12 hex digits of the SHA-256 of the weights."""
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]
