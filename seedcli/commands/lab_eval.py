"""`seed eval`: run a suite and report its figures. Here are the suites that tests judge. Parses and reports; suites and
scores are the engine's."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from seedcli.commands import lab_held_out
from seedcli.commands.lab_all import all_suites
from seedcli.commands.lab_writing import SUITES
from seedcli.commands.measuring import (
    Data,
    Model,
    Out,
    Resume,
    Threshold,
    bar,
    counts,
    finish,
    limits,
    open_editor,
    open_ledger,
    say_unjudged,
)
from seedcli.errors import SettingsError

if TYPE_CHECKING:
    from engine.evaluation.cage import Limits
    from engine.evaluation.judged import JudgedCase

app = typer.Typer(
    help="Measure a model on held-out cases.\n\n"
    "\b\nExamples:\n  seed eval repair --held-out corpus/held_out.jsonl --out repair.json\n"
    "  seed eval quixbugs --data quixbugs.jsonl --model my-model",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)
for suite in SUITES:
    app.command()(suite)
for name, held_out_suite in lab_held_out.SUITES.items():
    app.command(name)(held_out_suite)
app.command("all")(all_suites)

Tries = typer.Option(
    "1,4,16", help="Numbers of candidates, as `seed edit -n` gives them, within which a case may be solved."
)
Samples = typer.Option(
    0, min=0, help="Answers drawn besides, independently of each other, for pass@k at the numbers of --tries."
)
Temperature = typer.Option(0.8, min=0.0, help="Randomness of the samples.")
Baseline = typer.Option(
    False, "--baseline", help="Also judge every one-token substitution: what drawing at random would solve."
)
Limit = typer.Option(0, min=0, help="Take only the first so many cases; 0 takes all.")
Seconds = typer.Option(
    1.0, help="CPU seconds that an answer has, beside five times what the published one needs."
)

PROJECT_SECONDS = 600.0
"""Wall time of a project's tests, which wait as well as compute."""


@dataclass(frozen=True, slots=True)
class Judging:
    """What the options of a judged suite say."""

    tries: list[int]
    baseline: bool
    samples: int
    temperature: float
    limits: "Limits"
    model: Path | None
    threshold: float | None
    out: Path | None
    resume: bool


