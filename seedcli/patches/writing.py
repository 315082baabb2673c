"""Write several files, all or none: stage beside each target, look once more, then rename.

Every change is a step from exact bytes to exact bytes, so that a half-done batch can be told from the disk
alone: a file holds its old bytes, its new bytes, or somebody else's, and the latter are never touched. Knows
nothing of patches, journals or git.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from seedcli.errors import ConflictError

Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One file's step from `before` to `after`; None stands for no file."""

    name: str
    """What the user calls the file."""
    target: Path
    """Absolute, links resolved."""
    before: bytes | None
    after: bytes | None
    mode: int | None
    """Permission bits for a file that is made anew; None leaves them to the umask. An existing file keeps its
    own."""
    temporary: Path
    """Where the new bytes are staged: a name of our own in the target's folder."""
    folders: tuple[Path, ...] = ()
    """Folders that exist for this file's sake, deepest first; they go when the file goes, if they are empty.
    """

    def reversed(self) -> "Change":
        """The step back."""
        return replace(self, before=self.after, after=self.before)

    def is_done(self) -> bool:
        """Whether the file holds its new bytes."""
        return _holds(self.target, self.after)


def check(
    changes: Sequence[Change], warn: Warn, *, since: str = "it was read", cure: str = "run again"
) -> None:
    """Make sure that every file holds its old bytes and can be written.

    Args:
        warn: told of files with several names (hard links), of which only one will change.
        since: from when on they should have held them, for the message where one does not.
        cure: what the user can do then.

    Raises:
        ConflictError: a file differs, is read-only, or stands where one is to be made.
    """
    for change in changes:
        _check_unchanged(change, since, cure)
        if change.before is not None:
            _check_writable(change, warn)
        elif not os.access(_existing_parent(change.target), os.W_OK | os.X_OK):
            raise ConflictError(
                f"{change.name}: its folder is not writable; allow it with chmod u+w; nothing was written"
            )


def write_all(changes: Sequence[Change], interrupted: Callable[[], bool]) -> None:
    """Carry out `changes`. On any failure every file gets its old bytes back before the error is passed on.

    Args:
        interrupted: asked between files; True ends the work as a failure does.

    Raises:
        ConflictError: a file changed since `check`, or the disk refuses.
        KeyboardInterrupt: `interrupted` said so.
    """
    try:
        for change in changes:
            _stage(change)
            _stop_if(interrupted)
        for change in changes:
            _check_unchanged(change)
            _replace(change)
            _stop_if(interrupted)
        _sync_folders(changes)
    except OSError as error:
        roll_back(changes)
        raise ConflictError(
            f"cannot write {_culprit(changes, error)}: {error.strerror}; nothing was changed"
        ) from error
    except BaseException:
        roll_back(changes)
        raise


def roll_back(changes: Sequence[Change]) -> list[str]:
    """Give every file that holds its new bytes the old ones back, and remove what was staged.

    Returns:
        Names of files that hold neither the old nor the new bytes; they are left alone.

    Raises:
        ConflictError: the disk refuses some files, after all others got their old bytes back. Calling again, when
            the cause is gone, finishes the work.
    """
    for change in changes:
        discard_staged(change)
    foreign, stuck = [], []
    for change in changes:
        if change.before != change.after and change.is_done():
            try:
                _stage(change.reversed())
                _replace(change.reversed())
            except OSError as error:
                stuck.append(f"{change.name} ({error.strerror})")
        elif not _holds(change.target, change.before):
            foreign.append(change.name)
    _sync_folders(changes)
    if stuck:
        raise ConflictError(
            f"could not give back {', '.join(stuck)}; the old bytes are in the journal: "
            "make room or allow writing, and the next seed edit, undo or redo gives them back"
        )
    return foreign


def discard_staged(change: Change) -> None:
    """Remove the staged file, and folders made for it that are empty."""
    with suppress(OSError):
        change.temporary.unlink()
    _remove_empty(change.folders)


