"""Layers over devices: pure arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.checkpoints.memory import RESERVE
from engine.checkpoints.placing import Placement, Room, place, single
from engine.errors import DeviceError

MIB = 1 << 20
MAIN = Room("cpu", 1 << 40)


def rooms(*free):
    return [Room(f"cuda:{i}", RESERVE + size * MIB) for i, size in enumerate(free)]


def placed(outer, layers, free, main=MAIN):
    return place("m", outer * MIB, [size * MIB for size in layers], rooms(*free), main, "free some")


def test_what_fits_on_one_is_on_one():
    found = placed(10, [5] * 4, [30, 100])
    assert set(found.held + found.computed) == {found.home}
    assert found == single("cuda:0", 4)


def test_the_next_device_takes_what_the_first_does_not():
    found = placed(10, [5] * 4, [20, 100])
    assert found.held == found.computed == ("cuda:0", "cuda:0", "cuda:1", "cuda:1")
    assert set(found.held + found.computed) != {found.home}
    assert found.fetched == 0


def test_what_no_device_takes_is_held_in_main_memory_and_fetched_home():
    found = placed(10, [5] * 4, [20, 5])
    # the home gives up a layer's room for those that are fetched
    assert found.held == ("cuda:0", "cuda:1", "cpu", "cpu")
    assert found.computed == ("cuda:0", "cuda:1", "cuda:0", "cuda:0")
    assert found.fetched == 2


def test_names_have_devices():
    found = placed(10, [5] * 4, [20, 100])
    assert found.of("embedding.weight") == found.of("scope.bias") == "cuda:0"
    assert found.of("layers.3.qkv.codes") == "cuda:1"


@pytest.mark.parametrize(
    ("outer", "free", "main"), [(10, [9], MAIN), (10, [12], MAIN), (10, [15], Room("cpu", 0))]
)
def test_what_fits_nowhere_is_refused_with_the_arithmetic(outer, free, main):
    with pytest.raises(
        DeviceError, match=r"m does not fit: 0\.03 GiB in all, .* on cuda:0, .* on cpu are free; f"
    ):
        placed(outer, [5] * 4, free, main)


def test_a_device_that_says_nothing_takes_all():
    found = place("m", 1 << 50, [1 << 50], [Room("mps", None)], MAIN, "")
    assert set(found.held + found.computed) == {found.home}


@given(
    st.integers(0, 50),
    st.lists(st.integers(1, 20), min_size=1, max_size=12),
    st.lists(st.integers(0, 100), min_size=1, max_size=4),
    st.integers(0, 300),
)
def test_no_device_holds_more_than_it_has(outer, layers, free, main):
    try:
        found = placed(outer, layers, free, Room("cpu", RESERVE + main * MIB))
    except DeviceError:
        return
    assert isinstance(found, Placement)
    for i, size in enumerate(free):
        held = sum(n for n, device in zip(layers, found.held, strict=True) if device == f"cuda:{i}")
        fetched = max(layers) if found.fetched and i == 0 else 0
        assert held + fetched + (outer if i == 0 else 0) <= size
    assert sum(n for n, device in zip(layers, found.held, strict=True) if device == "cpu") <= main
