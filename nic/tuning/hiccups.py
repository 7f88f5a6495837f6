"""The hiccup meter's kernels: a core that does nothing but look at the clock, and what it missed.

`account` is the pure part, a function of the clock values it is given. METER_DTYPE is one row.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nic.block import offsets_of
from nic.call import call_clock
from nic.histogram import HISTOGRAM_DTYPE, histogram_add
from nic.raw import load_acquire_u64, load_u64le, store_u64le

LONGEST_COUNT = 16
GAP_DTYPE = np.dtype([("gap_ns", "<u8"), ("end_ns", "<u8")])
METER_DTYPE = np.dtype(
    [
        ("stop", "<u8"),
        ("clock_function", "<u8"),
        ("clock", "<u8"),
        ("threshold_ns", "<u8"),
        ("duration_ns", "<u8"),
        ("first_ns", "<u8"),
        ("last_ns", "<u8"),
        ("reads", "<u8"),
        ("shortest_ns", "<u8"),
        ("lost_ns", "<u8"),
        ("backwards", "<u8"),
        ("longest", GAP_DTYPE, (LONGEST_COUNT,)),
        ("histogram", HISTOGRAM_DTYPE),
    ]
)
AT = offsets_of(METER_DTYPE)
GAP_BYTES = GAP_DTYPE.itemsize


@njit(nogil=True)
def begin(meter, now_ns):
    """The first look at the clock."""
    store_u64le(meter + AT.first_ns, now_ns)
    store_u64le(meter + AT.last_ns, now_ns)
    store_u64le(meter + AT.shortest_ns, np.uint64(0xFFFFFFFFFFFFFFFF))


@njit(nogil=True)
def keep_longest(meter, gap_ns, now_ns):
    """Puts a gap in the place of the shortest of those kept, where it is longer."""
    place = meter + AT.longest
    least = load_u64le(place)
    for index in range(1, LONGEST_COUNT):
        row = meter + AT.longest + index * GAP_BYTES
        kept = load_u64le(row)
        if kept < least:
            least = kept
            place = row
    if gap_ns > least:
        store_u64le(place, gap_ns)
        store_u64le(place + 8, now_ns)


@njit(nogil=True)
def account(meter, now_ns):
    """One more look at the clock. A clock that was set back is counted, and no gap."""
    last_ns = load_u64le(meter + AT.last_ns)
    store_u64le(meter + AT.last_ns, now_ns)
    if now_ns < last_ns:
        store_u64le(meter + AT.backwards, load_u64le(meter + AT.backwards) + 1)
        return
    gap_ns = now_ns - last_ns
    store_u64le(meter + AT.reads, load_u64le(meter + AT.reads) + 1)
    if gap_ns < load_u64le(meter + AT.shortest_ns):
        store_u64le(meter + AT.shortest_ns, gap_ns)
    if gap_ns >= load_u64le(meter + AT.threshold_ns):
        histogram_add(meter + AT.histogram, gap_ns)
        store_u64le(meter + AT.lost_ns, load_u64le(meter + AT.lost_ns) + gap_ns)
        keep_longest(meter, gap_ns, now_ns)


@njit(nogil=True)
def account_all(meter, values, count):
    """A whole sequence of clock values, `count` of them at address `values`."""
    begin(meter, load_u64le(values))
    for index in range(1, count):
        account(meter, load_u64le(values + index * 8))


@njit(nogil=True, cache=True)
def spin(meter):
    """Looks at the clock until the time is over or `stop` is set."""
    meter = np.uint64(meter)
    function = load_u64le(meter + AT.clock_function)
    clock = load_u64le(meter + AT.clock)
    now_ns = call_clock(function, clock)
    end_ns = now_ns + load_u64le(meter + AT.duration_ns)
    begin(meter, now_ns)
    while now_ns < end_ns and load_acquire_u64(meter + AT.stop) == 0:
        now_ns = call_clock(function, clock)
        account(meter, now_ns)
