"""What is due when: timers, the earliest first, equal times in the order they were set.

A timer that is no longer wanted stays until its time comes; who set it looks then whether it still
means anything.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from nic.dueheap import DUE, heap_drop, heap_push
from router.rows import add, get, put
from router.tables import HEAD

NEVER: Final = (1 << 63) - 1


@njit(nogil=True)
def note_due(router):
    """Keeps `due_ns` what the earliest timer says."""
    if get(router, HEAD.timer_count) == 0:
        put(router, HEAD.due_ns, NEVER)
    else:
        put(router, HEAD.due_ns, get(get(router, HEAD.timers), DUE.due_ns))


@njit(nogil=True)
def set_timer(router, due_ns, kind, who):
    """Sets a timer; 1, or 0 where there is no room (counted)."""
    count = get(router, HEAD.timer_count)
    if count == get(router, HEAD.most_timers):
        add(router, HEAD.full_count, 1)
        return 0
    heap_push(get(router, HEAD.timers), count, due_ns, get(router, HEAD.timers_set), kind, who)
    add(router, HEAD.timers_set, 1)
    put(router, HEAD.timer_count, count + 1)
    note_due(router)
    return 1


@njit(nogil=True)
def take_timer(router):
    """Takes the earliest timer off: (kind, who). There must be one."""
    first, count = get(router, HEAD.timers), get(router, HEAD.timer_count)
    kind, who = get(first, DUE.kind), get(first, DUE.who)
    heap_drop(first, count)
    put(router, HEAD.timer_count, count - 1)
    note_due(router)
    return kind, who
