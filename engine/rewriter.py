"""Checkpoints from elsewhere as editors: a chat model is asked for a region's new text and writes it anew.

The region is the draft of the answer: a family whose blocks are causal writes what it repeats in few forwards. Knows
nothing of files, patches or terminals.
"""

import hashlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from engine.answers import code_of, is_closed, like_region
from engine.checkpoints import contents, loading, through_transformers
from engine.checkpoints.chat import TokenizerConfig, turns
from engine.checkpoints.describing import Described, describe
from engine.checkpoints.families.family import Ids
from engine.checkpoints.vocabulary import Vocabulary
from engine.diffusion.levenshtein import gaps
from engine.errors import CheckpointError
from engine.model.packed import Packing
from engine.offers import unlawful
from engine.requests import (
    Candidate,
    Completed,
    CompletionOptions,
    CompletionRequest,
    EditOptions,
    EditRequest,
    ModelInfo,
    Proposal,
    Reading,
    Verdict,
)
from engine.sampling.batch import like_lengths
from engine.sampling.foreign import ForeignWriter
from engine.sampling.rules.guesses import Heat
from engine.sampling.rules.writer import Writer, writer
from engine.sampling.rules.writing import Writing, Written
from engine.syntax import parses
from prompts.asking import Asked, edit_question

SPARE = 64
"""Tokens by which every answer may outgrow its region; a long one by a quarter of it."""
INSTRUCTION = 256
"""Tokens set aside for the instruction and the words around it."""
CONTEXT = 2048
"""Tokens of context at most; never more than a quarter of what the model reads."""
THRESHOLD = 0.25
"""Least score of an answer that is offered: a competent model's are near 1, noise is far below."""
WARMTH = 0.7
"""Temperature of further candidates where neither the user nor the family says one."""
GROUP_TOKENS = 32_768
"""Most tokens, read and written, of the answers that share forwards; bounds the cache."""
TAIL = 24
"""Last tokens of an answer that are looked at for its end; a closing line has fewer."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A checkpoint's weights, ready to write."""

    writer: Writer
    parameters: int
    device: str
    group_tokens: int = GROUP_TOKENS


@dataclass(slots=True)
class _Task:
    """A request on its way."""

    request: EditRequest
    asked: Asked
    prompt: list[int]
    draft: list[int]
    """The answer that leaves the region as it is."""
    region_tokens: int
    most: int
    """Tokens of the answer; 0 if the region does not fit."""
    written: list[Written] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Read:
    """What an answer says."""

    text: str | None
    """The region's new text; None with a reason."""
    reason: str
    score: float


