"""Trajectories to a known target: the model says in which order, the target says what is written.

A round edits where the model is sure of the target's label, at least in one place, as `engine.sampling.rounds` does
with the model's own labels; so a trajectory passes through states of the ordinary sampler, and always arrives. Its
evidence is the log-probability of the labels it applied, each in the state it was applied to: for one order of
writing, the bound of equations 5 and 7 of Seed Diffusion (arXiv 2508.02193). The bound's reconstruction term, of the
target given itself, is the same for all orders and is left out. Knows nothing of texts.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.diffusion.layout import Prefix
from engine.diffusion.levenshtein import EditIds, apply
from engine.diffusion.trajectories import leading
from engine.model.network import Network
from engine.sampling.batch import PrefixCache, like_lengths, read_canvases, read_prefixes, row_tokens
from engine.sampling.edit import Row
from engine.sampling.rounds import AT_ONCE, FILL, OPENING_ROUNDS, mask_gap, runs


@dataclass(frozen=True, slots=True)
class Order:
    """How a trajectory chooses what is written next."""

    fill: float = FILL
    """Least probability with which several places are edited in one round."""
    noise: float = 0.0
    """Scale of the Gumbel noise on the log-probabilities that places are chosen by; 0 goes by the model alone."""
    seed: str = ""
    """Of the noise."""


@dataclass(slots=True)
class Trajectory(Row):
    """One canvas on its way to its target."""

    target: tuple[int, ...] = ()
    order: Order = field(default_factory=Order)
    evidence: float = 0.0
    """Sum of the log-probabilities, in nats, of all labels applied."""


class Guide:
    """Trajectories for batches of (prefix, canvas, target)."""

    def __init__(self, network: Network, ids: EditIds, *, never: Sequence[int], pad: int) -> None:
        """
        Args:
            never: tokens that are no answer, the mask among them.
        """
        self._network, self._ids, self._pad = network, ids, pad
        self._never = torch.zeros(network.config.vocabulary, device=network.embedding.weight.device)
        self._never[list(never)] = float("-inf")

    @torch.inference_mode()
    def run(
        self,
        prefixes: Sequence[Prefix],
        canvases: Sequence[Sequence[int]],
        targets: Sequence[Sequence[int]],
        orders: Sequence[Sequence[Order]],
        *,
        max_rounds: int,
    ) -> list[list[Trajectory]]:
        """For each canvas one trajectory of each of its orders; in the last round all that is left is written."""
        cache = read_prefixes(self._network, prefixes, self._pad)
        pools = [
            [Trajectory(i, list(canvas), target=tuple(target), order=order) for order in orders[i]]
            for i, (canvas, target) in enumerate(zip(canvases, targets, strict=True))
        ]
        rows = [row for pool in pools for row in pool]
        for row in rows:
            row.done = tuple(row.canvas) == row.target
        while active := [row for row in rows if not row.done]:
            for group in like_lengths([len(row.canvas) + 1 for row in active], row_tokens(self._network)):
                self._round([active[i] for i in group], cache, max_rounds)
        return pools

    def _round(self, rows: list[Trajectory], cache: PrefixCache, max_rounds: int) -> None:
        canvases = [[*row.canvas, self._ids.end] for row in rows]
        prefixes = cache.rows([row.request for row in rows])
        features = read_canvases(self._network, prefixes, canvases, self._pad)
        for i, row in enumerate(rows):
            labels = leading(row.canvas, row.target, self._ids)
            places = [k for k, (a, b) in enumerate(zip(canvases[i], labels, strict=True)) if a != b]
            log_p = dict(
                zip(places, self._log_p(features[i, places], [labels[k] for k in places]), strict=True)
            )
            self._move(row, labels, log_p, last=row.rounds + 1 >= max_rounds)

    def _log_p(self, features: Tensor, labels: list[int]) -> list[float]:
        """Of one label for each place."""
        scores = self._network.logits(features).float() + self._never
        wanted = torch.tensor(labels, device=scores.device)[:, None]
        found: list[float] = scores.log_softmax(-1).gather(1, wanted).squeeze(1).tolist()
        return found

    def _move(self, row: Trajectory, labels: list[int], log_p: dict[int, float], *, last: bool) -> None:
        """Apply the moves that this round's order chooses."""
        tokens = [*row.canvas, self._ids.end]
        moves = _moves(tokens, labels, self._ids)
        chosen = moves if last else _chosen(moves, log_p, row.order, row.rounds)
        now, opened = list(tokens), []
        for start, end in chosen:
            sure = min(log_p[k] for k in range(start, end))
            is_mask = tokens[start] == self._ids.mask
            if not is_mask and not last and sure < math.log(AT_ONCE) and row.rounds < OPENING_ROUNDS:
                opened.append((start, end))
                continue
            now[start:end] = labels[start:end]
            row.evidence += sum(log_p[k] for k in range(start, end))
        for start, end in reversed(opened):
            tokens, now = mask_gap(tokens, now, labels[end - 1] == self._ids.insert, start, end, self._ids)
        row.canvas = apply(tokens[:-1], now, self._ids)
        row.rounds += 1
        row.states.append(tuple(row.canvas))
        row.done = row.states[-1] == row.target


def _moves(tokens: Sequence[int], labels: Sequence[int], ids: EditIds) -> list[tuple[int, int]]:
    """What is edited together, [start, end): each mask by itself, a gap of visible tokens as a whole."""
    masks = [
        (k, k + 1)
        for k, (token, wanted) in enumerate(zip(tokens, labels, strict=True))
        if token == ids.mask and wanted != token
    ]
    gaps = runs([t != w and t != ids.mask for t, w in zip(tokens, labels, strict=True)])
    return sorted([*masks, *gaps])


def _chosen(
    moves: list[tuple[int, int]], log_p: dict[int, float], order: Order, round_: int
) -> list[tuple[int, int]]:
    chance = random.Random(f"{order.seed}:{round_}")
    eager = [min(log_p[k] for k in range(start, end)) + order.noise * _gumbel(chance) for start, end in moves]
    best = max(range(len(moves)), key=eager.__getitem__)
    return [move for k, move in enumerate(moves) if k == best or eager[k] > math.log(order.fill)]


def _gumbel(chance: random.Random) -> float:
    """A draw from the standard Gumbel distribution, its mean taken off."""
    return -math.log(-math.log(max(chance.random(), 1e-12))) - 0.5772
