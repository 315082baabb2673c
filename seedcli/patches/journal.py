"""The journal: what each run wrote, kept outside the repository, so that every run can be undone.

One folder per root in the user's state folder: `lock`, `root` (its path, for people), and `runs/ID/` with
`data` (old and new bytes) and `run.json` (names, hashes, state). Both are on the disk before the first file
of a run is touched. A run that was cut short is known by its state and taken back file by file. Works without
git.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from seedcli.errors import ConflictError, SeedError, TargetError
from seedcli.folders import user_folder
from seedcli.patches import writing
from seedcli.patches.writing import Change, Warn
from seedcli.repository.workspace import Workspace

RunState = Literal["applying", "applied", "undoing", "undone", "redoing", "on_trial", "rolled_back"]

_FORWARD = ("applying", "redoing", "on_trial")
_INTERRUPTED: dict[str, tuple[RunState, RunState]] = {
    "applying": ("rolled_back", "applied"),
    "undoing": ("applied", "undone"),
    "redoing": ("undone", "applied"),
    "on_trial": ("rolled_back", "rolled_back"),
}
"""State that a run was cut short in: its state once taken back, its state if every file turns out to be
written."""


def state_folder() -> Path:
    """Where journals are kept: `SEED_STATE_DIR`, else the user's state folder.

    Raises:
        SettingsError: the user has no home.
    """
    if chosen := os.environ.get("SEED_STATE_DIR"):
        return Path(os.path.expanduser(chosen)).absolute()
    return user_folder("state")


@dataclass(frozen=True, slots=True)
class Run:
    """One run that wrote files."""

    id: str
    time: float
    """Seconds since the epoch at which it began."""
    label: str
    """What it was for, in one line."""
    files: tuple[str, ...]
    state: RunState
    position: int
    """Which of the journal's changes of state was this run's last; the highest is the newest."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One file of a run, as it stands in `run.json`."""

    name: str
    target: str
    """Relative to the root, links resolved."""
    old_size: int | None
    new_size: int | None
    old_sha256: str | None
    new_sha256: str | None
    mode: int | None
    folders: tuple[str, ...] = ()
    """Folders that the run made for this file, deepest first, relative to the root."""


