"""Commits exactly what a run has written: its hunks, and nothing else that is staged or changed.

The commit's tree is HEAD's with the run's hunks put in; the index gets the same hunks, so that what was staged stays
staged and what was not stays so. Made with an index of its own. The work tree is not touched, and no hook is run.
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seedcli.errors import ConflictError
from seedcli.patches.line_diff import changes, split_lines
from seedcli.patches.patch import FilePatch, Patch
from seedcli.repository.workspace import Workspace
from seedcli.versions.git import Git, GitError

HOOKS = ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit")
_UNDER_WAY = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}


@dataclass(frozen=True, slots=True)
class Blob:
    """A file as git holds it."""

    mode: str
    """`100644`, say."""
    id: str


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made."""

    id: str
    place: str
    """The branch that it is on, for people."""


class Committer:
    """Makes the commit of one run."""

    def __init__(self, workspace: Workspace, message: str) -> None:
        """
        Raises:
            GitError: no commit can be made here; better known before the model is asked.
        """
        self._workspace, self._message = workspace, message.strip() + "\n"
        self._git = git = Git.of(workspace, needed_by="--commit")
        for name, what in _UNDER_WAY.items():
            if git.path(name).exists():
                raise GitError(
                    f"--commit: {what} is under way; conclude or abort it first, or leave out --commit"
                )
        if git.ask("ls-files", "--unmerged", "-z"):
            raise GitError("--commit: the index has conflicts; resolve them first, or leave out --commit")
        for who in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
            if git.try_to("var", who) is None:
                raise GitError("--commit: git does not know who you are; set user.name and user.email")

    @property
    def skipped_hooks(self) -> list[str]:
        """Hooks that the user has and that are not run."""
        return [name for name in HOOKS if os.access(_hooks_folder(self._git) / name, os.X_OK)]

    def commit(self, patch: Patch) -> Committed:
        """Commit the hunks of a patch that has been written.

        Raises:
            ConflictError: nothing was committed: hunks overlap what is not committed, or HEAD has moved.
        """
        try:
            return self._commit(patch)
        except GitError as error:
            raise ConflictError(f"not committed: {error}") from None

    def _commit(self, patch: Patch) -> Committed:
        git = self._git
        parent = git.try_to("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        files = {self._workspace.relative(self._workspace.locate(f.path)): f for f in patch.files}
        committed = _tree_entries(git, list(files)) if parent else {}
        staged = _index_entries(git, list(files))
        new_tree: dict[str, Blob | None] = {}
        new_index: dict[str, Blob | None] = {}
        for name, file in files.items():
            if (name in committed) != (file.old is not None) or (name in staged) != (name in committed):
                raise ConflictError(f"not committed: {_why_not(name, name in committed, name in staged)}")
            sides = _Sides.of(git, name, file, self._new_mode(name))
            new_tree[name] = sides.put_into(git, committed.get(name), name, "uncommitted")
            new_index[name] = sides.put_into(git, staged.get(name), name, "unstaged")
        tree = _write_tree(git, parent is not None, new_tree)
        commit = self._make(tree, parent)
        self._move(commit, parent, new_index, staged)
        branch = git.try_to("symbolic-ref", "--quiet", "--short", "HEAD")
        return Committed(commit, branch.decode("utf-8", "replace").strip() if branch else "a detached HEAD")

    def _new_mode(self, name: str) -> str:
        """Of a file that the run has made."""
        path = self._workspace.root / name
        return "100755" if os.access(path, os.X_OK) and path.is_file() else "100644"

    def _make(self, tree: str, parent: bytes | None) -> str:
        of = ["-p", parent.decode().strip()] if parent else []
        sign = self._git.try_to("config", "--type=bool", "commit.gpgSign") == b"true\n"
        message = self._message.encode("utf-8", "replace")
        encoding = ("-c", "i18n.commitEncoding=UTF-8")
        return (
            self._git.ask(*encoding, "commit-tree", *["-S"] * sign, *of, tree, stdin=message).decode().strip()
        )

    def _move(
        self,
        commit: str,
        parent: bytes | None,
        entries: Mapping[str, Blob | None],
        before: Mapping[str, Blob],
    ) -> None:
        """Put the hunks into the index and HEAD onto the commit; both or none."""
        git = self._git
        _put_into_index(git, entries, commit)
        subject = self._message.partition("\n")[0].encode("utf-8", "replace").decode()
        old = parent.decode().strip() if parent else ""
        try:
            git.ask("update-ref", "-m", f"commit: {subject}", "HEAD", commit, old)
        except GitError:
            back = {name: before.get(name) for name in entries}
            _put_into_index(git, back, commit)
            raise
        git.try_to("update-index", "-q", "--refresh")


@dataclass(frozen=True, slots=True)
class _Sides:
    """A file before and after the run, as git would hold it."""

    old: str | None
    """Id of the blob; None where there is no file."""
    new: str | None
    mode: str
    """Of a file that is made."""
    file: FilePatch

    @classmethod
    def of(cls, git: Git, name: str, file: FilePatch, mode: str) -> "_Sides":
        return cls(_store(git, name, file.old), _store(git, name, file.new), mode, file)

    def put_into(self, git: Git, base: Blob | None, name: str, what: str) -> Blob | None:
        """The file as in `base`, with what the run has changed."""
        if base is None:
            return None if self.new is None else Blob(self.mode, self.new)
        sides = self._beside(git, base)
        if base.id == sides.old:
            return None if sides.new is None else Blob(base.mode, sides.new)
        assert sides.old is not None, "a file that git holds and that the run made was refused"
        if sides.new is not None:
            texts = (split_lines(git.ask("cat-file", "blob", id_)) for id_ in (base.id, sides.old, sides.new))
            merged = carry_over(*texts)
            if merged is not None:
                return Blob(base.mode, _write_blob(git, merged))
        raise ConflictError(
            f"not committed: the edit overlaps {what} changes of yours in {name}; it is written, and "
            "`seed undo` takes it back; commit by hand, or commit your changes first and run again"
        )

    def _beside(self, git: Git, base: Blob) -> "_Sides":
        """As git would hold them where it holds `base`: what was committed with CRLF keeps it, whatever
        core.autocrlf says of new files.
        """
        file = self.file
        if file.old is None or base.id == self.old or b"\r\n" not in git.ask("cat-file", "blob", base.id):
            return self
        new = None if file.new is None else _write_blob(git, file.new)
        return replace(self, old=_write_blob(git, file.old), new=new)


def carry_over(base: Sequence[bytes], old: Sequence[bytes], new: Sequence[bytes]) -> bytes | None:
    """`base` with the changes that lead from `old` to `new`; None if they overlap those that lead from it to `old`."""
    others, shift, position, out = changes(base, old), 0, 0, list[bytes]()
    for start, end, new_start, new_end in changes(old, new):
        if any(_overlap((start, end), (other[2], other[3])) for other in others):
            return None
        shift = sum((i2 - i1) - (j2 - j1) for i1, i2, j1, j2 in others if j2 <= start)
        out += [*base[position : start + shift], *new[new_start:new_end]]
        position = end + shift
    return b"".join([*out, *base[position:]])


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether spans of lines have lines in common, or an empty one's place is not clearly outside the other."""
    if one[0] == one[1]:
        return other[0] <= one[0] <= other[1]
    if other[0] == other[1]:
        return one[0] < other[0] < one[1]
    return one[0] < other[1] and other[0] < one[1]


def _why_not(name: str, is_committed: bool, is_staged: bool) -> str:
    if is_committed and is_staged:
        return f"{name} is in HEAD already, and was not there when it was made; it is written, not committed"
    if is_committed:
        return f"{name} is in HEAD and not in the index; it is written; commit by hand"
    what = "newly staged, not committed" if is_staged else "untracked"
    return f"{name} is {what}: there is nothing that the edit alone could be put into; commit the file first"


def _store(git: Git, name: str, content: bytes | None) -> str | None:
    """Put a file's content among git's objects, as the attributes of its path say; its id."""
    if content is None:
        return None
    return git.ask("hash-object", "-w", "--stdin", f"--path={name}", stdin=content).decode().strip()


def _write_blob(git: Git, content: bytes) -> str:
    return git.ask("hash-object", "-w", "--stdin", stdin=content).decode().strip()


def _tree_entries(git: Git, names: Sequence[str]) -> dict[str, Blob]:
    found = {}
    for entry in git.ask("ls-tree", "-z", "--full-tree", "HEAD", "--", *names).split(b"\0"):
        if entry:
            fields, _, raw = entry.partition(b"\t")
            mode, _, id_ = fields.decode().split(" ")
            found[os.fsdecode(raw)] = Blob(mode, id_)
    return found


def _index_entries(git: Git, names: Sequence[str]) -> dict[str, Blob]:
    found = {}
    for entry in git.ask("ls-files", "-z", "--stage", "--", *names).split(b"\0"):
        if entry:
            fields, _, raw = entry.partition(b"\t")
            mode, id_, _ = fields.decode().split(" ")
            found[os.fsdecode(raw)] = Blob(mode, id_)
    return found


def _index_info(entries: Mapping[str, Blob | None], any_id: str) -> bytes:
    """Entries for `update-index --index-info`; None takes one away."""
    gone = Blob("0", "0" * len(any_id))
    rows = ((entry or gone, name) for name, entry in entries.items())
    return b"".join(f"{entry.mode} {entry.id}\t".encode() + os.fsencode(name) + b"\0" for entry, name in rows)


def _put_into_index(git: Git, entries: Mapping[str, Blob | None], any_id: str) -> None:
    """Change entries of the user's index, and keep what the user has marked them with."""
    marks = git.ask("ls-files", "-v", "-z", "--", *entries).split(b"\0")
    git.ask("update-index", "-z", "--index-info", stdin=_index_info(entries, any_id))
    kept = {os.fsencode(name) for name, entry in entries.items() if entry}
    for flag, letters in (("--skip-worktree", b"Ss"), ("--assume-unchanged", b"hs")):
        marked = [mark[2:] for mark in marks if mark and mark[:1] in letters and mark[2:] in kept]
        if marked:
            git.ask("update-index", flag, "-z", "--stdin", stdin=b"".join(name + b"\0" for name in marked))


def _write_tree(git: Git, has_head: bool, entries: Mapping[str, Blob | None]) -> str:
    """HEAD's tree with some entries changed."""
    with tempfile.TemporaryDirectory(prefix="seed-index-") as folder:
        own = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
        git.ask(*("read-tree", "HEAD") if has_head else ("read-tree", "--empty"), environment=own)
        any_id = git.line("hash-object", "-t", "tree", "--stdin")
        git.ask("update-index", "-z", "--index-info", stdin=_index_info(entries, any_id), environment=own)
        return git.ask("write-tree", environment=own).decode().strip()


def _hooks_folder(git: Git) -> Path:
    # The last one named is our own, which keeps them from being run.
    named = (git.try_to("config", "--type=path", "--get-all", "core.hooksPath") or b"").splitlines()[:-1]
    if named:
        return git.root / os.fsdecode(named[-1])
    return git.root / git.line("rev-parse", "--git-common-dir") / "hooks"