class Rewriter:
    """A loaded checkpoint of another family."""

    def __init__(
        self,
        what: Described,
        opened: "_Opened",
        vocabulary: Vocabulary,
        frame: tuple[list[int], list[int]],
        *,
        weights: str,
    ) -> None:
        """
        Args:
            frame: what stands before and after the question.
            weights: the type that they are held in.
        """
        self._vocabulary, self._frame, self._family = vocabulary, frame, what.family
        self._writer, self._ids, self._group_tokens = opened.writer, what.ids, opened.group_tokens
        tokens = what.shape.max_tokens
        context = min(CONTEXT, tokens // 4)
        frame_tokens = len(frame[0]) + len(frame[1])
        room = max(0, tokens - context - INSTRUCTION - frame_tokens - SPARE)
        self._room = tokens
        self._info = ModelInfo(
            name=contents.called(what.folder),
            revision=revision(what.folder),
            path=str(what.folder),
            parameters=opened.parameters,
            dtype=weights,
            device=opened.device,
            max_region_tokens=4 * room // 9,  # read, and written anew with a quarter to spare
            recipes=(),
            threshold=THRESHOLD,
            context_tokens=context,
            hints=True,  # it follows instructions of any form
        )

    @classmethod
    def load(
        cls, path: Path, *, device: str, dtype: torch.dtype, packing: Packing | None = None
    ) -> "Rewriter":
        """The checkpoint in a folder.

        Args:
            dtype: of what is computed, and of weights that are not packed.
            packing: keep the matrices of layers in so few bits.

        Raises:
            CheckpointError: the folder is no checkpoint of a known family, not to be trusted, or has no usable
                tokenizer or chat template.
            DeviceError: it does not fit into memory, or its weights cannot be packed.
        """
        what, config = describe(path), TokenizerConfig.read(path)
        vocabulary = Vocabulary.load(path, what.shape.vocabulary)
        around = turns(path, config, what.family.template)
        frame = vocabulary.frame(around.before), vocabulary.frame(around.after)
        ids = special_ids(what.ids, config, vocabulary, frame[1], path)
        if ids.mask is None and what.family.sight != "past" and not what.family.through:
            raise CheckpointError(f"{path}: neither config.json nor the tokenizer names a mask token")
        what = replace(what, ids=ids)
        opened = _open(what, device, dtype, packing)  # last, since it takes longest
        return cls(what, opened, vocabulary, frame, weights=packing or str(dtype).removeprefix("torch."))

    @property
    def info(self) -> ModelInfo:
        return self._info

    def propose(self, requests: Sequence[EditRequest], options: EditOptions) -> list[Proposal]:
        """One proposal for each request, in order; all of them share forwards."""
        start = time.perf_counter()
        tasks = [self._task(request) for request in requests]
        begun = time.perf_counter()
        forwards = self._write([task for task in tasks if task.most], options)
        seconds = {
            "tokenize": begun - start,
            "prefix": 0.0,
            "rounds": time.perf_counter() - begun,
        }
        return [self._proposal(task, options, forwards, seconds) for task in tasks]

    def scan(self, requests: Sequence[EditRequest], *, least: float) -> list[Reading]:
        """Nothing: a model that writes regions anew cannot tell places.

        Raises:
            CheckpointError: always.
        """
        raise CheckpointError(
            f"{self._info.path} writes regions anew; {len(requests)} regions cannot be scanned for changes above "
            f"{least}: use an edit model"
        )

    def complete(self, requests: Sequence[CompletionRequest], options: CompletionOptions) -> list[Completed]:
        """Nothing: a model that writes regions anew fills no gaps.

        Raises:
            CheckpointError: always.
        """
        raise CheckpointError(
            f"{self._info.path} writes regions anew; {len(requests) * options.samples} completions are for a "
            "checkpoint of Seed's own"
        )

    def _task(self, request: EditRequest) -> _Task:
        encode, frame = self._vocabulary.encode, self._frame
        context = self._cut(request.context)
        language = "python" if request.must_parse else ""
        asked = edit_question(
            self._family.name, request.instruction, request.region, context=context, language=language
        )
        code = request.region if request.region.endswith("\n") else f"{request.region}\n"
        closing = encode(f"{asked.fence}\n")
        draft = [*encode(code), *closing, *self._ids.stops[:1]]
        prompt = [*frame[0], *encode(asked.question), *frame[1], *encode(asked.opening)]
        region_tokens = len(encode(request.region))
        most = len(draft) + max(SPARE, region_tokens // 4)
        fits = region_tokens <= self._info.max_region_tokens and len(prompt) + most <= self._room
        return _Task(request, asked, prompt, draft, region_tokens, most if fits else 0)

    def _cut(self, context: str) -> str:
        """What is nearest to the region of a long context: whole lines at its end."""
        ids = self._vocabulary.encode(context)
        if len(ids) <= self._info.context_tokens:
            return context
        kept = self._vocabulary.shown(ids[-self._info.context_tokens :])
        return kept.partition("\n")[2]

    def _write(self, tasks: Sequence[_Task], options: EditOptions) -> int:
        """The answers of every task, the greedy one first; how many forwards were made."""
        warmth = options.temperature or self._family.rule.temperature or WARMTH
        heats = [None, *[Heat(warmth, options.top_k, self._family.rule.top_p)] * (options.candidates - 1)]
        asked = [
            (task, self._writing(task, heat, f"{options.seed}:{n}"))
            for task in tasks
            for n, heat in enumerate(heats)
        ]
        lengths = [len(writing.prompt) + writing.most for _, writing in asked]
        answers: dict[int, Written] = {}
        forwards = 0
        for group in like_lengths(lengths, self._group_tokens):
            written = self._writer.write([asked[i][1] for i in group])
            answers |= zip(group, written, strict=True)
            forwards += max(one.forwards for one in written)
        for i, (task, _) in enumerate(asked):
            task.written.append(answers[i])
        return forwards

    def _writing(self, task: _Task, heat: Heat | None, chance: str) -> Writing:
        fence = task.asked.fence

        def ended(tokens: Sequence[int]) -> bool:
            return is_closed(self._vocabulary.shown(tokens[-TAIL:]), fence)

        return Writing(task.prompt, task.most, task.draft, heat, chance, ended)

    def _proposal(
        self, task: _Task, options: EditOptions, forwards: int, seconds: dict[str, float]
    ) -> Proposal:
        threshold = self._info.threshold if options.threshold is None else options.threshold
        read = [self._read(task, written) for written in task.written]
        verdict, message = self._verdict(task, read, threshold)
        candidates = self._candidates(task, read, threshold) if verdict == "edit" else ()
        return Proposal(
            verdict,
            candidates,
            message,
            read[0].score if read and read[0].text != task.request.region else 0.0,
            forwards if task.written else 0,
            max((written.rounds for written in task.written), default=0),
            task.region_tokens,
            seconds,
            stands=not candidates or candidates[0].text == read[0].text,
        )

    def _read(self, task: _Task, written: Written) -> _Read:
        """The region's new text in an answer."""
        score = math.exp(
            sum(math.log(max(p, 1e-30)) for p in written.probabilities) / max(1, len(written.tokens))
        )
        answer = self._vocabulary.text(written.tokens)
        if answer is None:
            return _Read(None, "the model wrote what is no text", score)
        code = code_of(answer, task.asked.fence, is_whole=written.is_whole)
        if code is None:
            why = "holds no code" if written.is_whole else f"came to no end in {len(written.tokens)} tokens"
            return _Read(None, f"the model's answer {why}", score)
        text = like_region(code, task.request.region)
        return _Read(
            text, "" if text is not None else "the code found cannot be indented as the region is", score
        )

    def _verdict(self, task: _Task, read: Sequence[_Read], threshold: float) -> tuple[Verdict, str]:
        """What is to be said of the answers, by the best of them."""
        limit = self._info.max_region_tokens
        if not task.most:
            why = f"the region has {task.region_tokens} tokens, the model rewrites {limit}; name a smaller region"
            return "too_long", why
        if self._candidates(task, read, threshold):
            return "edit", ""
        sure = [one for one in read if one.text is not None and one.score >= threshold]
        if any(one.text == task.request.region for one in sure):
            return "unchanged", "nothing needs to change"
        if refusal := next(filter(None, (unlawful(task.request, one.text or "") for one in sure)), None):
            return refusal.verdict, refusal.message
        if sure:
            return "unsound", "the edit found would not parse"
        if any(one.text is not None for one in read):
            return "unsure", f"no edit that the model would stand by: none is {threshold:.0%} sure"
        return "unsure", f"no usable edit: {read[0].reason}"

    def _candidates(self, task: _Task, read: Sequence[_Read], threshold: float) -> tuple[Candidate, ...]:
        """Distinct texts other than the region that may be offered, the greedy one first, others by score."""
        region, found = task.request.region, dict[str, Candidate]()
        both = list(zip(read, task.written, strict=True))
        for one, written in [*both[:1], *sorted(both[1:], key=lambda pair: -pair[0].score)]:
            text = one.text
            if text is None or text == region or text in found or one.score < threshold:
                continue
            if (task.request.must_parse and not parses(text)) or unlawful(task.request, text):
                continue
            found[text] = Candidate(text, one.score, self._changed(region, text), written.rounds)
        return tuple(found.values())

    def _changed(self, region: str, text: str) -> int:
        before, after = self._vocabulary.encode(region), self._vocabulary.encode(text)
        return sum(max(gap.end - gap.start, len(gap.wanted)) for gap in gaps(before, after))


def _open(what: Described, device: str, dtype: torch.dtype, packing: Packing | None) -> _Opened:
    """Load the weights.

    Raises:
        CheckpointError: they are not what the config says.
        DeviceError: they do not fit into memory, or cannot be packed.
    """
    if what.family.through:
        foreign = through_transformers.load(what.folder, device=device, dtype=dtype, packing=packing)
        alone = ForeignWriter(foreign, what.ids)
        return _Opened(alone, what.parameters, str(foreign.model.device), group_tokens=0)
    loaded = loading.load(what.folder, device=device, dtype=dtype, packing=packing)
    network = loaded.network
    shared = writer(network, what.family, what.ids, what.block)
    return _Opened(shared, network.parameter_count(), str(network.embedding.weight.device))


def special_ids(
    ids: Ids, config: TokenizerConfig, vocabulary: Vocabulary, after: Sequence[int], folder: Path
) -> Ids:
    """A checkpoint's special tokens, with what its tokenizer says.

    Its mask counts where `config.json` names none; what ends a turn in the chat's frame ends an answer.
    """
    said = contents.read_json(folder, contents.CONFIG).get("mask_token_id")
    mask = vocabulary.id_of(config.tokens.get("mask_token", "")) if said is None else None
    ends = [*after[:1], vocabulary.id_of(config.tokens.get("eos_token", ""))]
    stops = (*(i for i in ends if i is not None and vocabulary.is_control(i)), *ids.stops)
    return replace(ids, mask=ids.mask if mask is None else mask, stops=tuple(dict.fromkeys(stops)))


def revision(folder: Path) -> str:
    """12 hex digits: of the commit in a download cache, else of the SHA-256 of the config and of what the weights are.

    Weights of gigabytes are not read for it; names, shapes and places of their tensors are.
    """
    home = folder.resolve()
    if home.parent.name == "snapshots":
        return home.name[:12]
    digest = hashlib.sha256(contents.member(folder, contents.CONFIG).read_bytes())
    for name, tensor in sorted(contents.weights(folder).items()):
        digest.update(f"{name} {tensor.type} {tensor.shape} {tensor.path.name} {tensor.start}\n".encode())
    return digest.hexdigest()[:12]
