"""Which lines of the work tree differ from the index or a commit, and what git calls the state of a file.

Lines count from 0 and spans are half-open; an empty span is a place where lines were deleted. Knows nothing of
regions.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seedcli.report import say
from seedcli.repository.quoting import unquoted
from seedcli.versions.git import Git, GitError

Span = tuple[int, int]

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_AS_PLAIN = (
    "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--no-relative", "--ignore-submodules=all",
    "--src-prefix=a/", "--dst-prefix=b/", "--text",
)  # fmt: skip
"""Against settings of the user that change what a diff looks like, and programs of theirs."""


@dataclass(frozen=True, slots=True)
class FileState:
    """What git says of a file that is not as in HEAD."""

    path: str
    """Relative to the root, forward slashes."""
    is_staged: bool = False
    is_unstaged: bool = False
    is_untracked: bool = False
    is_unmerged: bool = False

    @property
    def words(self) -> str:
        """For people: `staged and unstaged`, say."""
        named = {
            "conflicted": self.is_unmerged,
            "staged": self.is_staged,
            "unstaged": self.is_unstaged,
            "untracked": self.is_untracked,
        }
        return " and ".join(word for word, holds in named.items() if holds)


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose changes are meant; one of the three."""

    staged: bool = False
    """What is in the index and not in HEAD."""
    since: str | None = None
    """What differs from where HEAD parted from this revision, untracked files among it."""
    changed: bool = False
    """What is not in HEAD: staged, unstaged or untracked."""

    @property
    def flag(self) -> str:
        """As it was typed."""
        if self.since is not None:
            return f"--since {self.since}"
        return "--staged" if self.staged else "--changed"


@dataclass(frozen=True, slots=True)
class Hunk:
    """Old lines [old_start, old_end) that became new lines [new_start, new_end)."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def file_states(git: Git) -> dict[str, FileState]:
    """Every file that is not as in HEAD, by path, sorted."""
    answer = git.ask(
        *("status", "--porcelain=v2", "-z", "--untracked-files=all", "--ignore-submodules=all"),
        "--no-renames",
    )
    states = {}
    for entry in answer.split(b"\0"):
        # Fields before the path: 1 XY sub mH mI mW hH hI; u XY sub m1 m2 m3 mW h1 h2 h3.
        num_fields = {b"1": 8, b"u": 10, b"?": 1}.get(entry[:1])
        if num_fields is None:
            continue
        *fields, raw = entry.split(b" ", num_fields)
        path, marks = os.fsdecode(raw), fields[1] if len(fields) > 1 else b".."
        is_changed = fields[0] == b"1"
        states[path] = FileState(
            path,
            is_staged=is_changed and marks[:1] != b".",
            is_unstaged=is_changed and marks[1:] != b".",
            is_untracked=fields[0] == b"?",
            is_unmerged=fields[0] == b"u",
        )
    return dict(sorted(states.items()))


def changed_lines(git: Git, choice: Choice, states: dict[str, FileState]) -> dict[str, list[Span] | None]:
    """The changed lines of each file of the work tree that exists; None for those of which all lines are new.

    Raises:
        GitError: the revision is unknown.
    """
    if choice.staged:
        return _staged(git)
    base = _base(git, choice.since) if choice.since is not None else head_tree(git)
    found: dict[str, list[Span] | None] = {
        path: [(hunk.new_start, hunk.new_end) for hunk in hunks] for path, hunks in diff(git, base).items()
    }
    untracked: dict[str, list[Span] | None] = {
        path: None for path, state in states.items() if state.is_untracked
    }
    return dict(sorted((found | untracked).items()))


def head_tree(git: Git) -> str:
    """HEAD, or the empty tree where there is no commit yet."""
    if git.try_to("rev-parse", "--verify", "--quiet", "HEAD^{commit}") is not None:
        return "HEAD"
    return git.line("hash-object", "-t", "tree", "--stdin")


def diff(git: Git, *arguments: str, paths: Sequence[str] = ()) -> dict[str, list[Hunk]]:
    """The changes that `git diff` with these arguments tells, by path; deleted files are left out."""
    output = git.ask("diff", *_AS_PLAIN, "-U0", "--inter-hunk-context=0", *arguments, "--", *paths)
    return {path: hunks for path, hunks in _parse(output) if path}


def diff_text(git: Git, *arguments: str, path: str) -> str:
    """What `git diff` with these arguments prints of a file."""
    return git.ask("diff", *_AS_PLAIN, *arguments, "--", path).decode("utf-8", "replace")


def carried(span: Span, hunks: Sequence[Hunk]) -> Span:
    """Where the lines of a span are after changes: lines that were replaced are those that they became."""
    start = _carried(span[0], hunks, is_end=False)
    return start, max(start, _carried(span[1], hunks, is_end=True))


def _carried(at: int, hunks: Sequence[Hunk], *, is_end: bool) -> int:
    shift = 0
    for hunk in hunks:
        is_insertion_here = hunk.old_start == hunk.old_end == at
        if hunk.old_end <= at and not (is_end and is_insertion_here):
            shift = hunk.new_end - hunk.old_end
        elif hunk.old_start < at:
            return hunk.new_end if is_end else hunk.new_start
    return at + shift


def _staged(git: Git) -> dict[str, list[Span] | None]:
    staged = diff(git, "--cached", *([] if _has_head(git) else [head_tree(git)]))
    later = diff(git, paths=list(staged)) if staged else {}
    return {
        path: [carried((hunk.new_start, hunk.new_end), later.get(path, [])) for hunk in hunks]
        for path, hunks in sorted(staged.items())
    }


def _has_head(git: Git) -> bool:
    return head_tree(git) == "HEAD"


def _base(git: Git, revision: str) -> str:
    """The commit at which HEAD parted from a revision; the revision itself where none is known."""
    found = git.try_to("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    if found is None:
        shallow = git.line("rev-parse", "--is-shallow-repository") == "true"
        cure = "the clone is shallow: git fetch --unshallow brings the rest" if shallow else "see git log"
        raise GitError(f"--since: {revision!r} is no commit here; {cure}")
    commit = found.decode().strip()
    common = git.try_to("merge-base", commit, "HEAD")
    if common is None:
        say(f"no commit is known from which {revision} and HEAD part; compared with {revision} itself")
        return commit
    return common.decode().strip()


def _parse(output: bytes) -> Iterator[tuple[str, list[Hunk]]]:
    """Path and hunks of each file of a diff without context; an empty path for one that is deleted."""
    path, hunks, is_open = "", list[Hunk](), False
    lines = iter(output.split(b"\n"))
    for line in lines:
        if line.startswith(b"diff --git "):
            if is_open:
                yield path, hunks
            path, hunks, is_open = "", [], True
        elif line.startswith(b"+++ ") and not hunks:
            name = os.fsdecode(unquoted(line[4:].removesuffix(b"\t")))
            path = "" if name == "/dev/null" else name.removeprefix("b/")
        elif match := _HUNK.match(line):
            old, num_old, new, num_new = (int(group) if group else 1 for group in match.groups())
            # An empty range names the line before it.
            old, new = old - (num_old > 0), new - (num_new > 0)
            hunks.append(Hunk(old, old + num_old, new, new + num_new))
            left = num_old + num_new
            while left:  # whatever the lines look like
                left -= not next(lines).startswith(b"\\")
    if is_open:
        yield path, hunks
