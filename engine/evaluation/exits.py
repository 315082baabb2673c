"""How well a checkpoint's exit head tells final canvases, and what it saves: the same cases with it and without.

Knows nothing of where cases come from.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.checkpoints import folder as checkpoint
from engine.diffusion.layout import prefix
from engine.editor import Editor, usual_dtype
from engine.errors import CheckpointError
from engine.evaluation.scores import Share, share
from engine.evaluation.suites import Answers, answer, first_text
from engine.model.tokenizer import CodeTokenizer
from engine.requests import EditOptions, EditRequest
from engine.training.exit_rounds import Question, watch
from engine.training.exits import probabilities

Case = tuple[str, str, str]
"""Instruction, region, right answer."""
Tell = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class ExitFigures:
    """What an exit head is worth."""

    scores: dict[str, Share]
    costs: dict[str, float]
    probabilities: list[float]
    """What the head said of each round that may have been its edit's last."""
    final: list[bool]
    """Whether it was."""
    threshold: float


def measure(folder: Path, editor: Editor, suites: Mapping[str, Sequence[Case]], tell: Tell) -> ExitFigures:
    """Figures of each suite, with its name before theirs.

    Args:
        folder: of the checkpoint that the editor has loaded.
        tell: hears how many more cases are done.

    Raises:
        CheckpointError: the checkpoint has no exit head.
    """
    info = editor.info
    network, tokenizer, settings = checkpoint.load(
        folder, device=info.device, dtype=usual_dtype(info.dtype, info.device)
    )
    if network.exit is None:
        raise CheckpointError(f"{folder} has no exit head; train one with `seed train exit {folder}`")
    head, threshold = network.exit.cpu(), float(settings["exit_threshold"])
    found = ExitFigures({}, {}, [], [], threshold)
    for name, cases in suites.items():
        questions = [_question(tokenizer, instruction, region) for instruction, region, _ in cases]
        rounds = watch(network, tokenizer, questions, info.threshold, lambda _: None)
        said, final = probabilities(head, rounds).tolist(), rounds.final_R.tolist()
        scores, costs = compare(editor, cases, tell)
        scores = _told([p > threshold for p in said], final) | scores
        found.scores.update({f"{name}: {key}": value for key, value in scores.items()})
        found.costs.update({f"{name}_{key}": value for key, value in costs.items()})
        found.probabilities.extend(said)
        found.final.extend(final)
    return found


def _question(tokenizer: CodeTokenizer, instruction: str, region: str) -> Question:
    where = prefix((), tokenizer.encode(instruction), marks=tokenizer.controls.marks)
    return where, tokenizer.encode(region)


def _told(said: Sequence[bool], final: Sequence[bool]) -> dict[str, Share]:
    """Precision, recall, and the precision of a head that always says yes."""
    rows = list(zip(said, final, strict=True))
    return {
        "final where the head says so": share(is_final for yes, is_final in rows if yes),
        "said to be where final": share(yes for yes, is_final in rows if is_final),
        "final, of all rounds without masks": share(final),
    }


def compare(editor: Editor, cases: Sequence[Case], tell: Tell) -> tuple[dict[str, Share], dict[str, float]]:
    """Results with the head and without, and the forwards and seconds that they cost."""
    requests = [EditRequest(instruction, region, must_parse=True) for instruction, region, _ in cases]
    quick = answer(editor, requests, EditOptions(), tell)
    confirmed = answer(editor, requests, EditOptions(exit_head=False), lambda _: None)
    texts, reference = _texts(requests, quick), _texts(requests, confirmed)
    right = [after for _, _, after in cases]
    scores = {
        "other result than without the head": share(a != b for a, b in zip(texts, reference, strict=True)),
        "exact with the head": share(a == b for a, b in zip(texts, right, strict=True)),
        "exact without": share(a == b for a, b in zip(reference, right, strict=True)),
    }
    edited = [p.verdict == "edit" for p in confirmed.proposals]
    return scores, _costs("with", quick, edited) | _costs("without", confirmed, edited)


def _texts(requests: Sequence[EditRequest], found: Answers) -> list[str]:
    return [first_text(r, p) for r, p in zip(requests, found.proposals, strict=True)]


def _costs(name: str, found: Answers, edited: Sequence[bool]) -> dict[str, float]:
    costs = found.costs()
    forwards = [p.forwards for p, is_edit in zip(found.proposals, edited, strict=True) if is_edit]
    return {
        f"forwards_per_edit_{name}": costs["forwards_per_edit"],
        f"forwards_where_edited_{name}": round(statistics.fmean(forwards), 2) if forwards else math.nan,
        f"seconds_per_edit_{name}": costs["seconds_per_edit"],
    }
