"""Runs one check as a process of its own: makes the mounts, starts the command, keeps the limits, ends everything.

Three processes: the supervisor; the guard below it, which is the first process of the check's own world where the
system allows that, and which the check takes for its parent; and the command. When the caller goes away, however that
happens, its end of the supervisor's stdin closes, and all is killed. Imports nothing but the standard library.
"""

import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from seedcli.checks import mounts
from seedcli.checks.disk_use import DiskUse
from seedcli.checks.plan import Cause, Ending, Namespaces, Plan, View
from seedcli.checks.processes import descendants, die_with_parent, inherit_orphans

GRACE_S = 2.0
"""Between the interrupt that a late check gets, at which test runners say where they are, and its end."""
POLL_S = 0.05
COUNT_S = 0.5
"""Between two countings of processes where that takes a look at all of the machine's."""
_LIFELINE = 0


def main() -> None:
    """`run`: carry out the plan on stdin. `probe FOLDER`: find out what is possible. The answer is JSON on stdout."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, children cannot be waited for
    if sys.argv[-1] == "run":
        print(run(Plan.from_json(_first_line())).to_json())
    else:
        print(json.dumps(asdict(probe(Path(sys.argv[-1])))))


def _first_line() -> str:
    """What stdin begins with; what follows must not be waited for."""
    line = b""
    while not line.endswith(b"\n"):
        if not (read := os.read(_LIFELINE, 65536)):
            sys.exit("the caller went away before it said what to run")
        line += read
    return line.decode()


def run(plan: Plan) -> Ending:
    """Carry out a plan."""
    try:
        log = os.open(plan.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        if plan.namespaces.mounts:
            mounts.enter(processes=plan.namespaces.processes, own_user=plan.namespaces.own_user)
        if plan.view:
            _show(plan.view, plan.namespaces)
        for path, staged in plan.writes:
            _write(path, staged)
        disk = DiskUse(plan.watched, plan.limits.disk_bytes)
    except OSError as error:
        return Ending("setup", message=str(error))
    inherit_orphans()
    reading, writing = os.pipe()
    guard = os.fork()
    if guard == 0:
        _guard(plan, log, writing)
    os.close(writing)
    try:
        cause = _watch(plan, guard, reading, log, disk)
    finally:
        _end_all(guard, own=plan.namespaces.processes)
    return Ending(cause) if cause else _ending(os.read(reading, 4096).decode())


def probe(folder: Path) -> Namespaces:
    """The most that the system allows, found by trying in `folder`."""
    refusal = ""
    for own_user in (False, True) if os.getuid() == 0 else (True,):
        for overlay, processes in ((True, True), (False, True), (True, False), (False, False)):
            offer = Namespaces(True, processes, overlay, own_user)
            refusal = _in_child(lambda: _try(offer, folder))  # noqa: B023
            if not refusal:
                return offer
    return Namespaces(refusal=refusal)


def _try(offer: Namespaces, folder: Path) -> None:
    place = folder / f"{offer.own_user:d}{offer.overlay:d}{offer.processes:d}"
    for name in ("root/layer", "tree/layer", "stage"):
        (place / name).mkdir(parents=True)
    mounts.enter(processes=offer.processes, own_user=offer.own_user)
    _show(View(str(place / "root"), str(place / "tree"), str(place / "stage"), ("layer",)), offer)
    (place / "root" / "file").touch()
    if offer.processes and (fault := _in_child(mounts.fresh_proc)):
        raise OSError(fault)


def _in_child(act: Callable[[], None]) -> str:
    """Do something in a process of its own; what the system says against it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            act()
        except OSError as error:
            os.write(writing, str(error).encode())
        os._exit(0)
    os.close(writing)
    with open(reading, "rb") as said:
        fault = said.read().decode()
    os.waitpid(child, 0)
    return fault


def _show(view: View, namespaces: Namespaces) -> None:
    """Put the view's tree in the place of its root."""
    # Names in the options of a mount must be plain: everything is mounted below the stage first.
    os.chdir(view.stage)
    os.mkdir("original")
    mounts.bind(view.root, "original")
    for source, place in view.beside:
        mounts.bind(source, place, read_only=True)
    _lay(view.tree, view.root, 0, namespaces)
    for number, name in enumerate(view.layers, 1):
        source, target = f"original/{name}", f"{view.root}/{name}"
        if namespaces.overlay and os.path.isdir(source):
            _lay(source, target, number, namespaces)
        else:
            mounts.bind(source, target, read_only=True)
    mounts.detach("original")
    os.chdir("/")


def _lay(source: str, target: str, number: int, namespaces: Namespaces) -> None:
    """Show `source` at `target`, with changes kept in the stage; without overlays `source` is ours to change."""
    if not namespaces.overlay:
        mounts.bind(source, target)
        return
    lower = f"lower{number}"
    os.mkdir(lower)
    mounts.bind(source, lower)
    mounts.overlay(lower, f"upper{number}", f"work{number}", target, own_user=namespaces.own_user)
    mounts.detach(lower)


