"""The run time of the checked build: what is allowed, and what happens to the rest."""

from __future__ import annotations

import errno
from collections.abc import Iterator

import pytest

from nic._core import ffi, lib

SCRATCH_BYTES = 65_536


@pytest.fixture(autouse=True)
def clean_table() -> Iterator[None]:
    """These tests clear the process-wide table, so they do not run where kernels need it."""
    if lib.swr_region_count():
        pytest.skip("kernels of this process use the table (checked build)")
    lib.swr_violations_reset()
    yield
    lib.swr_region_clear()
    lib.swr_violations_reset()


def violations() -> tuple[int, int, int]:
    out = ffi.new("swr_violations *")
    lib.swr_violations_read(out)
    return (out.count, out.first_address, out.first_width_bytes)


@pytest.mark.parametrize(
    ("address", "width", "allowed"),
    [
        (1000, 1, True),
        (1000, 100, True),
        (1099, 1, True),
        (1092, 8, True),
        (999, 1, False),
        (999, 8, False),
        (1099, 2, False),
        (1100, 1, False),
        (1100, 0, False),
        (1000, 101, False),
        (2**64 - 1, 8, False),
        (0, 8, False),
    ],
)
def test_only_whole_accesses_inside_pass(address: int, width: int, allowed: bool) -> None:
    lib.swr_region_register(1000, 1100)
    assert (lib.swr_check(address, width) == address) is allowed
    assert violations() == ((0, 0, 0) if allowed else (1, address, width))


def test_two_regions_side_by_side_do_not_make_one() -> None:
    lib.swr_region_register(1000, 1100)
    lib.swr_region_register(1100, 1200)
    assert lib.swr_check(1096, 8) != 1096
    assert lib.swr_check(1096, 4) == 1096 and lib.swr_check(1100, 8) == 1100


def test_a_wrong_access_lands_in_scratch_memory() -> None:
    scratch = lib.swr_check(12_345, 8)
    ffi.buffer(ffi.cast("char *", scratch), SCRATCH_BYTES)[:] = bytes(SCRATCH_BYTES)
    assert lib.swr_check(99, 4) == scratch
    assert violations() == (2, 12_345, 8)


def test_a_slot_follows_the_packet() -> None:
    slot = lib.swr_region_register(1000, 1100)
    assert lib.swr_region_move(slot, 5000, 5010) == 0
    assert lib.swr_check(5000, 8) == 5000 and lib.swr_check(1000, 8) != 1000
    assert lib.swr_region_move(slot, 5000, 5000) == -errno.EINVAL
    assert lib.swr_region_move(slot + 1, 5000, 5010) == -errno.EINVAL
    assert lib.swr_region_move(-1, 5000, 5010) == -errno.EINVAL


def test_regions_are_given_back() -> None:
    lib.swr_region_register(1000, 1100)
    lib.swr_region_register(2000, 2100)
    assert lib.swr_region_unregister(1000) == 0
    assert lib.swr_region_unregister(1000) == -errno.ENOENT
    assert lib.swr_check(1000, 1) != 1000 and lib.swr_check(2000, 1) == 2000
    assert lib.swr_region_count() == 1
    lib.swr_region_clear()
    assert lib.swr_region_count() == 0 and lib.swr_check(2000, 1) != 2000


def test_the_table_has_an_end() -> None:
    slots = []
    while (slot := lib.swr_region_register(8 + 16 * len(slots), 16 + 16 * len(slots))) >= 0:
        slots.append(slot)
    assert slot == -errno.ENOSPC and slots == list(range(len(slots)))
    assert lib.swr_check(16 * (len(slots) - 1) + 8, 8) == 16 * (len(slots) - 1) + 8
    assert lib.swr_region_unregister(8) == 0 and lib.swr_region_register(8, 9) == 0


@pytest.mark.parametrize(("begin", "end"), [(0, 8), (8, 8), (9, 8)])
def test_an_empty_region_is_refused(begin: int, end: int) -> None:
    assert lib.swr_region_register(begin, end) == -errno.EINVAL
