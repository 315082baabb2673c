"""The training loop: batches to gradients to weights, with exact resume, in one process or several.

A run is a folder: `state.pt` (weights, their mean, optimizers, step; replaced atomically), `log.jsonl` (one line every
few steps). Batches are a function of their index, so a resumed run sees what an uninterrupted one would have seen, and
several processes together what one would have seen.
"""

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from engine.data.batches import Batch, visible
from engine.data.examples import CHANGED, CHANGED_WEIGHT, KEPT, KEPT_WEIGHT, MASKED
from engine.files import replacing
from engine.model.network import Network
from engine.training import sharding
from engine.training.acceleration import accelerate, hidden_matrices
from engine.training.allocator import keep_freed_memory
from engine.training.average import Average
from engine.training.curriculum import Curriculum
from engine.training.losses import scored_losses
from engine.training.peak import measured_peak, operations
from engine.training.processes import Processes
from engine.training.stream import Maker, Stream

SCOPE_WEIGHT = 0.1
BATCH_WEIGHT = 1000.0
"""About the sum of weights in a batch; fixed, so that a batch with many changes counts for more."""
LOG_EVERY = 20


class Trainer:
    """One run, or this process's part of it."""

    def __init__(
        self,
        folder: Path,
        curriculum: Curriculum,
        maker: Maker,
        *,
        never: list[int],
        device: str,
        processes: Processes = Processes(),
        network: Network | None = None,
    ) -> None:
        """
        Args:
            never: tokens that are no answer; their logit is −inf in the loss.
            network: where a new run begins; random weights if None. Parameters without gradient stay.
        """
        self.folder, self.curriculum, self.device = folder, curriculum, torch.device(device)
        self.processes = processes
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(curriculum.seed)
        self.network = (network or Network(curriculum.model)).to(self.device)
        self._is_sharded = curriculum.shard and processes.count > 1
        if self._is_sharded:
            sharding.shard(self.network)
        self._optimizers = _optimizers(self.network, curriculum)
        parameters = list(self.network.parameters())
        self._average = Average(parameters, curriculum.average) if curriculum.average else None
        self._never = torch.zeros(curriculum.model.vocabulary, device=self.device)
        self._never[never] = float("-inf")
        self._losses: Callable[..., Tensor] = scored_losses
        self._maker = maker
        self.step = 0
        self._totals: dict[str, float] = {}
        self._clock, self._spent = time.perf_counter(), 0.0
        """Sums since the last line of the log, when they began, and the seconds before that in an interrupted run."""
        self._stopping, self._is_whole = False, True
        """Asked to end; weights and step belong together."""
        if (folder / "state.pt").exists():
            self._resume()
        if processes.is_first:
            _cut_log(folder / "log.jsonl", self.step)

    def run(
        self,
        *,
        until: int | None = None,
        workers: int = 1,
        compiled: bool = True,
        tell: Callable[[dict[str, Any]], None],
    ) -> None:
        """Train up to the curriculum's end, or up to step `until`; saves at the end, and when interrupted."""
        end = self.curriculum.steps if until is None else min(until, self.curriculum.steps)
        if compiled and self._losses is scored_losses:  # once, however often it runs
            accelerate(self.network)
            if self._is_sharded:
                sharding.gather_in_layers(self.network)
            self._losses = torch.compile(scored_losses, dynamic=False)
        if self.device.type == "cpu":
            keep_freed_memory()
        measured_peak(self.device)  # before the clock runs
        self.network.train()
        each = self.curriculum.accumulate * self.processes.count
        batches = iter(
            DataLoader(
                Stream(self._maker, self.curriculum, each),
                batch_size=None,
                sampler=range(self.step * each + self.processes.rank, end * each, self.processes.count),
                num_workers=workers,
                prefetch_factor=8 if workers else None,
            )
        )
        self._clock, self._spent = time.perf_counter() - self._spent, 0.0
        with self._stoppable():
            self._steps(batches, end, tell)
            self.save()
        if self.step < end:
            raise KeyboardInterrupt

    def _steps(self, batches: Iterator[Batch], end: int, tell: Callable[[dict[str, Any]], None]) -> None:
        """Take steps up to `end`, or until asked to stop; what is whole is saved where something is raised."""
        try:
            while self.step < end and not self.processes.any(self._stopping):  # all end after the same step
                self._one_step([next(batches) for _ in range(self.curriculum.accumulate)], self._totals)
                if self.step % LOG_EVERY == 0 or self.step == end:
                    line = self._log(self.processes.add_up(self._totals), time.perf_counter() - self._clock)
                    self._totals, self._clock = {}, time.perf_counter()
                    if self.processes.is_first:
                        tell(line)  # last, since what is raised there saves what has been summed
                if self.step % self.curriculum.save_every == 0:
                    self.save()
        except BaseException:
            if self._is_whole and self.processes.count == 1:  # several save together, or not at all
                self.save()
            raise

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let signals stop the run after a step; they are given back when it has saved."""
        # Named, since a shell's background job ignores Ctrl-C's signal.
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

    def _stop(self, *_: object) -> None:
        """End after the step that is under way; at once when asked again."""
        if self._stopping:
            raise KeyboardInterrupt
        self._stopping = True

    def _one_step(self, batches: list[Batch], totals: dict[str, float]) -> None:
        own: dict[str, float] = {}
        for batch in batches:
            loss = self._loss(batch, own) / len(batches)
            torch.autograd.backward(loss)
        if not self._is_sharded:
            self.processes.average_gradients(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.curriculum.clip)
        share = self.curriculum.rate(self.step)
        self._is_whole = False
        for optimizer, peak in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = peak * share
                if isinstance(optimizer, torch.optim.Muon):
                    group["weight_decay"] = self.curriculum.stage(self.step).weight_decay
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if self._average:
            self._average.update(self.step)
        self.step += 1
        _add(totals, **own, norm=float(sharding.whole(norm)), steps=1)
        self._is_whole = True

    def _loss(self, batch: Batch, totals: dict[str, float]) -> Tensor:
        """Both terms of equation 6 over one batch, and the scope head's."""
        to = {name: getattr(batch, name).to(self.device, non_blocking=True) for name in batch.__slots__[:-1]}
        mask = visible(to["blocks_BL"], to["examples_BL"])
        has_drafts = len(batch.drafts_M) > 0
        if self._is_sharded:
            has_drafts = self.processes.any(has_drafts)  # no process reads alone with a parted network
        if has_drafts:
            self._fill_drafts(to, mask)
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.network(to["ids_BL"], to["positions_BL"], mask).flatten(0, 1)
            scored = features.index_select(0, to["scored_S"])
            losses = self._losses(_output(self.network), scored, to["labels_S"], self._never)
            scope = self.network.scope(features.index_select(0, to["scope_E"]).float()).squeeze(-1)
        known = to["in_scope_E"] >= 0
        side = F.binary_cross_entropy_with_logits(
            scope.float(), to["in_scope_E"].clamp(min=0), reduction="none"
        )
        with torch.no_grad():
            for name, sort in (("masked", MASKED), ("changed", CHANGED), ("kept", KEPT)):
                here = (to["sorts_S"] == sort) & (to["weights_S"] > 0)
                _add(totals, **{name: float(losses[here].sum()), f"{name}_n": float(here.sum())})
            _add(totals, scope=float((side * known).sum()), scope_n=float(known.sum()), tokens=batch.tokens)
            share = len(batch.scored_S) / batch.tokens
            _add(totals, operations=batch.tokens * operations(self.network, batch.ids_BL.shape[1], share))
        edits: Tensor = (losses * to["weights_S"]).sum() / BATCH_WEIGHT
        scope_loss: Tensor = (side * known).sum() / known.sum().clamp(min=1)
        return edits + SCOPE_WEIGHT * scope_loss

    @torch.no_grad()
    def _fill_drafts(self, to: dict[str, Tensor], mask: Tensor) -> None:
        """Put the network's own guesses into the masks of drafts; wrong ones are to be edited from here on."""
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.network(to["ids_BL"], to["positions_BL"], mask).flatten(0, 1)
            logits = self.network.logits(features.index_select(0, to["drafts_M"])).float() + self._never
        ids = to["ids_BL"].flatten().clone()
        ids[to["drafts_M"]] = logits.argmax(-1)
        to["ids_BL"] = ids.view_as(to["ids_BL"])
        drafted = torch.zeros_like(ids, dtype=torch.bool)
        drafted[to["drafts_M"]] = True
        here, wrong = drafted[to["scored_S"]], ids[to["scored_S"]] != to["labels_S"]
        more = to["weights_S"] * (CHANGED_WEIGHT / KEPT_WEIGHT)
        to["weights_S"] = torch.where(here & wrong, more, to["weights_S"])
        to["sorts_S"] = torch.where(here, torch.where(wrong, CHANGED, KEPT).to(torch.int8), to["sorts_S"])

    def _log(self, totals: Mapping[str, float], seconds: float) -> dict[str, Any]:
        peak = self.processes.count * measured_peak(self.device)
        means = {n: totals[n] / max(totals[f"{n}_n"], 1) for n in ("masked", "changed", "kept", "scope")}
        line = {
            "step": self.step,
            "stage": self.curriculum.stage(self.step - 1).name,
            **{k: round(v, 4) for k, v in means.items()},
            "norm": round(totals["norm"] / totals["steps"], 3),
            "rate": round(self.curriculum.rate(self.step - 1), 4),
            "tokens_per_second": round(totals["tokens"] / seconds),
            "share_of_peak": round(totals["operations"] / seconds / peak, 4),
        }
        if self.processes.is_first:
            with (self.folder / "log.jsonl").open("a") as file:
                file.write(json.dumps(line) + "\n")
        return line

    def weights(self) -> dict[str, Tensor]:
        """Of the network, whole; all processes have to ask together."""
        found: dict[str, Tensor] = self._whole(self.network.state_dict())
        return found

    def begin_with(self, weights: Mapping[str, Tensor]) -> None:
        """Take these weights in the place of random ones."""
        mine = self.network.state_dict()
        sharding.fill(mine.values(), [weights[name] for name in mine])

    def save(self) -> None:
        """Replace `state.pt`, whole or not at all; the first process does, all have to ask together."""
        state = self._whole(
            {
                "step": self.step,
                "totals": self.processes.add_up(self._totals),
                "seconds": time.perf_counter() - self._clock,
                "network": self.network.state_dict(),
                "average": self._average.values if self._average else None,
                "optimizers": [optimizer.state_dict() for optimizer, _ in self._optimizers],
            }
        )
        if self.processes.is_first:
            with replacing(self.folder / "state.pt") as partial:
                torch.save(state, partial)

    def _whole(self, state: Any) -> Any:
        return sharding.whole(state) if self._is_sharded else state

    def _resume(self) -> None:
        place = "cpu" if self._is_sharded else self.device
        state = torch.load(self.folder / "state.pt", map_location=place, weights_only=True)
        self.step = state["step"]
        self._spent, totals = state.get("seconds", 0.0), state.get("totals", {})
        self._totals = {name: value * self.processes.is_first for name, value in totals.items()}
        self.begin_with(state["network"])
        if self._average and state.get("average") is not None:
            sharding.fill(self._average.values, state["average"])
        for (optimizer, _), saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(sharding.parted_state(saved, optimizer))


