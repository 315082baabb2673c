"""Real changes of single functions from git history, with the commit's subject as instruction.

Reads a repository's objects through two git processes and never its work tree; writes and fetches nothing.

Kept are commits that change one function of one Python file, or as many as the caller says, and nothing else in Python
code but tests. Each function's change is a pair of its own, all of a commit with the same instruction.
Left out: merges, reverts, bots, changes of comments, docstrings and layout only, files that are
generated or vendored, functions that Python 3 does not read, and subjects that say nothing ("wip",
"cleanup", "more docs"). A subject of no more than "fix" or "fix typo" stays: that is how people ask for
a repair. Who passes a `Counter` learns how many commits were left out, and why.
"""

import ast
import difflib
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO

from engine.data.enclosing import enclosing_function
from engine.data.refactorings.source import read
from engine.errors import DataError

MAX_CHANGED_LINES = 12
"""Lines removed and added, together."""
MAX_REGION_LINES = 120

_FIX = re.compile(
    r"\b(fix(e[sd]|ing)?|bug(fix)?|correct(s|ed)?|repair|broken|crash(es)?|regression|typo)\b", re.I
)
_BOT = re.compile(r"\[bot\]|\bbot\b|-bot$|dependabot|renovate|pre-commit|pyup|weblate|transifex", re.I)
_SKIPPED_SUBJECT = re.compile(
    r"^(merge|backout|back out|bump|release|version|prepare|apply black)\b"
    r"|\brevert|cherry.pick|\bfuck|\bshit",
    re.I,
)
_VAGUE = """
a add again all and another attempt bit bits black bother bothered change changed changelog changes cl
clean cleaned cleaner cleaning cleans cleanup cleanups code comment comments commit cosmetic cosmetics
couple debug dev doc docs docstring docstrings documentation documenting edit edits failing few flake8 for
forgot forgotten format formatting further improve improved improvement improvements in initial isort its
just last lint linter linting little minor misc missed missing more my mypy nit nitpick nits note notes of
on oops ops our passes passing pep pep8 polish pylint quick readme refactor refactored refactoring
refactors review reviews save slight slightly small some stash stashing stuff style stylistic suggestions
temporary test testcase testcases tests that the thing things this tidy tidying tidyup to todo trivial try
trying tweak tweaks up update updated updates updating various version whitespace whoops wip with wording
work working works yet
"""
_VAGUE_WORDS = frozenset(_VAGUE.split())
_NOISE = (
    re.compile(r"^(\s*\[[^\]]{1,30}\])+\s*"),  # [3.8] [backport]
    re.compile(
        r"^\W*(refs?|fix(e[sd])?|closes?|issue|ticket|bug|bpo|gh|pr)?[\s:#-]*#?\d+(\s*,\s*#\d+)*\s*(--|:|-|\.)\s+",
        re.I,
    ),
    re.compile(r"\s*[(\[](refs?|fix(e[sd])?|closes?|see|issue|gh|bpo|pr)?[\s:#-]*#?\d+[)\]]", re.I),
    re.compile(r"[,;.\s-]+(refs?|fix(e[sd])?|closes?|see|issue)?\s*#\d+\W*$", re.I),
    re.compile(r"[,;.\s(]+(thanks to|patch by|via)\b.*$", re.I),
    re.compile(r"[,;.\s(]+(refs?|fix(e[sd])?|closes?|see)\s*#\d+.*$", re.I),
    re.compile(r"\s*\.+$"),
)  # fmt: skip
_ONLY_ISSUE = re.compile(
    r"(refs?|fix(e[sd])?|closed?s?|see|issue|ticket|bug|bpo|gh|pr|for|in|\W)*\d+(\s*(,|and)\s*#?\d+)*\W*",
    re.I,
)
_FOREIGN_PATH = re.compile(
    r"(^|/)(_?vendor(ed)?|_vendoring|third_?party|extern(als?)?|bundled|site-packages|node_modules|migrations|lib2to3)/"
    r"|_pb2(_grpc)?\.py$|(^|/)(_version|versioneer|ez_setup|conf|setup)\.py$",
    re.I,
)
SEEN = "commits seen"
"""What a tally calls all commits but merges that touch Python files."""
_TOO_MUCH = ("not a small change of one function", "not a small change of a few functions")
_TEST_PATH = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|tests?|conftest)\.py$", re.I)
_GENERATED = re.compile(rb"do not edit|@generated|automatically generated|auto-generated", re.I)


@dataclass(frozen=True, slots=True)
class HistoryPair:
    """One commit's change of one function."""

    repo: str
    commit: str
    date: datetime
    path: str
    instruction: str
    """The commit's subject without numbers of issues and tags."""
    before: str
    after: str
    is_fix: bool
    """Whether the subject speaks of a fault."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A commit's one change of a Python file, by the ids of the file's two texts."""

    commit: str
    date: str
    subject: str
    path: str
    old_id: str
    new_id: str


