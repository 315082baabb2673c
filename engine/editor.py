"""The one door to the model: requests in, proposals out.

A checkpoint with its sampler, on a device. Knows nothing of users' files, patches or terminals.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import torch

from engine.checkpoints import folder as checkpoint
from engine.completer import Completer
from engine.diffusion.layout import Decoder
from engine.errors import CheckpointError, DeviceError
from engine.model.int8 import quantize
from engine.model.network import Network
from engine.model.onednn import order
from engine.model.tokenizer import CodeTokenizer
from engine.proposer import MAX_INSTRUCTION, Bounds, Proposer
from engine.requests import (
    Completed,
    CompletionOptions,
    CompletionRequest,
    EditOptions,
    EditRequest,
    ModelInfo,
    Proposal,
    Reading,
)
from engine.sampling.autoregressive import AutoregressiveSampler
from engine.sampling.edit import EditSampler
from engine.scanner import Scanner

INT8 = "int8"
"""The dtype whose weights are int8; what runs between them has the usual one."""
SPARE = 64
"""Tokens set aside for what an edit adds."""
WINDOWS = 12
"""Times the tokens read at once that a region may have: it is then edited in windows."""


class Editor:
    """A loaded checkpoint that edits regions."""

    def __init__(
        self,
        network: Network,
        tokenizer: CodeTokenizer,
        settings: dict[str, object],
        *,
        name: str,
        path: Path,
        revision: str,
    ) -> None:
        c = tokenizer.controls
        self._tokenizer, self._network = tokenizer, network
        decoder = settings.get("decoder", "edit")
        context_tokens = int(str(settings.get("context_tokens", 0)))
        longest = network.config.max_tokens - context_tokens - MAX_INSTRUCTION - SPARE
        self._sampler: EditSampler | AutoregressiveSampler
        if decoder == "edit":
            self._sampler = EditSampler(
                network, c.edits, never=c.never, pad=c.pad, longest=longest, starts=tokenizer.line_breaks
            )
        elif decoder == "autoregressive":
            lookahead = int(str(settings.get("lookahead", 0)))
            self._sampler = AutoregressiveSampler(
                network, end=c.end, never=c.unwritten, pad=c.pad, spare=SPARE, lookahead=lookahead
            )
        else:
            raise CheckpointError(f"{path}: decoder {decoder!r} is not one of {', '.join(get_args(Decoder))}")
        self._completer = Completer(network, tokenizer, "edit" if decoder == "edit" else "autoregressive")
        recipes = settings.get("recipes", ())
        assert isinstance(recipes, list | tuple), "`recipes` in the checkpoint's config is a list"
        weight = network.embedding.weight
        self._info = ModelInfo(
            name=name,
            revision=revision,
            path=str(path),
            parameters=network.parameter_count(),
            dtype=str(weight.dtype).removeprefix("torch."),
            device=str(weight.device),
            max_region_tokens=longest if decoder == "edit" else longest // 2,  # read, and written anew
            recipes=tuple(map(str, recipes)),
            threshold=float(str(settings.get("threshold", 0.7))),
            context_tokens=context_tokens,
            hints=bool(settings.get("hints", False)),
        )
        if longest <= 0:
            raise CheckpointError(
                f"{path}: of {network.config.max_tokens} tokens context and instruction leave none for a region"
            )
        if not 0 <= self._info.threshold <= 1:
            raise CheckpointError(f"{path}: threshold {self._info.threshold} is not from 0 to 1")
        most = self._info.max_region_tokens * (WINDOWS if decoder == "edit" else 1)
        self._proposer = Proposer(self._sampler, tokenizer, self._info, Bounds.of(settings), most)

    @classmethod
    def load(
        cls, path: Path | None = None, *, device: str | None = None, dtype: str | None = None
    ) -> "Editor":
        """The checkpoint in a folder; the one that comes with Seed if None.

        Args:
            device: `cpu`, `cuda`, ...; None takes CUDA where there is one.
            dtype: `bfloat16`, `float32` or, on a CPU, `int8`; None takes bfloat16 where the device computes it fast,
                else float32.

        Raises:
            CheckpointError: the folder is no usable checkpoint.
            DeviceError: the device or dtype does not exist here.
        """
        folder = checkpoint.DEFAULT if path is None else path
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise DeviceError(f"device {device}: this machine has no CUDA device; use cpu")
        try:
            torch.empty(0, device=device)
        except RuntimeError as error:
            raise DeviceError(f"device {device}: {str(error).splitlines()[0]}; use cpu") from error
        chosen = usual_dtype(None if dtype == INT8 else dtype, device)
        network, tokenizer, settings = checkpoint.load(folder, device=device, dtype=chosen)
        name = "default" if path is None else folder.name
        try:
            return cls(
                _prepared(network, dtype),
                tokenizer,
                settings,
                name=name,
                path=folder,
                revision=checkpoint.revision(folder),
            )
        except (AssertionError, TypeError, ValueError) as error:
            raise CheckpointError(f"{folder}: its config cannot be used: {error}") from error

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def network(self) -> Network:
        """For measurements that look deeper than a proposal."""
        return self._network

    @property
    def tokenizer(self) -> CodeTokenizer:
        return self._tokenizer

    def propose(self, requests: Sequence[EditRequest], options: EditOptions) -> list[Proposal]:
        """One proposal for each request, in order; all of them share forwards."""
        return self._proposer.propose(requests, options)

    def scan(self, requests: Sequence[EditRequest], *, least: float) -> list[Reading]:
        """What the first round would change in each region, in order; one forward each, which they share.

        Args:
            least: tokens whose probability of change is lower are left out.

        Raises:
            CheckpointError: the model writes regions anew, and so has no such round.
        """
        if not isinstance(self._sampler, EditSampler):
            raise CheckpointError(
                f"{self._info.path} writes regions token after token; scan with an edit model"
            )
        prefixes = [self._proposer.prefix(request) for request in requests]
        scanner = Scanner(self._network, self._tokenizer, self._info.max_region_tokens)
        return scanner.scan(prefixes, [request.region for request in requests], least=least)

    def samples(self, requests: Sequence[EditRequest], count: int, options: EditOptions) -> list[list[str]]:
        """As `Proposer.samples`."""
        return self._proposer.samples(requests, count, options)

    def complete(self, requests: Sequence[CompletionRequest], options: CompletionOptions) -> list[Completed]:
        """Texts for the gap of each request, or that go on from it, in order; all of them share forwards."""
        return self._completer.complete(requests, options)


def _prepared(network: Network, dtype: str | None) -> Network:
    """The network as it runs fastest here, or in int8."""
    if dtype != INT8:
        return order(network)
    try:
        return quantize(network)
    except ValueError as error:
        raise DeviceError(f"dtype {dtype}: {error}; use bfloat16") from error


def usual_dtype(name: str | None, device: str) -> torch.dtype:
    """The dtype of this name; if None, the one that weights are loaded in.

    Raises:
        DeviceError: there is no such dtype here.
    """
    known = {"bfloat16": torch.bfloat16, "float32": torch.float32}
    if name is not None and name not in known:
        raise DeviceError(f"dtype {name} is not one of {', '.join([*known, INT8])}")
    if name is None:
        fast = not device.startswith("cpu") or "amx_bf16" in _cpu_flags()
        return torch.bfloat16 if fast else torch.float32
    return known[name]


def _cpu_flags() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