class Journal:
    """The runs of one workspace."""

    def __init__(self, state: Path, workspace: Workspace) -> None:
        key = hashlib.sha256(os.fsencode(workspace.root)).hexdigest()[:16]
        self._folder = state / f"{workspace.root.name or 'root'}-{key}"
        self._workspace = workspace
        self._known: dict[str, tuple[tuple[int, int, int], tuple[Run, tuple[_Entry, ...]]]] = {}
        """Runs as they were read last, with inode, time and size of their record, which is replaced as a whole: who
        writes thousands of runs need not read thousands for each."""

    @property
    def logs(self) -> Path:
        """Where what was printed by checks in this workspace is kept."""
        return self._folder / "checks"

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        runs = [self._read(folder.name)[0] for folder in self._run_folders()]
        return sorted(runs, key=lambda run: _number(run.id), reverse=True)

    def recover(self) -> list[str]:
        """Take back what runs that were cut short have written.

        Returns:
            One sentence for each such run.

        Raises:
            ConflictError: another run is writing.
        """
        if not self._run_folders():
            return []
        with self._locked():
            return self._recover()

    def undo(self, run: str | None = None, *, warn: Warn = lambda _: None) -> Run:
        """Give the files of `run`, else of the newest applied run, their old bytes back.

        Raises:
            ConflictError: a file no longer holds what the run wrote, cannot be written, or another run is
                writing; nothing is touched then.
            TargetError: there is no such run.
        """
        return self._carry_over(run, "applied", "undoing", "undone", warn)

    def redo(self, run: str | None = None, *, warn: Warn = lambda _: None) -> Run:
        """Write again what `run`, else the run undone last, had written. Raises as `undo` does."""
        return self._carry_over(run, "undone", "redoing", "applied", warn)

    def write(
        self, changes: Sequence[tuple[str, Path, bytes | None, bytes | None]], *, label: str, warn: Warn
    ) -> str:
        """Write files as one new run: name, target, old and new bytes of each.

        Returns:
            The run's id.

        Raises:
            ConflictError: nothing was written: a file is stale or not writable, the disk is full, or another
                run is writing.
        """
        with self._locked(), writing.signals_deferred() as interrupted:
            self._recover()
            run_id = self._next_id()
            entries = tuple(self._entry(*change) for change in changes)
            data = [(old, new) for _, _, old, new in changes]
            steps = self._changes(run_id, entries, data)
            writing.check(steps, warn)
            run = Run(
                run_id, time.time(), label, tuple(e.name for e in entries), "applying", self._next_position()
            )
            try:
                self._record(run, entries, data)
                writing.write_all(steps, interrupted)
            except BaseException:
                # As long as one file could not be taken back, its old bytes are needed.
                if not any(step.is_done() for step in steps):
                    self._forget(run_id)
                raise
            self._write_run(replace(run, state="applied"), entries)
        return run_id

    @contextmanager
    def trial(
        self,
        changes: Sequence[tuple[str, Path, bytes | None, bytes | None]],
        *,
        label: str,
        warn: Warn = lambda _: None,
    ) -> Iterator[None]:
        """Let files hold their new bytes inside the `with`; at its end they get the old ones back.

        Where the process is killed meanwhile, `recover` gives them back.

        Raises:
            ConflictError: as `write`; or a file was changed meanwhile, and is left as it is.
        """
        with self._locked():
            self._recover()
            run_id = self._next_id()
            entries = tuple(self._entry(*change) for change in changes)
            data = [(old, new) for _, _, old, new in changes]
            steps = self._changes(run_id, entries, data)
            writing.check(steps, warn)
            names = tuple(entry.name for entry in entries)
            run = Run(run_id, time.time(), label, names, "on_trial", self._next_position())
            are_written = False
            try:
                with writing.signals_deferred() as interrupted:
                    self._record(run, entries, data)
                    writing.write_all(steps, interrupted)
                    are_written = True
                yield
            finally:
                with writing.signals_deferred():
                    foreign = writing.roll_back(steps) if are_written else []
                    self._end_trial(run, entries, steps, foreign)

    def _end_trial(
        self, run: Run, entries: Sequence[_Entry], steps: Sequence[Change], foreign: Sequence[str]
    ) -> None:
        if foreign:
            # Their old bytes are needed no less than before.
            self._write_run(replace(run, state="rolled_back"), entries)
            raise ConflictError(
                f"left as the check or somebody else made it meanwhile: {', '.join(foreign)}; "
                f"the old bytes are in {self._folder / 'runs' / run.id}"
            )
        if not any(step.is_done() for step in steps):
            self._forget(run.id)

    def has_trial(self) -> bool:
        """Whether files hold, or were left with, what is only on trial."""
        return any(run.state == "on_trial" for run in self.runs())

    def _carry_over(
        self, run_id: str | None, source: RunState, during: RunState, goal: RunState, warn: Warn
    ) -> Run:
        with self._locked(), writing.signals_deferred() as interrupted:
            self._recover()
            run, entries = self._choose(run_id, source)
            changes = self._changes(run.id, entries, self._data(run.id, entries))
            steps = changes if during in _FORWARD else [change.reversed() for change in changes]
            writing.check(steps, warn, since="the run", cure="put it back as the run left it")
            self._write_run(replace(run, state=during), entries)
            try:
                writing.write_all(steps, interrupted)
            except BaseException:
                # A file that could not be taken back leaves the run to be recovered.
                if not any(step.is_done() for step in steps):
                    self._write_run(run, entries)
                raise
            done = replace(run, state=goal, position=self._next_position())
            self._write_run(done, entries)
            return done

    def _recover(self) -> list[str]:
        messages = []
        whole = {folder.name for folder in self._run_folders()}
        for name in self._names():
            if name not in whole:
                self._forget(name)
        for folder in self._run_folders():
            run, entries = self._read(folder.name)
            if run.state in _INTERRUPTED:
                messages.append(self._recover_run(run, entries))
        return messages

    def _recover_run(self, run: Run, entries: tuple[_Entry, ...]) -> str:
        steps: list[Change] = []
        foreign: list[str] = []
        for i, (entry, (old, new)) in enumerate(zip(entries, self._data(run.id, entries), strict=True)):
            try:
                steps.append(self._change(run.id, i, entry, old, new))
            except SeedError:
                # Somebody has put a link, a folder or another repository in its place.
                foreign.append(entry.name)
        steps = steps if run.state in _FORWARD else [step.reversed() for step in steps]
        back, complete = _INTERRUPTED[run.state]
        if run.state != "on_trial" and not foreign and all(step.is_done() for step in steps):
            for step in steps:
                writing.discard_staged(step)
            self._write_run(replace(run, state=complete), entries)
            return f"run {run.id} was interrupted after its last file; it is complete"
        foreign += writing.roll_back(steps)
        self._write_run(replace(run, state=back), entries)
        left = f"; changed since and left alone: {', '.join(foreign)}" if foreign else ""
        return f"run {run.id} was interrupted; its files are as they were before{left}"

    def _choose(self, run_id: str | None, state: RunState) -> tuple[Run, tuple[_Entry, ...]]:
        runs = self.runs()
        if run_id is None:
            fitting = sorted((run for run in runs if run.state == state), key=lambda run: run.position)
            if not fitting:
                verb = "undo" if state == "applied" else "redo"
                raise TargetError(f"there is nothing to {verb} in {self._workspace.root}; see seed log")
            # Undo goes by the order of writing, so that an undone and redone run keeps its place.
            chosen = fitting[-1] if state == "undone" else max(fitting, key=lambda run: _number(run.id))
        else:
            named = [run for run in runs if run_id in (run.id, str(_number(run.id)))]
            if not named:
                raise TargetError(f"there is no run {run_id!r} in {self._workspace.root}; see seed log")
            chosen = named[0]
            if chosen.state != state:
                raise TargetError(
                    f"run {chosen.id} is {chosen.state.replace('_', ' ')}, not {state}; see seed log"
                )
        return self._read(chosen.id)

    def _changes(
        self, run_id: str, entries: Sequence[_Entry], data: Sequence[tuple[bytes | None, bytes | None]]
    ) -> list[Change]:
        pairs = zip(entries, data, strict=True)
        return [self._change(run_id, i, entry, old, new) for i, (entry, (old, new)) in enumerate(pairs)]

    def _change(self, run_id: str, i: int, entry: _Entry, old: bytes | None, new: bytes | None) -> Change:
        target = self._workspace.locate(entry.target)
        if self._workspace.relative(target) != entry.target:
            raise ConflictError(
                f"{entry.name} goes through a link by now; remove the link; nothing was written"
            )
        folders = tuple(self._workspace.root / folder for folder in entry.folders)
        return Change(
            entry.name, target, old, new, entry.mode, target.with_name(f".seed-{run_id}-{i}.tmp"), folders
        )

    def _entry(self, name: str, target: Path, old: bytes | None, new: bytes | None) -> _Entry:
        mode = None
        if old is not None:
            with suppress(OSError):  # it may be gone by now
                mode = target.stat().st_mode & 0o7777
        return _Entry(
            name=name,
            target=self._workspace.relative(target),
            old_size=None if old is None else len(old),
            new_size=None if new is None else len(new),
            old_sha256=None if old is None else hashlib.sha256(old).hexdigest(),
            new_sha256=None if new is None else hashlib.sha256(new).hexdigest(),
            mode=mode,
            folders=tuple(
                self._workspace.relative(folder) for folder in target.parents if not folder.exists()
            ),
        )

    def _record(
        self, run: Run, entries: Sequence[_Entry], data: Sequence[tuple[bytes | None, bytes | None]]
    ) -> None:
        folder = self._folder / "runs" / run.id
        try:
            folder.mkdir(mode=0o700, parents=True)
            writing.write_durably(folder / "data", b"".join((old or b"") + (new or b"") for old, new in data))
            self._write_run(run, entries)
            writing.sync_folder(folder.parent)
        except OSError as error:
            raise ConflictError(
                f"cannot write the journal {folder}: {error.strerror}; nothing was changed"
            ) from error

    def _write_run(self, run: Run, entries: Sequence[_Entry]) -> None:
        self._known.pop(run.id, None)
        content = {"version": 1, "run": asdict(run), "files": [asdict(entry) for entry in entries]}
        writing.write_durably(
            self._folder / "runs" / run.id / "run.json", json.dumps(content, indent=1).encode()
        )

    def _read(self, run_id: str) -> tuple[Run, tuple[_Entry, ...]]:
        file = self._folder / "runs" / run_id / "run.json"
        try:
            status = file.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if run_id not in self._known or self._known[run_id][0] != stamp:
                content: dict[str, Any] = json.loads(file.read_bytes())
                run = content["run"] | {"files": tuple(content["run"]["files"])}
                entries = (
                    _Entry(**entry | {"folders": tuple(entry["folders"])}) for entry in content["files"]
                )
                self._known[run_id] = stamp, (Run(**run), tuple(entries))
            return self._known[run_id][1]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConflictError(
                f"the journal {file} cannot be read ({error}); move its folder away"
            ) from error

    def _data(self, run_id: str, entries: Sequence[_Entry]) -> list[tuple[bytes | None, bytes | None]]:
        content = (self._folder / "runs" / run_id / "data").read_bytes()
        position = 0
        pieces: list[bytes | None] = []
        for entry in entries:
            for size, digest in ((entry.old_size, entry.old_sha256), (entry.new_size, entry.new_sha256)):
                piece = None if size is None else content[position : position + size]
                if piece is not None and hashlib.sha256(piece).hexdigest() != digest:
                    raise ConflictError(
                        f"the journal of run {run_id} is damaged; restore {entry.name} by hand"
                    )
                pieces.append(piece)
                position += size or 0
        return list(zip(pieces[::2], pieces[1::2], strict=True))

    def _forget(self, run_id: str) -> None:
        """Remove the record of a run that wrote nothing."""
        folder = self._folder / "runs" / run_id
        for name in ("run.json", "run.json.tmp", "data", "data.tmp"):
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()

    def _run_folders(self) -> list[Path]:
        """Folders of runs whose record is whole; one without it was cut short before it wrote anything."""
        runs = self._folder / "runs"
        return [runs / name for name in self._names() if os.path.exists(f"{runs}/{name}/run.json")]

    def _names(self) -> list[str]:
        """Names of the folders of runs, whole or not.

        Raises:
            ConflictError: they cannot be read.
        """
        folder = self._folder / "runs"
        try:
            return sorted(name for name in os.listdir(folder) if "-" in name)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ConflictError(
                f"cannot read the journal {folder}: {error.strerror}; allow it, or set SEED_STATE_DIR"
            ) from error

    def _next_id(self) -> str:
        numbers = map(_number, self._names())
        return f"{time.strftime('%Y%m%d')}-{max(numbers, default=0) + 1}"

    def _next_position(self) -> int:
        return max((run.position for run in self.runs()), default=0) + 1

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self._folder / "root").exists():
                (self._folder / "root").write_bytes(os.fsencode(self._workspace.root) + b"\n")
            lock = open(self._folder / "lock", "ab")  # noqa: SIM115
        except OSError as error:
            raise ConflictError(
                f"cannot write the journal {self._folder}: {error.strerror}; set SEED_STATE_DIR"
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ConflictError(
                    f"another seed run is writing in {self._workspace.root}; wait for it; nothing was written"
                ) from None
            yield


def _number(run_id: str) -> int:
    tail = run_id.rpartition("-")[2]
    return int(tail) if tail.isdigit() else 0