def pairs(
    git_dir: Path,
    limit: int | None = None,
    *,
    repo: str = "",
    since: date | None = None,
    max_changed_lines: int = MAX_CHANGED_LINES,
    max_region_lines: int = MAX_REGION_LINES,
    max_functions: int = 1,
    tally: Counter[str] | None = None,
) -> Iterator[HistoryPair]:
    """The changes in the history of `HEAD`, newest first, each pair of texts once.

    Args:
        git_dir: a bare repository, a `.git` folder, or a work tree.
        limit: most pairs to give; None for all.
        repo: name to put on the pairs; by default the folder's.
        since: first day of the commits to read, in local time.
        max_changed_lines: of all of a commit's functions together.
        max_functions: most functions that a commit may change.
        tally: counts all commits (`SEEN`) and those left out, by reason.

    Raises:
        DataError: git cannot read the folder.
    """
    if limit is not None and limit <= 0:
        return
    seen: set[tuple[str, str]] = set()
    tally = Counter() if tally is None else tally
    with _blob_reader(git_dir) as blobs:
        for change in _changes(git_dir, since, tally):
            found = _function_texts(change, blobs, max_changed_lines, max_region_lines, max_functions)
            fresh = [texts for texts in found if texts not in seen]
            if not fresh:
                tally["the same change again" if found else _TOO_MUCH[max_functions > 1]] += 1
            for texts in fresh:
                seen.add(texts)
                yield _pair(change, texts, repo or git_dir.resolve().name.removesuffix(".git"))
                if limit is not None and len(seen) == limit:
                    return


def _pair(change: _Change, texts: tuple[str, str], repo: str) -> HistoryPair:
    return HistoryPair(
        repo=repo,
        commit=change.commit,
        date=datetime.fromisoformat(change.date),
        path=change.path,
        instruction=clean_subject(change.subject),
        before=texts[0],
        after=texts[1],
        is_fix=_FIX.search(change.subject) is not None,
    )


def clean_subject(subject: str) -> str:
    """The subject without tags and numbers of issues: what a user could have typed; "Fix" of "Fixes #12."."""
    text = subject.strip()
    if _ONLY_ISSUE.fullmatch(text):
        return "Fix" if _FIX.search(text) else ""
    for noise in _NOISE:
        text = noise.sub("", text).strip()
    return text


def is_vague(instruction: str) -> bool:
    """Whether it says nothing of what to change, not even that something is wrong."""
    words = re.findall(r"[a-z0-9_]+", instruction.lower())
    return not any(word not in _VAGUE_WORDS and not word.isdigit() for word in words)


def _changes(git_dir: Path, since: date | None, tally: Counter[str]) -> Iterator[_Change]:
    command = [
        "log",
        "--no-merges",
        "--no-renames",
        "--raw",
        "--no-abbrev",
        "--format=%x01%H%x02%aI%x02%an%x02%s",
        # Without a time git takes the present one.
        *([f"--since={since.isoformat()}T00:00:00"] if since else []),
    ]
    process = _git(git_dir, [*command, "HEAD", "--", "*.py"], stderr=subprocess.PIPE)
    assert process.stdout is not None, "a pipe"
    assert process.stderr is not None, "a pipe"
    lines: list[str] = []
    try:
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            if line.startswith("\x01"):
                yield from _single_change(lines, tally)
                lines = []
            lines.append(line)
        yield from _single_change(lines, tally)
        if process.wait():
            raise DataError(
                f"git cannot read {git_dir}: {process.stderr.read().decode(errors='replace').strip()}"
            )
    finally:
        _end(process)


def _single_change(lines: list[str], tally: Counter[str]) -> Iterator[_Change]:
    """The commit's change, if it is of one Python file beside tests and not to be left out."""
    if not lines:
        return
    tally[SEEN] += 1
    commit, date_, author, subject = lines[0].removeprefix("\x01").split("\x02", 3)
    files = [line.split("\t", 1) for line in lines[1:] if line.startswith(":")]
    chosen = [file for file in files if not _TEST_PATH.search(file[1])]
    reason = _reason(author, subject, [path for _, path in chosen])
    if not reason:
        _, _, old_id, new_id, status = chosen[0][0].split(" ")
        if status == "M":
            yield _Change(commit, date_, subject, chosen[0][1], old_id, new_id)
            return
        reason = "a file added or removed"
    tally[reason] += 1


