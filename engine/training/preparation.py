"""From sources to a folder that `seed train run` can read: corpus, tokenizer, packed regions and pairs.

The folder: `regions.jsonl`, `held_out.jsonl`, `card.json` (see `engine.data.corpus`), `README.md` (its data card),
`tokenizer.json`, and what `engine.data.store` packs.
"""

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from engine.data.batches import BatchMaker
from engine.data.corpus import build, fingerprint, read_rows
from engine.data.decontamination import Barrier, texts_of_suites
from engine.data.examples import ExampleMaker
from engine.data.pairs import QUOTA, committed, refactored
from engine.data.rewrites import RewriteMaker
from engine.data.sources import read_sources
from engine.data.store import PairStore, RegionStore, TextPair, pack_pairs, pack_regions
from engine.errors import DataError
from engine.files import write_json
from engine.model.tokenizer import CodeTokenizer
from engine.training.curriculum import Curriculum
from engine.training.data_card import render_data_card
from engine.training.progress import Progress

VOCABULARY = 8192
TOKENIZER_ROWS = 60_000
"""Regions the tokenizer is trained on."""
PAIR_LINES = 60
"""Longest region, in lines, that pairs are made from."""
COMMITS_EACH = 800
"""Most changes taken from one repository's history."""
DRAWN = 8_000
"""Held-out functions drawn for evaluation."""


def prepare(
    folder: Path,
    sources: Path,
    repositories: Path,
    suites: Path | None,
    *,
    seed: int,
    progress: Progress,
) -> None:
    """Make everything that training reads, in order; what exists already is kept.

    Args:
        sources: the TOML list of sources.
        repositories: where its repositories lie.
        suites: a folder of evaluation suites (`*.jsonl`) that no training text may resemble.

    Raises:
        DataError: a source is missing or its licence does not permit training, there is nothing in `suites`, or the
            folder holds a corpus of other sources, other suites or another seed.
    """
    train, held_out = read_sources(sources, repositories)
    barred = list(texts_of_suites(suites)) if suites else []
    if not (folder / "card.json").exists():
        build(folder, train, held_out, barred, draw=DRAWN, seed=seed, tell=progress.line)
    _same(folder, {"barred": fingerprint(barred), "seed": seed}, [source.name for source in train])
    rows = read_rows(folder / "regions.jsonl")
    if not (folder / "tokenizer.json").exists():
        some = random.Random(seed).sample(rows, min(TOKENIZER_ROWS, len(rows)))
        CodeTokenizer.train((row.text for row in some), VOCABULARY).save(folder)
        progress.line(f"tokenizer: {VOCABULARY} tokens")
    tokenizer = CodeTokenizer.load(folder)
    if not (folder / "regions.offsets.npy").exists():
        progress.line(f"regions: {pack_regions(folder, [row.text for row in rows], tokenizer):,} tokens")
    if not (folder / "refactored.jsonl").exists():
        counts: Counter[str] = Counter()
        short = [row for row in rows if row.text.count("\n") <= PAIR_LINES]
        progress.phase("making refactorings", sum(QUOTA.values()), "pair")
        pairs = _counted(refactored(short, QUOTA, random.Random(seed)), counts, progress)
        made = pack_pairs(folder / "refactored.jsonl", pairs, tokenizer)
        progress.line(f"refactorings: {made:,} pairs")
        _note(folder / "card.json", "pairs", counts)
    if not (folder / "committed.jsonl").exists():
        barrier = Barrier([*barred, *(row.text for row in read_rows(folder / "held_out.jsonl"))])
        histories = [s.path for s in train if (s.path / "HEAD").exists()]
        progress.phase("reading histories", COMMITS_EACH * len(histories), "change")
        counts, tally = Counter(), Counter[str]()
        pairs = _counted(committed(histories, COMMITS_EACH, barrier, tally), counts, progress)
        made = pack_pairs(folder / "committed.jsonl", pairs, tokenizer)
        progress.line(f"history: {made:,} pairs")
        _note(folder / "card.json", "history", tally)
        _note(folder / "card.json", "pairs", counts)
    card = json.loads((folder / "card.json").read_text())
    (folder / "README.md").write_text(render_data_card(folder.resolve().name, card))


def _same(folder: Path, told: Mapping[str, object], sources: Sequence[str]) -> None:
    """Refuse to go on with a corpus as another one; what an older card does not tell counts as the same."""
    card = json.loads((folder / "card.json").read_text())
    odd = [name for name, value in told.items() if card.get(name, value) != value]
    odd += ["sources"] if list(card["sources"]) != list(sources) else []
    if odd:
        raise DataError(
            f"{folder} holds a corpus with other {' and '.join(odd)}; give another --out, or remove it"
        )


def _counted(pairs: Iterator[TextPair], counts: Counter[str], progress: Progress) -> Iterator[TextPair]:
    """The pairs, counted by recipe and told."""
    for done, pair in enumerate(pairs, 1):
        counts[pair.recipe or "history"] += 1
        progress.at(done)
        yield pair


def _note(card: Path, name: str, counts: Counter[str]) -> None:
    """Add counts to the card's table of this name, if there are any."""
    if counts:
        table = json.loads(card.read_text())
        table[name] = table.get(name, {}) | counts
        write_json(card, table)


def open_batches(
    folder: Path, curriculum: Curriculum, tokenizer: CodeTokenizer, *, commits_in_scope: bool = False
) -> BatchMaker:
    """The stream of batches of a prepared folder.

    Args:
        commits_in_scope: whether commits' subjects teach the scope head that it knows such instructions.

    Raises:
        DataError: the folder is not prepared.
    """
    pairs = {name: PairStore(folder / f"{name}.jsonl") for name in ("refactored", "committed")}
    regions = RegionStore(folder)
    if not len(regions.lengths):
        raise DataError(f"{folder} holds no regions; check the sources that `seed train corpus` read")
    c = curriculum
    maker = (ExampleMaker if c.decoder == "edit" else RewriteMaker)(
        tokenizer, commits_in_scope=commits_in_scope
    )
    return BatchMaker(maker, tokenizer.decode, regions, pairs, tokens=c.tokens, scored=c.scored, seed=c.seed)
