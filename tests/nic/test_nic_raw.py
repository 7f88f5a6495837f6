"""Loads and stores against Python's own int.from_bytes, in the fast and in the checked build."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numba.core.errors import TypingError

from nic import raw
from nic.regions import allowed

ROOT = Path(__file__).resolve().parents[2]
LOADS = [
    (name, int(name[6:].rstrip("lbe") or 8) // 8, name[5] == "i", name.endswith("be"))
    for name in dir(raw)
    if name.startswith("load_") and name not in ("load_acquire_u64", "load_fixed")
]
STORES = [
    (name, int(name[7:].rstrip("lbe")) // 8, name.endswith("be"))
    for name in dir(raw)
    if name.startswith("store_") and name != "store_release_u64"
]


def loader(load):
    @njit
    def call(address):
        return load(address)

    return call


def storer(store):
    @njit
    def call(address, value):
        store(address, value)

    return call


LOADERS = {name: loader(getattr(raw, name)) for name, *_ in LOADS}
STORERS = {name: storer(getattr(raw, name)) for name, *_ in STORES}


FIXED = loader(raw.load_fixed)


def test_a_fixed_load_reads_a_signed_word():
    memory = np.array([5, -6], np.int64)
    with allowed(memory):
        assert [FIXED(int(memory.ctypes.data) + at) for at in (0, 8)] == [5, -6]


@settings(max_examples=25, deadline=None)
@given(data=st.binary(min_size=9, max_size=9))
@pytest.mark.parametrize(("name", "width", "signed", "big"), LOADS)
def test_a_load_reads_what_int_from_bytes_reads(name, width, signed, big, data):
    memory = np.frombuffer(data, np.uint8)
    order = "big" if big else "little"
    for start in (0, 1):  # aligned or not
        expected = int.from_bytes(data[start : start + width], order, signed=signed)
        with allowed(memory):
            assert LOADERS[name](np.uint64(memory.ctypes.data + start)) == expected


@settings(max_examples=25, deadline=None)
@given(value=st.integers(0, 2**64 - 1))
@pytest.mark.parametrize(("name", "width", "big"), STORES)
def test_a_store_writes_its_width_and_nothing_else(name, width, big, value):
    memory = np.full(16, 0xA5, np.uint8)
    with allowed(memory):
        STORERS[name](np.uint64(memory.ctypes.data + 3), np.uint64(value))
    expected = (value & ((1 << 8 * width) - 1)).to_bytes(width, "big" if big else "little")
    assert memory.tobytes() == b"\xa5" * 3 + expected + b"\xa5" * (13 - width)


@pytest.mark.parametrize("width", [3, 5, 6, 7])
@pytest.mark.parametrize("big", [False, True])
def test_odd_widths_round_trip_with_sign(width, big):
    load = loader(raw.make_load(width, signed=True, big=big))
    store = storer(raw.make_store(width, big=big))
    memory = np.zeros(8, np.uint8)
    address = np.uint64(memory.ctypes.data)
    for value in (0, 1, -1, (1 << 8 * width - 1) - 1, -(1 << 8 * width - 1)):
        with allowed(memory):
            store(address, np.int64(value))
            assert load(address) == value
        order = "big" if big else "little"
        assert int.from_bytes(memory.tobytes()[:width], order, signed=True) == value


def test_atomics_and_bit_operations():
    @njit
    def work(address):
        raw.prefetch(address)
        raw.pause()
        raw.store_release_u64(address, 41)
        return (
            raw.load_acquire_u64(address) + np.uint64(1),
            raw.byteswap_u16(0x0102),
            raw.byteswap_u32(0x01020304),
            raw.byteswap_u64(1),
            raw.count_leading_zeros(1),
            raw.count_leading_zeros(0),
        )

    memory = np.zeros(1, np.uint64)
    with allowed(memory):
        found = work(np.uint64(memory.ctypes.data))
    assert [int(value) for value in found] == [42, 0x0201, 0x04030201, 1 << 56, 63, 64]


def test_cycles_do_not_go_back():
    @njit
    def two():
        first = raw.cycles()
        return first, raw.cycles()

    first, second = two()
    assert 0 < first <= second


def test_an_address_that_is_no_integer_is_a_typing_error():
    with pytest.raises(TypingError):
        LOADERS["load_u8"](1.0)


CHECKED_SCRIPT = """
import numpy as np
from numba import njit
from nic import raw, regions

@njit
def touch(address):
    raw.store_u64le(address, 7)
    return raw.load_u64le(address)

@njit
def six(address):
    return raw.load_u48be(address)

memory = np.zeros(32, np.uint8)
start = memory.ctypes.data
with regions.allowed((start, 16)):
    assert touch(np.uint64(start + 8)) == 7
    assert regions.violations().count == 0
    touch(np.uint64(start + 9))
    seen = regions.violations()
    assert (seen.count, seen.first_address, seen.first_width_bytes) == (2, start + 9, 8), seen
    assert memory[16] == 0, "the store went to memory that was not allowed"
    regions.reset()
    six(np.uint64(start + 10))
    assert regions.violations().count == 0
    six(np.uint64(start + 11))
    assert regions.violations().count == 1
regions.reset()
six(np.uint64(start))
assert regions.violations().count == 1, "the region outlived its with"
try:
    regions.forbid(start)
except KeyError:
    print("done")
"""


def test_checked_build_redirects_and_counts_accesses_outside_the_regions():
    environment = {**os.environ, "SWEEPWIRE_CHECKED": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CHECKED_SCRIPT],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("done", 0), done.stderr