def _reason(author: str, subject: str, paths: list[str]) -> str:
    """Why a commit is left out before its texts are read; empty if it is not."""
    if _BOT.search(author):
        return "by a bot"
    if _SKIPPED_SUBJECT.search(subject):
        return "a revert, release or the like"
    if is_vague(clean_subject(subject)):
        return "a subject that says nothing"
    if len(paths) != 1:
        return "not one Python file beside tests"
    if _FOREIGN_PATH.search(paths[0]) or paths[0].startswith('"'):
        return "generated or vendored"
    return ""


def _function_texts(
    change: _Change, blobs: "_Blobs", max_changed: int, max_region: int, max_functions: int
) -> list[tuple[str, str]]:
    """The functions that the change is about, before and after; none where there is more to it, or a long one."""
    old, new = _lines(blobs.read(change.old_id)), _lines(blobs.read(change.new_id))
    if old is None or new is None:
        return []
    head, tail = _common_ends(old, new)
    old_end, new_end = len(old) - tail, len(new) - tail
    if max(old_end, new_end) - head > max_region and max_functions == 1:
        return []
    if _more_changed(old[head:old_end], new[head:new_end], max_changed):
        return []
    span = enclosing_function("".join(new), head, new_end)
    spans = [(span[0], span[1] + len(old) - len(new), *span)] if span else []
    if not spans and max_functions > 1:
        spans = _several(old, new, head, tail)
    texts = [("".join(old[a:b]), "".join(new[c:d])) for a, b, c, d in spans]
    too_long = any(text.count("\n") > max_region for pair in texts for text in pair)
    if too_long or len(texts) > max_functions or not all(_differ_in_meaning(*pair) for pair in texts):
        return []
    return texts


def _several(old: list[str], new: list[str], head: int, tail: int) -> list[tuple[int, int, int, int]]:
    """Lines of each function that is changed, [a, b) before and [c, d) after; none if something outside them is."""
    text, found = "".join(new), dict[tuple[int, int], tuple[int, int]]()
    matcher = difflib.SequenceMatcher(
        None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False
    )
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        span = enclosing_function(text, head + j, head + j_end)
        if span is None:
            return []
        before, _ = found.get(span, (i - j, 0))
        found[span] = before, i_end - j_end  # how far lines are apart before and after the function's changes
    return [(c + before, d + after, c, d) for (c, d), (before, after) in found.items()]


def _lines(blob: bytes | None) -> list[str] | None:
    """The file's lines, each with its `\\n`; None where it is missing, generated or no plain UTF-8."""
    if blob is None or b"\r" in blob or _GENERATED.search(blob[:600]):
        return None
    try:
        text = blob.decode()
    except UnicodeDecodeError:
        return None
    return [line + "\n" for line in text.removesuffix("\n").split("\n")]


def _common_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many lines are the same at the start, and how many at the end."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return head, tail


def _more_changed(old: list[str], new: list[str], most: int) -> bool:
    """Whether more lines were removed and added, together, than `most`."""
    before, after = Counter(old), Counter(new)
    if (before - after).total() + (after - before).total() > most:  # spares aligning rewritten files
        return True
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    return len(old) + len(new) - 2 * same > most


def _differ_in_meaning(before: str, after: str) -> bool:
    """Whether both are one Python 3 function and more than comments, docstrings and layout differ."""
    meanings = []
    for text in (before, after):
        source = read(text)
        if source is None or not isinstance(source.definition, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        meanings.append(ast.dump(_without_docstrings(source.tree)))
    return meanings[0] != meanings[1]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body[:1] = [ast.Pass()]
    return tree


class _Blobs:
    """Reads contents of files by their ids from a running `git cat-file`."""

    def __init__(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        self._requests, self._answers = requests, answers

    def read(self, blob_id: str) -> bytes | None:
        """The content, or None where the repository lacks it."""
        self._requests.write(f"{blob_id}\n".encode())
        self._requests.flush()
        header = self._answers.readline().split()
        if len(header) != 3:
            return None
        return self._answers.read(int(header[2]) + 1)[:-1]


@contextmanager
def _blob_reader(git_dir: Path) -> Iterator[_Blobs]:
    process = _git(git_dir, ["cat-file", "--batch"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdin is not None, "a pipe"
    assert process.stdout is not None, "a pipe"
    try:
        yield _Blobs(process.stdin, process.stdout)
    finally:
        _end(process)


def _git(
    git_dir: Path, arguments: list[str], *, stdin: int = subprocess.DEVNULL, stderr: int
) -> subprocess.Popen[bytes]:
    # A repository may come from a partial clone: what it lacks stays away, nothing is fetched for it.
    environment = {**os.environ, "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    command = ["git", "-C", str(git_dir), "-c", "core.quotePath=true", *arguments]
    try:
        return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, env=environment)
    except FileNotFoundError as error:
        raise DataError("git is not installed; install it to read histories") from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """The reader has had enough: no process and no pipe stays behind."""
    process.kill()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()
