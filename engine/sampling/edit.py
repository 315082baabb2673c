"""Editing canvases in rounds: forward, update, until nothing changes.

Many requests, and many candidates of each, share forwards. The first candidate of a request is greedy. The others go
on greedily from another first round: at temperature 0 from the most probable ones, else from an edit drawn where the
model sees a need for change. Knows nothing of texts.
"""

import math
import random
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from engine.diffusion.layout import Prefix
from engine.diffusion.levenshtein import EditIds, apply
from engine.model.network import Network
from engine.sampling.batch import PrefixCache, like_lengths, read_distinct, row_tokens
from engine.sampling.exits import exit_figures, says_final
from engine.sampling.labels import Labels
from engine.sampling.nearby import Known, Part, around, merged, read_parts, whole
from engine.sampling.rounds import FILL, View, advance, change_probability, clean_up
from engine.sampling.starts import LEAST, Label, Start, starts
from engine.sampling.windows import Window, joined, windows

MARGIN = 8
"""Part of the most tokens read at once that a window sees on each side of what it edits."""
NEAR = 32
"""Tokens on each side of a change that the next round reads."""
MOST_DRAWN = 64
"""Most probable labels of a place among which is drawn, where not fewer are asked for."""
ADMITTED = 2
"""Forwards' worth of canvases that are on their way at once; as one is finished, the next begins."""


@dataclass(frozen=True, slots=True)
class EditSettings:
    """How to sample."""

    threshold: float
    max_rounds: int = 16
    fill: float = FILL
    """Least probability with which several masks are filled in one round."""
    least_label: float = 0.0
    """Probability of a gap's weakest label below which the gap stays as it is."""
    candidates: int = 1
    temperature: float = 0.0
    top_k: int = 0
    seed: int = 0
    exit_threshold: float = 1.0
    """Probability of being final above which a canvas is taken to be; at 1 every edit is confirmed by a round more."""
    near: int | None = NEAR
    """How far from a change tokens are read in later rounds; every round reads all of them if None."""
    least_scope: float = 0.0
    """Probability of being trained for below which an instruction's canvas is left unread."""


@dataclass(slots=True)
class Row:
    """One canvas on its way."""

    request: int
    canvas: list[int]
    confidence: float = 1.0
    """Least probability of a label that was applied."""
    log_likelihood: float = 0.0
    """Sum over the rounds of the log of the least probability of a label that was applied."""
    rounds: int = 0
    doubt: float = 1.0
    """Probability that something needs to change, as it was read last."""
    done: bool = False
    states: list[tuple[int, ...]] = field(default_factory=list)
    """The canvas after each round."""
    window: Window = field(default_factory=lambda: Window(0, 0))
    """Of a long region; its margins stay."""
    known: Known | None = None
    """The canvas as it was read last, while the row is on its way."""


@dataclass(slots=True)
class Outcome:
    """What became of one request."""

    rows: list[Row]
    in_scope: float
    """Probability that the model was trained for the instruction."""
    change: float = 0.0
    """Probability that something needs to change, from the first forward; 0 if the canvas was left unread."""
    forwards: int = 0
    """In which any of the rows was."""


FinalProbability = Callable[[Row, list[float]], float]
"""How probable it is that a row's canvas is final, from the figures of the round that made it."""


