"""What a run tells its caller: the JSON object of the contract, the exit code, and short lines on stderr.

Knows nothing of patches, models or the terminal screen: it is given texts and numbers.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from seedcli.errors import CheckFailed, ConflictError, SeedError

Outcome = Literal[
    "applied",
    "partly_applied",
    "not_committed",
    "proposed",
    "unchanged",
    "no_edit",
    "conflict",
    "check_failed",
    "error",
]
"""`not_committed`: written, and could not be committed as `--commit` asked."""
CheckResult = Literal["passed", "failed", "skipped"]

JSON_VERSION = 1
PHASES = ("load", "context", "model", "check", "apply", "total")
_EXIT_CODES: Mapping[Outcome, int] = {
    "applied": 0,
    "partly_applied": 1,
    "not_committed": 4,
    "proposed": 1,
    "unchanged": 0,
    "no_edit": 3,
    "conflict": 4,
    "check_failed": 5,
}


@dataclass(frozen=True, slots=True)
class FileChange:
    """What happens to one file, in lines."""

    path: str
    hunks: int
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class TrialReport:
    """How the user's check of one candidate went."""

    reason: str
    """Why it failed, in one line; empty if it passed."""
    seconds: float
    log: str
    """The file with all that the check printed."""
    output: str
    """The last lines of it."""
    attempt: int
    """Which of `--tries` drew the candidate, from 1."""


@dataclass(frozen=True, slots=True)
class CandidateReport:
    """One candidate: its score in [0, 1], and what the user's check said of it; None without a check."""

    score: float
    check: CheckResult | None = None
    trial: TrialReport | None = None


@dataclass(slots=True)
class Report:
    """One run, filled in as it goes; whatever is known when it ends is reported."""

    outcome: Outcome = "error"
    message: str = ""
    error_code: int = 2
    """The exit code of an outcome `error`: 2 for usage and configuration, 3 where there is no model."""
    run: str | None = None
    commit: str | None = None
    """Id of the commit that was made of it."""
    patch: bytes = b""
    """The unified diff of the whole proposal, applied or not."""
    files: tuple[FileChange, ...] = ()
    candidates: tuple[CandidateReport, ...] = ()
    model_name: str | None = None
    model_revision: str | None = None
    forwards: int = 0
    rounds: int = 0
    region_tokens: int = 0
    changed_tokens: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))

    def fail(self, error: SeedError) -> None:
        """Record the error that ended the run."""
        self.message, self.error_code = str(error), error.exit_code
        kinds: tuple[tuple[type[SeedError], Outcome], ...] = (
            (ConflictError, "conflict"),
            (CheckFailed, "check_failed"),
        )
        self.outcome = next((outcome for kind, outcome in kinds if isinstance(error, kind)), "error")

    def exit_code(self, *, exit_zero: bool = False, expect_change: bool = False) -> int:
        """The exit code of the outcome under the flags `--exit-zero` and `--expect-change`."""
        if self.outcome == "error":
            return self.error_code
        if exit_zero and self.outcome in ("proposed", "partly_applied"):
            return 0
        if expect_change and self.outcome == "unchanged":
            return _EXIT_CODES["no_edit"]
        return _EXIT_CODES[self.outcome]

    def as_json(self) -> str:
        """The object of the contract on one line.

        Bytes of the patch that are not UTF-8 stand as lone surrogates: encoding it as UTF-8 with
        `surrogateescape` gives the patch back exactly.
        """
        return json.dumps(self._fields())

    def _fields(self) -> dict[str, Any]:
        return {
            "version": JSON_VERSION,
            "run": self.run,
            "commit": self.commit,
            "outcome": self.outcome,
            "message": self.message,
            "patch": self.patch.decode("utf-8", "surrogateescape"),
            "files": [
                {"path": f.path, "hunks": f.hunks, "added": f.added, "removed": f.removed} for f in self.files
            ],
            "candidates": [_candidate_fields(candidate) for candidate in self.candidates],
            "model": {"name": self.model_name, "revision": self.model_revision},
            "forwards": self.forwards,
            "rounds": self.rounds,
            "tokens": {"region": self.region_tokens, "changed": self.changed_tokens},
            "seconds": {phase: round(self.seconds[phase], 4) for phase in PHASES},
        }

    def timings(self) -> str:
        """One line: where the time went."""
        phases = ", ".join(f"{phase} {self.seconds[phase]:.2f} s" for phase in PHASES)
        return f"{phases}; {self.forwards} forwards, {self.rounds} rounds, {self.region_tokens} tokens read"


def _candidate_fields(candidate: CandidateReport) -> dict[str, Any]:
    fields = {"score": round(candidate.score, 4), "check": candidate.check}
    if (trial := candidate.trial) is None:
        return fields
    return fields | {
        "reason": trial.reason,
        "seconds": round(trial.seconds, 4),
        "log": trial.log,
        "output": trial.output,
        "try": trial.attempt,
    }


def one_line(text: str) -> str:
    """`text` as one printable line: control and format characters as escapes, lest they drive a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text.strip())


def say(text: str) -> None:
    """One line for people, on stderr; none where that is closed, since Python would put it on stdout."""
    if sys.stderr is None:
        return
    print("seed: " + one_line(text).encode("utf-8", "replace").decode(), file=sys.stderr, flush=True)


def answer(data: bytes) -> None:
    """Write the answer to stdout. A reader that has gone away (`| head`) is no error: it has read enough.

    Raises:
        SeedError: stdout is closed, or takes no more.
    """
    if sys.stdout is None:
        raise SeedError(
            "stdout is closed, so nothing can be printed; `seed log` shows what was written to files"
        )
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        leave_stdout()
    except OSError as error:
        leave_stdout()
        raise SeedError(
            f"stdout takes no more: {error.strerror}; make room; `seed log` shows what was written to files"
        ) from None


def leave_stdout() -> None:
    """Lead stdout nowhere: the interpreter flushes it once more at its end, and that must not fail either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
