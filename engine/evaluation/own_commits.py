"""How well a network makes the changes of held-out commits, and how often it changes what needs no change."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.data.history import HistoryPair
from engine.diffusion.layout import prefix
from engine.diffusion.levenshtein import label
from engine.editor import Editor
from engine.evaluation.scores import Share, share, table
from engine.evaluation.suites import answer, first_text
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.proposer import MAX_INSTRUCTION
from engine.requests import EditOptions, EditRequest
from engine.sampling.batch import read_canvases, read_prefixes

TRIES = 4
UNTOUCHED = "fix the bug"
"""What is asked of code after a commit, where nothing is known to be wrong."""
EXACT, WITHIN, TAKEN_UP, LEFT = (
    "exact match",
    f"exact match within {TRIES} candidates",
    "instruction taken up",
    "untouched left untouched",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on the held-out commits."""

    shares: Mapping[str, Share]
    loss: float
    """Nats a token that is to be changed, inserted before or deleted, in the first round."""

    def as_json(self) -> dict[str, object]:
        return {
            **{name: s.as_json() for name, s in self.shares.items()},
            "loss per changed token": round(self.loss, 4),
        }

    @classmethod
    def read(cls, table: Mapping[str, object]) -> "Figures":
        """What `as_json` wrote."""
        shares = {
            name: Share(value["hits"], value["count"])
            for name, value in table.items()
            if isinstance(value, dict)
        }
        return cls(shares, float(str(table["loss per changed token"])))

    def better_than(self, other: "Figures") -> bool:
        """Whether more commits are met exactly, or as many and the loss is lower."""
        mine, others = (
            (f.shares[EXACT].hits, f.shares[WITHIN].hits, -round(f.loss, 4)) for f in (self, other)
        )
        return mine > others


def measure(
    editor: Editor,
    network: Network,
    tokenizer: CodeTokenizer,
    held: Sequence[HistoryPair],
    tell: Callable[[int], None],
) -> Figures:
    """The figures of one network.

    Args:
        editor: of this network.
        tell: hears how many questions were answered; there are three for each commit.
    """
    asked = [EditRequest(p.instruction, p.before, must_parse=True) for p in held]
    once = answer(editor, asked, EditOptions(new_names=True), tell).proposals
    several = answer(
        editor, asked, EditOptions(candidates=TRIES, judged=True, new_names=True), tell
    ).proposals
    untouched = [EditRequest(UNTOUCHED, p.after, must_parse=True) for p in held]
    left = answer(editor, untouched, EditOptions(new_names=True), tell).proposals
    shares = {
        EXACT: share(first_text(r, a) == p.after for p, r, a in zip(held, asked, once, strict=True)),
        WITHIN: share(
            p.after in [c.text for c in a.candidates[:TRIES]] for p, a in zip(held, several, strict=True)
        ),
        TAKEN_UP: share(a.verdict != "out_of_scope" for a in once),
        LEFT: share(first_text(r, a) == r.region for r, a in zip(untouched, left, strict=True)),
    }
    return Figures(shares, changed_loss(network, tokenizer, held))


@torch.inference_mode()
def changed_loss(network: Network, tokenizer: CodeTokenizer, held: Sequence[HistoryPair]) -> float:
    """Mean cross-entropy, in nats, of the labels that are not to keep their token; NaN where none is."""
    losses = [_changed_losses(network, tokenizer, pair) for pair in held]
    return float(torch.cat(losses).mean()) if losses else math.nan


def _changed_losses(network: Network, tokenizer: CodeTokenizer, pair: HistoryPair) -> Tensor:
    c, device = tokenizer.controls, network.embedding.weight.device
    before, after = tokenizer.encode_batch([pair.before, pair.after])
    edits = label(before, after, c.edits)
    where = prefix((), tokenizer.encode(pair.instruction)[:MAX_INSTRUCTION], marks=c.marks)
    canvas = [*before, c.end]
    changed = [i for i, (token, edit) in enumerate(zip(canvas, edits, strict=True)) if token != edit]
    features = read_canvases(network, read_prefixes(network, [where], c.pad), [canvas], c.pad)
    logits = network.logits(features[0, changed]).float()
    logits[:, c.never] = float("-inf")
    return F.cross_entropy(logits, torch.tensor(edits, device=device)[changed], reduction="none")


def compared(before: Figures, after: Figures) -> str:
    """Both as aligned lines for a terminal."""
    lines = []
    for name, figures in (("before", before), ("after", after)):
        lines += [f"{name}:", table(figures.shares), f"loss per changed token  {figures.loss:.3f}", ""]
    return "\n".join(lines[:-1])
