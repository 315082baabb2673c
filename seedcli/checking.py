"""Candidates against the user's own check: which one is to be delivered, and why the others are not.

Ranks, tries, asks for more where all have failed, and says what came of it. Knows nothing of flags or of writing what
passed.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine.requests import EditOptions
from seedcli.checks.absolute import way_back
from seedcli.checks.places import Copying, Covering, InPlace, Place, Site
from seedcli.checks.plan import Limits
from seedcli.checks.running import find_namespaces
from seedcli.checks.scratch import new_log_folder, scratch_folder
from seedcli.checks.trying import Terms, Trial, try_candidates
from seedcli.delivering import journal_of
from seedcli.errors import CheckFailed, SeedError, SettingsError
from seedcli.patches.patch import Patch, render
from seedcli.proposing import Proposed
from seedcli.report import CandidateReport, TrialReport, one_line, say
from seedcli.repository.workspace import Workspace
from seedcli.settings import CHECK_SETTINGS, MOST_CANDIDATES, Settings

SHOWN_LINES = 10
"""Of what a failed check printed, for people and for a further try."""


@dataclass(frozen=True, slots=True)
class CheckJob:
    """Which check decides, and how."""

    command: str
    """For /bin/sh, in the user's folder."""
    all: bool = False
    """Try the candidates after the first that passes too."""
    in_place: bool = False
    """Run it in the repository itself."""
    tries: int = 1
    """How often candidates are drawn, from 1; what a check printed goes into the next instruction."""


def check_job(
    command: str | None,
    *,
    all: bool,
    in_place: bool,
    tries: int | None,
    flags: Mapping[str, object],
    first: bool = False,
) -> CheckJob | None:
    """What the flags ask for; None without `--check`.

    Args:
        flags: those that stand for settings; None where not given.

    Raises:
        SettingsError: they make no sense together.
    """
    if command is None:
        given: dict[str, object] = {"--check-all": all, "--check-first": first}
        given |= {"--check-in-place": in_place, "--tries": tries}
        given |= {f"--{key.replace('_', '-')}": flags.get(key) for key in CHECK_SETTINGS}
        for flag in (flag for flag, value in given.items() if value):
            raise SettingsError(f"{flag} says how to check; give --check CMD too")
        return None
    if not command.strip():
        raise SettingsError("--check is empty; give the command that decides")
    if tries is not None and tries < 1:
        raise SettingsError(f"--tries must be a whole number from 1, not {tries}")
    return CheckJob(command, all, in_place, tries or 1)


def again(options: EditOptions, attempt: int) -> EditOptions:
    """The options for the n-th time of asking."""
    # At temperature 0 candidates are the most probable edits: new ones come only after those drawn before.
    num = options.candidates * (attempt if options.temperature == 0 else 1)
    return replace(options, candidates=min(num, MOST_CANDIDATES), seed=options.seed + attempt - 1)


Draw = Callable[[str, int], Proposed]
"""Asks the model again: with an instruction, for the n-th time."""


@dataclass(frozen=True, slots=True)
class _Ranked:
    """One candidate for the whole change."""

    proposed: Proposed
    k: int
    patch: Patch
    score: float


@contextmanager
def open_checker(
    workspace: Workspace, job: CheckJob | None, settings: Settings
) -> Iterator["Checker | None"]:
    """Make ready what a check needs, and take it away again; nothing without a job.

    Raises:
        SeedError: what would be tested here is not the candidate.
    """
    if job is None:
        yield None
        return
    if job.in_place and settings.check_jobs > 1:
        raise SeedError("--check-in-place runs one check at a time; leave out --check-jobs")
    started, journal = time.perf_counter(), journal_of(workspace)
    with scratch_folder(workspace.root) as scratch:
        limits = Limits(settings.check_timeout, int(settings.check_disk * (1 << 30)))
        site = Site(
            workspace,
            Path.cwd().resolve(),
            scratch,
            dict(os.environ),
            find_namespaces(scratch),
            limits.disk_bytes,
            say,
        )
        place = InPlace(site, journal, f"check: {job.command}") if job.in_place else _copy(site, job)
        terms = Terms(job.command, limits, settings.check_jobs, job.all)
        logs = new_log_folder(journal.logs)
        yield Checker(place, terms, job.tries, logs, seconds=time.perf_counter() - started)


