"""Rewriting regions token after token: the decoding of the autoregressive twin.

The first forward reads the region as one block, as an edit's first round does; each further one reads what was written
since. Keys and values are kept. With a lookahead, tokens copied from the region are written on approval: one forward
reads a whole guess, and what agrees with the decoder's own choices is taken, so that the text is the same in fewer
forwards (Leviathan et al. 2023).

Many requests, and many candidates of each, share forwards. The first candidate of a request is greedy. The others, at
temperature 0, turn off the greedy path at the most probable places and go on greedily; else every token is drawn. A
choice is a function of the request, the seed and the place alone. Knows nothing of texts.

Letters as in `engine.model.network`; M positions of a row whose successor is chosen.
"""

import heapq
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.diffusion.layout import PADDING_BLOCK, Prefix, canvas_blocks
from engine.model.cache import KeyValues
from engine.model.network import Network
from engine.sampling.batch import PrefixCache, like_lengths, read_prefixes
from engine.sampling.drawing import drawn
from engine.sampling.edit import EditSettings, Outcome, Row
from engine.sampling.lookup import place

GROUP_TOKENS = 16_384
"""Most tokens, read and written, of the rows that share forwards; bounds the cache."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A token that the greedy path passed by."""

    log_probability: float
    """Of the text up to and with it."""
    at: int
    """Its place in the text."""
    token: int


@dataclass(slots=True)
class Writing:
    """One text on its way."""

    request: int
    source: list[int]
    """The region with its end token."""
    number: int
    """Of the candidate; 0 is the greedy one."""
    written: list[int] = field(default_factory=list)
    """With the end token, once it is written."""
    log_likelihood: float = 0.0
    change: float = 0.0
    """Most probability of another token than the source's, as far as the text follows the source."""
    forwards: int = 0
    read: int = 0
    """Written tokens whose keys and values are cached."""
    offset: int = 0
    """How far copying last stood ahead in the source of the text's length."""
    aim: int = 0
    """That of the last guess."""
    turns: list[Turn] = field(default_factory=list)

    @property
    def copying(self) -> bool:
        return self.written == self.source[: len(self.written)]

    def guess(self, count: int) -> list[int]:
        """Up to `count` tokens that are likely to come next."""
        if not count:
            return []
        at = place(self.source, self.written, self.offset)
        self.aim = at - len(self.written)
        return self.source[at : at + count]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the model says of the next tokens of one row, one entry a position."""

    tokens: Sequence[int]
    logp: Sequence[float]
    """Of those tokens."""
    copied: Sequence[float]
    """Log-probability of the source's token at the same place."""
    others: Sequence[Sequence[tuple[int, float]]]
    """The most probable tokens with their log-probabilities; empty unless turns are wanted."""


