"""`seed train`: build a corpus, train, export a checkpoint. Parses and reports; the work is the engine's."""

import sys
from pathlib import Path
from typing import Any

import typer

from seedcli.errors import SettingsError

app = typer.Typer(
    help="Train a model: build a corpus, run, export.",
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
    """Collect regions, train a tokenizer, make pairs; what exists already is kept."""
    from engine.errors import EngineError
    from engine.training.preparation import prepare
    from engine.training.running import CONFIGS

    try:
        prepare(out, sources or CONFIGS / "sources.toml", repositories, bar, seed=seed, tell=_line)
    except EngineError as error:
        raise SettingsError(str(error)) from error


@app.command()
def run(
    folder: Path = typer.Argument(..., help="The run's folder; an interrupted run goes on."),
    corpus: Path = Corpus,
    config: Path = typer.Option(None, help="TOML file of the run; the default checkpoint's if not given."),
    until: int = typer.Option(None, help="Stop after this step; a later call goes on."),
    device: str = typer.Option("cpu", help="cpu or cuda."),
    workers: int = typer.Option(1, help="Processes that make examples; a GPU needs one a core."),
    start_from: Path = typer.Option(None, help="Checkpoint whose weights a new run begins with."),
    compile_: bool = typer.Option(
        True, "--compile/--no-compile", help="Compile the forward and backward pass."
    ),
) -> None:
    """Train with exact resume; Ctrl-C saves first."""
    from tqdm import tqdm

    from engine.errors import EngineError
    from engine.training.running import CONFIGS
    from engine.training.running import run as train

    bar: Any = None

    def tell(line: dict[str, Any]) -> None:
        nonlocal bar
        if bar is None:
            _line(f"{line['parameters']:,} parameters, from step {line['step']}")
            bar = tqdm(total=line["steps"], initial=line["step"], unit="step", file=sys.stderr, disable=None)
            return
        bar.update(line["step"] - bar.n)
        bar.set_postfix({k: line[k] for k in ("masked", "changed", "kept", "tokens_per_second")})

    try:
        chosen = config or CONFIGS / "default.toml"
        train(
            corpus,
            chosen,
            folder,
            until=until,
            device=device,
            compiled=compile_,
            workers=workers,
            start_from=start_from,
            tell=tell,
        )
    except EngineError as error:
        raise SettingsError(str(error)) from error
    finally:
        if bar is not None:
            bar.close()


@app.command()
def export(
    folder: Path = typer.Argument(..., help="The run's folder."),
    out: Path = typer.Argument(..., help="The checkpoint folder to write."),
    corpus: Path = Corpus,
    threshold: float = typer.Option(0.7, help="Least probability of a change for it to be made."),
    sure: float = typer.Option(0.3, help="Most probability of a change at which nothing needs to change."),
    report: list[Path] = typer.Option(
        [], help="A report of `seed eval` for the model card; may be repeated."
    ),
) -> None:
    """Write the run's weights as a checkpoint that `seed edit --model` loads."""
    from engine.errors import EngineError
    from engine.training.running import export as write

    try:
        write(corpus, folder, out, threshold=threshold, sure=sure, reports=report)
    except EngineError as error:
        raise SettingsError(str(error)) from error
    typer.echo(str(out))


def _line(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
