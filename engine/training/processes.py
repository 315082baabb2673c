"""Training in several processes, each with its share of every step's batches; alone when there is no other.

`torchrun` starts them and tells each its rank. Gradients are averaged before the step, so that every process takes the
same one. Knows nothing of networks or batches.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import nn

PATIENCE = timedelta(hours=6)
"""For the others: they wait while the first samples a lap's trajectories."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among its like."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    """Among those of one machine: the number of its GPU."""

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes, in one exchange."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        parts = torch.split(flat, [g.numel() for g in gradients])
        torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(parts, gradients, strict=True)])

    def add_up(self, totals: dict[str, float]) -> dict[str, float]:
        """Sums over the processes; all of them hold the same names."""
        if self.count == 1:
            return totals
        values = torch.tensor(list(totals.values()), dtype=torch.float64)
        values = values.cuda() if dist.get_backend() == "nccl" else values
        dist.all_reduce(values)
        return dict(zip(totals, values.tolist(), strict=True))

    def any(self, mine: bool) -> bool:
        """Whether it is so for one of the processes."""
        return self.add_up({"any": float(mine)})["any"] > 0

    def leave(self) -> None:
        """Part from the others; without it their threads may abort this process at its end."""
        if self.count > 1:
            dist.destroy_process_group()

    def wait(self) -> None:
        """Until every process is here."""
        if self.count > 1:
            dist.barrier()


def join(device: str) -> Processes:
    """Meet the other processes that `torchrun` started; alone without it."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    if not dist.is_initialized():
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo", timeout=PATIENCE)
    return Processes(int(os.environ["RANK"]), count, int(os.environ.get("LOCAL_RANK", "0")))
