"""How many masks of a block each forward fills, where a rule goes by a schedule. Pure lists."""

import torch

from engine.checkpoints.families.family import Rule

EPS = 1e-3
"""Time at which Dream's schedule ends, in its own generation_utils."""


def schedule(rule: Rule, block: int, masks: int) -> list[int]:
    """Masks to fill at each step; one at a step beyond the list's end.

    Args:
        block: tokens of the block.
        masks: of these, how many are masked; less where the prompt ends inside the block.
    """
    if rule.schedule == "time":
        return over_time(masks, rule.steps or masks)
    counted = block if rule.schedule == "block" else masks
    return evenly(counted, min(rule.steps or counted, counted))


def evenly(tokens: int, steps: int) -> list[int]:
    """As many each step, the first steps taking what is over."""
    each, over = divmod(tokens, max(steps, 1))
    return [each + (i < over) for i in range(steps)]


def over_time(masks: int, steps: int) -> list[int]:
    """Dream's: of the masks that are left the share by which time goes on, rounded down; the last step takes the rest.

    Time falls in equal steps from 1 to `EPS`. Computed in float32, as published, since rounding decides.
    """
    times = torch.linspace(1, EPS, steps + 1)
    shares = 1 - times[1:] / times[:-1]
    counts, left = [], torch.tensor(float(masks))
    for share in shares[:-1]:
        counts.append(int(left * share))
        left -= counts[-1]
    return [*counts, int(left)]
