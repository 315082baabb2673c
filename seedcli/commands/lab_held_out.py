"""`seed eval` on held-out functions: repairs, recipes, a scan, the exit head. Parses and reports; suites and scores are
the engine's."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seedcli.commands.measuring import (
    Model,
    Out,
    Resume,
    Threshold,
    bar,
    check_out,
    counts,
    finish,
    open_editor,
    open_ledger,
    read_held_out,
)
from seedcli.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from engine.evaluation.recipes import RecipeCase
    from engine.evaluation.scores import Score
    from engine.requests import EditRequest, Proposal

HeldOut = typer.Option(
    Path("corpus/held_out.jsonl"), help="Held-out functions, as `seed train corpus` draws them."
)
Skip = typer.Option(
    0, help="Leave out this many of the drawn functions, to tune on others than one measures on."
)


def repair(
    held_out: Path = HeldOut,
    count: int = typer.Option(1200, help="Defective functions; as many untouched ones come with them."),
    seed: int = typer.Option(20261120, help="Draws the defects."),
    skip: int = Skip,
    tries: str = typer.Option(
        "", help="Also look for the sound text among so many candidates, as a check would: 1,4,16."
    ),
    baseline: bool = typer.Option(
        False, "--baseline", help="Also look for the sound text among all one-token substitutions."
    ),
    told: bool = typer.Option(
        False,
        "--told",
        help="Tell what a user may see: the line, and the error where it is known. Of an untouched function any line.",
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
      seed eval repair --held-out corpus/held_out.jsonl --told --out told.json
    """
    from engine.evaluation.repair import PARSING, digest, drawn_scores, repair_cases, requests_of
    from engine.evaluation.suites import repair_scores

    numbers = counts(tries) if tries else []
    functions = _functions(held_out)[skip : skip + 2 * count]
    cases = _made(lambda: repair_cases(functions, count, seed))
    asked = [(one, case.after) for one, case in zip(requests_of(cases, seed, told), cases, strict=True)]
    details = {"cases_sha256": digest(cases), "skip": skip, "tries": numbers}

    def score(texts: list[str]) -> "dict[str, Score]":
        with bar(cases if baseline else [], "substitutions") as tell:
            drawn = drawn_scores(cases, numbers or [1], tell) if baseline else {}
        return {**repair_scores(cases, texts), **drawn}

    broken = [i for i, case in enumerate(cases) if case.kind != "untouched"]
    within = {"": broken, PARSING: [i for i in broken if not cases[i].syntax]}
    how = _Asking("told" if told else "repair", model, threshold, out, resume)
    _measure(how, asked, score, details, numbers, within)


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

    Recipes that say what their edits may change are also asked by name, as `--recipe` does.

    \b
    Examples:
      seed eval recipes --held-out corpus/held_out.jsonl --out recipes.json
    """
    from engine.data.pairs import identifiers
    from engine.evaluation.recipes import recipe_cases

    rows = read_held_out(held_out)
    functions = [row.text for row in rows][skip:]
    cases = recipe_cases(functions, each, seed, identifiers(rows, 4000))
    details = {"each": each, "seed": seed, "skip": skip}
    _measure_recipes(_Asking("recipes", model, threshold, out, resume), cases, _by_name(cases), details)


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

    cases = idle_cases(_functions(held_out)[skip:], each, seed)
    details = {"each": each, "seed": seed, "skip": skip}
    _measure_recipes(_Asking("idle", model, threshold, out, resume), cases, [], details)


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
    from engine.data.pairs import identifiers
    from engine.errors import EngineError
    from engine.evaluation.exits import measure
    from engine.evaluation.recipes import recipe_cases
    from engine.evaluation.repair import repair_cases

    check_out(out)
    rows = read_held_out(held_out)
    functions = [row.text for row in rows][skip:]
    broken = _made(lambda: repair_cases(functions, count, seed))
    others = recipe_cases(functions, each, seed, identifiers(rows, 4000))
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


SUITES: dict[str, Callable[..., None]] = {
    "repair": repair,
    "scan": scan,
    "recipes": recipes,
    "idle": idle,
    "exit": exit_head,
}


@dataclass(frozen=True, slots=True)
class _Asking:
    """What the options of a suite of held-out functions say."""

    suite: str
    model: Path | None
    threshold: float | None
    out: Path | None
    resume: bool


def _measure_recipes(
    how: _Asking,
    cases: "Sequence[RecipeCase]",
    named: "Sequence[tuple[RecipeCase, EditRequest]]",
    details: dict[str, Any],
) -> None:
    """Ask for recipes in words and, of `named`, as `--recipe` does."""
    from engine.evaluation.suites import named_scores, recipe_scores
    from engine.requests import EditRequest

    asked = [(EditRequest(case.instruction, case.before, must_parse=True), case.after) for case in cases]
    asked += [(request, case.after) for case, request in named]

    def score(texts: list[str]) -> "dict[str, Score]":
        in_words = recipe_scores(cases, texts[: len(cases)])
        return {**in_words, **named_scores([case for case, _ in named], texts[len(cases) :])}

    _measure(how, asked, score, details)


def _by_name(cases: "Sequence[RecipeCase]") -> "list[tuple[RecipeCase, EditRequest]]":
    """What `--recipe` asks in these cases, of recipes that say what their edits have to keep."""
    from engine.requests import EditRequest, Law
    from prompts.recipes import load_recipes

    recipes, named = load_recipes(), []
    for case in cases:
        recipe = recipes[case.recipe]
        values = {name: case.variables[name] for name in recipe.variables}
        free, law = recipe.changeable(values), Law(recipe.law, tuple(values.items()))
        if recipe.law:
            request = EditRequest(
                recipe.render(values), case.before, must_parse=True, may_change=free, law=law
            )
            named.append((case, request))
    return named


def _measure(
    how: _Asking,
    asked: "Sequence[tuple[EditRequest, str]]",
    score: "Callable[[list[str]], dict[str, Score]]",
    details: dict[str, Any],
    tries: Sequence[int] = (),
    within: Mapping[str, Sequence[int]] = {},
) -> None:
    """Ask the model all requests, which come with their answers, print and report the scores of its first candidates.

    Args:
        tries: numbers of candidates among which answers are looked for besides.
        within: to which requests, by what ends the scores' names; the first holds all others.
    """
    from engine.evaluation.scores import share
    from engine.evaluation.suites import answer, first_text
    from engine.evaluation.tries import times
    from engine.requests import EditOptions

    editor = open_editor(how.model)
    details["threshold"] = editor.info.threshold if how.threshold is None else how.threshold
    requests = [request for request, _ in asked]
    looked_for = next(iter(within.values()), ())
    chosen = [requests[i] for i in looked_for]
    several: dict[int, dict[int, Proposal]] = {}
    rows = json.dumps([[asdict(request), answer] for request, answer in asked])
    header = {**details, "asked_sha256": hashlib.sha256(rows.encode()).hexdigest()}
    with open_ledger(how.suite, editor, header, how.out, resume=how.resume) as kept:
        with bar(requests, how.suite) as tell:
            answers = answer(editor, requests, EditOptions(threshold=how.threshold), tell, kept=kept)
        for k in tries:
            options = EditOptions(candidates=k, judged=True, needed=True, threshold=how.threshold)
            with bar(looked_for, times(k)) as tell:
                found = answer(editor, chosen, options, tell, kept=kept, name=times(k)).proposals
            several[k] = dict(zip(looked_for, found, strict=True))
    scores = score([first_text(r, p) for r, p in zip(requests, answers.proposals, strict=True)])
    for k, more in several.items():
        hits = {i: asked[i][1] in [c.text for c in p.candidates] for i, p in more.items()}
        for ending, group in ((ending, group) for ending, group in within.items() if group):
            scores[f"exact within {times(k)}{ending}"] = share(hits[i] for i in group)
    offered = [
        (p.candidates[0], wanted)
        for p, (_, wanted) in zip(answers.proposals, asked, strict=True)
        if p.candidates
    ]
    scored = [c.score for c, _ in offered], [c.text == wanted for c, wanted in offered]
    finish(how.suite, editor, scores, answers.costs(), details, scored, how.out)


def _functions(held_out: Path) -> list[str]:
    return [row.text for row in read_held_out(held_out)]


def _made(make: Callable[[], Any]) -> Any:
    try:
        return make()
    except ValueError as error:
        raise SettingsError(str(error)) from error
