"""`seed train`: build a corpus, train, export, fine-tune. Parses and reports; the work is the engine's."""

import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import typer

from seedcli.errors import ModelError, SettingsError

app = typer.Typer(
    help="Train a model: build a corpus, run, export; fine-tune.\n\n"
    "\b\nExamples:\n  seed train run runs/mine --corpus corpus\n"
    "  seed train finetune --repo . --since 2024-01-01 --out ours",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

Corpus = typer.Option(Path("corpus"), "--corpus", help="The prepared folder.")


@app.command()
def corpus(
    repositories: Path = typer.Option(..., help="Folder with the repositories that the list names."),
    sources: Path = typer.Option(None, help="TOML list of sources; the default checkpoint's if not given."),
    bar: Path = typer.Option(None, help="Folder of evaluation suites (*.jsonl) to keep out."),
    out: Path = typer.Option(Path("corpus"), help="The folder to make."),
    seed: int = typer.Option(1, help="Source of chance."),
) -> None:
    """Collect regions, train a tokenizer, make pairs; what exists already is kept.

    \b
    Examples:
      seed train corpus --repositories DIR --bar SUITES --out corpus
    """
    from engine.errors import EngineError
    from engine.training.preparation import prepare
    from engine.training.running import CONFIGS

    progress = _Progress()
    try:
        prepare(out, sources or CONFIGS / "sources.toml", repositories, bar, seed=seed, progress=progress)
    except EngineError as error:
        raise SettingsError(str(error)) from error
    finally:
        progress.close()


@app.command()
def run(
    folder: Path = typer.Argument(..., help="The run's folder; an interrupted run goes on."),
    corpus: Path = Corpus,
    config: Path = typer.Option(
        None,
        help="TOML file of the run, or the name of one that comes along (first, second, default, order, on_policy); "
        "the default checkpoint's if not given.",
    ),
    until: int = typer.Option(None, min=1, help="Stop after this step; a later call goes on."),
    device: str = typer.Option("cpu", help="cpu or cuda."),
    workers: int = typer.Option(1, help="Processes that make examples; a GPU needs one a core."),
    start_from: Path = typer.Option(None, help="Checkpoint whose weights a new run begins with."),
    judged: Path = typer.Option(
        None, help="File of rows with tests, as `seed eval` reads them: the tasks `judged` of a run in laps."
    ),
    ahead: Path = typer.Option(
        None,
        help="Folder of batches that `seed train ahead` made; FOLDER/ahead if not given, if there is one.",
    ),
    compile_: bool = typer.Option(
        True, "--compile/--no-compile", help="Compile the forward and backward pass."
    ),
) -> None:
    """Train with exact resume; Ctrl-C saves first.

    \b
    Examples:
      seed train run runs/mine --corpus corpus
      seed train run runs/order --config order --start-from engine/checkpoints/default
    """
    from engine.errors import EngineError
    from engine.evaluation.judged_tasks import read_judged
    from engine.training.running import configured
    from engine.training.running import run as train

    progress, steps = _Progress(), 0

    def tell(line: dict[str, Any]) -> None:
        nonlocal steps
        if "parameters" in line:
            steps = line["steps"]
            progress.line(f"{line['parameters']:,} parameters, from step {line['step']}")
            if "ahead" in line:
                progress.line(f"batches are made ahead up to step {line['ahead']}")
            progress.phase("training", steps, "step", done=line["step"])
        elif "probe" in line:
            progress.line(_probed(line))
            progress.phase("training", steps, "step", done=line["step"])
        else:
            shown = ("masked", "changed", "kept", "tokens_per_second", "share_of_peak")
            progress.at(line["step"], **{name: line[name] for name in shown})

    try:
        train(
            corpus,
            configured(config),
            folder,
            until=until,
            device=device,
            compiled=compile_,
            workers=workers,
            start_from=start_from,
            judged=partial(read_judged, judged) if judged else None,
            ahead=ahead,
            tell=tell,
        )
    except EngineError as error:
        raise SettingsError(str(error)) from error
    finally:
        progress.close()


@app.command()
def ahead(
    folder: Path = typer.Argument(..., help="The run's folder; it need not have begun."),
    corpus: Path = Corpus,
    config: Path = typer.Option(None, help="As in `seed train run`."),
    until: int = typer.Option(None, min=1, help="The last step; the run's if not given."),
    processes: int = typer.Option(1, min=1, help="How many torchrun will start."),
    out: Path = typer.Option(None, help="The folder to make; FOLDER/ahead if not given."),
    workers: int = typer.Option(1, min=0, help="Processes that make examples; one a core is fastest."),
) -> None:
    """Make the batches of a run's next steps ahead of time; `seed train run` reads them, and makes what is missing.

    An interrupted call goes on when called again. The run is the same bit for bit, and needs no corpus as far as its
    batches are made.

    \b
    Examples:
      seed train ahead runs/mine --corpus corpus --until 2000 --workers 16
      seed train ahead runs/mine --processes 2 --out batches
    """
    from engine.errors import EngineError
    from engine.training.running import configured, make_ahead

    progress = _Progress()
    try:
        made = make_ahead(
            corpus,
            configured(config),
            folder,
            until=until,
            processes=processes,
            out=out,
            workers=workers,
            progress=progress,
        )
    except EngineError as error:
        raise SettingsError(str(error)) from error
    finally:
        progress.close()
    typer.echo(str(made))


@app.command()
def export(
    folder: Path = typer.Argument(..., help="The run's folder."),
    out: Path = typer.Argument(..., help="The checkpoint folder to write."),
    corpus: Path = Corpus,
    threshold: float = typer.Option(0.7, help="Least probability of a change for it to be made."),
    sure: float = typer.Option(0.3, help="Most probability of a change at which nothing needs to change."),
    least_label: float = typer.Option(
        0.0, help="Least probability of the least probable label of a change for it to be made."
    ),
    own_words: str = typer.Option(
        None,
        help="Words, with commas, that an edit may bring along; of others not in the code or the instruction it makes "
        "none up. Anything if not given.",
    ),
    start: Path = typer.Option(None, help="The checkpoint that the run began with, for --kept."),
    kept: float = typer.Option(
        0.0, min=0.0, max=0.99, help="Share of the weights it began with in the mean to be written."
    ),
    report: list[Path] = typer.Option(
        [], help="A report of `seed eval` for the model card; may be repeated."
    ),
) -> None:
    """Write the run's weights as a checkpoint that `seed edit --model` loads.

    \b
    Examples:
      seed train export runs/mine my-model --corpus corpus
      seed train export runs/more my-model --start default --kept 0.5
    """
    from engine.errors import EngineError
    from engine.training.running import export as write

    try:
        bounds = {"threshold": threshold, "sure": sure, "least_label": least_label}
        own = None if own_words is None else [word for word in own_words.split(",") if word]
        write(corpus, folder, out, **bounds, own_words=own, start=start, kept=kept, reports=report)
    except EngineError as error:
        raise SettingsError(str(error)) from error
    typer.echo(str(out))


@app.command()
def finetune(
    repo: Path = typer.Option(Path("."), help="The git repository to learn from; nothing is written there."),
    since: datetime = typer.Option(
        None, formats=["%Y-%m-%d"], help="First day of the commits to read; all if not given."
    ),
    start_from: str = typer.Option(
        None,
        help="Checkpoint to tune, its folder or ORG/NAME; the one that comes with Seed if not given. One of another "
        "family learns Seed's edits.",
    ),
    out: Path = typer.Option(
        Path("finetuned"), help="The checkpoint folder to make; <out>.partial holds the work."
    ),
    steps: int = typer.Option(
        None, min=1, help="Training steps; a fifth of the commits' number, 20 to 300, if not given."
    ),
    rate: float = typer.Option(0.05, min=0.0, help="Share of the learning rates of a training from nothing."),
    lora: int = typer.Option(
        0, min=0, help="Rank of low-rank pairs, merged at the end; 0 trains all weights."
    ),
    holdout: int = typer.Option(
        None, min=1, help="Newest usable commits to hold out; a fifth, 20 to 200, if not given."
    ),
    device: str = typer.Option("cpu", help="cpu or cuda."),
    seed: int = typer.Option(1, help="Source of chance."),
    compile_: bool = typer.Option(
        True, "--compile/--no-compile", help="Compile the forward and backward pass."
    ),
) -> None:
    """Tune a checkpoint on a repository's history; report exact matches on its newest commits before and after.

    The weights that are kept are those with the least loss on commits that are neither trained on nor reported on.
    An interrupted run goes on when called again. Exit code 1: the checkpoint was written and is no better.

    \b
    Examples:
      seed train finetune --repo . --since 2024-01-01 --out ours
      seed train finetune --repo . --lora 16 --out ours-lora
    """
    from engine.checkpoints.folder import DEFAULT
    from engine.errors import CheckpointError, DeviceError, EngineError
    from engine.evaluation.finetuned import Wish
    from engine.evaluation.finetuned import finetune as tune
    from engine.evaluation.own_commits import compared
    from engine.training.finetuning import Tuning

    tuning = Tuning(steps=steps, rate=rate, rank=lora, seed=seed)
    first_day = since.date() if since else None
    wish = Wish(repo, first_day, holdout, _begin(start_from) or DEFAULT, tuning, device, compile_)
    progress = _Progress()
    try:
        done = tune(wish, out, progress)
    except (CheckpointError, DeviceError) as error:
        raise ModelError(str(error)) from error
    except EngineError as error:
        raise SettingsError(str(error)) from error
    finally:
        progress.close()
    typer.echo(compared(done.before, done.after))
    typer.echo(str(out))
    if not done.better:
        _line(f"not better on the held-out commits than what it began with; {out} is written all the same")
        raise typer.Exit(1)


def _begin(start_from: str | None) -> Path | None:
    """The folder to start from; one of the hub is downloaded if it is not here."""
    from engine.checkpoints.store import Wanted
    from seedcli.model_client import get_model

    if start_from is None or Path(start_from).is_dir() or Wanted.read(start_from) is None:
        return None if start_from is None else Path(start_from)
    return get_model(start_from)


def _probed(line: dict[str, Any]) -> str:
    """What a lap's probe measured, in one line."""
    kinds = (
        f"{kind} {found['rounds']:.2f} rounds, {found['accepted']:.0%} accepted"
        for kind, found in line["probe"].items()
    )
    return f"step {line['step']}: {'; '.join(kinds)}"


@app.command("exit")
def exit_head(
    checkpoint: Path = typer.Argument(..., help="The checkpoint whose rounds are to be saved."),
    corpus: Path = Corpus,
    out: Path = typer.Option(Path("with-exit"), help="The checkpoint folder to make."),
    questions: int = typer.Option(
        4000, min=10, help="Repairs and recipes that the checkpoint is watched at."
    ),
    precision: float = typer.Option(
        0.98, min=0.0, max=1.0, help="Least share of canvases said to be final that are."
    ),
    device: str = typer.Option("cpu", help="cpu or cuda."),
    seed: int = typer.Option(1, help="Source of chance."),
) -> None:
    """Give a checkpoint an exit head, which saves the round that confirms an edit; its other weights stay.

    Prints the precision and recall of the head on questions kept back from it.

    \b
    Examples:
      seed train exit my-model --corpus corpus --out my-model-with-exit
    """
    from engine.errors import CheckpointError, DeviceError, EngineError
    from engine.training.exits import ExitTuning, train_exit

    progress = _Progress()
    progress.phase("watching", questions, "question")
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done += count
        progress.at(done)

    tuning = ExitTuning(questions=questions, precision=precision, seed=seed)
    try:
        exits = train_exit(checkpoint, corpus, out, tuning, device=device, tell=tell)
    except (CheckpointError, DeviceError) as error:
        raise ModelError(str(error)) from error
    except EngineError as error:
        raise SettingsError(str(error)) from error
    finally:
        progress.close()
    if not exits.said:
        _line(
            f"no threshold gives a precision of {precision:g}; the head of {out} never says that a canvas is final"
        )
    typer.echo(
        f"precision {exits.right}/{exits.said}, recall {exits.right}/{exits.final}, threshold {exits.threshold:.4f}"
    )
    typer.echo(str(out))


class _Progress:
    """Lines and bars on stderr."""

    def __init__(self) -> None:
        self._bar: Any = None

    def line(self, text: str) -> None:
        self.close()
        _line(text)

    def phase(self, name: str, total: int, unit: str, *, done: int = 0) -> None:
        from tqdm import tqdm

        self.close()
        self._bar = tqdm(desc=name, total=total, initial=done, unit=unit, file=sys.stderr, disable=None)

    def at(self, done: int, **figures: float) -> None:
        self._bar.update(done - self._bar.n)
        if figures:
            self._bar.set_postfix(figures)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _line(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
