"""More held-out functions than a corpus drew, for suites that ask for many: as the others, and as unknown to the model.

    python benchmarks/more_held_out.py --corpus corpus --repositories DIR --out more.jsonl [--count 4000]

Drawn are functions of 5 to 60 lines of the held-out repositories that `held_out.jsonl` does not have. The corpus left
out what resembles that file, not what resembles these; so those that any training region contaminates are dropped here,
by the same measure. Written are the corpus's own functions, then these.
"""

import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.data.corpus import drawable, read_rows, sampled, write_rows
from engine.data.decontamination import Barrier, texts_of_suites
from engine.data.sources import read_sources

SOURCES = Path(__file__).parents[1] / "engine/training/configs/sources.toml"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--bar", type=Path, required=True, help="folder of evaluation suites (*.jsonl)")
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    known = read_rows(given.corpus / "held_out.jsonl")
    _, sources = read_sources(SOURCES, given.repositories)
    texts = {row.text for row in known}
    others = drawable(sources, Barrier(texts_of_suites(given.bar)), rng)
    rows = sampled([row for row in others if row.text not in texts], given.count, rng)
    like = Barrier(row.text for row in rows)
    resembling = [row.text for row in read_rows(given.corpus / "regions.jsonl") if like.bars(row.text)]
    trained = Barrier(resembling)
    kept = [row for row in rows if not trained.bars(row.text)]
    print(
        f"{len(rows)} drawn, {len(rows) - len(kept)} dropped: {len(resembling)} training regions resemble them"
    )
    write_rows(given.out, [*known, *kept])


if __name__ == "__main__":
    main()
