"""Loading other families' folders: each tensor once, into the type asked for, and nothing that a stranger could do."""

import copy
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from engine.checkpoints import copying, loading, memory
from engine.checkpoints.describing import describe, family_name
from engine.checkpoints.loading import load
from engine.checkpoints.tensors import TensorFile
from engine.errors import CheckpointError, DeviceError
from engine.model.packed import PackedLinear, PackedStack, pack
from tests.engine.checkpoints.families.test_logits import llada2_shapes, llada_shapes
from tests.engine.checkpoints.families.vendors import CONFIGS, random_state, write

CONFIG = CONFIGS["llada"]
STATE = random_state(llada_shapes(CONFIG))
HEAD, FIRST = "model.transformer.ff_out.weight", "model.transformer.blocks.0.ff_out.weight"


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "m", CONFIG, STATE, shards=3)


def loaded(folder, dtype=torch.float32):
    return load(folder, device="cpu", dtype=dtype).network


def test_one_file_and_shards_are_the_same(folder, tmp_path):
    one = loaded(write(tmp_path / "one", CONFIG, STATE))
    for a, b in zip(one.parameters(), loaded(folder).parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("saved", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_types_are_converted(tmp_path, saved, dtype):
    state = {name: t.to(saved) for name, t in STATE.items()}
    network = loaded(write(tmp_path / "m", CONFIG, state), dtype)
    assert {p.dtype for p in network.parameters()} == {dtype}
    assert torch.equal(network.embedding.weight, state["model.transformer.wte.weight"].to(dtype))
    assert torch.equal(network.head.weight, state[HEAD].to(dtype))
    assert not network.scope.weight.any()
    assert not network.training


def test_a_tensor_larger_than_a_window_arrives_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(copying, "WINDOW", 4096)
    network = loaded(write(tmp_path / "m", CONFIG, STATE))
    assert torch.equal(network.embedding.weight, STATE["model.transformer.wte.weight"])


def test_the_bias_that_chooses_experts_is_not_rounded(tmp_path):
    state = random_state(llada2_shapes(CONFIGS["llada2"]))
    network = loaded(write(tmp_path / "m", CONFIGS["llada2"], state), torch.bfloat16)
    experts = network.layers[1].experts
    assert torch.equal(experts.bias, state["model.layers.1.mlp.gate.expert_bias"])
    assert experts.down.dtype == torch.bfloat16
    assert not torch.isnan(network(torch.arange(9)[None], torch.arange(9)[None], None)).any()


def test_a_head_that_repeats_the_embedding_is_left(tmp_path):
    config = CONFIGS["illada"]
    state = random_state(llada_shapes(config)) | {HEAD: STATE[HEAD]}
    network = loaded(write(tmp_path / "m", config, state))
    features = torch.randn(2, 32)
    assert torch.equal(network.logits(features), features @ network.embedding.weight.T)


def test_buffers_of_old_releases_are_left(tmp_path):
    state = STATE | {"model.transformer.blocks.0.rotary_emb.inv_freq": torch.ones(4)}
    loaded(write(tmp_path / "m", CONFIG, state))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop(FIRST), f"as llada lacks '{FIRST}'$"),
        (lambda s: s.update(extra=torch.ones(1)), "has 'extra', which nothing takes$"),
        (lambda s: s.update(x=s.pop(HEAD)), f"lacks '{HEAD}' and has 'x', which nothing takes"),
        (lambda s: [s.pop(name) for name in sorted(s)[:9]], "and 6 more"),
        (
            lambda s: s.update({HEAD: torch.ones(160, 31)}),
            r"has shape \[160, 31\], config.json makes it \[160, 32\]",
        ),
        (lambda s: s.update({HEAD: torch.ones(160 * 32)}), r"has shape \[5120\]"),
        (
            lambda s: s.update({HEAD: torch.ones(160, 32, dtype=torch.int8)}),
            "is of type 'I8'; weights are read as",
        ),
        (lambda s: s.update({HEAD: torch.ones(160, 32).to(torch.float8_e4m3fn)}), "'F8_E4M3'"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, change, words):
    state = dict(STATE)
    change(state)
    refused(write(tmp_path / "m", CONFIG, state), words)


def refused(folder, words):
    with pytest.raises(CheckpointError, match=words) as caught:
        load(folder, device="cpu", dtype=torch.float32)
    assert "\n" not in str(caught.value)


SHARD = "model-00002-of-00003.safetensors"


def index(folder, change):
    path = folder / "model.safetensors.index.json"
    table = json.loads(path.read_text())
    change(table["weight_map"])
    path.write_text(json.dumps(table))


def header(folder, change):
    """Rewrite a shard's header, keeping its length."""
    path = folder / SHARD
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    table = json.loads(data[8 : 8 + length])
    change(table)
    text = json.dumps(table).encode().ljust(length)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def first(table):
    return table[min(name for name in table if name != "__metadata__")]


HOSTILE = {
    "no config": (lambda m: (m / "config.json").unlink(), "has no 'config.json'"),
    "config no JSON": (lambda m: (m / "config.json").write_text("{"), "cannot be read as JSON"),
    "config not text": (lambda m: (m / "config.json").write_bytes(b"\xff\xfe{}"), "cannot be read as JSON"),
    "config nested": (lambda m: (m / "config.json").write_text("[" * 200_000), "cannot be read as JSON"),
    "config a list": (lambda m: (m / "config.json").write_text("[1]"), "holds no JSON object"),
    "config a folder": (
        lambda m: ((m / "config.json").unlink(), (m / "config.json").mkdir()),
        "no regular file",
    ),
    "config a pipe": (
        lambda m: ((m / "config.json").unlink(), os.mkfifo(m / "config.json")),
        "no regular file",
    ),
    "config a device": (
        lambda m: ((m / "config.json").unlink(), (m / "config.json").symlink_to("/dev/zero")),
        "is a link out of the folder, to /dev/zero",
    ),
    "config a link out": (
        lambda m: (
            (m / "config.json").rename(m.parent / "c"),
            (m / "config.json").symlink_to(m.parent / "c"),
        ),
        "is a link out of the folder",
    ),
    "config a loop": (
        lambda m: ((m / "config.json").unlink(), (m / "config.json").symlink_to("config.json")),
        "has no 'config.json'",
    ),
    "no weights": (lambda m: [p.unlink() for p in m.glob("model*")], "has no weights"),
    "pickles only": (
        lambda m: (
            [p.unlink() for p in m.glob("model*")],
            (m / "pytorch_model.bin").write_bytes(b"\x80\x04."),
        ),
        "pickles only .'pytorch_model.bin'., which can run code",
    ),
    "index up": (
        lambda m: index(m, lambda w: w.update({HEAD: "../x.safetensors"})),
        "leads out of the folder",
    ),
    "index absolute": (
        lambda m: index(m, lambda w: w.update({HEAD: "/etc/passwd"})),
        "leads out of the folder",
    ),
    "index below": (lambda m: index(m, lambda w: w.update({HEAD: "sub/x"})), "leads out of the folder"),
    "index with NUL": (lambda m: index(m, lambda w: w.update({HEAD: "a\0b"})), "leads out of the folder"),
    "index dots": (lambda m: index(m, lambda w: w.update({HEAD: ".."})), "leads out of the folder"),
    "index number": (lambda m: index(m, lambda w: w.update({HEAD: 3})), "has no weight_map"),
    "index empty name": (lambda m: index(m, lambda w: w.update({HEAD: ""})), "leads out of the folder"),
    "header many axes": (
        lambda m: header(m, lambda h: first(h).update(shape=[1] * 30)),
        "says nothing usable",
    ),
    "index lost shard": (lambda m: (m / SHARD).unlink(), f"has no '{SHARD}'"),
    "index lies": (
        lambda m: index(m, lambda w: w.update({HEAD: SHARD, FIRST: SHARD})),
        "does not say that|names",
    ),
    "index too much": (lambda m: index(m, lambda w: w.update(ghost=SHARD)), "names 'ghost', which its files"),
    "index too little": (lambda m: index(m, lambda w: w.pop(HEAD)), "does not say that"),
    "shard a link out": (
        lambda m: ((m / SHARD).rename(m.parent / SHARD), (m / SHARD).symlink_to(m.parent / SHARD)),
        "is a link out of the folder",
    ),
    "shard cut": (lambda m: os.truncate(m / SHARD, (m / SHARD).stat().st_size - 1), "cut short or damaged"),
    "shard cut in its header": (lambda m: os.truncate(m / SHARD, 40), "cut short or no safetensors file"),
    "shard of 3 bytes": (lambda m: os.truncate(m / SHARD, 3), "cut short or no safetensors file"),
    "shard empty": (lambda m: os.truncate(m / SHARD, 0), "cut short or no safetensors file"),
    "shard longer": (
        lambda m: (m / SHARD).write_bytes((m / SHARD).read_bytes() + b"x"),
        "cut short or damaged",
    ),
    "shard a pickle": (
        lambda m: (m / SHARD).write_bytes(b"\x80\x04cos\nsystem\n" * 9),
        "no safetensors file",
    ),
    "header no JSON": (
        lambda m: (m / SHARD).write_bytes(struct.pack("<Q", 4) + b"nope"),
        "header that is no JSON",
    ),
    "header a list": (lambda m: (m / SHARD).write_bytes(struct.pack("<Q", 2) + b"[]"), "no JSON object"),
    "header without type": (lambda m: header(m, lambda h: first(h).pop("dtype")), "says nothing usable"),
    "header text for place": (
        lambda m: header(m, lambda h: first(h).update(data_offsets=["0", "8"])),
        "says nothing usable",
    ),
    "header negative shape": (
        lambda m: header(m, lambda h: first(h).update(shape=[-1, -2])),
        "says nothing usable",
    ),
    "header vast shape": (
        lambda m: header(m, lambda h: first(h).update(shape=[1 << 40] * 3)),
        "bytes for shape",
    ),
    "header shape of texts": (
        lambda m: header(m, lambda h: first(h).update(shape=["8"])),
        "says nothing usable",
    ),
    "header overlapping": (
        lambda m: header(m, lambda h: first(h).update(data_offsets=[8, 8 + 4 * h_count(h)])),
        "begins at byte",
    ),
    "tensor odd type": (lambda m: header(m, lambda h: first(h).update(dtype={"a": 1})), "is of type"),
}


def h_count(table):
    count = 1
    for n in first(table)["shape"]:
        count *= n
    return count


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_folders_are_refused_in_one_line(folder, name):
    damage, words = HOSTILE[name]
    damage(folder)
    refused(folder, words)


def test_an_endless_json_file_is_not_read(folder):
    with (folder / "config.json").open("wb") as file:
        file.truncate(65 << 20)
    refused(folder, "are not read")


def test_a_missing_folder_is_named(tmp_path):
    refused(tmp_path / "nowhere", "there is no model folder")


def test_python_files_are_never_run(folder):
    assert "raise SystemExit" in (folder / "modeling_llada.py").read_text()
    before = set(sys.modules)
    loaded(folder)
    assert not any("modeling" in name for name in set(sys.modules) - before)


def test_a_download_cache_is_read(folder, tmp_path):
    """huggingface_hub keeps files under their hashes and links to them."""
    home = tmp_path / "models--GSAI-ML--LLaDA-8B-Base"
    snapshot, blobs = home / "snapshots" / "0123abcd", home / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for i, file in enumerate(sorted(folder.iterdir())):
        file.rename(blobs / f"{i:064x}")
        (snapshot / file.name).symlink_to(f"../../blobs/{i:064x}")
    loaded(snapshot)
    assert describe(snapshot).rows()["name"] == "GSAI-ML/LLaDA-8B-Base"


def test_a_linked_folder_is_read(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    loaded(tmp_path / "link")


def test_what_does_not_fit_is_refused_with_the_arithmetic(folder, monkeypatch):
    monkeypatch.setattr(loading, "free_bytes", lambda: 100 << 20)
    words = (
        r"0\.00 billion numbers of 4 bytes are 0\.00 GiB, with 0\.25 GiB .* but 0\.10 GiB are free; "
        "take bfloat16, int8 or int4, free some"
    )
    with pytest.raises(DeviceError, match=words):
        loaded(folder)
    with pytest.raises(DeviceError, match=r"of 2 bytes .*; take int8 or int4, free some"):
        loaded(folder, torch.bfloat16)
    with pytest.raises(DeviceError, match=r"; take int4, free some"):
        load(folder, device="cpu", dtype=torch.bfloat16, packing="int8")
    with pytest.raises(DeviceError, match=r"; free some, take another device"):
        load(folder, device="cpu", dtype=torch.bfloat16, packing="int4")
    monkeypatch.setattr(loading, "free_bytes", lambda: None)
    loaded(folder)


def test_an_8b_checkpoint_in_too_little_memory():
    with pytest.raises(DeviceError) as caught:
        memory.demand("m", 8_250_000_000, 16_500_000_000, device="cpu", free=12 << 30, smaller="")
    assert (
        "8.25 billion numbers of 2 bytes are 15.37 GiB, with 0.25 GiB to work in 15.62 GiB, but 12.00"
        in str(caught.value)
    )


def test_free_memory_is_the_kernels():
    free = memory.free_bytes()
    assert free is not None
    assert 0 < free < 1 << 50


def test_describing_needs_no_torch(folder):
    code = (
        "import sys; from pathlib import Path; from engine.checkpoints.describing import describe;"
        f"describe(Path({str(folder)!r})).rows(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path.cwd()).returncode == 0


def test_rows_and_facts(folder):
    described = describe(folder)
    assert described.parameters == sum(t.numel() for t in STATE.values())
    assert described.rows()["family"] == "llada"
    assert described.facts()["mask"][0] == "150"
    assert family_name(folder) == "llada"
    (folder / "config.json").write_text('{"model_type": "seed"}')
    assert family_name(folder) is None


def test_generation_config_adds_stops(folder):
    (folder / "generation_config.json").write_text('{"eos_token_id": [12, 140]}')
    assert describe(folder).ids.stops == (126081, 126348, 140, 12)
    (folder / "generation_config.json").write_text('{"eos_token_id": 160}')
    refused(folder, "generation_config.json: eos_token_id is 160")


def test_the_files_are_as_safetensors_reads_them(folder):
    names = {name for shard in folder.glob("*.safetensors") for name in load_file(shard)}
    assert names == describe(folder).tensors.keys()


def test_an_odd_beginning_is_no_hindrance(tmp_path):
    """Some writers do not align what follows the header."""
    folder = write(tmp_path / "m", CONFIG, STATE)
    path = folder / "model.safetensors"
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    path.write_bytes(struct.pack("<Q", length + 3) + data[8 : 8 + length] + b"   " + data[8 + length :])
    assert torch.equal(loaded(folder).head.weight, STATE[HEAD])


def test_a_tensor_in_two_shards_is_refused(folder):
    extra = load_file(folder / SHARD)
    other = folder / "model-00001-of-00003.safetensors"
    save_file(load_file(other) | {min(extra): extra[min(extra)]}, other, metadata={"format": "pt"})
    refused(folder, "does not say that")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_file_with_other_bytes_is_read_or_refused(tmp_path, data):
    """Bytes of the length and the header are changed, the end is cut or drawn out."""
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.ones(3, 4), "b": torch.ones(2)}, path)
    content = bytearray(path.read_bytes())
    (length,) = struct.unpack("<Q", content[:8])
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, 8 + length - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(-3, len(content)))
    path.write_bytes(content + b"x" * -cut if cut < 0 else content[: len(content) - cut])
    try:
        file = TensorFile.open(path)
    except CheckpointError:
        return
    size = path.stat().st_size
    assert all(8 <= t.start <= t.start + t.size <= size for t in file.tensors.values())


