"""One training run from its configuration to a checkpoint folder: what `seed train run` and `export` call."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch

from engine.checkpoints import folder as checkpoint
from engine.data.batches import BatchMaker
from engine.data.refactorings import RECIPES
from engine.errors import DataError, DeviceError
from engine.files import replacing, write_json
from engine.model.network import Network
from engine.model.tokenizer import CodeTokenizer
from engine.training import laps
from engine.training.ahead import ABOUT, Ahead, fingerprints, make, settings
from engine.training.card import render_card
from engine.training.courses import Judged, course_of
from engine.training.curriculum import Curriculum, read_curriculum
from engine.training.exclusive import exclusive
from engine.training.plot import plot_laps, plot_losses
from engine.training.preparation import open_batches
from engine.training.processes import join
from engine.training.progress import Progress
from engine.training.trainer import Trainer

CONFIGS = Path(__file__).parent / "configs"
BEGAN = "began.json"
"""File of a run's folder that names the checkpoint whose weights it began with."""
DATA = "corpus.json"
"""File of a run's folder that tells which corpus it reads."""
AHEAD = "ahead"
"""Folder of a run's folder with batches made ahead."""
REGIONS = "regions.offsets.npy"
MARKS = ("tokenizer.json", REGIONS)
"""Files of a corpus that tell it from others."""
LOOKAHEAD = 32
"""Tokens that an exported twin verifies in one forward."""


def configured(config: Path | None) -> Path:
    """The file of a run's configuration: a path, or the name of one in `CONFIGS`; the default checkpoint's if None."""
    named = CONFIGS / f"{config or 'default'}.toml"
    return config if config and (config.exists() or not named.exists()) else named


def run(
    corpus: Path,
    config: Path,
    folder: Path,
    *,
    until: int | None,
    device: str,
    compiled: bool,
    workers: int = 1,
    start_from: Path | None = None,
    judged: Callable[[CodeTokenizer], Judged] | None = None,
    ahead: Path | None = None,
    tell: Callable[[dict[str, Any]], None],
) -> None:
    """Train, or go on training, in `folder`; draws `loss.png` at the end, and `laps.png` for a run in laps.

    Args:
        corpus: not needed where all batches up to the end are made ahead.
        workers: processes that make examples; one serves two CPU cores, a GPU needs all cores there are.
        start_from: a checkpoint whose weights a new run begins with; a run that goes on has its own.
        judged: reads the tasks with tests that a run in laps may name.
        ahead: the folder of batches made ahead; the run's own if None, if there is one.

    Raises:
        DataError: the corpus, the configuration or the batches made ahead cannot be used or are not those that the run
            in `folder` began with, the checkpoint has another tokenizer or shape, or another process trains in
            `folder`.
        CheckpointError: `start_from` is no checkpoint.
        DeviceError: there is no such device.
    """
    made = Ahead(ahead or folder / AHEAD) if ahead or (folder / AHEAD / ABOUT).exists() else None
    source = corpus if made is None or (corpus / REGIONS).exists() else made.folder
    tokenizer = CodeTokenizer.load(source)
    curriculum = read_curriculum(config, tokenizer.size)
    maker = _maker(corpus, curriculum, tokenizer) if source == corpus else None
    controls = tokenizer.controls
    never = controls.never if curriculum.decoder == "edit" else controls.unwritten
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise DeviceError(f"device {device}: this machine has no CUDA device; use cpu")
    processes = join(device)
    device = f"cuda:{processes.local_rank}" if device == "cuda" else device
    if made is not None:
        made.check(settings(curriculum, processes.count), fingerprints(corpus) if maker else None)
    data = _data(corpus) if made is None or maker else {name: made.corpus[name] for name in MARKS}
    with exclusive(folder) if processes.is_first else nullcontext():
        batches = made.then(maker) if made else maker
        assert batches is not None, "without batches made ahead the corpus is here"
        trainer = Trainer(folder, curriculum, batches, never=never, device=device, processes=processes)
        if trainer.step:
            _same(folder, corpus, data, config, curriculum, tokenizer)
        else:
            (folder / "config.toml").write_text(config.read_text())
            write_json(folder / DATA, data)
        if start_from is not None and trainer.step == 0:
            weights, began = _weights(start_from, source, trainer.network)
            trainer.begin_with(weights)
            (folder / BEGAN).write_text(json.dumps(began))
        processes.wait()  # until all have read what the first is about to replace
        told = {
            "parameters": trainer.network.parameter_count(),
            "step": trainer.step,
            "steps": curriculum.steps,
        }
        if made is not None:
            last = _last(made, trainer, until)
            told["ahead"] = last
            if maker is None and last < min(until or curriculum.steps, curriculum.steps):
                raise DataError(
                    f"{made.folder} holds the batches up to step {last}, and {corpus} no corpus to make more from; "
                    "name it with --corpus, or stop there with --until"
                )
        tell(told)
        try:
            if curriculum.trajectories is None:
                trainer.run(until=until, workers=workers, compiled=compiled, tell=tell)
            else:
                assert maker is not None, "a run in laps has no batches made ahead"
                own = judged(tokenizer) if judged else None
                course = course_of(curriculum, curriculum.trajectories, maker, tokenizer, own)
                laps.run(trainer, maker, course, until=until, workers=workers, compiled=compiled, tell=tell)
            processes.wait()
        finally:
            if processes.is_first:
                plot_losses(folder / "log.jsonl", folder / "loss.png")
                plot_laps(folder / "log.jsonl", folder / "laps.png")
            processes.leave()


