"""Starts a check's supervisor and reads what it says. Knows nothing of candidates."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import seedcli
from seedcli.checks.plan import Ending, Limits, Namespaces, Plan
from seedcli.errors import SeedError

_START = "import sys; sys.path.insert(0, sys.argv[1]); from seedcli.checks.supervisor import main; main()"
_STOP_S = 60.0
"""For a supervisor to end all; on a busy machine that takes a while, and one that is killed instead leaves some."""


class Running:
    """A check under way."""

    def __init__(self, plan: Plan, environment: Mapping[str, str]) -> None:
        self._process = _start(["run"], environment, Path(plan.log))
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            # Not closed: its end means that nobody waits any more.
            self._process.stdin.write(plan.to_json().encode() + b"\n")
            self._process.stdin.flush()

    def fileno(self) -> int:
        """Readable when the check has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def ending(self) -> Ending:
        """Wait for the end."""
        assert self._process.stdout is not None
        out = self._process.stdout.read()
        try:
            return Ending.from_json(out.decode())
        except ValueError:
            return Ending("killed")

    def stop(self) -> None:
        """End it, if it has not ended, with all that it has started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def find_namespaces(folder: Path) -> Namespaces:
    """What the system allows, tried in a folder of its own inside `folder`."""
    place = folder / "probe"
    place.mkdir()
    process = _start(["probe", str(place)], os.environ, place / "log")
    out, _ = process.communicate()
    if process.returncode != 0:
        raise SeedError(
            f"the supervisor of checks cannot be started with {sys.executable}; run `seed doctor`"
        )
    return Namespaces(**json.loads(out))


def describe(ending: Ending, limits: Limits) -> str:
    """How a check ended, for people."""
    return {
        "exit": f"exit code {ending.code}",
        "signal": f"killed by signal {ending.code}",
        "late": f"not done after {limits.seconds:g} s",
        "disk": f"wrote more than {limits.disk_bytes / (1 << 30):.3g} GiB, or nearly filled the disk",
        "output": f"printed more than {limits.output_bytes >> 20} MiB",
        "processes": f"started more than {limits.processes} processes",
        "killed": "killed what supervised it",
        "stopped": "stopped",
        "setup": f"could not be started: {ending.message}",
    }[ending.cause]


def _start(words: Sequence[str], environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """A fresh Python without installed packages, in a session of its own that no key on the terminal reaches."""
    package = Path(seedcli.__file__).parents[1]
    with open(log, "ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _START, str(package), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dict(environment),
            start_new_session=True,
        )
