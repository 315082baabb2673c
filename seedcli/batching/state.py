"""What a run has done so far, in a file, so that a run that was killed goes on where it stopped.

One JSON object a line, only ever appended:

    {"header": ...}                             what the run rests on; another run's state is refused
    {"model": ...}                              the model that answers, once it is known
    {"answers": {request: proposal}, ...}       what one model batch said
    {"intent": job, "files": ..., ...}          a job's files are about to be written
    {"done": job, "code": ..., "result": ...}   a job's result
    {"window": job}                             a window begins whose last job is this one
    {"settled": true}                           all its jobs are done: their answers are needed no more

A line that was cut off while it was written does not count, and is cut away. Knows nothing of what jobs do.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from engine.requests import Candidate, Proposal
from seedcli.batching.moves import Edit, Moves
from seedcli.errors import SettingsError
from seedcli.kept_lines import KeptLines


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said of one request."""

    proposal: Proposal
    batch: int
    """Number of the model batch, counted in the window."""
    seconds: float
    """Its share of the batch's wall time."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A job whose files were about to be written when the run was cut short."""

    job: str
    files: Mapping[str, str]
    """SHA-256 of what each was to hold."""
    code: int
    """Exit code once it is written."""
    result: Mapping[str, Any]
    edits: Mapping[str, Sequence[Edit]]


BEGINNING = b'{"header": '


class State:
    """Answers, results and edits of a run; without a path, of this process only."""

    def __init__(self, path: Path | None, header: Mapping[str, Any], *, resume: bool) -> None:
        """
        Args:
            header: what makes results comparable, as JSON values.
            resume: whether what is there is gone on with; else it is begun anew.

        Raises:
            SettingsError: the file is of another run, or cannot be used.
            ConflictError: another process works with it.
        """
        self.path = path
        self.answers: dict[str, Answer] = {}
        self.moves = Moves()
        self.intent: Intent | None = None
        """One without its result."""
        self.last_of_window: str | None = None
        """The last job of a window that has begun and is not settled."""
        self._done: dict[str, int] = {}
        """Where the line of each job begins in the file."""
        self._settled_end = 0
        self._model: dict[str, Any] | None = None
        self._batches = 0
        self._lines = None if path is None else KeptLines(path, BEGINNING, "run")
        try:
            self._load(dict(header), resume=resume)
        except BaseException:
            self.close()
            raise

    @property
    def model(self) -> tuple[str | None, str | None]:
        """Name and revision of the model that answers, once it is known."""
        return (self._model["name"], self._model["revision"]) if self._model else (None, None)

    @property
    def num_done(self) -> int:
        """Jobs with a result."""
        return len(self._done)

    def is_done(self, job: str) -> bool:
        return job in self._done

    def is_settled(self, job: str) -> bool:
        """Whether the job is done, and so are all that shared its model batches."""
        return job in self._done and self._done[job] < self._settled_end

    def result(self, job: str) -> tuple[int, str]:
        """Exit code and result of a job that is done in a file's state."""
        assert self._lines is not None, "without a file nothing was done before"
        row = self._lines.at(self._done[job])
        return row["code"], json.dumps(row["result"])

    def use_model(self, model: Mapping[str, Any]) -> None:
        """Note which model answers.

        Raises:
            SettingsError: another one answered before.
        """
        if self._model is None:
            self._model = dict(model)
            self._write({"model": self._model})
        elif self._model != model:
            raise SettingsError(
                f"the state {self.path} rests on the model {self._model['name']} {self._model['revision']}, "
                f"not {model['name']} {model['revision']}; --no-resume begins anew"
            )

    def add_answers(self, answers: Mapping[str, Proposal], seconds: float) -> None:
        """Keep what one model batch said, in `seconds` of wall time."""
        row = {"answers": {key: asdict(p) for key, p in answers.items()}, "seconds": seconds}
        self._write(row)
        self._take_answers(answers, seconds)

    def intend(self, intent: Intent) -> None:
        """Note, durably, what is about to be written."""
        row = asdict(intent)
        self._write({"intent": row.pop("job"), **row})
        if self._lines:
            self._lines.sync()

    def finish(self, job: str, code: int, result: str, edits: Mapping[str, Sequence[Edit]]) -> None:
        """Keep a job's result: one JSON object."""
        self._done[job] = self._write(
            {"done": job, "code": code, "edits": edits, "result": json.loads(result)}
        )
        self.moves.note(edits)

    def begin_window(self, last: str) -> None:
        """From here on answers are those of the window that ends with the job `last`."""
        if last != self.last_of_window:
            self._write({"window": last})
            self.last_of_window = last

    def settle(self) -> None:
        """All jobs so far are done."""
        self._settle(self._write({"settled": True}))

    def remove(self) -> None:
        """The run is complete: nobody goes on with it."""
        if self.path:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._lines:
            self._lines.close()

    def _load(self, header: dict[str, Any], *, resume: bool) -> None:
        if self._lines is None:
            return
        if not resume:
            self._lines.clear()
        is_empty = True
        for offset, row in self._lines.read():
            if is_empty and row.get("header") != json.loads(json.dumps(header)):
                raise SettingsError(
                    f"the state {self.path} is not of a run with these options; --no-resume begins anew"
                )
            self._take(row, offset)
            is_empty = False
        if is_empty:
            self._write({"header": header})

    def _take(self, row: Mapping[str, Any], offset: int) -> None:
        """Take one line of the file into account."""
        if "done" in row:
            self._done[row["done"]] = offset
            self.moves.note(row["edits"])
            self.intent = None
        elif "intent" in row:
            self.intent = Intent(row["intent"], row["files"], row["code"], row["result"], row["edits"])
        elif "answers" in row:
            answers = {key: _proposal(fields) for key, fields in row["answers"].items()}
            self._take_answers(answers, row["seconds"])
        elif "model" in row:
            self._model = row["model"]
        elif "window" in row:
            self.last_of_window = row["window"]
        elif "settled" in row:
            self._settle(offset)

    def _take_answers(self, answers: Mapping[str, Proposal], seconds: float) -> None:
        share = seconds / max(len(answers), 1)
        self.answers |= {key: Answer(p, self._batches, share) for key, p in answers.items()}
        self._batches += 1

    def _settle(self, end: int) -> None:
        """The lines before `end` are of jobs whose model batches are done with."""
        self.answers.clear()
        self._batches, self._settled_end, self.last_of_window = 0, end, None

    def _write(self, row: Mapping[str, Any]) -> int:
        """Append a line; where it begins."""
        return self._lines.append(row) if self._lines else 0


def _proposal(fields: Mapping[str, Any]) -> Proposal:
    candidates = tuple(Candidate(**candidate) for candidate in fields["candidates"])
    return Proposal(**{**fields, "candidates": candidates})