class AutoregressiveSampler:
    """New texts for batches of (prefix, region)."""

    def __init__(
        self, network: Network, *, end: int, never: Sequence[int], pad: int, spare: int, lookahead: int
    ) -> None:
        """
        Args:
            never: tokens that no text holds.
            spare: tokens by which a text may outgrow its region; a text that has not ended by then is given up.
            lookahead: most guessed tokens that one forward verifies; 0 writes one token a forward.
        """
        self._network, self._end, self._pad = network, end, pad
        self._spare, self._lookahead = spare, lookahead
        device = network.embedding.weight.device
        self._never = torch.zeros(network.config.vocabulary, device=device)
        self._never[list(never)] = float("-inf")

    @torch.inference_mode()
    def run(
        self, prefixes: Sequence[Prefix], canvases: Sequence[Sequence[int]], settings: EditSettings
    ) -> tuple[list[Outcome], dict[str, float]]:
        """Outcomes in the order of the requests, and seconds by phase.

        The threshold holds for the greedy text: as long as it follows the region it goes on to, unless the probability
        of another token exceeds it. At 0, decoding is plainly greedy. A row's confidence is the product of its tokens'
        probabilities, its rounds the forwards it took.
        """
        start = time.perf_counter()
        cache = read_prefixes(self._network, prefixes, self._pad)
        scope = torch.sigmoid(self._network.scope(cache.last_BD).float()).squeeze(-1).tolist()
        prefix_done = time.perf_counter()
        greedy = [Writing(i, [*canvas, self._end], 0) for i, canvas in enumerate(canvases)]
        self._write(greedy, cache, settings)
        others = [other for writing in greedy for other in self._others(writing, settings)]
        self._write([other for other in others if not self._is_over(other)], cache, settings)
        outcomes = [Outcome([], p, w.change, w.forwards) for p, w in zip(scope, greedy, strict=True)]
        for writing in [*greedy, *others]:
            outcomes[writing.request].rows.append(self._row(writing))
        seconds = {"prefix": prefix_done - start, "rounds": time.perf_counter() - prefix_done}
        return outcomes, seconds

    def _others(self, greedy: Writing, settings: EditSettings) -> list[Writing]:
        """The further candidates of a request, before their first forward."""
        count = settings.candidates - 1
        if settings.temperature:
            return [Writing(greedy.request, greedy.source, i + 1) for i in range(count)]
        best = heapq.nlargest(count, greedy.turns, key=lambda turn: turn.log_probability)
        return [
            Writing(
                greedy.request,
                greedy.source,
                i,
                [*greedy.written[: turn.at], turn.token],
                log_likelihood=turn.log_probability,
            )
            for i, turn in enumerate(best, 1)
        ]

    def _row(self, writing: Writing) -> Row:
        """The region itself where no text came to its end."""
        ended = writing.written[-1:] == [self._end]
        text = writing.written[:-1] if ended else writing.source[:-1]
        likelihood = writing.log_likelihood
        return Row(
            writing.request, text, math.exp(likelihood), likelihood, rounds=writing.forwards, done=True
        )

    def _is_over(self, writing: Writing) -> bool:
        written = writing.written
        return written[-1:] == [self._end] or len(written) >= len(writing.source) + self._spare

    def _write(self, writings: Sequence[Writing], cache: PrefixCache, settings: EditSettings) -> None:
        """Bring texts to their end."""
        for group in _groups(writings, self._spare):
            room = 2 * max(len(writing.source) for writing in group) + self._spare + self._lookahead
            state = _State.after(cache, [writing.request for writing in group], room)
            while group:
                self._forward(group, state, settings)
                going = [i for i, writing in enumerate(group) if not self._is_over(writing)]
                if len(going) < len(group):
                    group = [group[i] for i in going]
                    state.keep_rows(going)

    def _forward(self, group: Sequence[Writing], state: "_State", settings: EditSettings) -> None:
        """One forward: every row reads what it has not read, and a guess; grows by one token or more."""
        guesses = [w.guess(self._lookahead) for w in group]
        blocks = [0 if w.forwards else len(w.source) for w in group]
        unread = [(w.source if b else []) + w.written[w.read :] for w, b in zip(group, blocks, strict=True)]
        features = state.read(
            self._network, [u + g for u, g in zip(unread, guesses, strict=True)], blocks, self._pad
        )
        most = max(map(len, guesses)) + 1
        last = torch.tensor([[len(u) - 1] for u in unread], device=features.device)
        places = (last + torch.arange(most, device=features.device)).clamp(max=features.shape[1] - 1)
        chosen = features.gather(1, places[..., None].expand(-1, -1, features.shape[2]))
        found = self._choices(group, chosen, settings)
        valid = []
        for writing, choices, guess, fresh in zip(group, found, guesses, unread, strict=True):
            taken = self._take(writing, choices, guess, settings)
            valid.append(len(fresh) + taken - 1)
            writing.read = len(writing.written) - 1
            writing.forwards += 1
        state.commit(valid)

    def _take(self, writing: Writing, choices: Choices, guess: Sequence[int], settings: EditSettings) -> int:
        """Write one token, and more as long as the guess was right; how many."""
        begun = len(writing.written)
        copying = writing.copying
        for k in range(len(guess) + 1):
            token, logp = choices.tokens[k], choices.logp[k]
            if copying:
                change = 1 - math.exp(choices.copied[k])
                writing.change = max(writing.change, change)
                own = writing.source[begun + k]
                if not writing.number and change <= settings.threshold:
                    token, logp = own, choices.copied[k]
                copying = token == own
            writing.turns += [
                Turn(writing.log_likelihood + p, begun + k, other)
                for other, p in choices.others[k]
                if other != token and p > -math.inf
            ]
            writing.written.append(token)
            writing.log_likelihood += logp
            if self._is_over(writing) or guess[k : k + 1] != [token]:
                break
            writing.offset = writing.aim
        return len(writing.written) - begun

    def _choices(
        self, group: Sequence[Writing], features_BMD: Tensor, settings: EditSettings
    ) -> list[Choices]:
        """What each row would write after each of its positions; all rows are greedy, or all are drawn."""
        logp_BMV = (self._network.logits(features_BMD).float() + self._never).log_softmax(-1)
        rows, most, device = len(group), features_BMD.shape[1], features_BMD.device
        own = [[*w.source[len(w.written) : len(w.written) + most]] for w in group]
        copied = torch.tensor([o + [self._end] * (most - len(o)) for o in own], device=device)
        if settings.temperature and group[0].number:
            tokens = drawn(
                logp_BMV, _chances(group, most, settings, device), settings.temperature, settings.top_k
            )
        else:
            tokens = logp_BMV.argmax(-1)
        others: list[list[list[tuple[int, float]]]] = [[[]] * most] * rows
        if settings.candidates > 1 and not settings.temperature and not group[0].number:
            top = logp_BMV.topk(settings.candidates)
            both = zip(top.indices.tolist(), top.values.tolist(), strict=True)
            others = [[list(zip(i, v, strict=True)) for i, v in zip(*row, strict=True)] for row in both]
        return [
            Choices(*row)
            for row in zip(
                tokens.tolist(),
                logp_BMV.gather(2, tokens[..., None]).squeeze(-1).tolist(),
                logp_BMV.gather(2, copied[..., None]).squeeze(-1).tolist(),
                others,
                strict=True,
            )
        ]


