import json

import pytest
import torch

from engine.checkpoints.converting import convert
from engine.checkpoints.loading import load
from engine.errors import CheckpointError
from tests.engine.checkpoints.families.test_logits import llada_shapes
from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write

CONFIG = CONFIGS["llada"] | {"torch_dtype": "float32"}


@pytest.mark.parametrize("shards", [1, 3])
def test_the_copy_loads_as_the_original_rounded(tmp_path, shards):
    folder = write(tmp_path / "theirs", CONFIG, random_state(llada_shapes(CONFIG)), shards=shards)
    (folder / "tokenizer.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    told = []
    convert(folder, tmp_path / "ours", "bfloat16", told.append)
    names = {path.name for path in (tmp_path / "ours").iterdir()}
    weights = (
        {"model.safetensors"} if shards == 1 else {f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)}
    )
    index = {"model.safetensors.index.json"} if shards > 1 else set()
    assert names == {"config.json", "tokenizer.json"} | weights | index
    wanted, mine = (
        load(path, device="cpu", dtype=torch.bfloat16).network.state_dict()
        for path in (folder, tmp_path / "ours")
    )
    assert all(torch.equal(mine[name], tensor) for name, tensor in wanted.items())
    assert json.loads((tmp_path / "ours" / "config.json").read_text())["torch_dtype"] == "bfloat16"
    assert len(told) == len(random_state(llada_shapes(CONFIG)))
    with pytest.raises(CheckpointError, match="exists already"):
        convert(folder, tmp_path / "ours", "bfloat16")


def test_what_is_damaged_is_not_converted(tmp_path):
    folder = write(tmp_path / "theirs", CONFIG, random_state(llada_shapes(CONFIG)))
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match="cut short or damaged"):
        convert(folder, tmp_path / "ours", "bfloat16")
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_where_nothing_can_be_written(tmp_path):
    folder = write(tmp_path / "theirs", CONFIG, random_state(llada_shapes(CONFIG)))
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="ours cannot be written: Not a directory"):
        convert(folder, tmp_path / "file" / "ours", "bfloat16")
