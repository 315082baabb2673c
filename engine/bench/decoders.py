"""The ways of decoding that are compared, each from a region's tokens to a diff, with counts of what it did."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from engine.bench.cases import EditCase
from engine.bench.forced import ForcedEditor, ForcedWriter
from engine.diffusion.layout import Prefix, prefix
from engine.diffusion.levenshtein import gaps
from engine.editor import Editor
from engine.model.network import Network
from engine.model.onednn import order
from engine.model.tokenizer import CodeTokenizer
from engine.sampling.autoregressive import AutoregressiveSampler
from engine.sampling.edit import EditSampler, EditSettings, Outcome

LOOKAHEAD = 10
"""Guessed tokens a forward verifies with prompt lookup: what transformers takes by default."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A network and what it was made for."""

    name: str
    network: Network
    tokenizer: CodeTokenizer
    threshold: float
    folder: Path
    is_trained: bool = True

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.network.embedding.weight.device

    @property
    def megabytes(self) -> float:
        """That the weights take as they are stored, without a second copy in another order."""
        network = self.network
        size = torch.empty((), dtype=network.compute_dtype).element_size()
        return network.parameter_count() * (1 if network.stream_dtype else size) / 1e6


@dataclass(frozen=True, slots=True)
class Counts:
    """What a decoder did for one edit."""

    written: int
    """Tokens that it wrote, copied ones among them."""
    changed: int
    """Tokens in which the answer differs from the region."""
    answer: int
    """Tokens of the answer."""
    forwards: int
    """The one over the instruction among them."""
    exact: bool
    """Whether the answer is the one looked for."""
    diff_lines: int


class Decoder:
    """One way of decoding with one set of weights."""

    def __init__(
        self, weights: Weights, lookahead: int | None, *, forced: bool, longest: int | None = None
    ) -> None:
        """
        Args:
            lookahead: None edits; else the region is written token by token, with so many guesses a forward.
            forced: whether the target's labels stand in the place of the model's own.
            longest: tokens that are edited at once by decisions of the model's own; None for all.
        """
        self._longest = longest
        self.weights, self._lookahead, self.is_forced = weights, lookahead, forced

    def edit(self, cases: Sequence[EditCase]) -> list[Counts]:
        """All of them together, from tokens to diffs."""
        tokenizer = self.weights.tokenizer
        prefixes = [_prefix(tokenizer, case.instruction) for case in cases]
        outcomes = self._run(prefixes, cases)
        return [self._counts(case, outcome) for case, outcome in zip(cases, outcomes, strict=True)]

    def _run(self, prefixes: Sequence[Prefix], cases: Sequence[EditCase]) -> list[Outcome]:
        c, network = self.weights.tokenizer.controls, self.weights.network
        targets, canvases = [case.target for case in cases], [case.canvas for case in cases]
        if self._lookahead is None:
            editor = (
                ForcedEditor(network, c.edits, targets, never=c.never, pad=c.pad)
                if self.is_forced
                else EditSampler(
                    network,
                    c.edits,
                    never=c.never,
                    pad=c.pad,
                    longest=self._longest,
                    starts=self.weights.tokenizer.line_breaks,
                )
            )
            settings = EditSettings(threshold=self.weights.threshold, max_rounds=32 if self.is_forced else 16)
            return editor.run(prefixes, canvases, settings)[0]
        writer = (
            ForcedWriter(network, targets, end=c.end, never=c.unwritten, pad=c.pad, lookahead=self._lookahead)
            if self.is_forced
            else AutoregressiveSampler(
                network, end=c.end, never=c.unwritten, pad=c.pad, spare=64, lookahead=self._lookahead
            )
        )
        return writer.run(prefixes, canvases, EditSettings(threshold=0.0))[0]

    def _counts(self, case: EditCase, outcome: Outcome) -> Counts:
        answer = outcome.rows[0].canvas
        changed = sum(max(gap.end - gap.start, len(gap.wanted)) for gap in gaps(case.canvas, answer))
        written = changed if self._lookahead is None else len(answer) + 1
        lines = _diff(self.weights.tokenizer, case.canvas, answer)
        exact = tuple(answer) == case.target
        return Counts(written, changed, len(answer), outcome.forwards + 1, exact, lines)


def decoders(weights: Weights, twin: Weights, *, forced: bool) -> dict[str, Decoder]:
    """By name: Seed, its weights token by token, and the twin plain and with prompt lookup."""
    return {
        "seed": Decoder(weights, None, forced=forced),
        "same weights, one token at a time": Decoder(weights, 0, forced=True),
        f"{twin.name}, plain": Decoder(twin, 0, forced=forced or not twin.is_trained),
        f"{twin.name}, prompt lookup": Decoder(twin, LOOKAHEAD, forced=forced or not twin.is_trained),
    }


def random_twin(weights: Weights) -> Weights:
    """A network of the same shape with random weights, for timing only."""
    return replace(
        weights, name="twin (random weights)", network=random_like(weights.network), is_trained=False
    )


def random_like(network: Network, *, max_tokens: int | None = None) -> Network:
    """Random weights of the same shape, dtype and device."""
    config = replace(network.config, max_tokens=max_tokens or network.config.max_tokens)
    generator = torch.random.get_rng_state()
    torch.manual_seed(0)
    made = Network(config)
    torch.random.set_rng_state(generator)
    return order(made.to(network.embedding.weight.device, network.compute_dtype).eval().requires_grad_(False))


def trained(folder: Path | None, *, device: str | None = None, dtype: str | None = None) -> Weights:
    """The weights in a folder, or the default ones; device and dtype as `Editor.load` takes them.

    Raises:
        CheckpointError: there are none.
        DeviceError: the device or dtype does not exist here.
    """
    editor = Editor.load(folder, device=device, dtype=dtype)
    return Weights(
        editor.info.name, editor.network, editor.tokenizer, editor.info.threshold, Path(editor.info.path)
    )


def _prefix(tokenizer: CodeTokenizer, instruction: str) -> Prefix:
    return prefix((), tokenizer.encode(instruction), marks=tokenizer.controls.marks)


def _diff(tokenizer: CodeTokenizer, before: Sequence[int], after: Sequence[int]) -> int:
    """Lines of the unified diff between two regions' texts."""
    old, new = (tokenizer.raw(ids).decode("utf-8", "replace").splitlines() for ids in (before, after))
    return len(list(difflib.unified_diff(old, new, lineterm="")))


def variants(weights: Weights) -> dict[str, Callable[[], Weights]]:
    """The same weights in other types, made when they are asked for."""
    return {name: partial(trained, weights.folder, device="cpu", dtype=name) for name in ("float32", "int8")}
