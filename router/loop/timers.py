"""What is due when: a heap of timers, the earliest first, equal times in the order they were set.

A timer that is no longer wanted stays until its time comes; who set it looks then whether it still
means anything. Source: the binary heap of Williams (1964), "Algorithm 232: Heapsort".
"""

from __future__ import annotations

from typing import Final

from numba import njit

from nic.raw import load_i64le, store_u64le
from router.rows import add, get, put
from router.tables import HEAD, TIMER, TIMER_BYTES

NEVER: Final = (1 << 63) - 1


@njit(nogil=True, forceinline=True)
def slot(router, number):
    """Where a place of the heap is; 0 is the earliest."""
    return load_i64le(router + HEAD.timers) + TIMER_BYTES * number


@njit(nogil=True)
def is_earlier(one, other):
    """Whether a timer comes before another."""
    first, second = get(one, TIMER.due_ns), get(other, TIMER.due_ns)
    if first != second:
        return first < second
    return get(one, TIMER.order) < get(other, TIMER.order)


@njit(nogil=True)
def exchange(one, other):
    """Lets two timers change places."""
    for offset in range(0, TIMER_BYTES, 8):
        kept = load_i64le(one + offset)
        store_u64le(one + offset, load_i64le(other + offset))
        store_u64le(other + offset, kept)


@njit(nogil=True)
def note_due(router):
    """Keeps `due_ns` what the earliest timer says."""
    if get(router, HEAD.timer_count) == 0:
        put(router, HEAD.due_ns, NEVER)
    else:
        put(router, HEAD.due_ns, get(slot(router, 0), TIMER.due_ns))


@njit(nogil=True)
def set_timer(router, due_ns, kind, who):
    """Sets a timer; 1, or 0 where there is no room (counted)."""
    count = get(router, HEAD.timer_count)
    if count == get(router, HEAD.most_timers):
        add(router, HEAD.full_count, 1)
        return 0
    row = slot(router, count)
    put(row, TIMER.due_ns, due_ns)
    put(row, TIMER.order, get(router, HEAD.timers_set))
    put(row, TIMER.kind, kind)
    put(row, TIMER.who, who)
    add(router, HEAD.timers_set, 1)
    put(router, HEAD.timer_count, count + 1)
    while count > 0:
        above = (count - 1) >> 1
        if not is_earlier(slot(router, count), slot(router, above)):
            break
        exchange(slot(router, count), slot(router, above))
        count = above
    note_due(router)
    return 1


@njit(nogil=True)
def sink_down(router, count):
    """Moves the first timer down to its place among `count`."""
    at = 0
    while True:
        least, left = at, 2 * at + 1
        for below in range(left, min(left + 2, count)):
            if is_earlier(slot(router, below), slot(router, least)):
                least = below
        if least == at:
            return
        exchange(slot(router, at), slot(router, least))
        at = least


@njit(nogil=True)
def take_timer(router):
    """Takes the earliest timer off: (kind, who). There must be one."""
    first = slot(router, 0)
    kind, who = get(first, TIMER.kind), get(first, TIMER.who)
    count = get(router, HEAD.timer_count) - 1
    put(router, HEAD.timer_count, count)
    if count > 0:
        exchange(first, slot(router, count))
        sink_down(router, count)
    note_due(router)
    return kind, who