@contextmanager
def signals_deferred() -> Iterator[Callable[[], bool]]:
    """Hold back signals that would end the process; gives a function that says whether one has come.

    A held signal is delivered at the end, unless the body has raised because of it.
    """
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread receives signals, and only it may set handlers.
        yield lambda: False
        return
    received: list[int] = []

    def hold(number: int, _: FrameType | None) -> None:
        received.append(number)

    usual = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        handler = signal.getsignal(number)
        if handler not in (signal.SIG_IGN, None):
            usual[number] = signal.signal(number, hold)
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


def write_durably(file: Path, data: bytes) -> None:
    """Write a file of our own whole and through to the disk; it is never seen half-written."""
    temporary = file.with_name(file.name + ".tmp")
    with open(temporary, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    os.replace(temporary, file)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Bring the folder's entries through to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(target: Path) -> bytes | None:
    try:
        return target.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _holds(target: Path, content: bytes | None) -> bool:
    try:
        return not target.is_symlink() and _read(target) == content
    except OSError:
        return False


def _check_unchanged(change: Change, since: str = "it was read", cure: str = "run again") -> None:
    try:
        current = _read(change.target)
    except OSError as error:
        raise ConflictError(f"{change.name} cannot be read: {error.strerror}; nothing was written") from error
    if current == change.before and not change.target.is_symlink():
        return
    if change.before is None:
        raise ConflictError(f"{change.name} exists by now; move it away; nothing was written")
    state = "is gone" if current is None else "has changed"
    raise ConflictError(f"{change.name} {state} since {since}; {cure}; nothing was written")


def _check_writable(change: Change, warn: Warn) -> None:
    try:
        status = change.target.stat()
    except FileNotFoundError:
        raise ConflictError(
            f"{change.name} is gone since it was read; run again; nothing was written"
        ) from None
    # Root may write anything, but the missing bit says that the owner did not want it.
    if not status.st_mode & 0o222 or not os.access(change.target, os.W_OK):
        raise ConflictError(
            f"{change.name} is read-only; allow writing with: chmod u+w {change.name}; nothing was written"
        )
    if not os.access(change.target.parent, os.W_OK | os.X_OK):
        raise ConflictError(
            f"{change.name}: its folder is not writable; allow it with chmod u+w; nothing was written"
        )
    if status.st_nlink > 1:
        warn(f"{change.name} has {status.st_nlink} names (hard links); only this one changes")


def _existing_parent(path: Path) -> Path:
    return next(parent for parent in path.parents if parent.exists())


def _stage(change: Change) -> None:
    if change.after is None:
        return
    change.target.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(
        change.temporary, flags, 0o666 if change.before is None and change.mode is None else 0o600
    )
    with open(descriptor, "wb") as out:
        out.write(change.after)
        out.flush()
        if change.before is not None:
            _copy_attributes(change.target, out.fileno())
        elif change.mode is not None:
            os.fchmod(out.fileno(), change.mode)
        os.fsync(out.fileno())


def _copy_attributes(target: Path, descriptor: int) -> None:
    """Owner, extended attributes (which hold access lists too) and mode, as far as the system lets us."""
    status = target.stat()
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (status.st_uid, status.st_gid):
        with suppress(OSError):
            os.fchown(descriptor, status.st_uid, status.st_gid)
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            for name in os.listxattr(target):
                with suppress(OSError):
                    os.setxattr(descriptor, name, os.getxattr(target, name))
    os.fchmod(descriptor, status.st_mode & 0o7777)


def _replace(change: Change) -> None:
    if change.after is None:
        change.target.unlink(missing_ok=True)
        _remove_empty(change.folders)
    else:
        os.replace(change.temporary, change.target)


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _sync_folders(changes: Sequence[Change]) -> None:
    for folder in {change.target.parent for change in changes}:
        with suppress(FileNotFoundError, NotADirectoryError):
            sync_folder(folder)


def _stop_if(interrupted: Callable[[], bool]) -> None:
    if interrupted():
        raise KeyboardInterrupt


def _culprit(changes: Sequence[Change], error: OSError) -> str:
    names = {str(path): change.name for change in changes for path in (change.target, change.temporary)}
    return names.get(os.fsdecode(error.filename), str(error.filename)) if error.filename else "the files"
