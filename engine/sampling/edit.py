"""Editing canvases in rounds: forward, update, until nothing changes.

Many requests, and many candidates of each, share forwards. The first candidate of a request is greedy; every further
one edits a place drawn from where the model sees a need for change, with a label drawn at a temperature, and goes on
from there greedily. Knows nothing of texts.
"""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.diffusion.layout import Prefix
from engine.diffusion.levenshtein import EditIds, apply
from engine.model.network import Network
from engine.sampling.batch import PrefixCache, read_canvases, read_prefixes
from engine.sampling.rounds import View, advance, change_probability, clean_up

ROW_TOKENS = 4096
"""Most canvas tokens, padding included, in one forward on a CPU."""


@dataclass(frozen=True, slots=True)
class EditSettings:
    """How to sample."""

    threshold: float
    max_rounds: int = 16
    candidates: int = 1
    temperature: float = 0.7
    top_k: int = 0
    seed: int = 0


@dataclass(slots=True)
class Row:
    """One canvas on its way."""

    request: int
    canvas: list[int]
    chance: random.Random | None
    """Source of the first round's draw; None for the greedy row."""
    confidence: float = 1.0
    rounds: int = 0
    done: bool = False
    seen: set[tuple[int, ...]] = field(default_factory=set)


@dataclass(slots=True)
class Outcome:
    """What became of one request."""

    rows: list[Row]
    in_scope: float
    """Probability that the model was trained for the instruction."""
    change: float = 0.0
    """Probability that something needs to change, from the first forward."""
    forwards: int = 0


class EditSampler:
    """Edits for batches of (prefix, canvas)."""

    def __init__(self, network: Network, ids: EditIds, *, never: Sequence[int], pad: int) -> None:
        """
        Args:
            never: tokens that are no answer, the mask among them.
        """
        self._network, self._ids, self._pad = network, ids, pad
        device = network.embedding.weight.device
        self._never = torch.zeros(network.config.vocabulary, device=device)
        self._never[list(never)] = float("-inf")
        self._no_insert = self._never.clone()
        self._no_insert[ids.insert] = float("-inf")

    @torch.inference_mode()
    def run(
        self, prefixes: Sequence[Prefix], canvases: Sequence[Sequence[int]], settings: EditSettings
    ) -> tuple[list[Outcome], dict[str, float]]:
        """Outcomes in the order of the requests, and seconds by phase."""
        start = time.perf_counter()
        cache = read_prefixes(self._network, prefixes, self._pad)
        scope = torch.sigmoid(self._network.scope(cache.last_BD).float()).squeeze(-1).tolist()
        prefix_done = time.perf_counter()
        outcomes = [Outcome([], p) for p in scope]
        rows = [
            self._row(i, j, canvas, settings)
            for i, canvas in enumerate(canvases)
            for j in range(settings.candidates)
        ]
        for row in rows:
            outcomes[row.request].rows.append(row)
        while active := [row for row in rows if not row.done]:
            for group in _groups(active):
                self._round(group, cache, outcomes, settings)
        seconds = {"prefix": prefix_done - start, "rounds": time.perf_counter() - prefix_done}
        return outcomes, seconds

    def _row(self, request: int, candidate: int, canvas: Sequence[int], settings: EditSettings) -> Row:
        chance = random.Random(f"{settings.seed}:{candidate}:{len(canvas)}") if candidate else None
        return Row(request, list(canvas), chance)

    def _round(
        self, rows: list[Row], cache: PrefixCache, outcomes: list[Outcome], settings: EditSettings
    ) -> None:
        last = [row.rounds >= settings.max_rounds for row in rows]
        canvases = [[*row.canvas, self._ids.end] for row in rows]
        features = read_canvases(
            self._network, cache.rows([row.request for row in rows]), canvases, self._pad
        )
        for i, row in enumerate(rows):
            outcome = outcomes[row.request]
            outcome.forwards += row is outcome.rows[0]
            scores = self._network.logits(features[i, : len(canvases[i])]).float()
            scores = scores + (self._no_insert if last[i] else self._never)
            self._update(row, scores.log_softmax(-1), canvases[i], outcome, settings, last=last[i])

    def _update(
        self,
        row: Row,
        logp_LV: Tensor,
        canvas: list[int],
        outcome: Outcome,
        settings: EditSettings,
        *,
        last: bool,
    ) -> None:
        """Move one row one round on."""
        best = logp_LV.max(-1)
        keep = logp_LV.gather(1, torch.tensor(canvas, device=logp_LV.device)[:, None]).squeeze(1)
        view = View(keep.exp().tolist(), best.indices.tolist(), best.values.exp().tolist())
        if row.rounds == 0:
            outcome.change = change_probability(view)
        if last:
            step = clean_up(row.canvas, view, self._ids)
            row.done = True
        elif row.chance and row.rounds == 0:
            row.canvas, row.confidence = self._drawn(row, logp_LV, view, settings)
            row.rounds = 1
            return
        else:
            step = advance(row.canvas, view, self._ids, settings.threshold, row.rounds)
        row.rounds += 1
        key = tuple(step.canvas)
        if step.canvas == row.canvas or (key in row.seen and self._ids.mask not in key):
            row.done = True  # a fixed point, or a cycle
        row.seen.add(key)
        row.canvas, row.confidence = step.canvas, min(row.confidence, step.confidence)

    def _drawn(
        self, row: Row, logp_LV: Tensor, view: View, settings: EditSettings
    ) -> tuple[list[int], float]:
        """The canvas with one drawn edit, and the probability of that edit."""
        assert row.chance is not None
        heat = settings.temperature
        wants = torch.tensor([1 - p for p in view.keep]).clamp(min=1e-9)
        place = row.chance.choices(range(len(wants)), (wants ** (1 / heat)).tolist())[0]
        canvas = [*row.canvas, self._ids.end]
        labels = logp_LV[place].cpu().clone()
        labels[canvas[place]] = float("-inf")
        if place == len(canvas) - 1:
            labels[self._ids.delete] = float("-inf")
        top = labels.topk(min(settings.top_k or 64, len(labels)))
        chosen = row.chance.choices(range(len(top.indices)), (top.values / heat).softmax(0).tolist())[0]
        edits = list(canvas)
        edits[place] = int(top.indices[chosen])
        return apply(row.canvas, edits, self._ids), float(top.values[chosen].exp())


def _groups(rows: list[Row]) -> list[list[Row]]:
    """Rows of like length together, few enough tokens for one forward."""
    groups: list[list[Row]] = []
    for row in sorted(rows, key=lambda r: len(r.canvas)):
        if groups and (len(groups[-1]) + 1) * (len(row.canvas) + 1) <= ROW_TOKENS:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups
