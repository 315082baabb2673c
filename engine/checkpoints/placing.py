"""Which device holds and computes which layer: whole on one, over several, or kept in main memory and fetched.

The first device is the home: embedding, norms, heads and as many layers as fit; further devices take the next layers.
Layers that fit nowhere stay in main memory and are fetched to the home when their turn comes, one at a time. Pure
arithmetic: knows nothing of torch or of names.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.checkpoints.memory import RESERVE, gibibytes
from engine.errors import DeviceError


@dataclass(frozen=True, slots=True)
class Room:
    """A device and the bytes that are free on it; None: nothing says how many."""

    device: str
    free: int | None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a network lies."""

    home: str
    """Device of everything but layers, and of inputs and outputs."""
    held: tuple[str, ...]
    """Device that holds each layer."""
    computed: tuple[str, ...]
    """Device that computes each layer."""

    @property
    def fetched(self) -> int:
        """How many layers are fetched whenever they are needed."""
        return sum(a != b for a, b in zip(self.held, self.computed, strict=True))

    def of(self, name: str) -> str:
        """Device of a parameter by its name in the network."""
        kind, _, rest = name.partition(".")
        return self.held[int(rest.partition(".")[0])] if kind == "layers" else self.home


def single(device: str, layers: int) -> Placement:
    """Everything in one place."""
    return Placement(device, (device,) * layers, (device,) * layers)


def place(
    name: str, outer: int, layers: Sequence[int], rooms: Sequence[Room], main: Room, cure: str
) -> Placement:
    """The first devices filled first.

    Args:
        outer: bytes of everything but layers.
        layers: bytes of each.
        rooms: devices that compute, the home first.
        main: main memory, which only holds.
        cure: what to do where it does not fit, for the message.

    Raises:
        DeviceError: it does not fit, with the arithmetic.
    """
    home = rooms[0].device
    for spare in (0, max(layers, default=0)):  # a layer that is fetched needs room at home
        left = [_left(room, RESERVE + (outer + spare if room is rooms[0] else 0)) for room in rooms]
        held = _filled(layers, [room.device for room in rooms], left)
        if None not in held:
            break
    rest = sum(size for size, device in zip(layers, held, strict=True) if device is None)
    if left[0] < 0 or rest + RESERVE > (main.free if main.free is not None else rest + RESERVE):
        raise DeviceError(_refusal(name, outer, layers, rooms, main, cure))
    return Placement(
        home,
        tuple(device or main.device for device in held),
        tuple(device or home for device in held),
    )


def _left(room: Room, taken: int) -> int:
    return 1 << 62 if room.free is None else room.free - taken


def _filled(layers: Sequence[int], devices: Sequence[str], left: Sequence[int]) -> list[str | None]:
    """The device of each layer, in order; None where all are full."""
    held: list[str | None] = []
    at, rest = 0, list(left)
    for size in layers:
        while at < len(devices) and rest[at] < size:
            at += 1
        if at < len(devices):
            rest[at] -= size
        held.append(devices[at] if at < len(devices) else None)
    return held


def _refusal(
    name: str, outer: int, layers: Sequence[int], rooms: Sequence[Room], main: Room, cure: str
) -> str:
    total = outer + sum(layers)
    there = [f"{gibibytes(room.free or 0)} on {room.device}" for room in (*rooms, main)]
    needed = (
        f"{gibibytes(outer)} beside its {len(layers)} layers of up to {gibibytes(max(layers, default=0))}"
    )
    return (
        f"{name} does not fit: {gibibytes(total)} in all, {needed}, with {gibibytes(RESERVE)} to work in on each "
        f"device; {', '.join(there)} are free; {cure}"
    )
