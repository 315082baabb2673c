"""Runs Python programs that nobody has read, each in a process of its own that cannot do much.

A program gets limits of time, memory, file size and processes, an empty folder as home, a bare environment, no stdin
and no installed packages, unless it names an interpreter and files of its own. On Linux, where the system lets this
user make namespaces, it also gets a network without any interface and a process namespace that dies as a whole;
elsewhere its process group is killed. It passes only if it runs to its end: what it says by exit code or prints counts
for nothing.

This holds back accidents and wild programs, not a determined attacker: files that the user can read can be read.
Knows nothing of models or suites.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

Outcome = Literal["passed", "failed", "timed out"]

LAUNCHER = """
import builtins, os, resource, signal, sys
token, report, cpu, memory, files, processes, *packages = sys.argv[1:]
def limit(name, value):
    kind = getattr(resource, "RLIMIT_" + name)
    most = resource.getrlimit(kind)[1]
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(kind, (value, value))
limit("CPU", int(float(cpu)) + 2)
limit("AS", int(memory))
limit("FSIZE", int(files))
limit("NPROC", int(processes))
limit("CORE", 0)
write, leave, report, token = os.write, os._exit, int(report), token.encode()
def late(*_):
    write(report, b"late")
    leave(1)
signal.signal(signal.SIGPROF, late)
signal.setitimer(signal.ITIMER_PROF, float(cpu))
os.set_inheritable(report, False)
sys.path += packages
sys.argv = ["program.py"]
builtins.exit = builtins.quit = sys.exit
exec(compile(open("program.py", "rb").read(), "program.py", "exec"), {"__name__": "__main__"})
write(report, token)
"""
"""Sets the limits, runs `program.py` and writes the token, to which a program that ends early never comes.

`exit` and `quit` are given here, as they come with the module `site`, which would bring the installed packages along.
"""

NAMESPACES = ("unshare", "--net", "--pid", "--fork", "--kill-child")
# Limits on processes do not bind root: the program keeps root's files but counts as another user, without privileges.
HARMLESS_ROOT = ("setpriv", "--ruid", "65534", "--bounding-set", "-all", "--no-new-privs")
NOBODY = 65534
LAST = 2000
"""Characters of output that are kept, from its end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a program may use."""

    cpu_seconds: float = 2.0
    """Of the program; a process that hears no signal, such as a loop in C, has up to two seconds more."""
    seconds: float = 20.0
    """Wall time; longer than the CPU time, so that a busy machine does not make a sound program fail."""
    memory: int = 1 << 30
    """Bytes of address space of each process."""
    file_bytes: int = 4 << 20
    """Of each file; the program's output is one."""
    processes: int = 32
    """Processes and threads beside those that its user has already."""
    packages: bool = False
    """Whether it may import what is installed beside Seed."""


@dataclass(frozen=True, slots=True)
class Program:
    """Code that needs more around it than an empty folder and this interpreter without packages."""

    code: str
    fill: Callable[[Path], object]
    """Puts into the program's folder what is to be there before it starts; outside of all limits."""
    python: Path
    """The interpreter that runs it, with everything that is installed for it."""
    report: str = "report"
    """Name of a file that it may leave in its folder."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended."""

    outcome: Outcome
    output: str
    """The end of what it printed, errors included."""
    cpu_seconds: float
    """What it spent, its start included."""
    report: str = ""
    """What the program left in the file that it may report in."""

    @property
    def last_line(self) -> str:
        lines = self.output.strip().splitlines()
        return lines[-1] if lines else ""


class Cage:
    """Runs programs under one set of limits, several side by side."""

    def __init__(self, limits: Limits | None = None, workers: int | None = None) -> None:
        self.limits = limits or Limits()
        self._workers = workers or os.cpu_count() or 1
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._closed = False

    def run(self, program: str | Program, cpu_seconds: float | None = None) -> Run:
        """Run one program to its end or to a limit; a time of its own goes before the cage's."""
        limits = replace(self.limits, cpu_seconds=cpu_seconds) if cpu_seconds else self.limits
        return _run(program, limits, isolation(), self._note)

    def run_all(
        self,
        programs: Sequence[str | Program],
        tell: Callable[[int], object] = lambda _: None,
        *,
        cpu_seconds: float | None = None,
    ) -> list[Run]:
        """Run programs side by side; results in their order, `tell` hears how many more are done.

        An exception, Ctrl-C among them, kills every program that runs and starts no other.
        """
        self._closed = False
        with ThreadPoolExecutor(self._workers) as pool:
            futures = [pool.submit(self.run, program, cpu_seconds) for program in programs]
            try:
                waiting = set(futures)
                while waiting:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    tell(len(done))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise
        return [future.result() for future in futures]

    def _note(self, process: "subprocess.Popen[bytes]", begins: bool) -> None:
        with self._lock:
            (self._running.add if begins else self._running.discard)(process)
            closed = self._closed
        if closed and begins:
            _kill(process)

    def _stop(self) -> None:
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            _kill(process)


