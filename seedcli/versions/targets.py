"""What is to be edited where changes in git are the target: the regions that they touch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seedcli.errors import TargetError
from seedcli.repository.regions import Region, lines_region, regions_of
from seedcli.repository.source import SourceFile
from seedcli.repository.targets import Target, expand
from seedcli.repository.workspace import Workspace
from seedcli.versions.changed import Choice, FileState, Span, changed_lines, file_states
from seedcli.versions.git import Git

NUM_NAMED = 5
"""Files that are left out are named up to this many."""

Found = tuple[SourceFile, list[Region]]


@dataclass(frozen=True, slots=True)
class ChangedTargets:
    """Finds what the changes in a work tree touch."""

    workspace: Workspace
    git: Git
    cwd: Path
    """What relative paths are relative to."""
    say: Callable[[str], None]

    def find(self, choice: Choice, targets: Sequence[Target]) -> list[Found]:
        """Files and regions that changes touch, by name; each is told with its state.

        Args:
            targets: changes outside of these do not count; all count where there are none.

        Raises:
            GitError: the revision is unknown, or git refuses.
            TargetError: a target is missing or has no such symbol or lines.
        """
        states = file_states(self.git)
        lines = changed_lines(self.git, choice, states)
        places = [(self.workspace.resolve(t.path, relative_to=self.cwd), t) for t in targets]
        around = {
            name: [target for place, target in places if (self.workspace.root / name).is_relative_to(place)]
            for name in lines
        }
        names = [name for name in lines if around[name] or not targets]
        editable = {self.workspace.relative(path) for path in self.workspace.editable(names)}
        self._tell_left_out([name for name in names if name not in editable])
        found = []
        for name in (name for name in names if name in editable):
            source, regions = self._read(name, lines[name], around[name])
            if source and regions:
                found.append((source, regions))
                count = f"{len(regions)} region{'s' * (len(regions) > 1)}"
                self.say(f"{name}: {_words(states.get(name))}, {count}")
        return found

    def _read(
        self, name: str, spans: list[Span] | None, around: Sequence[Target]
    ) -> tuple[SourceFile | None, list[Region]]:
        try:
            source = SourceFile.read(self.workspace, self.workspace.root / name)
        except TargetError as error:
            self.say(str(error))
            return None, []
        if around and all(target.symbol or target.lines for target in around):
            ((_, regions),) = expand(self.workspace, around, cwd=self.cwd)
            return source, [region for region in regions if spans is None or _is_touched(region, spans)]
        return source, touched(source, spans)

    def _tell_left_out(self, names: Sequence[str]) -> None:
        # What was deleted is no news to whoever deleted it.
        names = [name for name in names if (self.workspace.root / name).exists()]
        if names:
            more = ", ..." if len(names) > NUM_NAMED else ""
            files = f"{len(names)} changed file{'s' * (len(names) > 1)}"
            self.say(
                f"left out: {files} without code that may be edited: {', '.join(names[:NUM_NAMED])}{more}"
            )


def touched(source: SourceFile, spans: Sequence[Span] | None) -> list[Region]:
    """The regions of a file that changed lines touch, in order; all for None.

    Changed lines outside of every region, such as a class's attributes, are regions of their own.
    """
    regions = regions_of(source)
    if spans is None:
        return regions
    found = [region for region in regions if _is_touched(region, spans)]
    covered = {line for region in regions for line in range(region.start, region.end)}
    texts = source.text.split("\n")
    loose = sorted(
        {
            i
            for span in spans
            for i in range(*span)
            if i < len(texts) and i not in covered and texts[i].strip()
        }
    )
    found += [lines_region(source, start, end) for start, end in _runs(loose)]
    return sorted(found, key=lambda region: region.start)


def _is_touched(region: Region, spans: Sequence[Span]) -> bool:
    """Whether changed lines are in a region, or lines were deleted in it or at its edge."""
    return any(
        start < region.end and region.start < end if start < end else region.start <= start <= region.end
        for start, end in spans
    )


def _runs(lines: Sequence[int]) -> list[Span]:
    """Lines that follow one another as spans."""
    runs: list[Span] = []
    for line in lines:
        if runs and runs[-1][1] == line:
            runs[-1] = (runs[-1][0], line + 1)
        else:
            runs.append((line, line + 1))
    return runs


def _words(state: FileState | None) -> str:
    return state.words if state else "committed"
