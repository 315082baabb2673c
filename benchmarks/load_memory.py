"""Load a large synthetic checkpoint and see how much memory that takes at its peak.

A Llama of random weights is written as shards, then loaded in processes of their own, once for each type (bfloat16,
float32, int8 and int4, the last two with bfloat16 for what is not packed); the kernel's VmHWM says what the process
took at its peak, and VmRSS what it had before. The peak over what was there before, divided by the size of the loaded
network, is to stay below 1.15.

    python benchmarks/load_memory.py [--gigabytes 2] [--folder FOLDER] [--types TYPES] [--output RESULT.json]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from safetensors.torch import save_file

from engine.checkpoints.loading import load

LIMIT = 1.15
PACKINGS = ("int8", "int4")
WIDTH, HIDDEN, VOCABULARY, HEADS, KV_HEADS = 2048, 5632, 32000, 16, 8


def kilobytes(name: str) -> int:
    """A figure of this process, as the kernel has it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def write(folder: Path, gigabytes: float) -> int:
    """A Llama in bfloat16 shards of about a fifth of it; how many bytes."""
    kv = WIDTH // HEADS * KV_HEADS
    layer = {
        "input_layernorm.weight": (WIDTH,),
        "post_attention_layernorm.weight": (WIDTH,),
        "self_attn.q_proj.weight": (WIDTH, WIDTH),
        "self_attn.k_proj.weight": (kv, WIDTH),
        "self_attn.v_proj.weight": (kv, WIDTH),
        "self_attn.o_proj.weight": (WIDTH, WIDTH),
        "mlp.gate_proj.weight": (HIDDEN, WIDTH),
        "mlp.up_proj.weight": (HIDDEN, WIDTH),
        "mlp.down_proj.weight": (WIDTH, HIDDEN),
    }
    outer = {"model.embed_tokens.weight": (VOCABULARY, WIDTH), "lm_head.weight": (VOCABULARY, WIDTH)}
    size = sum(torch.Size(shape).numel() for shape in layer.values()) * 2
    layers = round((gigabytes * 1e9 - 4 * VOCABULARY * WIDTH) / size)
    groups = [outer | {"model.norm.weight": (WIDTH,)}]
    groups += [{f"model.layers.{i}.{name}": shape for name, shape in layer.items()} for i in range(layers)]
    shards = [groups[i::5] for i in range(5)]
    index, total = {}, 0
    for i, shard in enumerate(shards):
        file = f"model-{i + 1:05}-of-00005.safetensors"
        state = {
            name: torch.full(shape, 0.01, dtype=torch.bfloat16)
            for group in shard
            for name, shape in group.items()
        }
        total += sum(t.nbytes for t in state.values())
        save_file(state, folder / file)
        index |= dict.fromkeys(state, file)
    config = {
        "model_type": "llama",
        "architectures": ["LlamaForCausalLM"],
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return total


def measure(folder: Path, dtype: str) -> dict[str, float | str]:
    """Load in this process; megabytes before and at the peak, and the ratios."""
    before = kilobytes("VmRSS")
    start = time.perf_counter()
    packing = dtype if dtype in PACKINGS else None
    kind = torch.bfloat16 if packing else getattr(torch, dtype)
    network = load(folder, device="cpu", dtype=kind, packing=packing).network
    seconds = time.perf_counter() - start
    peak, target = kilobytes("VmHWM"), sum(t.nbytes for t in network.state_dict().values()) / 1024
    return {
        "dtype": dtype,
        "target_mb": round(target / 1e3, 1),
        "before_mb": round(before / 1e3, 1),
        "peak_mb": round(peak / 1e3, 1),
        "ratio": round((peak - before) / target, 4),
        "ratio_of_the_whole_process": round(peak / target, 4),
        "seconds": round(seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Peak memory of loading a checkpoint.")
    parser.add_argument("--gigabytes", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, help="keep the checkpoint there; default: a temporary folder")
    types = ",".join(("bfloat16", "float32", *PACKINGS))
    parser.add_argument("--types", default=types, help=f"what to load it as; default: {types}")
    parser.add_argument("--measure", metavar="DTYPE", help="only load what is in FOLDER already")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.folder, arguments.measure)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        written = write(folder, arguments.gigabytes)
        rows = []
        for dtype in arguments.types.split(","):
            command = [sys.executable, __file__, "--folder", str(folder), "--measure", dtype]
            rows.append(
                json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            )
            print(rows[-1], file=sys.stderr)
    result = {"files_bytes": written, "limit": LIMIT, "loads": rows}
    if arguments.output:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result))
    sys.exit(any(row["ratio"] >= LIMIT for row in rows))


if __name__ == "__main__":
    main()