@dataclass(frozen=True, slots=True)
class Isolation:
    """What this system offers to put around a program."""

    command: tuple[str, ...]
    """Runs the command that follows it."""
    namespaces: bool
    """Whether network and processes are cut off; else only the process group is killed at the end."""
    user: int
    """User that the program's processes count for."""


@cache
def isolation() -> Isolation:
    """The best isolation that works here, found by trying."""
    user = os.getuid()
    offers = [Isolation((NAMESPACES[0], "--user", "--map-root-user", *NAMESPACES[1:]), True, user)]
    if user == 0:
        offers.insert(0, Isolation((*NAMESPACES, *HARMLESS_ROOT), True, NOBODY))
    for offer in offers:
        if all(map(shutil.which, offer.command[:1])):
            with suppress(OSError):
                if _run("pass", Limits(), offer, lambda *_: None).outcome == "passed":
                    return offer
    return Isolation((), False, user)


def _run(
    program: str | Program,
    limits: Limits,
    around: Isolation,
    note: "Callable[[subprocess.Popen[bytes], bool], None]",
) -> Run:
    token = secrets.token_hex(16)
    reading, writing = os.pipe()
    # The program may leave folders that cannot be removed; they are the system's to tidy.
    with tempfile.TemporaryDirectory(prefix="cage-", ignore_cleanup_errors=True) as folder:
        try:
            code = program if isinstance(program, str) else program.code
            if isinstance(program, Program):
                program.fill(Path(folder))
            Path(folder, "program.py").write_text(code, "utf-8", "surrogatepass")
            with Path(folder, "output").open("w+b") as output:
                process = subprocess.Popen(
                    [*around.command, *_python(program, token, writing, limits, around.user)],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=folder,
                    env=_environment(folder),
                    pass_fds=[writing],
                    start_new_session=True,
                )
                note(process, True)
                try:
                    late = _wait(process, limits.seconds)
                finally:
                    _kill(process)
                    note(process, False)
                    spent = _reap(process)
                os.set_blocking(reading, False)
                said = b""
                with suppress(BlockingIOError):
                    said = os.read(reading, 2 * len(token))
                tail = _tail(output.fileno())
            report = _text(Path(folder, program.report)) if isinstance(program, Program) else ""
        finally:
            os.close(reading)
            os.close(writing)
    if said == token.encode():
        return Run("passed", tail, spent, report)
    late = late or said == b"late" or spent > limits.cpu_seconds + 0.5
    return Run("timed out" if late else "failed", tail, spent, report)


def _python(program: str | Program, token: str, report: int, limits: Limits, user: int) -> list[str]:
    """The command that runs `program.py` of the current folder; a fixed hash seed, as no run may differ by chance."""
    figures = [limits.cpu_seconds, limits.memory, limits.file_bytes, limits.processes + _tasks(user)]
    paths = sysconfig.get_paths()
    packages = dict.fromkeys([paths["purelib"], paths["platlib"]]) if limits.packages else {}
    command = [sys.executable, "-s", "-S", "-P", "-B"]
    if isinstance(program, Program):  # it may be an older Python, which knows no -P
        command, packages = [str(program.python), "-s", "-B"], {}
    return [*command, "-c", LAUNCHER, token, str(report), *map(str, figures), *packages]


def _environment(folder: str) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _wait(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Wait for the end, but leave the exit status to be fetched; whether the time ran out."""
    end, pause = time.monotonic() + seconds, 0.001
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() > end:
            return True
        time.sleep(pause)
        pause = min(2 * pause, 0.02)
    return False


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a program's process group, whether or not its leader has ended."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _reap(process: "subprocess.Popen[bytes]") -> float:
    """Fetch the exit status; the CPU seconds that the program spent.

    The status says little: what stands around the program may have an opinion of its own on how to end.
    """
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    start = max(0, size - 4 * LAST)
    return os.pread(descriptor, size - start, start).decode("utf-8", "replace")[-LAST:]


def _text(path: Path) -> str:
    """Empty where there is no such file; what else a program may put there is not waited for."""
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _tasks(user: int) -> int:
    """Processes of a user; 0 where the system does not list them."""
    found = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may have ended meanwhile
            found += entry.stat().st_uid == user
    return found
