"""The suites of `seed eval` in which code is written: parse, call, report. Suites and scores are the engine's."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

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
from seedcli.errors import SettingsError

if TYPE_CHECKING:
    from engine.evaluation.cage import Limits
    from engine.evaluation.writing_cases import Reader, WritingCase
    from engine.requests import CompletionOptions

Samples = typer.Option(1, min=1, help="Texts drawn for each case, independently of each other.")
Passes = typer.Option("1", "--pass", help="The k of pass@k, estimated from the samples, like 1,10.")
Temperature = typer.Option(0.0, min=0.0, help="Randomness of the samples; 0 always writes the most probable.")
TopK = typer.Option(0, "--top-k", min=0, help="Draw among the k most probable tokens; 0 for all.")
Threshold = typer.Option(0.7, help="Least probability with which several tokens are filled in at once.")
MaxTokens = typer.Option(256, min=1, help="Tokens of a text at most.")
Block = typer.Option(32, min=1, help="Tokens that are written together.")
Slots = typer.Option(16, min=0, help="Slots that a gap begins with.")
Seed = typer.Option(0, help="Draws the samples.")
Limit = typer.Option(0, min=0, help="Take only the first so many cases; 0 takes all.")
Seconds = typer.Option(
    3.0, help="CPU seconds that an answer has, beside five times what the published one needs."
)


@dataclass(frozen=True, slots=True)
class Measuring:
    """What the options say, whatever the suite."""

    model: Path | None
    options: "CompletionOptions"
    passes: list[int]
    limits: "Limits"
    limit: int
    out: Path | None
    resume: bool


def humaneval(
    data: Path = Data,
    samples: int = Samples,
    passes: str = Passes,
    temperature: float = Temperature,
    top_k: int = TopK,
    threshold: float = Threshold,
    max_tokens: int = MaxTokens,
    block: int = Block,
    seed: int = Seed,
    limit: int = Limit,
    seconds: float = Seconds,
    model: Path = Model,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Write functions after their signature and docstring, judged by tests (rows of HumanEval).

    \b
    Examples:
      seed eval humaneval --data humaneval.jsonl --model my-model --out humaneval.json
    """
    from engine.evaluation.writing_cases import humaneval as read

    options = _options(samples, max_tokens, temperature, top_k, threshold, 0, block, seed)
    how = _measuring(model, options, passes, limits(seconds), limit, out, resume)
    _write("humaneval", data, read, "", how)