def _output(network: Network) -> Tensor:
    """The matrix that logits are made with."""
    table = network.embedding if network.config.tied else network.head
    return table.weight


def _optimizers(network: Network, curriculum: Curriculum) -> list[tuple[torch.optim.Optimizer, float]]:
    """The optimizers of what is trained, each with its peak rate."""
    matrices = hidden_matrices(network)
    others = [p for p in network.parameters() if p.requires_grad and all(p is not m for m in matrices)]
    found: list[tuple[torch.optim.Optimizer, float]] = []
    if matrices:
        muon = torch.optim.Muon(matrices, lr=0.0, momentum=0.95, weight_decay=0.0)
        found.append((muon, curriculum.matrix_rate))
    if others:
        adamw = torch.optim.AdamW(others, lr=0.0, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
        found.append((adamw, curriculum.other_rate))
    return found


def _add(totals: dict[str, float], **values: float) -> None:
    for name, value in values.items():
        totals[name] = totals.get(name, 0.0) + value


def _cut_log(path: Path, step: int) -> None:
    """Drop lines of steps that will be run again, and one that was cut off."""
    if not path.exists():
        return
    whole = [line for line in path.read_text().split("\n")[:-1] if line]
    with replacing(path) as partial:
        partial.write_text("".join(line + "\n" for line in whole if json.loads(line)["step"] <= step))