class TestPacked:
    """Weights that are packed while they are read are those that a whole matrix would be packed to."""

    @pytest.fixture(params=["llada", "llada2"])
    def family(self, request):
        return request.param, llada_shapes if request.param == "llada" else llada2_shapes

    @pytest.mark.parametrize("packing", ["int8", "int4"])
    def test_as_if_packed_whole(self, tmp_path, family, packing, monkeypatch):
        name, shapes = family
        folder = write(tmp_path / "m", CONFIGS[name], random_state(shapes(CONFIGS[name])), shards=2)
        whole = loaded(folder)
        monkeypatch.setattr(copying, "PACKED_WINDOW", 1024)  # some rows at a time
        small = load(folder, device="cpu", dtype=torch.float32, packing=packing).network
        wanted = copy.deepcopy(whole)
        pack(wanted, packing, torch.float32)
        write_all(wanted, whole)
        for (key, a), b in zip(wanted.state_dict().items(), small.state_dict().values(), strict=True):
            assert torch.equal(a, b), key
        assert {p.dtype for p in small.parameters()} == {torch.float32}
        ids = torch.arange(40)[None]
        features = [network(ids, ids, None) for network in (wanted.requires_grad_(False), small)]
        assert torch.equal(*features)

    def test_four_bits_of_odd_columns_are_refused(self, tmp_path):
        config = CONFIG | {"mlp_hidden_size": 47}
        folder = write(tmp_path / "m", config, random_state(llada_shapes(config)))
        with pytest.raises(CheckpointError, match="cannot be packed as int4: 47 columns are odd; take int8"):
            load(folder, device="cpu", dtype=torch.float32, packing="int4")
        load(folder, device="cpu", dtype=torch.float32, packing="int8")


