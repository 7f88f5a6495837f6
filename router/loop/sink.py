"""The router as the sink of a packet's actions.

In front of every packet the time comes first: timers that are due, answers of venues that are there
by then. What a packet did to the quotes is then worked on at once, so that where bursts were cut
changes nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import ACTION_BYTES, ALL, CLEAR, STATUS
from feedhandler.consolidated.follow import global_of, kind_of, word
from feedhandler.consolidated.layout import (
    QUOTE_CHANGES,
    TOUCHED,
    TOUCHED_COUNT,
    VENUE_MARKET,
    VENUE_NUMBER,
)
from feedhandler.consolidated.sink import apply_packet
from feedhandler.context import CAPTURE_NS, VENUE
from feedhandler.state import ROUTER
from nic.call import call_kernel
from nic.raw import load_i64le, load_n32le
from router.loop.acting import ON_ALL, ON_COMMAND, ON_INSTRUMENT
from router.loop.advance import act_by_address, advance, reach
from router.loop.marks import mark_instrument
from router.loop.stages import BOOK, DECODE, begin_packet, end_stage, parsed
from router.loop.trades import FLAGS_SHIFT, follow_trades
from router.orders.chains import first_active
from router.rows import get, put
from router.tables import HEAD


@njit(nogil=True, forceinline=True)
def router_of(state):
    """Address of the router's head."""
    return load_i64le(state + ROUTER)


@njit(nogil=True)
def time_comes(state, timestamp_ns):
    """It is that late; gives the time, which never goes back."""
    router = router_of(state)
    advance(router, timestamp_ns)
    return reach(router, timestamp_ns)


@njit(nogil=True)
def command_comes(state, record):
    """A command that the feed handler does not know: 1 where it is the router's.

    What is due before its time happens first. One that is older than what was seen last counts as
    of now.
    """
    now = time_comes(state, load_i64le(record + 8))
    return act_by_address(router_of(state), ON_COMMAND, record, now)


@njit(nogil=True)
def arrive_at(state, timestamp_ns):
    """A packet has come: what is due before it happens first."""
    stages = get(router_of(state), HEAD.stages)
    parsed(state, stages)
    time_comes(state, timestamp_ns)
    begin_packet(stages)


@njit(nogil=True)
def tell_far(router, venue, actions, count, now):
    """Lets who stands at the other end in a replay hear a feed, where it wants to."""
    wants = get(router, HEAD.far_wants)
    if wants != 0 and (load_i64le(wants) >> venue) & 1 != 0:
        call_kernel(get(router, HEAD.far_note), get(router, HEAD.far), venue, actions, count, now)


@njit(nogil=True)
def concerns_all(actions, count):
    """Whether some action of a packet is about every instrument of its venue."""
    for number in range(count):
        action = actions + ACTION_BYTES * number
        kind = kind_of(action)
        if (kind == CLEAR or kind == STATUS) and (word(action, 0) >> FLAGS_SHIFT) & ALL:
            return True
    return False


@njit(nogil=True)
def work_on_touched(router, market, venue, actions, count, now):
    """Works on the parents of the instruments that a packet touched."""
    if concerns_all(actions, count):
        act_by_address(router, ON_ALL, np.int64(0), now)
        return
    touched = load_i64le(market + TOUCHED)
    for number in range(load_i64le(market + TOUCHED_COUNT)):
        instrument = global_of(market, venue, word(touched, number))
        if instrument > 0:
            mark_instrument(router, instrument)
            if load_n32le(first_active(router, instrument)) != 0:
                act_by_address(router, ON_INSTRUMENT, instrument, now)


@njit(nogil=True)
def route_packet(state, context, actions, count):
    """A packet's actions into books and consolidated book, then what follows from them."""
    router, row = router_of(state), get(context, VENUE)
    stages = get(router, HEAD.stages)
    end_stage(stages, DECODE)
    if row == 0 or count == 0:
        return
    market, venue, book = (
        load_i64le(row + VENUE_MARKET),
        load_i64le(row + VENUE_NUMBER),
        get(row, 0),
    )
    now = get(router, HEAD.now_ns)
    tell_far(router, venue, actions, count, now)
    apply_packet(market, venue, book, actions, count, get(context, CAPTURE_NS))
    follow_trades(router, market, venue, book, actions, count, now)
    end_stage(stages, BOOK)
    changes = load_i64le(market + QUOTE_CHANGES)
    if changes == get(router, HEAD.quote_changes):
        return
    put(router, HEAD.quote_changes, changes)
    if get(router, HEAD.working_count) != 0 or get(router, HEAD.fill_count) != 0:
        work_on_touched(router, market, venue, actions, count, now)
