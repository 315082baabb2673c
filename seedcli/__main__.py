"""The process `seed`, also as `python -m seedcli`: how it starts, and how a signal ends it.

Imports nothing slow before it can tell an interruption from a defect.
"""

import signal
import sys
from types import FrameType


def run() -> None:
    """The entry point of the console script. Never returns; the exit code is the contract's."""
    received: list[int] = []

    def leave(number: int, _: FrameType | None) -> None:
        # By an exception, so that what is under way leaves things tidy.
        received.append(number)
        raise SystemExit(128 + number)

    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, leave)
    try:
        from seedcli.main import run as run_command

        run_command()
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(128 + signal.SIGINT)
    finally:
        if received:
            _say("terminated")


def _say(text: str) -> None:
    """As `seedcli.report.say`, which may not be imported yet."""
    if sys.stderr is not None:
        print(f"seed: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run()
