"""Fine-tuning on one's own code from end to end: read the history, measure, tune, measure again, write a checkpoint.

The work lies in a folder beside the checkpoint to be, `<out>.partial`; it goes on from there when it was interrupted.
The checkpoint appears whole or not at all.
"""

import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import torch

from engine.checkpoints import folder as checkpoint
from engine.checkpoints.describing import family_name
from engine.editor import Editor
from engine.errors import DataError
from engine.evaluation.own_commits import Figures, changed_loss, measure
from engine.files import write_json
from engine.training.adopting import adopt
from engine.training.finetuning import Best, Tuning, tune
from engine.training.own_history import OwnHistory, read_own_history
from engine.training.progress import Progress
from engine.training.tuned_card import render_tuned_card

QUESTIONS = 3
"""Of `measure` for each commit."""
ORIGIN = "origin.json"
"""File in `<out>.base` that tells what it was made of."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be tuned on what."""

    repository: Path
    since: date | None
    holdout: int | None
    start_from: Path
    tuning: Tuning
    device: str = "cpu"
    compiled: bool = True


@dataclass(frozen=True, slots=True)
class Finetuned:
    """What came of it."""

    before: Figures
    after: Figures

    @property
    def better(self) -> bool:
        return self.after.better_than(self.before)


def finetune(wish: Wish, out: Path, progress: Progress) -> Finetuned:
    """Make the checkpoint `out`, with `finetune.json` and a model card in it.

    Raises:
        DataError: the repository does not do, or `out` or its folder of work belongs to something else.
        CheckpointError: `start_from` is no checkpoint.
        DeviceError: there is no such device here.
    """
    if out.exists():
        raise DataError(f"{out} exists already; name another folder with --out, or remove it")
    wish = _native(wish, out, progress)
    first = _Model(wish.start_from, wish.device)
    progress.line(f"reading the history of {wish.repository}")
    history = read_own_history(
        wish.repository,
        since=wish.since,
        holdout=wish.holdout,
        fits=lambda text: len(first.tokenizer.encode(text)) <= first.editor.info.max_region_tokens,
        seed=wish.tuning.seed,
    )
    progress.line("\n".join(f"  {name}: {count:,}" for name, count in history.counts.items()))
    wish = replace(wish, tuning=wish.tuning.fitted(len(history.trained)))
    plan = _plan(wish, history, first)
    work = _work_folder(out, plan, progress)
    before = _before(work / "before.json", first, history, progress)
    best = _train(wish, work, first, history, progress)
    progress.line(f"kept: the weights after step {best.step}, loss {best.loss:.3f} on the validation commits")
    made = work / "checkpoint"
    checkpoint.save(made, first.network, first.tokenizer, first.settings)
    result = Finetuned(before, _measured("after", _Model(made, wish.device), history, progress))
    kept = {"step": best.step, "validation loss": round(best.loss, 4)}
    _describe(made, out.name, wish, {**plan, "commits": history.counts, "kept": kept}, result)
    os.replace(made, out)
    shutil.rmtree(work)
    shutil.rmtree(_base(out), ignore_errors=True)
    return result


def _base(out: Path) -> Path:
    """Where a checkpoint from elsewhere lies as a native one while it is tuned."""
    return out.with_name(out.name + ".base")