def _maker(corpus: Path, curriculum: Curriculum, tokenizer: CodeTokenizer) -> BatchMaker:
    """The batches of a corpus, which has something of all that the run names."""
    maker = open_batches(corpus, curriculum, tokenizer)
    for stage in curriculum.stages:
        maker.check(stage.mixture)
    return maker


def _last(made: Ahead, trainer: Trainer, until: int | None) -> int:
    """The step up to which batches are made ahead, from where the run stands; at most `until`."""
    end = min(until or trainer.curriculum.steps, trainer.curriculum.steps)
    each = trainer.curriculum.accumulate * trainer.processes.count
    lacking = made.lacking(range(trainer.step * each, end * each))
    return end if lacking is None else lacking // each


def make_ahead(
    corpus: Path,
    config: Path,
    folder: Path,
    *,
    until: int | None,
    processes: int = 1,
    out: Path | None = None,
    workers: int = 1,
    progress: Progress,
) -> Path:
    """Make the batches of a run's next steps, from where it stands, for `run` to read; the folder that holds them.

    What is there already stays, so that an interrupted call goes on.

    Args:
        folder: of the run, which need not have begun.
        until: the last step; the run's if None.
        processes: that will train together.
        out: the folder to make, in the place of the run's own.

    Raises:
        DataError: the corpus or the configuration cannot be used or are not those of the run, it is one in laps, or
            `out` holds batches of another one.
    """
    tokenizer = CodeTokenizer.load(corpus)
    curriculum = read_curriculum(config, tokenizer.size)
    maker = _maker(corpus, curriculum, tokenizer)
    step = 0
    if (folder / "state.pt").exists():
        _same(folder, corpus, _data(corpus), config, curriculum, tokenizer)
        step = torch.load(folder / "state.pt", map_location="cpu", weights_only=True, mmap=True)["step"]
    steps = range(step, min(until or curriculum.steps, curriculum.steps))
    place = out or folder / AHEAD
    make(place, corpus, maker, curriculum, processes, steps, workers=workers, progress=progress)
    return place


def _data(corpus: Path) -> dict[str, str]:
    """What tells a corpus from another one: SHA-256 of its tokenizer and of its regions' lengths."""
    return {name: hashlib.sha256((corpus / name).read_bytes()).hexdigest() for name in MARKS}


def _same(
    folder: Path,
    corpus: Path,
    data: Mapping[str, str],
    config: Path,
    curriculum: Curriculum,
    tokenizer: CodeTokenizer,
) -> None:
    """Refuse to go on with a run as another one.

    Raises:
        DataError: the run in `folder` has another configuration, or read another corpus.
    """
    own = folder / "config.toml"
    if own.exists() and read_curriculum(own, tokenizer.size) != curriculum:
        raise DataError(
            f"{folder} holds a run of another configuration than {config}; name {own}, or another folder"
        )
    _same_data(folder, corpus, data)


