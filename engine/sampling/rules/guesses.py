"""What a model says of masked tokens: the token it would write, and how sure it is, as each family counts that.

Letters: N tokens, V vocabulary. Knows nothing of blocks or schedules.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from engine.checkpoints.families.family import Rule
from engine.sampling.drawing import drawn

TYPES = {"float64": torch.float64, "float32": torch.float32}
ENTROPY_EPS = 1e-10
"""Added to probabilities before their logarithm, in Dream's generation_utils."""
RANKED = 64
"""Most probable tokens that a rule may fall back on: more than a block of 32 takes forwards."""
Ranked = tuple[tuple[int, float], ...]
"""Tokens and their probabilities, the most probable first."""


@dataclass(frozen=True, slots=True)
class Heat:
    """Chance in the choice of tokens; without it the most probable one is taken."""

    temperature: float
    top_k: int
    """0: any."""
    top_p: float
    """1: any."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One token that the model would write."""

    token: int
    probability: float
    sureness: float
    """By which masks are ranked."""
    is_above: bool
    """Whether the rule's threshold is exceeded."""
    replaces: bool
    """Whether its threshold for visible tokens is."""
    ranked: Ranked = ()
    """The most probable tokens and their probabilities, for a rule that deletes and inserts."""


def guesses(
    logits_NV: Tensor, rule: Rule, heats: Sequence[Heat | None], chances: Sequence[float]
) -> list[Guess]:
    """One guess for each row, each with its own heat.

    Args:
        logits_NV: of tokens that may be written; others at -inf.
        chances: a number in [0, 1) for each row; read where there is heat.
    """
    found: dict[int, Guess] = {}
    for heat in dict.fromkeys(heats):
        own = [n for n, other in enumerate(heats) if other == heat]
        part = logits_NV if len(own) == len(heats) else logits_NV[own]
        found |= zip(own, _alike(part, rule, heat, [chances[n] for n in own]), strict=True)
    return [found[n] for n in range(len(heats))]


def _alike(logits_NV: Tensor, rule: Rule, heat: Heat | None, chances: Sequence[float]) -> list[Guess]:
    plain = logits_NV if rule.softmax == "weights" else logits_NV.to(TYPES[rule.softmax])
    heated = plain
    if heat is not None:
        heated = filtered(plain / heat.temperature, heat.top_k, heat.top_p)
    elif rule.sureness == "entropy":
        heated = filtered(
            plain, 0, rule.top_p
        )  # Dream filters at temperature 0 too, which changes the entropy
    probabilities = (heated if rule.heated else plain).softmax(-1)
    if heat is None:
        tokens = logits_NV.argmax(-1)
    else:
        numbers = torch.tensor(chances, dtype=torch.float64, device=logits_NV.device)
        tokens = drawn(heated.log_softmax(-1), numbers, 1.0, 0)
    probability = probabilities.gather(1, tokens[:, None]).squeeze(1)
    sureness = probability
    if rule.sureness == "entropy":
        sureness = (probabilities * (probabilities + ENTROPY_EPS).log()).sum(-1)
    columns = (tokens, probability, sureness, _above(sureness, rule), _replaces(probability, rule))
    found = [Guess(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    if rule.picks == "above or opened":
        ranked = _ranked(logits_NV, probabilities)
        return [replace(guess, ranked=own) for guess, own in zip(found, ranked, strict=True)]
    return found


def _ranked(logits_NV: Tensor, probabilities_NV: Tensor) -> list[Ranked]:
    """The most probable tokens of each row, and their probabilities."""
    most = logits_NV.topk(min(RANKED, logits_NV.shape[-1])).indices
    columns = zip(most.tolist(), probabilities_NV.gather(1, most).tolist(), strict=True)
    return [tuple(zip(tokens, shares, strict=True)) for tokens, shares in columns]


def filtered(logits: Tensor, top_k: int, top_p: float) -> Tensor:
    """Only the k most probable tokens, and of these the fewest that have the share `top_p` of the probability."""
    if top_k:
        least = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    if top_p < 1:
        ordered, order = logits.sort(descending=True, dim=-1)
        surplus = ordered.softmax(-1).cumsum(-1) > top_p
        surplus = torch.cat([torch.zeros_like(surplus[..., :1]), surplus[..., :-1]], dim=-1)
        logits = logits.masked_fill(torch.zeros_like(surplus).scatter(-1, order, surplus), float("-inf"))
    return logits


def _above(sureness: Tensor, rule: Rule) -> Tensor:
    """Compared in the tensor's own type, in which the vendors compare."""
    if rule.threshold is None:
        return torch.zeros_like(sureness, dtype=torch.bool)
    return sureness >= rule.threshold if rule.inclusive else sureness > rule.threshold


def _replaces(probability: Tensor, rule: Rule) -> Tensor:
    if rule.edit_threshold is None:
        return torch.zeros_like(probability, dtype=torch.bool)
    return probability > rule.edit_threshold