def write_all(packed, whole):
    for name, module in packed.named_modules():
        if isinstance(module, PackedLinear):
            module.rows.write(whole.get_submodule(name).weight)
        elif isinstance(module, PackedStack):
            for i, matrix in enumerate(whole.get_parameter(name)):
                module.rows[i].write(matrix)


def test_a_device_that_is_not_there_is_named(folder):
    with pytest.raises(DeviceError, match="device cuda:7 does not exist on this machine"):
        load(folder, device="cuda:7", dtype=torch.float32)


def test_every_gpu_is_taken_and_main_memory_after_them(folder, monkeypatch):
    """Where there are none, a plan for them shows: nothing is loaded."""
    state = loaded(folder).state_dict()
    layers = [sum(p.nbytes for n, p in state.items() if n.startswith(f"layers.{i}.")) for i in range(3)]
    outer = sum(p.nbytes for p in state.values()) - sum(layers)
    free = {"cuda:0": outer + layers[0], "cuda:1": layers[0], "cpu": 1 << 30}
    monkeypatch.setattr(loading, "free_on", lambda device: memory.RESERVE + free[device])
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    planned = loading._placed(describe(folder), state, "cuda", None, torch.float32)
    assert planned.held == ("cuda:1", "cpu", "cpu")
    assert planned.computed == ("cuda:1", "cuda:0", "cuda:0")
    free["cpu"] = 0
    with pytest.raises(
        DeviceError, match=r"does not fit: .* on cuda:0, .* on cuda:1, .* on cpu are free; take bfl"
    ):
        load(folder, device="cuda", dtype=torch.float32)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_takes_the_same_weights(folder):
    there = load(folder, device="cuda", dtype=torch.bfloat16).network
    for a, b in zip(there.parameters(), loaded(folder, torch.bfloat16).parameters(), strict=True):
        assert a.is_cuda
        assert torch.equal(a.cpu(), b)


@pytest.mark.slow
def test_loading_takes_little_more_than_the_network():
    """The benchmark, smaller: the network and one window of a file are in memory, never two copies."""
    benchmark = Path(__file__).parents[3] / "benchmarks" / "load_memory.py"
    command = [sys.executable, str(benchmark), "--gigabytes", "0.4", "--types", "bfloat16,int8"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ratios = [row["ratio"] for row in json.loads(done.stdout)["loads"]]
    assert len(ratios) == 2
    assert all(0.9 < ratio < 1.15 for ratio in ratios), ratios
