"""One question about a text from words to report: what `seed ask` does, apart from flags and output.

The text is what the model sees beside an empty canvas; what it writes there is the answer. The model is loaded last.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.requests import EditRequest
from seedcli.abilities import refuse_untrained
from seedcli.edit_job import options_of
from seedcli.errors import SeedError, TargetError
from seedcli.model_client import open_model
from seedcli.report import CandidateReport, Report
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace
from seedcli.settings import load_settings
from seedcli.wording import VARIABLE, pair, render_recipe, stdin_bytes


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, and about which text."""

    words: tuple[str, ...]
    """A recipe, its variables, and the text's file, `-` for stdin; or a question in one's own words and the file."""
    sampling: dict[str, Any] = field(default_factory=dict)
    """What overrides the settings, by the setting's name; None where nothing does."""
    isolated: bool = False
    """Read no configuration files."""


@dataclass(slots=True)
class Answer:
    """An answer, filled in as it goes."""

    report: Report = field(default_factory=Report)
    text: str = ""
    """Empty where there is none."""


def run_ask(question: Question) -> Answer:
    """Ask. Whatever goes wrong that the user can mend is in the report, not raised."""
    answer = Answer()
    started = time.perf_counter()
    try:
        _ask(question, answer)
    except SeedError as error:
        answer.report.fail(error)
    answer.report.seconds["total"] = time.perf_counter() - started
    return answer


def _ask(question: Question, answer: Answer) -> None:
    report = answer.report
    workspace = Workspace.discover(Path.cwd())
    settings = load_settings(workspace.root, question.sampling, isolated=question.isolated)
    name, *others = question.words
    recipe, instruction = None, name
    if len(name.split()) == 1:
        variables = dict(pair(word) for word in others if VARIABLE.match(word))
        others = [word for word in others if not VARIABLE.match(word)]
        recipe, instruction = render_recipe(workspace, name, variables)
    refuse_untrained(settings.model, recipe, beyond="answer questions")
    shown = _read(others, workspace)
    started = time.perf_counter()
    model = open_model(settings.model, settings.weights)
    report.seconds["load"] = time.perf_counter() - started
    report.model_name, report.model_revision = model.info.name, model.info.revision
    started = time.perf_counter()
    (proposal,) = model.propose(
        [EditRequest(instruction, "", shown)], options_of(settings, new_names=True, judged=False)
    )
    report.seconds["model"] = time.perf_counter() - started
    report.forwards, report.rounds = proposal.forwards, proposal.rounds
    report.candidates = tuple(CandidateReport(candidate.score) for candidate in proposal.candidates)
    if proposal.candidates:
        answer.text = proposal.candidates[0].text
        report.outcome = "proposed"
        report.message = f"{model.info.name}, score {proposal.candidates[0].score:.2f}"
    else:
        said = "it would write nothing" if proposal.verdict == "unchanged" else proposal.message
        report.outcome, report.message = "no_edit", f"the model {model.info.name} has no answer: {said}"


def _read(words: list[str], workspace: Workspace) -> str:
    """The text that is asked about. Stdin is read only on `-`."""
    if len(words) != 1:
        raise TargetError(
            "name one file to ask about, or - for stdin, as in `git diff | seed ask explain-diff -`"
        )
    if words[0] != "-":
        return SourceFile.read(workspace, workspace.resolve(words[0], relative_to=Path.cwd())).text
    text = stdin_bytes("'-'", "pipe a text into it").decode("utf-8", "replace")
    if not text.strip():
        raise TargetError("'-': stdin is empty; there is nothing to ask about")
    return text