class _State:
    """What rows have read so far: keys and values, which of them count, and where each row stands."""

    def __init__(self, read: KeyValues, seen_BK: Tensor, positions_B: Tensor, *, is_alone: bool) -> None:
        """`is_alone`: whether there is one row, which has been read without padding."""
        self._read, self._seen, self._positions, self._is_alone = read, seen_BK, positions_B, is_alone

    @classmethod
    def after(cls, cache: PrefixCache, requests: Sequence[int], room: int) -> "_State":
        """Rows that have read their request's prefix, with room for so many tokens."""
        chosen = cache.rows(requests)
        positions = torch.tensor(chosen.lengths, device=chosen.seen_BP.device)
        is_alone = len(requests) == 1 and chosen.is_even
        return cls(KeyValues(chosen.layers, room), chosen.seen_BP, positions, is_alone=is_alone)

    def read(
        self, network: Network, inputs: Sequence[Sequence[int]], whole: Sequence[int], pad: int
    ) -> Tensor:
        """Features of each row's input, (B, L, D); `commit` says how much of it is kept.

        Args:
            whole: how many tokens each input begins with that see one another; every other sees what stands before it.
        """
        device, width = self._seen.device, max(map(len, inputs))
        ids = torch.tensor([[*row, *[pad] * (width - len(row))] for row in inputs], device=device)
        positions = self._positions[:, None] + torch.arange(width, device=device)
        features: Tensor = network(ids, positions, self._mask(inputs, whole, width), self._read)
        return features

    def _mask(self, inputs: Sequence[Sequence[int]], whole: Sequence[int], width: int) -> Tensor | None:
        """What each token sees; None for a single token that sees all before it."""
        if self._is_alone and width == 1:
            return None
        blocks = torch.tensor(
            [
                [*canvas_blocks(len(row), len(row) - first), *[PADDING_BLOCK] * (width - len(row))]
                for row, first in zip(inputs, whole, strict=True)
            ],
            device=self._seen.device,
        )
        before = self._seen[:, None, :].expand(-1, width, -1)
        return torch.cat([before, blocks[:, None, :] <= blocks[:, :, None]], dim=2)

    def commit(self, counts: Sequence[int]) -> None:
        """Keep the first tokens of the input just read, so many of each row."""
        kept = torch.tensor(counts, device=self._seen.device)
        most = max(counts)
        self._read.keep(most)
        new = torch.arange(most, device=self._seen.device) < kept[:, None]
        self._seen = torch.cat([self._seen, new], dim=1)
        self._positions = self._positions + kept

    def keep_rows(self, indices: Sequence[int]) -> None:
        """Drop the other rows."""
        self._read.keep_rows(indices)
        chosen = torch.tensor(indices, device=self._seen.device, dtype=torch.int64)
        self._seen, self._positions = self._seen[chosen], self._positions[chosen]


def _chances(group: Sequence[Writing], most: int, settings: EditSettings, device: torch.device) -> Tensor:
    """A number in [0, 1) for every position, (B, M), the same however positions share forwards."""
    numbers = [
        [
            random.Random(f"{settings.seed}:{w.number}:{len(w.source)}:{len(w.written) + k}").random()
            for k in range(most)
        ]
        for w in group
    ]
    return torch.tensor(numbers, dtype=torch.float64, device=device)


def _groups(writings: Sequence[Writing], spare: int) -> list[list[Writing]]:
    """Texts of like length together, few enough tokens for one cache."""
    lengths = [2 * len(writing.source) + spare for writing in writings]
    return [[writings[i] for i in group] for group in like_lengths(lengths, GROUP_TOKENS)]
