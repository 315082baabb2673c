"""`seed eval`: run a suite and report its figures. Parses and reports; suites and scores are the engine's."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seedcli.commands.lab_all import all_suites
from seedcli.commands.lab_writing import SUITES
from seedcli.commands.measuring import (
    Data,
    Model,
    Out,
    Resume,
    bar,
    counts,
    finish,
    limits,
    open_editor,
    open_ledger,
    say_unjudged,
)
from seedcli.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from engine.evaluation.cage import Limits
    from engine.evaluation.judged import JudgedCase
    from engine.evaluation.scores import Score
    from engine.requests import Proposal

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
app.command("all")(all_suites)

HeldOut = typer.Option(
    Path("corpus/held_out.jsonl"), help="Held-out functions, as `seed train corpus` draws them."
)
Threshold = typer.Option(None, help="Least probability of a change; the checkpoint's own if not given.")
Skip = typer.Option(
    0, help="Leave out this many of the drawn functions, to tune on others than one measures on."
)
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


@app.command()
def repair(
    held_out: Path = HeldOut,
    count: int = typer.Option(1200, help="Defective functions; as many untouched ones come with them."),
    seed: int = typer.Option(20261120, help="Draws the defects."),
    skip: int = Skip,
    tries: str = typer.Option("1", help="Numbers of candidates within which the sound text may be found."),
    baseline: bool = typer.Option(
        False, "--baseline", help="Also look for the sound text among all one-token substitutions."
    ),
    model: Path = Model,
    threshold: float = Threshold,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Repair held-out functions with one injected defect each; leave untouched ones alone.

    \b
    Examples:
      seed eval repair --held-out corpus/held_out.jsonl --out repair.json
    """
    from engine.evaluation.repair import digest, drawn_scores, repair_cases
    from engine.evaluation.suites import repair_scores

    numbers = counts(tries)
    functions = _functions(held_out)[skip : skip + 2 * count]
    cases = _made(lambda: repair_cases(functions, count, seed))
    asked = [("fix the bug", case.before, case.after) for case in cases]
    details = {"cases_sha256": digest(cases), "skip": skip, "tries": numbers}

    def score(texts: list[str]) -> "dict[str, Score]":
        with bar(cases if baseline else [], "substitutions") as tell:
            drawn = drawn_scores(cases, numbers, tell) if baseline else {}
        return {**repair_scores(cases, texts), **drawn}

    broken = [i for i, case in enumerate(cases) if case.kind != "untouched"]
    how = _Asking("repair", model, threshold, out, resume)
    _measure(how, asked, score, details, [k for k in numbers if k > 1], broken)