def _native(wish: Wish, out: Path, progress: Progress) -> Wish:
    """The wish with a native checkpoint to start from; one from elsewhere is adopted, once, however often it is
    interrupted."""
    family = family_name(wish.start_from)
    if family is None:
        return wish
    base = _base(out)
    origin = _origin(wish.start_from)
    if base.exists() and not ((base / ORIGIN).exists() and json.loads((base / ORIGIN).read_text()) == origin):
        raise DataError(
            f"{base} was made of another checkpoint than {wish.start_from}; remove it, or name another --out"
        )
    if not base.exists():
        progress.line(f"{wish.start_from} is of the family {family}: adding what Seed's edits need")
        partial = base.with_name(base.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        adopt(wish.start_from, partial)
        write_json(partial / ORIGIN, origin)
        os.replace(partial, base)
    return replace(wish, start_from=base)


def _origin(folder: Path) -> dict[str, Any]:
    """What tells a checkpoint from elsewhere from another one, without reading its weights."""
    files = {path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in sorted(folder.iterdir())}
    return {"folder": str(folder.resolve()), "files": files}


class _Model:
    """A checkpoint to ask, and its network to train."""

    def __init__(self, folder: Path, device: str) -> None:
        self.editor = Editor.load(folder, device=device, dtype="float32")
        self.network, self.tokenizer, self.settings = checkpoint.load(
            folder, device=device, dtype=torch.float32
        )
        self.name = self.settings.get("adopted", {}).get("name", folder.resolve().name)


def _plan(wish: Wish, history: OwnHistory, first: _Model) -> dict[str, Any]:
    """What an interrupted run must share with the one that goes on."""
    return {
        "repository": history.repository,
        "head": history.head,
        "since": wish.since.isoformat() if wish.since else None,
        "held_out": [pair.commit for pair in history.held],
        "start_from": {"name": first.name, "revision": first.editor.info.revision},
        "tuning": asdict(wish.tuning),
    }


def _work_folder(out: Path, plan: dict[str, Any], progress: Progress) -> Path:
    """`<out>.partial`, empty or with what an interrupted run of this plan left."""
    work = out.with_name(out.name + ".partial")
    path = work / "plan.json"
    if not work.exists():
        work.mkdir(parents=True)
        write_json(path, plan)
    elif not path.exists() or json.loads(path.read_text()) != plan:
        raise DataError(
            f"{work} is of a run on other commits or with other options; remove it, or name another folder with --out"
        )
    else:
        progress.line(f"going on with {work}")
    return work


def _before(path: Path, first: _Model, history: OwnHistory, progress: Progress) -> Figures:
    """Measured once, however often the run is interrupted."""
    if path.exists():
        return Figures.read(json.loads(path.read_text()))
    found = _measured("before", first, history, progress)
    write_json(path, found.as_json())
    return found


def _measured(name: str, model: _Model, history: OwnHistory, progress: Progress) -> Figures:
    progress.phase(f"measuring {name}", QUESTIONS * len(history.held), "question")
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress.at(done)

    return measure(model.editor, model.network, model.tokenizer, history.held, tell)


def _train(wish: Wish, work: Path, model: _Model, history: OwnHistory, progress: Progress) -> Best:
    """Tune the model's network in place, to the weights that do best on the validation commits."""
    data = work / "data"
    if not data.exists():  # packed once, however often the run is interrupted
        packing = work / "packing"
        packing.mkdir(exist_ok=True)
        history.pack(packing, model.tokenizer, seed=wish.tuning.seed)
        os.replace(packing, data)
    assert wish.tuning.steps is not None, "the history has told how many"
    progress.phase("tuning", wish.tuning.steps, "step")

    def tell(line: dict[str, Any]) -> None:
        progress.at(line["step"], **{name: line[name] for name in ("masked", "changed", "kept")})

    return tune(
        data,
        work / "run",
        model.network,
        model.tokenizer,
        wish.tuning,
        device=wish.device,
        compiled=wish.compiled,
        rows=model.settings.get("adopted", {}).get("rows", ()),
        loss=lambda: changed_loss(model.network, model.tokenizer, history.validation),
        tell=tell,
    )


def _describe(made: Path, name: str, wish: Wish, plan: dict[str, Any], result: Finetuned) -> None:
    """Write `finetune.json` and the model card."""
    report = {
        "command": " ".join(["seed", *sys.argv[1:]]),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        **plan,
        "before": result.before.as_json(),
        "after": result.after.as_json(),
        "better": result.better,
    }
    write_json(made / "finetune.json", report)
    card = wish.start_from / "README.md"
    text = render_tuned_card(name, report, card.read_text() if card.exists() else "")
    (made / "README.md").write_text(text)