def _copy(site: Site, job: CheckJob) -> Place:
    if site.namespaces.mounts:
        return Covering(site)
    why = f"this system allows no private mounts ({site.namespaces.refusal})"
    if way := way_back(site.workspace.root, job.command, site.environment):
        raise SeedError(
            f"a check in a copy would not test the candidate: {way}, and {why}; "
            "--check-in-place tests in the repository and rolls back"
        )
    say(f"{why}: checking in a copy at another path")
    return Copying(site)


@dataclass
class Checker:
    """Chooses among candidates by a check."""

    place: Place
    terms: Terms
    tries: int
    logs: Path
    candidates: list[CandidateReport] = field(default_factory=list)
    """What is known of each, in the order of trying."""
    seconds: float = 0.0
    """Wall time of all checks, copies included."""

    def before(self) -> str | None:
        """What the check prints of the tree as it is; None if it succeeds."""
        started = time.perf_counter()
        try:
            none = Patch(())
            (trial,) = try_candidates(
                self.place, [none], self.terms, self.logs, first=0, tell=lambda *_: None
            )
        finally:
            self.seconds += time.perf_counter() - started
        if trial.result == "passed":
            return None
        say(f"the tree as it is {_outcome(trial)}")
        printed = Path(trial.log).read_text(errors="replace")
        return printed.replace(str(self.place.root(0)), str(self.place.site.workspace.root))

    def choose(self, proposed: Proposed, instruction: str, draw: Draw) -> tuple[Proposed, int]:
        """The proposal, and which of its changes, that passes the check.

        Raises:
            CheckFailed: there is none.
        """
        seen: set[bytes] = set()
        for attempt in range(1, self.tries + 1):
            ranked = _rank(proposed, seen)
            if not ranked:
                say(f"try {attempt}: the model has no further candidate")
                break
            trials = self._try(ranked, attempt)
            for one, trial in zip(ranked, trials, strict=True):
                if trial.result == "passed":
                    return one.proposed, one.k
            if attempt < self.tries:
                proposed = draw(_further(instruction, self.terms.command, trials[0]), attempt + 1)
        self._show_failure()
        count = len(self.candidates)
        raise CheckFailed(
            (f"none of {count} candidates passed" if count > 1 else "the candidate did not pass")
            + f" the check {self.terms.command!r}; nothing was written; what it printed is in {self.logs}"
        )

    def _try(self, ranked: Sequence[_Ranked], attempt: int) -> list[Trial]:
        started, first = time.perf_counter(), len(self.candidates)
        self.candidates += [CandidateReport(one.score, "skipped") for one in ranked]

        def tell(k: int, trial: Trial) -> None:
            self.candidates[first + k] = _reported(ranked[k].score, trial, attempt)
            score = f"(score {ranked[k].score:.2f})"
            say(f"candidate {first + k + 1} of {first + len(ranked)} {score} {_outcome(trial)}")

        try:
            patches = [one.patch for one in ranked]
            return try_candidates(self.place, patches, self.terms, self.logs, first=first + 1, tell=tell)
        finally:
            self.seconds += time.perf_counter() - started

    def _show_failure(self) -> None:
        """The end of what the check of the best candidate printed."""
        trial = self.candidates[0].trial
        for line in trial.output.splitlines()[-SHOWN_LINES:] if trial else ():
            say(f"  {line}")


def _rank(proposed: Proposed, seen: set[bytes]) -> list[_Ranked]:
    """The changes that are not in `seen`, which they are added to, in the model's order."""
    ranked = []
    for k in range(proposed.num_patches):
        patch = proposed.patch(k)
        diff = render(patch)
        if diff not in seen:
            seen.add(diff)
            ranked.append(_Ranked(proposed, k, patch, proposed.score(k)))
    return ranked


def _further(instruction: str, command: str, trial: Trial) -> str:
    """The instruction for another try: what was asked, and what came of it."""
    lines = [one_line(line) for line in trial.output.splitlines()[-SHOWN_LINES:]]
    return "\n".join([instruction, "", f"The check `{command}` failed ({trial.reason}):", *lines])


def _reported(score: float, trial: Trial, attempt: int) -> CandidateReport:
    details = TrialReport(_reason(trial), trial.seconds, trial.log, trial.output, attempt)
    return CandidateReport(score, trial.result, details)


def _outcome(trial: Trial) -> str:
    failure = f": {_reason(trial)}" if trial.result == "failed" else ""
    return f"{trial.result} the check in {trial.seconds:.1f} s{failure}"


def _reason(trial: Trial) -> str:
    """Why it failed, with the last line that was printed."""
    if trial.result != "failed":
        return ""
    lines = [line for line in trial.output.splitlines() if line.strip()]
    return one_line(": ".join([trial.reason, *lines[-1:]]))
