"""Samplers that are told what to write: every forward and every number is computed as always, then the answer's labels
stand in the place of the model's own.

So the cost of a change of a given size can be timed for any weights, whatever they would write by themselves.
"""

from collections.abc import Sequence

from torch import Tensor

from engine.diffusion.levenshtein import EditIds
from engine.diffusion.trajectories import leading
from engine.model.network import Network
from engine.sampling.autoregressive import AutoregressiveSampler, Choices, Writing
from engine.sampling.complete import CompletionSampler, CompletionSettings, Draft
from engine.sampling.edit import EditSampler, EditSettings, Row
from engine.sampling.rounds import View


class ForcedEditor(EditSampler):
    """Edits each canvas to its target, as far in each round as labels reach."""

    def __init__(
        self,
        network: Network,
        ids: EditIds,
        targets: Sequence[Sequence[int]],
        *,
        never: Sequence[int],
        pad: int,
    ) -> None:
        """`targets`: one for each request, without end token."""
        super().__init__(network, ids, never=never, pad=pad)
        self._targets = targets

    def _seen(self, row: Row, view: View) -> View:
        labels = leading(row.canvas, self._targets[row.request], self._ids)
        canvas = [*row.canvas, self._ids.end]
        keep = [1.0 if a == b else 0.0 for a, b in zip(canvas, labels, strict=True)]
        return View(keep, labels, [1.0] * len(view.best))


class ForcedWriter(AutoregressiveSampler):
    """Writes each target token by token; a guess is right where the target says the same."""

    def __init__(
        self,
        network: Network,
        targets: Sequence[Sequence[int]],
        *,
        end: int,
        never: Sequence[int],
        pad: int,
        lookahead: int,
    ) -> None:
        """`targets`: one for each request, without end token."""
        most = max(map(len, targets), default=0)
        super().__init__(network, end=end, never=never, pad=pad, spare=most + 1, lookahead=lookahead)
        self._targets = [[*target, end] for target in targets]

    def _choices(
        self, group: Sequence[Writing], features_BMD: Tensor, settings: EditSettings
    ) -> list[Choices]:
        read = super()._choices(group, features_BMD, settings)
        return [self._told(writing, choices) for writing, choices in zip(group, read, strict=True)]

    def _told(self, writing: Writing, choices: Choices) -> Choices:
        begun, most = len(writing.written), len(choices.tokens)
        own = self._targets[writing.request][begun : begun + most]
        source = writing.source[begun : begun + most]
        tokens = [*own, *[self._end] * (most - len(own))]
        copied = [0.0 if a == b else -99.0 for a, b in zip(tokens, source, strict=False)]
        return Choices(tokens, [0.0] * most, [*copied, *[-99.0] * (most - len(copied))], choices.others)


class ForcedCompleter(CompletionSampler):
    """Fills so many masks of a block in each round, from left to right, with a token of its own choice."""

    def __init__(
        self, network: Network, ids: EditIds, *, never: Sequence[int], pad: int, each: int, token: int
    ) -> None:
        """
        Args:
            each: masks filled a round.
        """
        super().__init__(network, ids, never=never, pad=pad)
        self._each, self._token = each, token

    def _view(
        self,
        row: Sequence[int],
        features_LD: Tensor,
        draft: Draft,
        settings: CompletionSettings,
        *,
        inserts: bool,
    ) -> View:
        super()._view(row, features_LD, draft, settings, inserts=inserts)
        is_mask = [token == self._ids.mask for token in row]
        masks = [i for i, mask in enumerate(is_mask) if mask]
        now = set(masks[: self._each])
        best = [self._token if mask else token for token, mask in zip(row, is_mask, strict=True)]
        keep = [0.0 if mask else 1.0 for mask in is_mask]
        sure = [1.0 if i in now or not is_mask[i] else 0.0 for i in range(len(row))]
        return View(keep, best, sure)