def mbpp(
    data: Path = Data,
    split: str = typer.Option("test", help="prompt, test, validation or train."),
    samples: int = Samples,
    passes: str = Passes,
    temperature: float = Temperature,
    top_k: int = TopK,
    threshold: float = Threshold,
    max_tokens: int = MaxTokens,
    block: int = Block,
    seed: int = Seed,
    limit: int = Limit,
    seconds: float = Seconds,
    model: Path = Model,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Write programs from one sentence and their tests, judged by these (rows of MBPP).

    \b
    Examples:
      seed eval mbpp --data mbpp.jsonl --samples 20 --pass 1,10 --temperature 0.8
    """
    from engine.evaluation.writing_cases import mbpp as read

    options = _options(samples, max_tokens, temperature, top_k, threshold, 0, block, seed)
    how = _measuring(model, options, passes, limits(seconds), limit, out, resume)
    _write("mbpp", data, read, split, how)


def infilling(
    data: Path = Data,
    samples: int = Samples,
    passes: str = Passes,
    temperature: float = Temperature,
    top_k: int = TopK,
    threshold: float = Threshold,
    max_tokens: int = typer.Option(128, min=1, help="Tokens of a text at most."),
    slots: int = Slots,
    seed: int = Seed,
    limit: int = Limit,
    seconds: float = Seconds,
    model: Path = Model,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Fill gaps in functions, compared exactly and judged by tests (rows of HumanEval-Infilling).

    \b
    Examples:
      seed eval infilling --data single_line.jsonl --out infilling.json
    """
    from engine.evaluation.writing_cases import infilling as read

    options = _options(samples, max_tokens, temperature, top_k, threshold, slots, 1, seed)
    how = _measuring(model, options, passes, limits(seconds), limit, out, resume)
    _write("infilling", data, read, "", how)


def bigcodebench(
    data: Path = Data,
    prompt: str = typer.Option("complete", help="complete or instruct: the docstring, or the task in prose."),
    samples: int = Samples,
    passes: str = Passes,
    temperature: float = Temperature,
    top_k: int = TopK,
    threshold: float = Threshold,
    max_tokens: int = MaxTokens,
    block: int = Block,
    seed: int = Seed,
    limit: int = Limit,
    seconds: float = typer.Option(20.0, help="CPU seconds that an answer has."),
    model: Path = Model,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Write functions that use libraries installed here, judged by tests (rows of BigCodeBench).

    \b
    Examples:
      seed eval bigcodebench --data bigcodebench.jsonl --prompt instruct
    """
    from engine.evaluation.writing_cases import bigcodebench as read

    if prompt not in ("complete", "instruct"):
        raise SettingsError(f"--prompt {prompt} is neither complete nor instruct")
    options = _options(samples, max_tokens, temperature, top_k, threshold, 0, block, seed)
    how = _measuring(model, options, passes, limits(seconds, packages=True), limit, out, resume)
    _write("bigcodebench", data, read, prompt, how)


def livecodebench(
    data: Path = Data,
    samples: int = Samples,
    passes: str = Passes,
    temperature: float = Temperature,
    top_k: int = TopK,
    threshold: float = Threshold,
    max_tokens: int = MaxTokens,
    block: int = Block,
    seed: int = Seed,
    limit: int = Limit,
    seconds: float = typer.Option(30.0, help="CPU seconds that an answer has for all of its tests."),
    model: Path = Model,
    out: Path = Out,
    resume: bool = Resume,
) -> None:
    """Solve contest problems, judged by their inputs and outputs (rows of LiveCodeBench, code generation).

    \b
    Examples:
      seed eval livecodebench --data test6.jsonl
    """
    from engine.evaluation.livecodebench import FILE_BYTES
    from engine.evaluation.livecodebench import livecodebench as read

    options = _options(samples, max_tokens, temperature, top_k, threshold, 0, block, seed)
    caged = replace(limits(seconds), file_bytes=FILE_BYTES)
    how = _measuring(model, options, passes, caged, limit, out, resume)
    _write("livecodebench", data, read, "", how)


SUITES = (humaneval, mbpp, infilling, bigcodebench, livecodebench)


def _options(
    samples: int,
    max_tokens: int,
    temperature: float,
    top_k: int,
    threshold: float,
    slots: int,
    block: int,
    seed: int,
) -> "CompletionOptions":
    from engine.requests import CompletionOptions

    if samples > 1 and not temperature:
        raise SettingsError(f"--samples {samples} at temperature 0 are all the same; give --temperature 0.8")
    return CompletionOptions(samples, max_tokens, temperature, top_k, threshold, slots, block, seed)


def _measuring(
    model: Path | None,
    options: "CompletionOptions",
    passes: str,
    caged: "Limits",
    limit: int,
    out: Path | None,
    resume: bool,
) -> Measuring:
    found = counts(passes, "--pass")
    if found[-1] > options.samples:
        raise SettingsError(f"pass@{found[-1]} needs --samples {found[-1]} at least")
    return Measuring(model, options, found, caged, limit, out, resume)


def _write(suite: str, data: Path, read: "Reader", variant: str, how: Measuring) -> None:
    """Measure on the cases of a file, print the scores, write the report and the reliability plot."""
    from engine.evaluation.cage import Cage, isolation
    from engine.evaluation.judged import digest
    from engine.evaluation.judging import Bench
    from engine.evaluation.writing import write, writing_costs, writing_scored, writing_scores

    cases = _cases(data, read, variant)[: how.limit or None]
    editor = open_editor(how.model)
    details: dict[str, Any] = {
        "cases_sha256": digest(cases),
        "variant": variant,
        "options": asdict(how.options),
        "limits": asdict(how.limits),
        "network_cut": isolation().namespaces,
    }
    with open_ledger(suite, editor, details, how.out, resume=how.resume) as ledger:
        bench = Bench(Cage(how.limits), ledger)
        published = [case for case in cases if case.after]
        with bar(published, "published answers") as tell:
            bench.references(published, tell)
        with bar(cases, "model") as tell:
            write(bench, cases, editor, how.options, tell)
        reasons = bench.unjudged(cases)
        scores = writing_scores(cases, ledger.rows, how.passes, reasons)
        answers = writing_scored(cases, ledger.rows, reasons)
        costs = writing_costs(cases, ledger.rows)
    finish(suite, editor, scores, costs, details | {"not_judged": reasons}, answers, how.out)
    say_unjudged(reasons, cases)


def _cases(data: Path, read: "Reader", variant: str) -> "list[WritingCase]":
    from engine.errors import DataError
    from engine.evaluation.writing_cases import read_writing

    try:
        return read_writing(data, read, variant)
    except DataError as error:
        raise SettingsError(str(error)) from error
