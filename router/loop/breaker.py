"""A breaker a venue: what goes wrong too often in a short time stops orders from going there.

A failure is an order or replace that the venue rejects, a message that its port refuses, a cancel
or replace that is not answered in time. So many of them in a window (`breaker` in the file of
venues) open the breaker: the venue is down for routing and the gate, and what rests there is
canceled. After its rest it is half open: orders may go there, and the first failure opens it anew,
the first thing that went well closes it. Without a rest it stays open until a person says VENUE_UP,
which closes it at any time. A window begins with the first failure behind the last window.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from router import log
from router.loop.timers import set_timer
from router.rows import add, get, put, venue_row
from router.tables import DOWN_BREAKER, HEAD, VENUE, VENUE_TIMER

# What a VENUE record says.
BREAKER_EVENTS: Final = ("none", "opened", "half open", "closed")
OPENED, HALF_OPEN, CLOSED = 1, 2, 3


@njit(nogil=True)
def tell_breaker(router, number, event, now):
    """A VENUE record."""
    row = venue_row(router, number)
    failures, down = get(row, VENUE.failures), get(row, VENUE.down)
    trips, window_ns = get(row, VENUE.trips), get(row, VENUE.breaker_window_ns)
    log.write(
        get(router, HEAD.log), log.VENUE, now, number, event, failures, window_ns, trips, down
    )


@njit(nogil=True)
def open_breaker(router, number, now):
    """Orders go there no more; a timer of now sees to what rests there, outside of the gate."""
    row = venue_row(router, number)
    put(row, VENUE.down, get(row, VENUE.down) | DOWN_BREAKER)
    put(row, VENUE.opened_ns, now)
    put(row, VENUE.probing, 0)
    add(row, VENUE.trips, 1)
    add(router, HEAD.trip_count, 1)
    tell_breaker(router, number, OPENED, now)
    put(row, VENUE.failures, 0)
    set_timer(router, now, VENUE_TIMER, number)


@njit(nogil=True)
def note_failure(router, number, now):
    """Something went wrong at a venue."""
    row = venue_row(router, number)
    most = get(row, VENUE.breaker_failures)
    if most == 0 or get(row, VENUE.down) & DOWN_BREAKER != 0:
        return
    if get(row, VENUE.failures) == 0 or (
        now - get(row, VENUE.failing_ns) >= get(row, VENUE.breaker_window_ns)
    ):
        put(row, VENUE.failing_ns, now)
        put(row, VENUE.failures, 0)
    add(row, VENUE.failures, 1)
    if get(row, VENUE.failures) >= most or get(row, VENUE.probing) != 0:
        open_breaker(router, number, now)


@njit(nogil=True)
def note_success(router, number, now):
    """Something went well at a venue: where it was being tried, its breaker is closed."""
    row = venue_row(router, number)
    if get(row, VENUE.probing) != 0:
        put(row, VENUE.probing, 0)
        put(row, VENUE.failures, 0)
        tell_breaker(router, number, CLOSED, now)


@njit(nogil=True)
def close_breaker(router, number, now):
    """A person says that a venue is well."""
    row = venue_row(router, number)
    if get(row, VENUE.down) & DOWN_BREAKER != 0 or get(row, VENUE.probing) != 0:
        put(row, VENUE.down, get(row, VENUE.down) & ~DOWN_BREAKER)
        put(row, VENUE.probing, 0)
        put(row, VENUE.failures, 0)
        tell_breaker(router, number, CLOSED, now)