def _same_data(folder: Path, corpus: Path, data: Mapping[str, str]) -> None:
    path = folder / DATA
    if path.exists() and json.loads(path.read_text()) != data:
        raise DataError(f"{folder} holds a run on another corpus than {corpus}; name that one with --corpus")


def _weights(
    start_from: Path, corpus: Path, network: Network
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The weights of a checkpoint, and what the model card says of it."""
    found, _, settings = checkpoint.load(start_from, device="cpu", dtype=torch.float32)
    name = "tokenizer.json"
    if (start_from / name).read_bytes() != (corpus / name).read_bytes():
        raise DataError(
            f"{start_from} has another tokenizer than {corpus}; make the corpus with a copy of its {name}"
        )
    found.drop_exit()
    if found.config != network.config:
        raise DataError(f"{start_from} has another shape than the run: {found.config}")
    return found.state_dict(), {
        "revision": checkpoint.revision(start_from),
        "steps": settings.get("steps", 0),
    }


def export(
    corpus: Path,
    folder: Path,
    out: Path,
    *,
    threshold: float,
    sure: float,
    least_label: float = 0.0,
    own_words: Sequence[str] | None = None,
    start: Path | None = None,
    kept: float = 0.0,
    reports: Sequence[Path] = (),
) -> None:
    """Write the run's weights as a checkpoint with the sampler's thresholds and a model card.

    Args:
        least_label: as in `EditSettings`.
        own_words: what an edit may bring along beside the words of region, instruction and context; anything if None.
        start: the checkpoint whose weights the run began with.
        kept: share of those weights in the mean that is written, in [0, 1): what a run forgets of what it began with
            comes back, at little cost of what it learned (Wortsman et al. 2021, arXiv 2109.01903).
        reports: files of `seed eval` whose figures the card shows.

    Raises:
        DataError: the run has saved nothing yet, read another corpus, began with other weights than those of `start`,
            or a report cannot be read.
    """
    tokenizer = CodeTokenizer.load(corpus)
    curriculum = read_curriculum(folder / "config.toml", tokenizer.size)
    try:
        state = torch.load(folder / "state.pt", map_location="cpu", weights_only=True)
    except OSError as error:
        raise DataError(f"{folder} holds no saved run: {error}") from error
    _same_data(folder, corpus, _data(corpus))
    network = Network(curriculum.model)
    network.load_state_dict(state["network"])
    if state.get("average") is not None:
        for parameter, mean in zip(network.parameters(), state["average"], strict=True):
            parameter.data.copy_(mean)
    began = json.loads((folder / BEGAN).read_text()) if (folder / BEGAN).exists() else None
    if kept:
        began = _keep(network, corpus, start, kept, began)
    settings: dict[str, Any] = {
        "recipes": list(RECIPES),
        "threshold": threshold,
        "sure": sure,
        "least_label": least_label,
        "steps": state["step"],
    }
    if own_words is not None:
        settings["own_words"] = list(own_words)
    if any(stage.hinted for stage in curriculum.stages):
        settings["hints"] = True
    if began:
        settings["began_with"] = began
    if curriculum.decoder == "autoregressive":
        settings |= {"decoder": curriculum.decoder, "lookahead": LOOKAHEAD}
    try:
        data, *figures = (json.loads(path.read_text()) for path in (corpus / "card.json", *reports))
        card = render_card(out.name, curriculum, settings, network.parameter_count(), data, figures)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise DataError(f"cannot make the model card: {error!r}") from error
    checkpoint.save(out, network, tokenizer, settings)
    with replacing(out / "README.md") as partial:
        partial.write_text(card)


def _keep(
    network: Network, corpus: Path, start: Path | None, share: float, began: dict[str, Any] | None
) -> dict[str, Any]:
    """Put the mean of a run's weights and those it began with in the place of the run's; what the card says of it."""
    if start is None or began is None:
        raise DataError("weights can be kept of a checkpoint that the run began with; name it, or keep none")
    weights, found = _weights(start, corpus, network)
    if found["revision"] != began["revision"]:
        raise DataError(
            f"the run began with checkpoint {began['revision']}, {start} is {found['revision']}; name the former"
        )
    for name, value in network.state_dict().items():
        value.lerp_(weights[name], share)
    return began | {"kept": share}