@app.command()
def scan(
    held_out: Path = HeldOut,
    defective: int = typer.Option(1000, min=1, help="Functions with one injected defect each."),
    clean: int = typer.Option(9000, min=1, help="Clean functions among which they are to be found."),
    seed: int = typer.Option(20261120, help="Draws the defects."),
    skip: int = Skip,
    rows: int = typer.Option(
        0,
        min=0,
        help="Forwards a function of the baseline, each hiding a share of the tokens; 0 for one a token.",
    ),
    model: Path = Model,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Rank held-out functions by how probable a change is; compare with masked pseudo-likelihood.

    \b
    Examples:
      seed eval scan --held-out corpus/held_out.jsonl --out scan.json
    """
    from engine.errors import EngineError
    from engine.evaluation.reports import report, text, write_report
    from engine.evaluation.scanning import digest, measure, scan_cases, scan_scores

    functions = _functions(held_out)[skip:]
    cases = _made(lambda: scan_cases(functions, defective, clean, seed))
    editor = open_editor(model)
    details = {"cases_sha256": digest(cases), "skip": skip, "rows": rows}
    details |= {"defective": defective, "clean": clean}
    try:
        with open_ledger("scan", editor, details, out, resume=resume) as ledger, bar(cases, "read") as tell:
            read = measure(cases, editor, ledger, tell, rows=rows)
    except EngineError as error:
        raise ModelError(str(error)) from error
    scores, costs = scan_scores(read), {"functions_read": float(len(read))}
    typer.echo(text(scores, costs))
    if out:
        write_report(out, report("scan", scores, costs, editor.info, details))


@app.command()
def recipes(
    held_out: Path = HeldOut,
    each: int = typer.Option(200, help="Cases of each recipe."),
    seed: int = typer.Option(20261120, help="Draws the pairs and their phrasings."),
    skip: int = Skip,
    model: Path = Model,
    threshold: float = Threshold,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Follow the trained recipes on held-out functions, half of them in phrasings never trained on.

    \b
    Examples:
      seed eval recipes --held-out corpus/held_out.jsonl --out recipes.json
    """
    from engine.data.corpus import read_rows
    from engine.data.pairs import identifiers
    from engine.evaluation.recipes import recipe_cases
    from engine.evaluation.suites import recipe_scores

    functions = _functions(held_out)[skip:]
    cases = recipe_cases(functions, each, seed, identifiers(read_rows(held_out), 4000))
    asked = [(case.instruction, case.before, case.after) for case in cases]
    details = {"each": each, "seed": seed, "skip": skip}
    how = _Asking("recipes", model, threshold, out, resume)
    _measure(how, asked, lambda texts: dict(recipe_scores(cases, texts)), details)


@app.command()
def idle(
    held_out: Path = HeldOut,
    each: int = typer.Option(200, help="Cases of each recipe."),
    seed: int = typer.Option(20261120, help="Draws the cases and their phrasings."),
    skip: int = Skip,
    model: Path = Model,
    threshold: float = Threshold,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Ask for recipes where a function offers them nothing, as a run over a folder does: is it left untouched?

    \b
    Examples:
      seed eval idle --held-out corpus/held_out.jsonl --out idle.json
    """
    from engine.evaluation.recipes import idle_cases
    from engine.evaluation.suites import recipe_scores

    cases = idle_cases(_functions(held_out)[skip:], each, seed)
    asked = [(case.instruction, case.before, case.after) for case in cases]
    details = {"each": each, "seed": seed, "skip": skip}
    how = _Asking("idle", model, threshold, out, resume)
    _measure(how, asked, lambda texts: dict(recipe_scores(cases, texts)), details)


@app.command("exit")
def exit_head(
    held_out: Path = HeldOut,
    count: int = typer.Option(200, help="Defective functions; as many untouched ones come with them."),
    each: int = typer.Option(25, help="Cases of each recipe."),
    seed: int = typer.Option(20261120, help="Draws the cases."),
    skip: int = Skip,
    model: Path = Model,
    out: Path = Out,
) -> None:
    """Tell how often the exit head is right that an edit is done, and what it saves on repairs and recipes.

    \b
    Examples:
      seed eval exit --model my-model-with-exit --held-out corpus/held_out.jsonl
    """
    from engine.checkpoints.folder import DEFAULT
    from engine.data.corpus import read_rows
    from engine.data.pairs import identifiers
    from engine.errors import EngineError
    from engine.evaluation.exits import measure
    from engine.evaluation.recipes import recipe_cases
    from engine.evaluation.repair import repair_cases

    functions = _functions(held_out)[skip:]
    broken = _made(lambda: repair_cases(functions, count, seed))
    others = recipe_cases(functions, each, seed, identifiers(read_rows(held_out), 4000))
    asked = {
        "repair": [("fix the bug", case.before, case.after) for case in broken],
        "recipes": [(case.instruction, case.before, case.after) for case in others],
    }
    editor = open_editor(model)
    with bar([case for cases in asked.values() for case in cases], "exit") as tell:
        try:
            found = measure(model or DEFAULT, editor, asked, tell)
        except EngineError as error:
            raise ModelError(str(error)) from error
    details = {"count": count, "each": each, "seed": seed, "skip": skip, "exit_threshold": found.threshold}
    finish("exit", editor, found.scores, found.costs, details, (found.probabilities, found.final), out)


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
    baseline: bool = Baseline,
    model: Path = Model,
    threshold: float = Threshold,
    limit: int = Limit,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Make the change that a real commit made to one function, told its subject; compared exactly.

    \b
    Examples:
      seed eval commits --data commits.jsonl --out commits.json
    """
    how = _judging(tries, baseline, 0, 1.0, limits(1.0), model, threshold, out, resume)
    _judge("commits", _cases(data, "lazy")[: limit or None], how)


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


def _judge(suite: str, cases: "Sequence[JudgedCase]", how: Judging) -> None:
    """Measure on cases, print the scores, write the report and the reliability plot."""
    from engine.evaluation.cage import Cage, isolation
    from engine.evaluation.judged import digest
    from engine.evaluation.judging import Bench, costs, judged_scores, scored
    from engine.requests import EditOptions

    editor = open_editor(how.model)
    details = {
        "cases_sha256": digest(cases),
        "tries": how.tries,
        "threshold": editor.info.threshold if how.threshold is None else how.threshold,
        **({"samples": how.samples, "temperature": how.temperature} if how.samples else {}),
        "limits": asdict(how.limits),
        "network_cut": isolation().namespaces,
    }
    with open_ledger(suite, editor, details, how.out, resume=how.resume) as ledger:
        bench = Bench(Cage(how.limits), ledger)
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
        answers = scored(cases, ledger.rows)
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


@dataclass(frozen=True, slots=True)
class _Asking:
    """What the options of a suite of held-out functions say."""

    suite: str
    model: Path | None
    threshold: float | None
    out: Path | None
    resume: bool


def _measure(
    how: _Asking,
    asked: Sequence[tuple[str, str, str]],
    score: "Callable[[list[str]], dict[str, Score]]",
    details: dict[str, Any],
    tries: Sequence[int] = (),
    within: Sequence[int] = (),
) -> None:
    """Ask the model for every (instruction, region, answer), print and report the scores of its first candidates.

    Args:
        tries: numbers of candidates among which the answers to the requests `within` are looked for besides.
    """
    from engine.evaluation.scores import share
    from engine.evaluation.suites import answer, first_text
    from engine.requests import EditOptions, EditRequest

    editor = open_editor(how.model)
    details["threshold"] = editor.info.threshold if how.threshold is None else how.threshold
    requests = [EditRequest(instruction, region, must_parse=True) for instruction, region, _ in asked]
    chosen = [requests[i] for i in within]
    several: dict[int, list[Proposal]] = {}
    header = {**details, "asked_sha256": hashlib.sha256(json.dumps(asked).encode()).hexdigest()}
    with open_ledger(how.suite, editor, header, how.out, resume=how.resume) as kept:
        with bar(requests, how.suite) as tell:
            answers = answer(editor, requests, EditOptions(threshold=how.threshold), tell, kept=kept)
        for k in tries:
            options = EditOptions(candidates=k, threshold=how.threshold)
            with bar(within, f"{k} tries") as tell:
                several[k] = answer(editor, chosen, options, tell, kept=kept, name=f"{k} tries").proposals
    scores = score([first_text(r, p) for r, p in zip(requests, answers.proposals, strict=True)])
    for k, more in several.items():
        hits = [asked[i][2] in [c.text for c in p.candidates] for i, p in zip(within, more, strict=True)]
        scores[f"exact within {k} tries"] = share(hits)
    offered = [
        (p.candidates[0], row[2]) for p, row in zip(answers.proposals, asked, strict=True) if p.candidates
    ]
    scored = [c.score for c, _ in offered], [c.text == wanted for c, wanted in offered]
    finish(how.suite, editor, scores, answers.costs(), details, scored, how.out)


def _functions(held_out: Path) -> list[str]:
    from engine.data.corpus import read_rows

    if not held_out.exists():
        raise SettingsError(
            f"there is no {held_out}; make it with `seed train corpus`, or name it with --held-out"
        )
    return [row.text for row in read_rows(held_out)]


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValueError as error:
        raise SettingsError(str(error)) from error
