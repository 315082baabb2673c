"""DiffusionGemma, tiny and random: recognised, described, and loaded by transformers' own class."""

import sys
from types import SimpleNamespace

import pytest
import torch

from engine.checkpoints import loading
from engine.checkpoints.describing import describe
from engine.checkpoints.through_transformers import load
from engine.errors import CheckpointError, DeviceError
from tests.engine.checkpoints.families.vendors import CONFIGS, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    transformers = pytest.importorskip("transformers")
    text = {
        "vocab_size": 160,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "global_head_dim": 16,
        "max_position_embeddings": 512,
        "num_experts": 4,
        "top_k_experts": 2,
        "moe_intermediate_size": 16,
        "eos_token_id": 1,
    }
    vision = {
        "model_type": "gemma4_vision",
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
    }
    ids = {"boi_token_id": 150, "eoi_token_id": 151, "image_token_id": 152}
    config = transformers.DiffusionGemmaConfig(
        text_config=text, vision_config=vision, canvas_length=16, **ids
    )
    torch.manual_seed(0)
    model = transformers.DiffusionGemmaForBlockDiffusion(config)
    path = tmp_path_factory.mktemp("gemma") / "diffusiongemma-tiny"
    model.save_pretrained(path)
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # torch's own, on its way
def test_it_is_described_and_loaded(folder):
    from transformers import DiffusionGemmaForBlockDiffusion

    what = describe(folder)
    assert (what.family.name, what.block, what.shape.max_tokens) == ("diffusion-gemma", 16, 512)
    assert what.facts()["mask"][0] == "none"
    assert set(what.bytes_as()) == {"float32", "bfloat16"}
    assert what.rows()["parameters"] == sum(t.count for t in what.tensors.values())
    loaded = load(folder, device="cpu", dtype=torch.float32)
    ids = torch.arange(5, 15)[None]
    again = DiffusionGemmaForBlockDiffusion.from_pretrained(folder).eval()
    state = again.state_dict()
    assert all(torch.equal(t, state[name]) for name, t in loaded.model.state_dict().items())
    written = loaded.write(ids[0].tolist(), 16)
    assert 0 <= len(written) <= 16
    assert all(0 <= token < 160 for token in written)
    assert loaded.write(ids[0].tolist(), 16) == written


@pytest.mark.slow
def test_what_does_not_do_is_one_line(folder, tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match="which loads through transformers"):
        loading.load(folder, device="cpu", dtype=torch.float32)
    with monkeypatch.context() as patch:
        patch.setattr("engine.checkpoints.through_transformers.free_on", lambda _: 1000)
        with pytest.raises(DeviceError, match="does not fit on cpu"):
            load(folder, device="cpu", dtype=torch.float32)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "transformers", None)
        with pytest.raises(CheckpointError, match="install it: pip install transformers"):
            load(folder, device="cpu", dtype=torch.float32)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "transformers", SimpleNamespace(__version__="4.46.0"))
        words = "transformers 4.46.0 has no DiffusionGemmaForBlockDiffusion: install a newer one"
        with pytest.raises(CheckpointError, match=words):
            load(folder, device="cpu", dtype=torch.float32)
    llada = write(
        tmp_path / "m",
        CONFIGS["llada"],
        {"model.transformer.wte.weight": torch.ones(160, 32)} | {str(i): torch.ones(1) for i in range(9)},
    )
    with pytest.raises(CheckpointError, match="of the family llada, which Seed loads itself"):
        load(llada, device="cpu", dtype=torch.float32)
