"""How fast one core makes examples, by kind and in a run's mixture, and how fast it reads batches made ahead.

Each figure is real tokens (no padding) a second of processor time of one process, which suffers less from what else the
machine does than wall time. Read are the batches that the mixture's measurement made, from files as `seed train ahead`
writes them; `received` is what the training process pays for a batch that a worker hands it, where one core has to keep
up with the GPU. The digest is that of the first batches: a change that only makes them faster leaves it as it is.

    python benchmarks/example_speed.py --corpus corpus [--config default] [--seconds 10] [--output RESULT.json]
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch
from torch.utils.data import DataLoader

from engine.bench.machine import machine
from engine.data.batches import KINDS, Batch, BatchMaker
from engine.errors import DataError
from engine.model.tokenizer import CodeTokenizer
from engine.training.ahead import Ahead, make
from engine.training.curriculum import Curriculum, read_curriculum
from engine.training.preparation import open_batches
from engine.training.running import configured
from engine.training.stream import Stream

TRAVELS = 40 << 20
"""Bytes of batches that a stretch on another machine takes along."""
DIGESTED = 20
"""Batches of the digest."""
HANDED = 1000
"""Batches that a worker hands over."""


class Quiet:
    """Hears how far the making is and says nothing."""

    def line(self, text: str) -> None: ...

    def phase(self, name: str, total: int, unit: str) -> None: ...

    def at(self, done: int, **figures: float) -> None: ...


def rate(batches: Iterator[Batch], seconds: float) -> dict[str, Any]:
    """Tokens a second of processor time, over at least so many seconds of it, or until there are no more."""
    start, tokens, number = time.process_time(), 0, 0
    for number, batch in enumerate(batches, 1):  # noqa: B007
        tokens += batch.tokens
        if time.process_time() - start >= seconds:
            break
    spent = time.process_time() - start
    return {"tokens_per_second": round(tokens / spent), "batches": number, "seconds": round(spent, 2)}


def made(maker: BatchMaker, mixture: Mapping[str, float], curriculum: Curriculum) -> Iterator[Batch]:
    noise = curriculum.stages[0].noise
    return (maker.batch(index, mixture, noise) for index in count())


def by_kind(maker: BatchMaker, curriculum: Curriculum, seconds: float) -> dict[str, Any]:
    """Of each kind by itself; a kind that the corpus has nothing of is left out."""
    found = {}
    for kind in KINDS:
        try:
            maker.check({kind: 1.0})
        except DataError:
            continue
        found[kind] = rate(made(maker, {kind: 1.0}, curriculum), seconds)
        print(f"{kind:15} {found[kind]['tokens_per_second']:>10,}", file=sys.stderr)
    return found


def digest(batches: Iterator[Batch]) -> str:
    found = hashlib.sha256()
    for _, batch in zip(range(DIGESTED), batches, strict=False):
        for name in batch.__slots__[:-1]:
            found.update(getattr(batch, name).numpy().tobytes())
    return found.hexdigest()


def ahead(
    corpus: Path, maker: BatchMaker, curriculum: Curriculum, steps: int, seconds: float
) -> dict[str, Any]:
    """Size and reading of the batches of the first steps, in one process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, corpus, maker, curriculum, 1, range(steps), workers=0, progress=Quiet())
        each = curriculum.accumulate
        found = Ahead(folder)
        held = found.lacking(range(curriculum.steps * each)) or curriculum.steps * each
        stream = Stream(found, curriculum, each)
        tokens = sum(stream[index].tokens for index in range(held))
        bytes_a_token = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / tokens
        read = rate((stream[index % held] for index in count()), seconds)
        indices = [index % held for index in range(HANDED)]
        handed = DataLoader(stream, batch_size=None, sampler=indices, num_workers=1, prefetch_factor=8)
        received = rate(iter(handed), float("inf"))
    return {
        "batches": held,
        "bytes_per_token": round(bytes_a_token, 3),
        "tokens_in_40_mib": round(TRAVELS / bytes_a_token),
        "read": read,
        "received": received,
    }


def named(argument: str) -> str:
    """Of a path, the last part: where a corpus lies on a machine is nobody's business."""
    return Path(argument).name or argument


def commit() -> str:
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--config", type=Path, help="as in `seed train run`; its first stage is measured")
    parser.add_argument("--seconds", type=float, default=10.0, help="processor time of each figure")
    parser.add_argument("--steps", type=int, default=64, help="steps whose batches are made ahead")
    parser.add_argument("--output", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = machine(torch.device("cpu"))
    tokenizer = CodeTokenizer.load(given.corpus)
    curriculum = read_curriculum(configured(given.config), tokenizer.size)
    maker = open_batches(given.corpus, curriculum, tokenizer)
    mixture = curriculum.stages[0].mixture
    same = digest(made(maker, mixture, curriculum))
    mixed = rate(made(maker, mixture, curriculum), given.seconds)
    print(f"{'mixture':15} {mixed['tokens_per_second']:>10,}", file=sys.stderr)
    report = {
        "command": " ".join(["python benchmarks/example_speed.py", *map(named, sys.argv[1:])]),
        "commit": commit(),
        "machine": settings,
        "config": configured(given.config).stem,
        "tokens_a_batch": curriculum.tokens,
        "digest": same,
        "mixture": mixed,
        "of_16_cores": 16 * mixed["tokens_per_second"],
        "ahead": ahead(given.corpus, maker, curriculum, given.steps, given.seconds),
        "kinds": by_kind(maker, curriculum, given.seconds),
    }
    print(json.dumps(report, indent=1))
    if given.output:
        given.output.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
