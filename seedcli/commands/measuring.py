"""What the suites of `seed eval` share: options, a progress bar, the model, the report. Knows nothing of any suite."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from seedcli.errors import ModelError, SettingsError

if TYPE_CHECKING:
    from engine.data.corpus import Row
    from engine.editor import Editor
    from engine.evaluation.cage import Limits
    from engine.evaluation.ledger import Ledger
    from engine.evaluation.scores import Score

Model = typer.Option(None, "--model", help="A checkpoint folder; the default one if not given.")
Threshold = typer.Option(None, help="Least probability of a change; the checkpoint's own if not given.")
Out = typer.Option(None, help="Write the report as JSON to this file.")
Data = typer.Option(..., help="The cases: one JSON object a line, as published.")
Resume = typer.Option(True, help="Go on with the finished cases kept beside --out by a run that was stopped.")


@contextmanager
def bar(cases: Sequence[Any], what: str) -> Iterator[Callable[[int], object]]:
    """A progress bar over cases on stderr, where that is a terminal."""
    from tqdm import tqdm

    with tqdm(total=len(cases), desc=what, unit="case", file=sys.stderr, disable=None) as shown:
        yield shown.update


def counts(numbers: str, option: str = "--tries") -> list[int]:
    """Numbers from 1, ascending.

    Raises:
        SettingsError: the option's text is no such list.
    """
    try:
        found = sorted({int(part) for part in numbers.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 1:
        raise SettingsError(f"{option} {numbers} is no list of numbers like 1,4,16")
    return found


def limits(seconds: float, *, packages: bool = False) -> "Limits":
    """For answers under test. What imports large packages needs more memory and threads.

    Raises:
        SettingsError: there is no time.
    """
    from engine.evaluation.cage import Limits

    if seconds <= 0:
        raise SettingsError(f"--seconds {seconds:g} leaves no time; give more than 0")
    wall = max(60.0, 3 * seconds)
    if packages:
        return Limits(seconds, wall, 8 << 30, 256 << 20, 128, packages=True)
    return Limits(seconds, wall)


def read_held_out(path: Path) -> "list[Row]":
    """The held-out functions of a corpus.

    Raises:
        SettingsError: there are none in that file.
    """
    from engine.data.corpus import read_rows
    from engine.errors import DataError

    if not path.exists():
        raise SettingsError(
            f"there is no {path}; make it with `seed train corpus`, or name it with --held-out"
        )
    try:
        return read_rows(path)
    except DataError as error:
        raise SettingsError(f"{error}; name another file with --held-out") from error


def open_editor(model: Path | None) -> "Editor":
    """The checkpoint in a folder, or the default one.

    Raises:
        ModelError: it cannot be loaded.
    """
    from engine.editor import Editor
    from engine.errors import EngineError

    try:
        return Editor.load(model)
    except EngineError as error:
        raise ModelError(str(error)) from error


def check_out(out: Path | None) -> None:
    """Make the report's folder, before anything is measured.

    Raises:
        SettingsError: nothing can be written there.
    """
    if out is None:
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"--out {out}: {error.strerror}; name another file") from error
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        why = "is a folder" if out.is_dir() else f"{out.parent} cannot be written"
        raise SettingsError(f"--out {out}: {why}; name another file")


def open_ledger(
    suite: str, editor: "Editor", details: Mapping[str, Any], out: Path | None, *, resume: bool
) -> "Ledger":
    """Finished cases beside the report; rows of another model, other code or other options are not taken.

    Raises:
        SettingsError: nothing can be written there.
    """
    from engine.evaluation.ledger import Ledger
    from engine.evaluation.reports import commit

    check_out(out)
    model = {"revision": editor.info.revision, "dtype": editor.info.dtype}
    header = {"suite": suite, "commit": commit(), **model, **details}
    return Ledger(out.with_name(out.name + ".cases.jsonl") if out else None, header, resume=resume)


def finish(
    suite: str,
    editor: "Editor",
    scores: "Mapping[str, Score]",
    costs: Mapping[str, float],
    details: Mapping[str, Any],
    answers: tuple[list[float], list[bool]],
    out: Path | None,
) -> None:
    """Print the scores; write the report and the reliability plot beside it.

    Args:
        answers: scores that the model gave its answers, and whether they are right.
    """
    from engine.evaluation import calibration
    from engine.evaluation.reports import report, text, write_report

    typer.echo(text(scores, costs))
    if out:
        details = {**details, "calibration": calibration.as_json(*answers)}
        write_report(out, report(suite, scores, costs, editor.info, details))
        calibration.plot(calibration.reliability(*answers), suite, out.with_suffix(".png"))


def say_unjudged(reasons: Mapping[str, str], cases: Sequence[Any]) -> None:
    """A line on stderr, if there are cases whose tests say nothing here."""
    if reasons:
        typer.echo(f"{len(reasons)} of {len(cases)} cases are not judged by tests", err=True)
