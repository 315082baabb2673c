"""DiffusionGemma, tiny and random: recognised, described, and loaded by transformers' own class."""

import shutil
import sys
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.checkpoints import loading
from engine.checkpoints.describing import describe
from engine.checkpoints.through_transformers import load
from engine.errors import CheckpointError, DeviceError
from tests.engine.checkpoints.families.tiny_gemma import tiny_gemma
from tests.engine.checkpoints.families.vendors import CONFIGS, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_gemma(tmp_path_factory.mktemp("gemma") / "diffusiongemma-tiny")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.torch.jit.script_method:DeprecationWarning")  # torch's own, on its way
def test_it_is_described_and_loaded(folder):
    from transformers import DiffusionGemmaForBlockDiffusion

    what = describe(folder)
    assert (what.family.name, what.block, what.shape.max_tokens) == ("diffusion-gemma", 32, 4096)
    assert what.facts()["mask"][0] == "none"
    assert set(what.bytes_as()) == {"float32", "bfloat16"}
    assert what.rows()["parameters"] == sum(t.count for t in what.tensors.values())
    loaded = load(folder, device="cpu", dtype=torch.float32)
    ids = torch.arange(5, 15)[None]
    again = DiffusionGemmaForBlockDiffusion.from_pretrained(folder).eval()
    state = again.state_dict()
    assert all(torch.equal(t, state[name]) for name, t in loaded.model.state_dict().items())
    canvases = written(loaded, ids[0].tolist(), 33)
    assert {len(canvas.tokens) for canvas in canvases} == {32}
    assert all(0 < p <= 1 for canvas in canvases for p in canvas.probabilities)
    assert written(loaded, ids[0].tolist(), 33) == canvases
    assert written(loaded, ids[0].tolist(), 33, seed=1) != canvases


def written(loaded, prompt, most, seed=0):
    canvases = []
    before = torch.random.get_rng_state()
    loaded.write(prompt, most, lambda canvas: bool(canvases.append(canvas)), seed=seed)
    assert torch.equal(torch.random.get_rng_state(), before), "others' chance is left alone"
    return canvases


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


@pytest.mark.slow
def test_a_folder_that_is_not_as_it_says_is_refused(folder, tmp_path):
    def refused(words):
        with pytest.raises(CheckpointError, match=words):
            load(path, device="cpu", dtype=torch.float32)

    path = tmp_path / "m"
    shutil.copytree(folder, path)
    (path / "generation_config.json").write_text('{"max_denoising_steps": 1000000}')
    refused("asks for 1000000 steps a canvas; 4096 are the most")
    (path / "generation_config.json").write_text('{"sampler_config": {"_cls_name": "absent"}}')
    refused("does not load through transformers' DiffusionGemmaForBlockDiffusion: ")
    (path / "generation_config.json").write_text('{"t_min": 0.9}')
    refused("t_min 0.9 is not below t_max 0.8")
    (path / "generation_config.json").unlink()
    tensors = load_file(path / "model.safetensors")
    lacking = min(name for name in tensors if name.endswith("q_proj.weight"))
    save_file(
        {k: t for k, t in tensors.items() if k != lacking}, path / "model.safetensors", {"format": "pt"}
    )
    refused(f"as diffusion-gemma lacks .*{lacking.split('.')[-2]}")


@pytest.mark.slow
def test_it_is_not_packed(folder):
    with pytest.raises(DeviceError, match=r"cannot be packed as int8: .* take bfloat16 or float32"):
        load(folder, device="cpu", dtype=torch.float32, packing="int8")