def _write(path: str, staged: str | None) -> None:
    """Give a file of the copy new content and a new second of change, by which caches know it; or remove it."""
    old = os.stat(path) if os.path.exists(path) else None
    _remove_compiled(Path(path))
    if old is not None:
        os.unlink(path)
    if staged is None:
        return
    content = Path(staged).read_bytes()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    Path(path).write_bytes(content)
    if old is not None:
        os.chmod(path, old.st_mode & 0o7777)
        if int(os.stat(path).st_mtime) == int(old.st_mtime):
            os.utime(path, (old.st_atime, old.st_mtime + 1))


def _remove_compiled(path: Path) -> None:
    """Python takes compiled code of the same second and size for current."""
    if path.suffix == ".py":
        for compiled in (path.parent / "__pycache__").glob("*.pyc"):
            if compiled.name.startswith(path.stem + "."):
                compiled.unlink()


def _guard(plan: Plan, log: int, report: int) -> NoReturn:
    """Start the command, gather what its processes leave behind, report how it ended. Its end ends its world."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        die_with_parent()
        if plan.namespaces.processes:
            mounts.fresh_proc()
        command = os.fork()
        if command == 0:
            _become(plan, log)
        status = None
        while status is None:
            child, ended = os.wait()
            status = ended if child == command else None
        code = os.waitstatus_to_exitcode(status)
        os.write(report, f"signal {-code}".encode() if code < 0 else f"exit {code}".encode())
    except OSError as error:
        os.write(report, f"setup {error}".encode())
    finally:
        os._exit(0)


def _become(plan: Plan, log: int) -> NoReturn:
    """Turn into the command."""
    try:
        for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        die_with_parent()
        os.chdir(plan.folder)
        _limit(resource.RLIMIT_FSIZE, plan.limits.disk_bytes)
        _limit(resource.RLIMIT_CORE, 0)
        # When memory runs out, this is what should go.
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("800")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.execv("/bin/sh", ["sh", "-c", plan.command])
    except OSError as error:
        os.write(log, f"cannot start in {plan.folder}: {error}\n".encode())
    finally:
        os._exit(126)


def _limit(kind: int, value: int) -> None:
    most = resource.getrlimit(kind)[1]
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(kind, (value, value))


def _watch(plan: Plan, guard: int, report: int, log: int, disk: DiskUse) -> Cause | None:
    """Wait for the guard's report, or its end; what there is to object to before, None if nothing."""
    end = time.monotonic() + plan.limits.seconds
    count = _Count(plan)
    while True:
        readable = select.select([report, _LIFELINE], [], [], POLL_S)[0]
        if os.fstat(log).st_size > plan.limits.output_bytes:
            return "output"  # also of a command that was done before anyone looked
        if report in readable:
            return None
        if _LIFELINE in readable and not os.read(_LIFELINE, 1):
            return "stopped"
        if disk.is_exceeded():
            return "disk"
        if count.is_exceeded():
            return "processes"
        if time.monotonic() > end:
            _interrupt(guard, report)
            return "late"


class _Count:
    """How many processes the check has."""

    def __init__(self, plan: Plan) -> None:
        self._own, self._most = plan.namespaces.processes, plan.limits.processes
        self._next = time.monotonic() + COUNT_S

    def is_exceeded(self) -> bool:
        """Whether there are too many."""
        if self._own:  # /proc is the check's own
            return sum(name.isdigit() for name in os.listdir("/proc")) > self._most
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + COUNT_S
        return len(descendants(os.getpid())) > self._most


def _interrupt(guard: int, report: int) -> None:
    """As Ctrl-C would, and a moment for the command to say what it has to say."""
    with suppress(ProcessLookupError):
        os.killpg(guard, signal.SIGINT)
    select.select([report], [], [], GRACE_S)


def _end_all(guard: int, *, own: bool) -> None:
    """Kill whatever there still is; with the first process of a world of their `own`, all others go."""
    with suppress(ProcessLookupError):
        os.kill(guard, signal.SIGKILL)
    if own:
        os.waitpid(guard, 0)  # which ends when the last of them has
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(guard, signal.SIGKILL)
    while _reap():
        for process in descendants(os.getpid()):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.002)


def _reap() -> bool:
    """Fetch the status of children that have ended; whether others are left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _ending(said: str) -> Ending:
    kind, _, rest = said.partition(" ")
    if kind == "exit":
        return Ending("exit", int(rest))
    if kind == "signal":
        return Ending("signal", int(rest))
    return Ending("setup", message=rest) if kind == "setup" else Ending("killed")


if __name__ == "__main__":
    main()
