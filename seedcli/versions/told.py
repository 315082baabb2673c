"""What git tells of a region, as text for a model: what is not committed, and what was committed last.

Only made where the user asks for it. Knows nothing of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seedcli.repository.regions import Region
from seedcli.repository.source import SourceFile
from seedcli.versions.changed import FileState, Hunk, Span, carried, diff, diff_text, head_tree
from seedcli.versions.git import Git

DIFF_CHARACTERS = 4000
"""Most of a file's uncommitted changes that are told; hunks that are nearest to the region go first."""
NUM_COMMITS = 5
LOG_CHARACTERS = 1000


@dataclass(frozen=True, slots=True)
class Tale:
    """What to tell."""

    diff: bool = False
    log: bool = False

    def of(
        self, git: Git, source: SourceFile, regions: Sequence[Region], state: FileState | None
    ) -> list[str]:
        """A text for each region of a file; empty where there is nothing to tell."""
        base = head_tree(git)
        is_new = state is not None and state.is_untracked
        hunks = _Hunks(diff_text(git, "-U3", base, path=source.name)) if self.diff and not is_new else None
        later = diff(git, base, paths=[source.name]).get(source.name, []) if self.log else []
        texts = []
        for region in regions:
            parts = []
            if self.diff and is_new:
                parts.append(f"{source.name} is untracked: nothing of it is committed.\n")
            if hunks and (near := hunks.nearest(region)):
                parts.append(f"Uncommitted changes ({state.words if state else ''}):\n{near}")
            if self.log and base == "HEAD" and not is_new and (log := _log(git, source.name, region, later)):
                parts.append(f"Recent commits of these lines:\n{log}")
            texts.append("\n".join(parts))
        return texts


class _Hunks:
    """The hunks of one file's diff, each with the lines that it is about."""

    def __init__(self, text: str) -> None:
        self._hunks: list[tuple[Span, str]] = []
        for line in text.splitlines(keepends=True):
            if line.startswith("@@ "):
                start, _, count = line.split(" ")[2].removeprefix("+").partition(",")
                first = int(start) - 1
                self._hunks.append(((first, first + int(count or 1)), line))
            elif self._hunks:
                span, so_far = self._hunks[-1]
                self._hunks[-1] = span, so_far + line

    def nearest(self, region: Region) -> str:
        """The hunks nearest to a region that fit, in the order of the file."""

        def distance(k: int) -> int:
            start, end = self._hunks[k][0]
            return max(region.start - end, start - region.end, 0)

        left, chosen = DIFF_CHARACTERS, []
        for k in sorted(range(len(self._hunks)), key=distance):
            left -= len(self._hunks[k][1])
            if left < 0:
                break
            chosen.append(k)
        return "".join(self._hunks[k][1] for k in sorted(chosen))


def _log(git: Git, name: str, region: Region, later: Sequence[Hunk]) -> str:
    """The last commits that changed a region's lines, as these stand in HEAD; one a line."""
    back = [Hunk(h.new_start, h.new_end, h.old_start, h.old_end) for h in later]
    start, end = carried((region.start, region.end), back)
    if start == end:
        return ""
    found = git.try_to(
        *("log", f"-{NUM_COMMITS}", "--no-patch", "--no-color", "--no-show-signature", "--date=short"),
        *("--format=%h %ad %s", f"-L{start + 1},{end}:{name}"),
    )
    return (found or b"").decode("utf-8", "replace")[:LOG_CHARACTERS]
