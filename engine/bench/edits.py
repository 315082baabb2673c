"""What an edit costs: by its size, by the region's, and for defects that the model repairs by itself."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch

from engine.bench.cases import EditCase, natural, scripted
from engine.bench.decoders import Counts, Decoder, Weights, decoders
from engine.bench.rows import BenchRow, Value, rows_of
from engine.bench.timing import in_turns
from engine.evaluation.scores import Share

SEED = 20261121


@dataclass(frozen=True, slots=True)
class EditSizes:
    """How much is measured."""

    regions: Sequence[int]
    changes: Sequence[int]
    natural: Sequence[int]
    """Sizes of the regions with injected defects."""
    defects: Sequence[int]
    rows: int
    """Regions of each size with injected defects."""
    batches: Sequence[int]
    batch_region: int
    times: int
    repair_times: int
    """For suites of many rows."""
    slowest: int
    """Tokens of the largest region that is also written token by token."""


def scripted_edits(
    weights: Weights, twin: Weights, functions: Sequence[str], sizes: EditSizes, tell: Callable[[str], None]
) -> Iterator[BenchRow]:
    """Scripted changes of every size in regions of every size, by every decoder."""
    ways = decoders(weights, twin, forced=True)
    for tokens in sizes.regions:
        for changed in sizes.changes:
            tell(f"{changed} changed tokens in {tokens}")
            case = scripted(weights.tokenizer, functions, tokens, changed, SEED)
            chosen = ways if tokens <= sizes.slowest else {"seed": ways["seed"]}
            facts: dict[str, Value] = {"region": tokens, "changed": changed, "decisions": "scripted"}
            if tokens > weights.network.config.max_tokens:
                facts["beyond_trained_length"] = True
            yield from _measured("edits", facts, chosen, [case], sizes.times, weights)


def natural_edits(
    weights: Weights, twin: Weights, functions: Sequence[str], sizes: EditSizes, tell: Callable[[str], None]
) -> Iterator[BenchRow]:
    """Injected defects, by decisions of the models' own; token by token, untrained weights write the sound text.

    The same rows give seconds and quality. First all rows of a size, then those that Seed repairs.
    """
    ways = decoders(weights, twin, forced=False)
    for tokens in sizes.natural:
        for defects in sizes.defects:
            cases = natural(weights.tokenizer, functions, tokens, defects, sizes.rows, SEED)
            tell(f"{defects} defects in {len(cases)} regions of {tokens}")
            if not cases:
                continue
            facts: dict[str, Value] = {"region": tokens, "defects": defects, "decisions": "own"}
            repaired = [case for case in cases if ways["seed"].edit([case])[0].exact]
            for kind, rows in (("all", cases), ("repaired by seed", repaired)):
                if rows:
                    yield from _measured(
                        "repairs",
                        {**facts, "rows": kind, "count": len(rows)},
                        ways,
                        rows,
                        sizes.repair_times,
                        weights,
                    )


def batched_edits(
    weights: Weights, functions: Sequence[str], sizes: EditSizes, tell: Callable[[str], None]
) -> Iterator[BenchRow]:
    """Edits of 1 changed token in regions of mixed lengths, together and one after another."""
    seed = Decoder(weights, None, forced=True)
    rng = random.Random(SEED)
    for count in sizes.batches:
        lengths = [round(sizes.batch_region * rng.uniform(0.5, 1.5)) for _ in range(count)]
        cases = [scripted(weights.tokenizer, functions, n, 1, SEED + i) for i, n in enumerate(lengths)]
        tell(f"{count} edits together")
        ways: dict[str, Callable[[], list[Counts]]] = {
            "together": partial(seed.edit, cases),
            "one after another": lambda cases=cases: [seed.edit([case])[0] for case in cases],  # type: ignore[misc]
        }
        timed = in_turns(ways, sizes.times, weights.device)
        counts: dict[str, dict[str, Value]] = {
            name: {"edits_per_second": count / t.median, "tokens_read": sum(lengths)}
            for name, t in timed.items()
        }
        facts: dict[str, Value] = {"edits": count, "region": sizes.batch_region, "decisions": "scripted"}
        yield from rows_of("batch", facts, timed, counts)


def in_windows(
    weights: Weights, functions: Sequence[str], sizes: EditSizes, tell: Callable[[str], None]
) -> Iterator[BenchRow]:
    """The same defects in regions that are read at once, and in windows of half their size."""
    for tokens in sizes.natural:
        cases = natural(weights.tokenizer, functions, tokens, 1, sizes.rows, SEED)
        tell(f"windows in {len(cases)} regions of {tokens}")
        ways = {
            "at once": Decoder(weights, None, forced=False),
            f"in windows of {tokens // 2}": Decoder(weights, None, forced=False, longest=tokens // 2),
        }
        if cases:
            facts: dict[str, Value] = {
                "region": tokens,
                "defects": 1,
                "decisions": "own",
                "count": len(cases),
            }
            yield from _measured("windows", facts, ways, cases, sizes.repair_times, weights)


def dtypes(
    weights: Weights,
    variants: Mapping[str, Callable[[], Weights]],
    functions: Sequence[str],
    sizes: EditSizes,
    tell: Callable[[str], None],
) -> Iterator[BenchRow]:
    """The same edits with weights of several types: seconds, memory of the weights, quality on the same rows."""
    tell("weights of several types")
    made = {"bfloat16" if weights.network.embedding.weight.dtype == torch.bfloat16 else "given": weights}
    made |= {name: make() for name, make in variants.items()}
    ways = {name: Decoder(w, None, forced=False) for name, w in made.items()}
    for tokens in sizes.natural:
        cases = natural(weights.tokenizer, functions, tokens, 1, sizes.rows, SEED)
        facts: dict[str, Value] = {"region": tokens, "defects": 1, "decisions": "own", "count": len(cases)}
        if cases:
            yield from _measured("dtypes", facts, ways, cases, sizes.repair_times, weights)


def _measured(
    suite: str,
    case: Mapping[str, Value],
    ways: Mapping[str, Decoder],
    cases: Sequence[EditCase],
    times: int,
    weights: Weights,
) -> list[BenchRow]:
    """Rows after each other; seconds are for one of them, on the average."""

    def work(decoder: Decoder) -> list[Counts]:
        return [decoder.edit([one])[0] for one in cases]

    for way in ways.values():
        way.edit(cases[:1])
    turns = {name: partial(work, way) for name, way in ways.items()}
    timed = in_turns(turns, times, weights.device, warm=0)
    counts: dict[str, Mapping[str, Value]] = {
        name: _means(timed[name].result, timed[name].median, way) for name, way in ways.items()
    }
    found = rows_of(suite, case, timed, counts)
    n = len(cases)
    return [
        replace(row, seconds=row.seconds / n, quartiles=(row.quartiles[0] / n, row.quartiles[1] / n))
        for row in found
    ]


def _means(found: Sequence[Counts], seconds: float, way: Decoder) -> dict[str, Value]:
    n = len(found)
    forwards, answer = sum(c.forwards for c in found), sum(c.answer for c in found)
    return {
        "written": sum(c.written for c in found) / n,
        "changed": sum(c.changed for c in found) / n,
        "answer": answer / n,
        "forwards": forwards / n,
        "tokens_per_forward": answer / forwards,
        "answer_tokens_per_second": answer / seconds,
        **({} if way.is_forced else _quality([c.exact for c in found])),
        "weight_mb": way.weights.megabytes,
    }


def _quality(exact: Sequence[bool]) -> dict[str, Value]:
    """Share of the answers that are those looked for, with its interval."""
    found = Share(sum(exact), len(exact))
    low, high = found.interval
    return {"exact": found.value, "exact_low": low, "exact_high": high}
