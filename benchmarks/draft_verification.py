"""What a draft saves: a 256-token edit by a random network of an open checkpoint's shape, with its draft and without.

The answer is what the network writes by its family's rule; the draft is that answer with a few tokens changed, as a
region is before an edit. Reports seconds, tokens per second and forwards of both, whether the tokens are equal (in
bfloat16 two shapes of a forward may round differently; in float32 they are), and the seconds of one forward.

    python benchmarks/draft_verification.py [--family sdar] [--block 4] [--width 4096] [--layers 36] [--device cuda]
        [--dtype bfloat16] [--tokens 256] [--edits 3] [--output RESULT.json]
"""

import argparse
import json
import platform
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from engine.checkpoints.families.family import Family, Ids
from engine.checkpoints.families.registry import FAMILIES
from engine.model.config import ModelConfig
from engine.model.network import Network
from engine.sampling.rules.writer import writer
from engine.sampling.rules.writing import Writing, Written

VOCABULARY, PROMPT = 151_936, 512
MASK = VOCABULARY - 1


def random_network(width: int, layers: int, vocabulary: int, device: str, dtype: torch.dtype) -> Network:
    """Qwen3's proportions; drawn on the device, in place."""
    heads = max(1, width // 128)
    with torch.device("meta"):
        network = Network(
            ModelConfig(
                vocabulary,
                width,
                layers,
                heads,
                max(1, heads // 4),
                3 * width,
                rope_theta=1e6,
                max_tokens=32_768,
                head_size=min(128, width),
                tied=False,
            )
        )
    network = network.to(dtype).to_empty(device=device).eval().requires_grad_(False)
    torch.manual_seed(0)
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            # strong enough that answers vary, and that some tokens are surer than others
            parameter.normal_(std=6 / width**0.5 if "head" in name else 2 / width**0.5)
        else:
            parameter.fill_(1)
    return network


def timed(network: Network, family: Family, block: int, writing: Writing) -> tuple[Written, float]:
    made = writer(network, family, Ids(mask=MASK % network.config.vocabulary), block)
    made.write([replace(writing, most=block)])  # what is set up once is not timed
    wait(network)
    start = time.perf_counter()
    (written,) = made.write([writing])
    wait(network)
    return written, time.perf_counter() - start


def wait(network: Network) -> None:
    if network.embedding.weight.is_cuda:
        torch.cuda.synchronize()


def forward_seconds(network: Network, tokens: int) -> float:
    """One forward over so many tokens, the median of five."""
    ids = torch.zeros(1, tokens, dtype=torch.int64, device=network.embedding.weight.device)
    positions = torch.arange(tokens, device=ids.device)[None]
    spent = []
    with torch.inference_mode():
        for _ in range(6):
            wait(network)
            start = time.perf_counter()
            network(ids, positions, None)
            wait(network)
            spent.append(time.perf_counter() - start)
    return sorted(spent[1:])[2]


def edited(tokens: list[int], edits: int, vocabulary: int) -> list[int]:
    """The tokens with some replaced, at even distances."""
    source, draft = random.Random(0), list(tokens)
    for i in range(edits):
        draft[(i + 1) * len(draft) // (edits + 1)] = source.randrange(vocabulary - 1)
    return draft


def figures(written: Written, seconds: float) -> dict[str, float]:
    return {
        "seconds": round(seconds, 3),
        "tokens_per_second": round(len(written.tokens) / seconds, 1),
        "forwards": written.forwards,
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--family", default="sdar")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--output", type=Path)
    for name, default in (
        ("--block", 4),
        ("--width", 4096),
        ("--layers", 36),
        ("--vocabulary", VOCABULARY),
        ("--tokens", 256),
        ("--edits", 3),
    ):
        parser.add_argument(name, type=int, default=default)
    given = parser.parse_args()
    family = next(one for one in FAMILIES if one.name == given.family)
    dtype = getattr(torch, given.dtype)
    network = random_network(given.width, given.layers, given.vocabulary, given.device, dtype)
    source = random.Random(1)
    prompt = [source.randrange(given.vocabulary - 1) for _ in range(PROMPT)]
    writing = Writing(prompt, given.tokens)
    plain, plain_seconds = timed(network, family, given.block, writing)
    draft = edited(plain.tokens, given.edits, given.vocabulary)
    drafted, drafted_seconds = timed(network, family, given.block, replace(writing, draft=draft))
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()
    on = torch.cuda.get_device_name() if given.device.startswith("cuda") else platform.machine()
    record = {
        "command": " ".join(["python benchmarks/draft_verification.py", *sys.argv[1:]]),
        "commit": commit,
        "machine": f"{on}, torch {torch.__version__}",
        "parameters": network.parameter_count(),
        "forward_of_512_seconds": round(forward_seconds(network, 512), 4),
        "plain": figures(plain, plain_seconds),
        "draft": figures(drafted, drafted_seconds),
        "equal": plain.tokens == drafted.tokens,
        "faster": round(plain_seconds / drafted_seconds, 2),
    }
    print(json.dumps(record, indent=1))
    if given.output:
        given.output.write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