class EditSampler:
    """Edits for batches of (prefix, canvas)."""

    def __init__(
        self,
        network: Network,
        ids: EditIds,
        *,
        never: Sequence[int],
        pad: int,
        final: FinalProbability | None = None,
        longest: int | None = None,
        starts: Collection[int] = (),
    ) -> None:
        """
        Args:
            never: tokens that are no answer, the mask among them.
            longest: tokens of a canvas that are read at once; a longer one is edited in windows.
            starts: tokens before which a canvas is parted best.
            final: is asked after every round that may have been its row's last; the network's exit head if None.
        """
        self._network, self._ids, self._pad = network, ids, pad
        self._final = says_final(network.exit) if final is None and network.exit is not None else final
        self._labels = Labels(network, ids, never)
        self._longest, self._starts = longest, starts

    @torch.inference_mode()
    def run(
        self, prefixes: Sequence[Prefix], canvases: Sequence[Sequence[int]], settings: EditSettings
    ) -> tuple[list[Outcome], dict[str, float]]:
        """Outcomes in the order of the requests, and seconds by phase."""
        parts = [self._windows(canvas) for canvas in canvases]
        found, seconds = self._edit(
            [prefix for prefix, own in zip(prefixes, parts, strict=True) for _ in own],
            [list(canvas[w.start : w.end]) for canvas, own in zip(canvases, parts, strict=True) for w in own],
            [window for own in parts for window in own],
            settings,
        )
        outcomes = iter(found)
        return [_joined(i, [next(outcomes) for _ in own]) for i, own in enumerate(parts)], seconds

    def _windows(self, canvas: Sequence[int]) -> list[Window]:
        longest = self._longest or len(canvas)
        starts = (
            [i for i, token in enumerate(canvas) if token in self._starts] if len(canvas) > longest else []
        )
        return windows(len(canvas), longest, longest // MARGIN, starts)

    def _edit(
        self,
        prefixes: Sequence[Prefix],
        canvases: Sequence[list[int]],
        parts: Sequence[Window],
        settings: EditSettings,
    ) -> tuple[list[Outcome], dict[str, float]]:
        """An outcome for each window."""
        start = time.perf_counter()
        cache, where = read_distinct(self._network, prefixes, self._pad)
        scope = torch.sigmoid(self._network.scope(cache.last_BD).float()).squeeze(-1).tolist()
        prefix_done = time.perf_counter()
        outcomes = [
            Outcome([Row(i, canvas, window=window)], scope[where[i]])
            for i, (canvas, window) in enumerate(zip(canvases, parts, strict=True))
        ]
        most = row_tokens(self._network)
        for outcome in outcomes:
            outcome.rows[0].done = outcome.in_scope < settings.least_scope
        begun = (o.rows[0] for o in outcomes if not o.rows[0].done)
        waiting = deque(sorted(begun, key=lambda row: len(row.canvas)))
        active: list[Row] = []
        while active or waiting:
            room = ADMITTED * most - sum(len(row.canvas) + 1 for row in active)
            while waiting and (room > 0 or not active):
                active.append(waiting.popleft())
                room -= len(active[-1].canvas) + 1
            reads = [self._part(row, settings) for row in active]
            for group in like_lengths([len(read.places) for read in reads], most):
                rows = [active[i] for i in group]
                active += self._round(rows, [reads[i] for i in group], cache, where, outcomes, settings)
            active = [row for row in active if not row.done]
        seconds = {"prefix": prefix_done - start, "rounds": time.perf_counter() - prefix_done}
        return outcomes, seconds

    def _part(self, row: Row, settings: EditSettings) -> Part:
        """What the next round reads."""
        canvas = [*row.canvas, self._ids.end]
        if row.known is None or settings.near is None:
            return whole(canvas)
        return around(canvas, row.known, settings.near)

    def _round(
        self,
        rows: list[Row],
        parts: Sequence[Part],
        cache: PrefixCache,
        where: Sequence[int],
        outcomes: list[Outcome],
        settings: EditSettings,
    ) -> list[Row]:
        """One forward for these rows; the rows that begin with it."""
        last = [row.rounds >= settings.max_rounds for row in rows]
        own = cache.rows([where[row.request] for row in rows])
        features, read = read_parts(self._network, own, parts, self._pad)
        begun: list[Row] = []
        for request in {row.request for row in rows}:
            outcomes[request].forwards += 1
        views = self._labels.views(features, [p.tokens for p in parts], [not final for final in last])
        for i, row in enumerate(rows):
            row.known = Known(parts[i].canvas, read[i], merged(parts[i], views[i]))
            view = row.window.limited(parts[i].canvas, self._seen(row, row.known.view))
            outcome = outcomes[row.request]
            if row.rounds == 0:
                outcome.change = change_probability(view)
                if settings.candidates > 1:
                    logp_LV = self._labels.log_probabilities(features[i, : len(parts[i].canvas)])
                    others = self._others(row, logp_LV, view, settings)
                    outcome.rows += others
                    begun += others
            self._update(row, view, settings, last=last[i])
        return begun

    def _seen(self, _: Row, view: View) -> View:
        """What is made of a row's view: a hook for samplers that are told what to write."""
        return view

    def _update(self, row: Row, view: View, settings: EditSettings, *, last: bool) -> None:
        """Move one row one round on."""
        row.doubt = change_probability(view)
        if last:
            step = clean_up(row.canvas, view, self._ids)
            row.done = True
        else:
            bounds = {"fill": settings.fill, "least": settings.least_label}
            step = advance(row.canvas, view, self._ids, settings.threshold, row.rounds, **bounds)
        row.rounds += 1
        key = tuple(step.canvas)
        is_whole = self._ids.mask not in key
        if step.canvas == row.canvas or (key in row.states and is_whole):
            row.done = True  # a fixed point, or a cycle
        row.states.append(key)
        row.canvas, row.confidence = step.canvas, min(row.confidence, step.confidence)
        row.log_likelihood += math.log(max(step.confidence, LEAST))
        if self._final and is_whole and not row.done:
            figures = exit_figures(view, step, settings.threshold, row.rounds)
            row.done = self._final(row, figures) > settings.exit_threshold
        if row.done:
            row.known = None

    def _others(self, row: Row, logp_LV: Tensor, view: View, settings: EditSettings) -> list[Row]:
        """Rows that begin with other first rounds than the greedy one."""
        labels = logp_LV.cpu().clone()
        canvas = [*row.canvas, self._ids.end]
        labels[range(len(canvas)), canvas] = float("-inf")
        labels[-1, self._ids.delete] = float("-inf")
        if row.window.left or row.window.right:
            labels[: row.window.left] = float("-inf")
            labels[len(canvas) - (row.window.right + 1 if row.window.right else 0) :] = float("-inf")
        count = settings.candidates - 1
        if settings.temperature:
            found = [self._drawn(row.canvas, labels, view, settings, i) for i in range(count)]
        else:
            best = labels.max(-1)
            others = map(Label, range(len(canvas)), best.indices.tolist(), best.values.tolist())
            top = labels.flatten().topk(min(count, labels.numel()))
            size = labels.shape[1]
            singles = [
                Label(i // size, i % size, p)
                for i, p in zip(top.indices.tolist(), top.values.tolist(), strict=True)
            ]
            found = starts(row.canvas, view.keep, list(others), singles, self._ids)[:count]
        return [
            Row(
                row.request,
                start.canvas,
                math.exp(start.log_probability),
                start.log_probability,
                rounds=1,
                window=row.window,
                known=row.known,
            )
            for start in found
            if start.log_probability > -math.inf
        ]

    def _drawn(
        self, canvas: list[int], labels_LV: Tensor, view: View, settings: EditSettings, number: int
    ) -> Start:
        """The canvas with one drawn edit."""
        chance, heat = random.Random(f"{settings.seed}:{number}:{len(canvas)}"), settings.temperature
        wants = torch.tensor([1 - p for p in view.keep], dtype=torch.float64).clamp(min=LEAST).log() / heat
        wants[labels_LV.isinf().all(-1)] = -math.inf  # a window's margins
        place = chance.choices(range(len(wants)), wants.softmax(0).tolist())[0]
        top = labels_LV[place].double().topk(min(settings.top_k or MOST_DRAWN, labels_LV.shape[1]))
        chosen = chance.choices(range(len(top.indices)), (top.values / heat).softmax(0).tolist())[0]
        edits = [*canvas, self._ids.end]
        edits[place] = int(top.indices[chosen])
        return Start(apply(canvas, edits, self._ids), float(top.values[chosen]))


def _joined(request: int, parts: Sequence[Outcome]) -> Outcome:
    """The outcome of a region from those of its windows.

    Each further row is one window's, among the others' greedy ones.
    """
    if len(parts) == 1:
        return parts[0]
    greedy = [part.rows[0] for part in parts]
    cores = [row.window.core(row.canvas) for row in greedy]
    first = Row(request, joined(cores), done=True)
    first.confidence = min(row.confidence for row in greedy)
    first.log_likelihood = sum(row.log_likelihood for row in greedy)
    first.doubt = max(row.doubt for row in greedy)
    first.rounds = max(row.rounds for row in greedy)
    rows = [first]
    for i, part in enumerate(parts):
        for other in part.rows[1:]:
            canvas = joined([*cores[:i], other.window.core(other.canvas), *cores[i + 1 :]])
            rows.append(replace(other, request=request, canvas=canvas, window=Window(0, 0)))
    change, forwards = max(part.change for part in parts), sum(part.forwards for part in parts)
    return Outcome(rows, parts[0].in_scope, change, forwards)
