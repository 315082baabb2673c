"""What new text costs: blocks of masks filled by a script, against the same weights one token at a time; and what a
forward costs by the number of tokens it carries, from which the block's size follows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from engine.bench.decoders import Weights
from engine.bench.forced import ForcedCompleter, ForcedWriter
from engine.bench.rows import BenchRow, Value, rows_of
from engine.bench.timing import in_turns
from engine.diffusion.layout import Prefix, prefix
from engine.requests import COMPLETE
from engine.sampling.batch import read_canvases, read_prefixes
from engine.sampling.complete import CompletionSettings
from engine.sampling.edit import EditSettings

WORTH = 2.0
"""Times a forward over one token that a forward over a block may cost for its size to be chosen."""


@dataclass(frozen=True, slots=True)
class TextSizes:
    """How much is measured."""

    lengths: Sequence[int]
    batches: Sequence[int]
    fills: Sequence[int]
    """Masks filled a round."""
    block: int
    given: int
    """Tokens that stand before the text."""
    blocks: Sequence[int]
    """Tokens of a forward."""
    times: int


def generation(weights: Weights, sizes: TextSizes, tell: Callable[[str], None]) -> Iterator[BenchRow]:
    """Texts of every length, in blocks and one token at a time, alone and several together."""
    for batch in sizes.batches:
        for length in sizes.lengths if batch == 1 else sizes.lengths[:1]:
            tell(f"{batch} texts of {length} tokens")
            ways: dict[str, Callable[[], int]] = {
                f"blocks of {sizes.block}, {fill} tokens a round": partial(
                    _blocks, weights, sizes, length, batch, fill
                )
                for fill in sizes.fills
            }
            ways["one token at a time"] = partial(_tokens, weights, sizes, length, batch)
            timed = in_turns(ways, sizes.times, weights.device)
            counts: dict[str, dict[str, Value]] = {
                name: {
                    "written": length * batch,
                    "forwards": t.result,
                    "tokens_per_forward": length / t.result,
                    "tokens_per_second": length * batch / t.median,
                }
                for name, t in timed.items()
            }
            facts: dict[str, Value] = {"tokens": length, "texts": batch, "decisions": "scripted"}
            yield from rows_of("generation", facts, timed, counts)


def block_sizes(weights: Weights, sizes: TextSizes, tell: Callable[[str], None]) -> Iterator[BenchRow]:
    """T(B)/T(1): a forward over B tokens after a cached prefix."""
    tell("forwards by their number of tokens")
    network, pad = weights.network, weights.tokenizer.controls.pad
    with torch.inference_mode():
        cache = read_prefixes(network, [_given(weights, sizes.given)], pad)
        ways: dict[str, Callable[[], Tensor]] = {
            str(b): partial(read_canvases, network, cache, [[(7 * i) % 4096 for i in range(b)]], pad)
            for b in sizes.blocks
        }
        timed = in_turns(ways, 3 * sizes.times, weights.device, warm=2)
    for row in rows_of("forwards", {"after": sizes.given}, timed, {}):
        yield BenchRow(
            row.suite,
            row.case,
            row.way,
            row.seconds,
            row.quartiles,
            row.times,
            row.ratio,
            {"tokens_per_second": int(row.way) / row.seconds},
        )


def chosen_block(rows: Sequence[BenchRow]) -> int:
    """The most tokens that a forward carries for `WORTH` times the cost of one."""
    return max(int(row.way) for row in rows if row.suite == "forwards" and row.ratio <= WORTH)


def thread_counts(
    weights: Weights, sizes: TextSizes, threads: Sequence[int], tell: Callable[[str], None]
) -> Iterator[BenchRow]:
    """A forward over 256 tokens by the number of threads."""
    tell("forwards by threads")
    before = torch.get_num_threads()
    network, pad = weights.network, weights.tokenizer.controls.pad

    def work(count: int, tokens: list[int]) -> Tensor:
        torch.set_num_threads(count)
        return read_canvases(network, cache, [tokens], pad)

    try:
        with torch.inference_mode():
            cache = read_prefixes(network, [_given(weights, 32)], pad)
            for size in (1, 256):
                tokens = [(7 * i) % 4096 for i in range(size)]
                ways = {f"{count} threads": partial(work, count, tokens) for count in threads}
                timed = in_turns(ways, 3 * sizes.times, weights.device, warm=2)
                yield from rows_of("threads", {"tokens": size}, timed, {})
    finally:
        torch.set_num_threads(before)


def _given(weights: Weights, tokens: int) -> Prefix:
    where = prefix((), weights.tokenizer.encode(COMPLETE), marks=weights.tokenizer.controls.marks)
    return where.then([(11 * i) % 4096 for i in range(tokens)])


def _blocks(weights: Weights, sizes: TextSizes, length: int, batch: int, fill: int) -> int:
    """Write texts in blocks; the forwards that took."""
    c = weights.tokenizer.controls
    sampler = ForcedCompleter(weights.network, c.edits, never=c.never, pad=c.pad, each=fill, token=c.end + 9)
    given = [[(11 * i) % 4096 for i in range(sizes.given)]] * batch
    where = prefix((), weights.tokenizer.encode(COMPLETE), marks=c.marks)
    settings = CompletionSettings(max_tokens=length, block=sizes.block)
    found, _ = sampler.go_on(where, given, settings)
    assert all(len(draft.written) == length for (draft,) in found), "the script decides how long texts are"
    return found[0][0].rounds + 1


def _tokens(weights: Weights, sizes: TextSizes, length: int, batch: int) -> int:
    """Write texts token by token; the forwards that took."""
    c = weights.tokenizer.controls
    targets = [[c.end + 9] * (length - 1)] * batch
    writer = ForcedWriter(weights.network, targets, end=c.end, never=c.unwritten, pad=c.pad, lookahead=0)
    where = [_given(weights, sizes.given)] * batch
    outcomes, _ = writer.run(where, [[]] * batch, EditSettings(threshold=0.0))
    return outcomes[0].forwards + 1
