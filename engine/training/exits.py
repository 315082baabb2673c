"""Training the exit head of a finished checkpoint on what its own rounds came to; no other weight moves.

Part of the questions is kept back, to choose how sure the head has to be.

Letters: R rounds, F figures of each.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.checkpoints import folder as checkpoint
from engine.editor import usual_dtype
from engine.errors import DataError
from engine.model.exit_head import ExitHead
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.training.exit_rounds import Rounds, draw, watch

KEPT_BACK = 0.5
"""Share of the questions that choose the threshold."""
RATE, DECAY = 0.003, 0.1
"""Of AdamW."""
HEADING = "## Exit head"
"""Of the last section of the model card."""


@dataclass(frozen=True, slots=True)
class ExitTuning:
    """How to train an exit head."""

    questions: int = 4000
    hidden: int = 16
    """Width inside the head."""
    steps: int = 600
    precision: float = 0.98
    """Least share of canvases said to be final that are; see `least_threshold`."""
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Exits:
    """How well a head tells final canvases, at one threshold."""

    threshold: float
    rounds: int
    final: int
    """Rounds that were the last."""
    said: int
    """Rounds of which the head says so."""
    right: int
    """Rounds of which it says so and that were."""

    @classmethod
    def count(cls, head: ExitHead, rounds: Rounds, threshold: float) -> "Exits":
        said = probabilities(head, rounds) > threshold
        final = rounds.final_R
        return cls(threshold, len(final), int(final.sum()), int(said.sum()), int((said & final).sum()))


def train_exit(
    folder: Path, corpus: Path, out: Path, tuning: ExitTuning, *, device: str, tell: Callable[[int], object]
) -> Exits:
    """Write the checkpoint of `folder` to `out` with an exit head; what the head says of the questions kept back.

    Args:
        tell: hears how many more questions are answered.

    Raises:
        DataError: `out` exists, the corpus is not prepared or offers too little, or the checkpoint makes no edits.
        CheckpointError: `folder` is no checkpoint.
        DeviceError: there is no such device here.
    """
    if out.exists():
        raise DataError(f"{out} exists already; name another folder with --out, or remove it")
    network, tokenizer, settings = checkpoint.load(folder, device=device, dtype=usual_dtype(None, device))
    if settings.get("decoder", "edit") != "edit":
        raise DataError(f"{folder} does not edit in rounds, so that no exit head can save one")
    network.drop_exit()
    questions = draw(corpus, tokenizer, tuning.questions, tuning.seed)
    rounds = watch(network, tokenizer, questions, float(settings.get("threshold", 0.7)), tell)
    kept_back = int(KEPT_BACK * len(questions))
    seen, held = rounds.of(lambda q: q >= kept_back), rounds.of(lambda q: q < kept_back)
    if not seen.questions or not held.questions:
        raise DataError(
            f"{folder} edits next to nothing; train it first, lower its threshold, or ask more questions"
        )
    head = fit(seen, tuning)
    exits = Exits.count(
        head, held, least_threshold(probabilities(head, held), held.final_R, tuning.precision)
    )
    network.config = replace(network.config, exit_hidden=tuning.hidden)
    network.exit = head
    _write(folder, out, network, tokenizer, settings, exits)
    return exits


def fit(rounds: Rounds, tuning: ExitTuning) -> ExitHead:
    """A head for these rounds, its weights as a checkpoint holds them."""
    torch.manual_seed(tuning.seed)
    head = ExitHead(tuning.hidden)
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(tuning.steps):
        loss = F.binary_cross_entropy_with_logits(head(rounds.figures_RF), rounds.final_R.float())
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    return head.to(torch.bfloat16).requires_grad_(False)


def probabilities(head: ExitHead, rounds: Rounds) -> Tensor:
    """Of being final, (R,)."""
    return torch.sigmoid(head(rounds.figures_RF))


def least_threshold(probability_R: Tensor, final_R: Tensor, precision: float) -> float:
    """The least threshold above which the share of final rounds is safely at least `precision`; 1 if there is none.

    Safely: by the lower end of its Wilson interval of one standard error. The share itself, at its luckiest threshold,
    came out 1.4 points too high.
    """
    ranked, order = probability_R.sort(descending=True)
    count = torch.arange(1, len(order) + 1)
    share = final_R[order].cumsum(0) / count
    half = (share * (1 - share) / count + 0.25 / count**2).sqrt()
    safe = (share + 0.5 / count - half) / (1 + 1 / count)
    below = torch.cat([ranked[1:], torch.zeros(1)])
    good = torch.nonzero((safe >= precision) & (below < ranked))  # equal probabilities are not parted
    return float(below[good[-1]]) if len(good) else 1.0


def _write(
    folder: Path,
    out: Path,
    network: Network,
    tokenizer: CodeTokenizer,
    settings: dict[str, object],
    exits: Exits,
) -> None:
    """The folder with this network in it, whole or not at all."""
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial)
    checkpoint.save(partial, network, tokenizer, settings | {"exit_threshold": exits.threshold})
    card = partial / "README.md"
    text = card.read_text() if card.exists() else ""
    card.write_text(_without_section(text) + _section(exits, network.parameter_count()))
    os.replace(partial, out)


def _section(exits: Exits, parameters: int) -> str:
    """What the model card says of the head."""
    return f"""{HEADING}

Trained by `seed train exit`, the other weights unchanged; {parameters:,} parameters with it. A canvas counts as final
above a probability of {exits.threshold:.4f}. Of {exits.rounds:,} rounds over training regions kept back from it
{exits.final:,} were the last of their edits; it said so of {exits.said:,}, of {exits.right:,} rightly.
"""


def _without_section(card: str) -> str:
    """A card that is ready for the section, whether it had one or not."""
    return card.split(f"\n{HEADING}\n")[0].rstrip("\n") + "\n\n"
