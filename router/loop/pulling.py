"""Open orders taken back where something stands against them: a kill switch, a venue's breaker."""

from __future__ import annotations

from numba import njit

from router.intents import want_cancel
from router.loop.breaker import HALF_OPEN, tell_breaker
from router.loop.gate import gate, is_killed
from router.loop.timers import set_timer
from router.orders.children import may_cancel
from router.rows import child_row, get, parent_row, put, venue_row
from router.tables import CHILD, DOWN_BREAKER, HEAD, PARENT, VENUE, VENUE_TIMER

KILLED_ONES = -1  # in place of a venue


@njit(nogil=True)
def pull(router, venue, now):
    """Cancels every open order at a venue; KILLED_ONES: all that a kill switch concerns."""
    for number in range(1, get(router, HEAD.parent_count) + 1):
        child = get(parent_row(router, number), PARENT.first_open)
        while child != 0:
            row = child_row(router, child)
            there = get(row, CHILD.venue) == venue
            concerned = is_killed(router, row) != 0 if venue == KILLED_ONES else there
            if concerned and may_cancel(row):
                want_cancel(router, child, get(row, CHILD.decision))
            child = get(row, CHILD.next_sibling)
        gate(router, now)


@njit(nogil=True)
def look_at_breaker(router, number, now):
    """The timer of a breaker: it has just opened, or its rest is over."""
    row = venue_row(router, number)
    if get(row, VENUE.down) & DOWN_BREAKER == 0:
        return
    rest_ns = get(row, VENUE.breaker_rest_ns)
    due_ns = get(row, VENUE.opened_ns) + rest_ns
    if rest_ns == 0 or now < due_ns:
        pull(router, number, now)
        if rest_ns != 0:
            set_timer(router, due_ns, VENUE_TIMER, number)
        return
    put(row, VENUE.down, get(row, VENUE.down) & ~DOWN_BREAKER)
    put(row, VENUE.probing, 1)
    tell_breaker(router, number, HALF_OPEN, now)