@app.command(
    "quixbugs",
    help="Repair classic algorithms with one wrong line each, judged by tests (rows of QuixBugs).\n\n"
    "\b\nExamples:\n  seed eval quixbugs --data quixbugs.jsonl --tries 16 --out quixbugs.json",
)
@app.command(
    "fix",
    help="Repair functions, judged by tests (rows of HumanEvalFix, or any with before, after and tests).\n\n"
    "\b\nExamples:\n  seed eval fix --data humanevalfix.jsonl --out fix.json",
)
def judged_fixes(
    context: typer.Context,
    data: Path = Data,
    tries: str = Tries,
    baseline: bool = Baseline,
    samples: int = Samples,
    temperature: float = Temperature,
    seconds: float = Seconds,
    model: Path = Model,
    threshold: float = Threshold,
    limit: int = Limit,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Suites that ask for a repair differ in name only: the rows say what format they have."""
    how = _judging(tries, baseline, samples, temperature, limits(seconds), model, threshold, out, resume)
    _judge(str(context.info_name), _cases(data, "lazy")[: limit or None], how)


@app.command()
def edits(
    data: Path = Data,
    instructions: str = typer.Option("lazy", help="lazy or descriptive, where rows have both."),
    tries: str = Tries,
    baseline: bool = Baseline,
    samples: int = Samples,
    temperature: float = Temperature,
    seconds: float = Seconds,
    model: Path = Model,
    threshold: float = Threshold,
    limit: int = Limit,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Follow instructions, judged by tests (rows of CanItEdit, or any with instruction, before, after and tests).

    \b
    Examples:
      seed eval edits --data canitedit.jsonl --out edits.json
    """
    if instructions not in ("lazy", "descriptive"):
        raise SettingsError(f"--instructions {instructions} is neither lazy nor descriptive")
    caged = limits(seconds, packages=True)
    how = _judging(tries, baseline, samples, temperature, caged, model, threshold, out, resume)
    _judge("edits", _cases(data, instructions)[: limit or None], how)


@app.command()
def aider(
    data: Path = typer.Option(..., help="A copy of the benchmark, or any folder with its Python exercises."),
    tries: str = Tries,
    samples: int = Samples,
    temperature: float = Temperature,
    seconds: float = typer.Option(
        10.0, help="CPU seconds that an answer has, beside five times what the example needs."
    ),
    model: Path = Model,
    threshold: float = Threshold,
    limit: int = Limit,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Solve exercises by editing a whole file, judged by their tests (folders of Aider's polyglot benchmark).

    \b
    Examples:
      seed eval aider --data polyglot-benchmark
    """
    from engine.errors import DataError
    from engine.evaluation.exercises import read_exercises

    how = _judging(tries, False, samples, temperature, limits(seconds), model, threshold, out, resume)
    try:
        cases = read_exercises(data)
    except DataError as error:
        raise SettingsError(str(error)) from error
    _judge("aider", cases[: limit or None], how)


@app.command()
def commits(
    data: Path = Data,
    tries: str = Tries,
    clones: Path | None = typer.Option(
        None,
        help="Also run the projects' own tests, where a row has them: a folder with a clone of each project, as "
        "OWNER+NAME, OWNER+NAME/repo or OWNER/NAME.",
    ),
    python: str = typer.Option(
        "", help="Interpreter with pytest and what the projects need; this one if not given."
    ),
    seconds: float = typer.Option(
        10.0,
        help="CPU seconds that an answer has, beside five times what the tests of the published one need.",
    ),
    baseline: bool = Baseline,
    model: Path = Model,
    threshold: float = Threshold,
    limit: int = Limit,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Make the change that a real commit made to one function, told its subject; compared exactly.

    With --clones it is also judged by the project's own tests, each answer in a checkout of its own.

    \b
    Examples:
      seed eval commits --data commits.jsonl --out commits.json
      seed eval commits --data commits.jsonl --clones clones --python venv/bin/python
    """
    from engine.errors import DataError
    from engine.evaluation.projects import read_commits

    if clones is None:
        if python:
            raise SettingsError(f"--python {python} runs projects' tests; name their clones with --clones")
        how = _judging(tries, baseline, 0, 1.0, limits(1.0), model, threshold, out, resume)
        _judge("commits", _cases(data, "lazy")[: limit or None], how)
        return
    caged = replace(limits(seconds, packages=True), seconds=PROJECT_SECONDS)
    how = _judging(tries, baseline, 0, 1.0, caged, model, threshold, out, resume)
    if not clones.is_dir():
        raise SettingsError(f"there is no folder {clones}; name one that holds clones with --clones")
    try:
        cases = read_commits(data, clones, _interpreter(python))
    except DataError as error:
        raise SettingsError(str(error)) from error
    _judge("commits", cases[: limit or None], how, projects=True)


def _judging(
    tries: str,
    baseline: bool,
    samples: int,
    temperature: float,
    caged: "Limits",
    model: Path | None,
    threshold: float | None,
    out: Path | None,
    resume: bool,
) -> Judging:
    if samples and not temperature:
        raise SettingsError(f"--samples {samples} at temperature 0 are all the same; give --temperature 0.8")
    return Judging(counts(tries), baseline, samples, temperature, caged, model, threshold, out, resume)


def _interpreter(python: str) -> Path:
    """The path of a Python that has pytest, not resolved: a virtual environment is known by its link.

    Raises:
        SettingsError: there is none, or it lacks pytest.
    """
    found = shutil.which(python or sys.executable)
    if found is None:
        raise SettingsError(f"--python {python} is no program; give the path of an interpreter")
    if subprocess.run([found, "-c", "import pytest"], capture_output=True, check=False).returncode:
        raise SettingsError(f"{found} has no pytest; name another interpreter with --python")
    return Path(found).absolute()


def _judge(suite: str, cases: "Sequence[JudgedCase]", how: Judging, *, projects: bool = False) -> None:
    """Measure on cases, print the scores, write the report and the reliability plot.

    Args:
        projects: whether cases are judged by the tests of whole projects.
    """
    from engine.evaluation.cage import Cage, isolation
    from engine.evaluation.judged import digest
    from engine.evaluation.judging import Bench, costs, judged_scores, scored
    from engine.evaluation.project_judging import ProjectBench
    from engine.requests import EditOptions

    editor = open_editor(how.model)
    details = {
        "cases_sha256": digest(cases),
        "tries": how.tries,
        "threshold": editor.info.threshold if how.threshold is None else how.threshold,
        **({"samples": how.samples, "temperature": how.temperature} if how.samples else {}),
        "limits": asdict(how.limits),
        "network_cut": isolation().namespaces,
        **({"project_tests": True} if projects else {}),
    }
    with open_ledger(suite, editor, details, how.out, resume=how.resume) as ledger:
        bench = (ProjectBench if projects else Bench)(Cage(how.limits), ledger)
        with bar(cases, "published answers") as tell:
            bench.references(cases, tell)
        with bar(cases, "model") as tell:
            bench.model(cases, editor, how.tries, how.threshold, tell)
        if how.samples:
            options = EditOptions(temperature=how.temperature, threshold=how.threshold)
            with bar(cases, "samples") as tell:
                bench.samples(cases, editor, how.samples, options, tell)
        if how.baseline:
            with bar(cases, "substitutions") as tell:
                bench.substitutions(cases, tell)
        reasons = bench.unjudged(cases)
        scores = judged_scores(cases, ledger.rows, how.tries, reasons)
        answers = scored(cases, ledger.rows, reasons)
        spent = costs(cases, ledger.rows)
    finish(suite, editor, scores, spent, details | {"not_judged": reasons}, answers, how.out)
    say_unjudged(reasons, cases)


def _cases(data: Path, instructions: str) -> "list[JudgedCase]":
    from engine.errors import DataError
    from engine.evaluation.judged import read_cases

    try:
        return read_cases(data, instructions)
    except DataError as error:
        raise SettingsError(str(error)) from error
