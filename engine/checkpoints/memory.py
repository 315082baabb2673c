"""Memory that a checkpoint needs against memory that is there.

Knows the kernel's `/proc/meminfo`; where that says nothing, nothing is refused. Knows nothing of torch.
"""

from pathlib import Path

from engine.errors import DeviceError

RESERVE = 256 << 20
"""Bytes beside the weights: a window of the file, and a first forward."""


def free_bytes() -> int | None:
    """Bytes of main memory that can still be taken; None: nothing says."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    kilobytes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(kilobytes[0]) * 1024 if kilobytes else None


def demand(name: str, numbers: int, needed: int, *, device: str, free: int | None, smaller: str) -> None:
    """Refuse what does not fit, with the arithmetic.

    Args:
        numbers: of the weights.
        needed: bytes that they take.
        free: bytes of the device; None: nobody knows.
        smaller: what to take for fewer bytes; empty: nothing.

    Raises:
        DeviceError: too little memory is free.
    """
    if free is None or needed + RESERVE <= free:
        return
    cure = f"{smaller}, free some" if smaller else "free some, take another device"
    raise DeviceError(
        f"{name} does not fit on {device}: {numbers / 1e9:.2f} billion numbers of {needed / numbers:.3g} bytes are "
        f"{gibibytes(needed)}, with {gibibytes(RESERVE)} to work in {gibibytes(needed + RESERVE)}, but "
        f"{gibibytes(free)} are free; {cure}, or choose a smaller checkpoint"
    )


def gibibytes(count: int) -> str:
    """As people read it."""
    return f"{count / 2**30:.2f} GiB"
