"""Which instrument is next: a tree of times over the instruments, the earliest at its root.

Node 1 is the root, the children of node n are 2n and 2n + 1, leaves come last. Of equal times the
lower instrument is first.
"""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.layout import H_LEAF_COUNT, H_TIMES


@njit(nogil=True, forceinline=True)
def earliest(flow):
    """The time of the next event of all instruments."""
    return load_i64le(load_fixed(flow + H_TIMES) + 8)


@njit(nogil=True)
def set_time(flow, instrument, time_ns):
    """Sets when an instrument has its next event."""
    times = load_fixed(flow + H_TIMES)
    node = load_fixed(flow + H_LEAF_COUNT) + instrument
    store_u64le(times + 8 * node, time_ns)
    while node > 1:
        node >>= 1
        left, right = load_i64le(times + 16 * node), load_i64le(times + 16 * node + 8)
        first = min(left, right)
        if load_i64le(times + 8 * node) == first:
            return
        store_u64le(times + 8 * node, first)


@njit(nogil=True)
def time_of(flow, instrument):
    """When an instrument has its next event."""
    leaf = load_fixed(flow + H_LEAF_COUNT) + instrument
    return load_i64le(load_fixed(flow + H_TIMES) + 8 * leaf)


@njit(nogil=True)
def next_instrument(flow):
    """The instrument with the earliest event."""
    times, leaves = load_fixed(flow + H_TIMES), load_fixed(flow + H_LEAF_COUNT)
    node, first = 1, load_i64le(times + 8)
    while node < leaves:
        node *= 2
        if load_i64le(times + 8 * node) != first:
            node += 1
    return node - leaves
