"""What to edit after a failed run, and what the model is told of the failure: from printed places to regions.

Knows nothing of flags.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from seedcli.errors import TargetError
from seedcli.finding.failures import Failure, read_failures
from seedcli.finding.reached import Reached
from seedcli.proposing import Task
from seedcli.repository.regions import Region
from seedcli.repository.source import SourceFile
from seedcli.repository.workspace import Workspace
from seedcli.versions.targets import touched


@dataclass(frozen=True, slots=True)
class Seen:
    """A failure in a workspace."""

    lines: tuple[tuple[Path, int], ...]
    """In files that may be edited, from 0; the innermost comes last."""
    error: str


@dataclass(frozen=True, slots=True)
class Traced:
    """The failures of a run."""

    workspace: Workspace
    failures: tuple[Seen, ...]

    @classmethod
    def read(cls, workspace: Workspace, printed: str, *, cwd: Path) -> "Traced":
        """
        Raises:
            TargetError: the text tells of no failure.
        """
        failures = read_failures(printed)
        if not failures:
            raise TargetError(
                "what was printed names no place and no error that Seed can read: tracebacks, pytest, linters"
            )
        files = _Files(workspace, cwd)
        return cls(workspace, tuple(Seen(tuple(files.own(one)), one.error) for one in failures))

    def tasks(self) -> list[Task]:
        """The regions in which the failures came up: of each the innermost that is no test's; where all are, the
        functions that the tests use.

        Raises:
            TargetError: there are none.
        """
        spans: dict[Path, list[tuple[int, int]]] = {}
        for path, line in self._innermost():
            spans.setdefault(path, []).append((line, line + 1))
        tasks = []
        for path, lines in spans.items():
            source = SourceFile.read(self.workspace, path)
            last = source.text.count("\n")  # the run may be older than the file
            if regions := touched(source, [span for span in lines if span[0] <= last]):
                tasks.append(Task(source, tuple(regions)))
        if not tasks:
            tasks = self._tested()
        if not tasks:
            raise TargetError(
                "the failure names no code here that may be edited, but for tests; name a target"
            )
        return self.told(tasks)

    @property
    def is_of_tests(self) -> bool:
        """Whether the failures name places in tests and none elsewhere."""
        return any(seen.lines for seen in self.failures) and not any(self._innermost())

    def _innermost(self) -> Iterator[tuple[Path, int]]:
        """Of each failure the innermost place that is no test's."""
        for seen in self.failures:
            yield from [place for place in seen.lines if not _is_test(self.workspace.relative(place[0]))][-1:]

    def _tested(self) -> list[Task]:
        """The functions that the failing tests use, as far as names and imports tell."""
        places = [place for seen in self.failures for place in seen.lines]
        tasks = []
        for name, lines in Reached(self.workspace).functions(places).items():
            if not _is_test(name) and any(self.workspace.editable([name])):
                source = SourceFile.read(self.workspace, self.workspace.root / name)
                tasks.append(Task(source, tuple(touched(source, lines))))
        return tasks

    def told(self, tasks: Sequence[Task]) -> list[Task]:
        """The regions that a failure names, with what is known of it.

        If it names none, all: a single one with the error alone, which is what a test says of a wrong result, several
        without, since nobody knows which of them is meant.
        """
        found = []
        for task in tasks:
            hints = (self._hint(task.source, region) for region in task.regions)
            kept = {i: hint for i, hint in enumerate(hints) if hint is not None}
            if kept:
                regions = tuple(task.regions[i] for i in kept)
                beside = tuple(task.beside[i] for i in kept if task.beside)
                found.append(replace(task, regions=regions, beside=beside, hints=tuple(kept.values())))
        if not found and sum(len(task.regions) for task in tasks) == 1:
            error = next((seen.error for seen in self.failures if seen.error), "")
            return [replace(task, hints=(("", error),)) for task in tasks if task.regions]
        return found or list(tasks)

    def _hint(self, source: SourceFile, region: Region) -> tuple[str, str] | None:
        """Line and error of the first failure that names a line of a region."""
        for seen in self.failures:
            own = (line for path, line in seen.lines if path == source.path)
            lines = [line for line in own if region.start <= line < region.end]
            if lines:
                return region.text.split("\n")[lines[-1] - region.start].strip(), seen.error
        return None


class _Files:
    """The files that printed paths mean."""

    def __init__(self, workspace: Workspace, cwd: Path) -> None:
        self._workspace, self._cwd = workspace, cwd
        self._known: dict[str, Path | None] = {}

    def own(self, failure: Failure) -> Iterator[tuple[Path, int]]:
        """Its places in files that may be edited."""
        for place in failure.places:
            if place.path not in self._known:
                self._known[place.path] = self._find(place.path)
            if path := self._known[place.path]:
                yield path, place.line - 1

    def _find(self, printed: str) -> Path | None:
        # Some tools print paths from where they were started, others from the top.
        for folder in (self._cwd, self._workspace.root):
            with suppress(TargetError):
                path = self._workspace.resolve(printed, relative_to=folder)
                may = any(self._workspace.editable([self._workspace.relative(path)]))
                return path if may and not self._workspace.is_ignored(path) else None
        return None


def _is_test(name: str) -> bool:
    """Whether a file holds tests, by its name: what failed there is what is demanded, not what is wrong."""
    path = PurePosixPath(name)
    return (
        path.name.startswith("test_")
        or path.stem.endswith("_test")
        or path.name == "conftest.py"
        or not {"test", "tests"}.isdisjoint(path.parts)
    )
