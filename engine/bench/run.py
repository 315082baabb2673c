"""A whole run: which suites, how much of each, and the report. Knows nothing of the terminal."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from engine.bench.decoders import Weights, random_twin, variants
from engine.bench.edits import EditSizes, batched_edits, dtypes, in_windows, natural_edits, scripted_edits
from engine.bench.generation import TextSizes, block_sizes, chosen_block, generation, thread_counts
from engine.bench.machine import machine, peaks
from engine.bench.rows import BenchRow

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    edits: EditSizes
    texts: TextSizes
    threads: Sequence[int]


FULL = Plan(
    EditSizes(
        regions=(64, 256, 512, 832, 1024, 2048, 4096, 8192),
        changes=(1, 10, 100),
        natural=(64, 256, 512),
        defects=(1, 2),
        rows=24,
        batches=(1, 4, 16, 64),
        batch_region=128,
        times=7,
        repair_times=3,
        slowest=1024,
    ),
    TextSizes(
        lengths=(64, 256, 1024),
        batches=(1, 4, 16, 64),
        fills=(1, 4, 8),
        block=32,
        given=128,
        blocks=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 832),
        times=5,
    ),
    threads=(1, 2),
)
QUICK = Plan(
    EditSizes(
        regions=(64, 256),
        changes=(1, 10),
        natural=(128,),
        defects=(1,),
        rows=2,
        batches=(1, 16),
        batch_region=64,
        times=3,
        repair_times=1,
        slowest=256,
    ),
    TextSizes(
        lengths=(64,), batches=(1, 4), fills=(1, 4), block=32, given=32, blocks=(1, 4, 16, 64, 256), times=3
    ),
    threads=(1, 2),
)

Suite = Callable[[], Iterator[BenchRow]]


def suites(
    plan: Plan, weights: Weights, twin: Weights | None, functions: Sequence[str], tell: Tell
) -> dict[str, Suite]:
    """Every suite by its name.

    Args:
        twin: None for random weights of the same shape.
    """
    other = twin or random_twin(weights)
    return {
        "forwards": lambda: block_sizes(weights, plan.texts, tell),
        "threads": lambda: thread_counts(weights, plan.texts, plan.threads, tell),
        "edits": lambda: scripted_edits(weights, other, functions, plan.edits, tell),
        "repairs": lambda: natural_edits(weights, other, functions, plan.edits, tell),
        "batch": lambda: batched_edits(weights, functions, plan.edits, tell),
        "generation": lambda: generation(weights, plan.texts, tell),
        "windows": lambda: in_windows(weights, functions, plan.edits, tell),
        "dtypes": lambda: dtypes(weights, variants(weights), functions, plan.edits, tell),
    }


def set_threads(count: int) -> None:
    """So many for every product of this process; 0 leaves it to torch."""
    if count:
        torch.set_num_threads(count)


def run(
    chosen: Mapping[str, Suite], weights: Weights, tell: Tell, show: Callable[[BenchRow], None]
) -> tuple[list[BenchRow], dict[str, Any]]:
    """The rows, each shown as soon as it is there, and what a reader needs to judge them."""
    device = weights.network.embedding.weight.device
    tell("the machine")
    found: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "command": " ".join(["seed", *sys.argv[1:]]),
        "machine": machine(device),
        "peaks": peaks(device),
        "model": {
            "name": weights.name,
            "parameters": weights.network.parameter_count(),
            "dtype": str(weights.network.embedding.weight.dtype).removeprefix("torch."),
        },
    }
    rows = []
    for suite in chosen.values():
        for row in suite():
            rows.append(row)
            show(row)
    if any(row.suite == "forwards" for row in rows):
        found["block"] = chosen_block(rows)
        found["share_of_peak"] = shares(rows, weights, found["peaks"])
    return rows, found


def shares(
    rows: Sequence[BenchRow], weights: Weights, peak: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Of each forward: the share of the matrix product's peak, and of the copy's if weights are read once."""
    network = weights.network
    matrices = network.parameter_count() - network.embedding.weight.numel()
    size = network.embedding.weight.element_size()
    c, found = network.config, {}
    for row in rows:
        if row.suite != "forwards":
            continue
        tokens, after = int(row.way), int(str(row.case["after"]))
        seen = 4.0 * c.layers * c.heads * c.head_width * tokens * (tokens + after)
        product = peak[
            "product_bfloat16" if network.embedding.weight.dtype == torch.bfloat16 else "product_float32"
        ]
        found[row.way] = {
            "product": round((2.0 * matrices * tokens + seen) / row.seconds / product, 4),
            "copy": round(matrices * size / row.seconds / peak["copy"], 4),
        }
    return found
