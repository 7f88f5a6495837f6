"""Memory asked for ahead: what an order will need on its way out, while it is being decided.

Between two orders thousands of packets pass through the caches. What the gate, the encoder and the
order tables need of an order is known before the order is: its account and instrument when its
parent is looked at, its venue when an intent is written.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from feedhandler.books.ladder import ladder_address
from feedhandler.consolidated.quotes import venue_row as market_venue
from nic.raw import load_n32le, prefetch
from router.entry.layout import SESSION, SESSION_BYTES, session_row
from router.orders.children import token_place
from router.risk.facts import rules_of
from router.risk.layout import ACCOUNT_LIMITS_BYTES, LIMITS, MEMORY, PACE_BYTES, RING_BYTES
from router.risk.memory import pace_of_account, ring_of_venue
from router.routing.hidden import flow_row
from router.routing.posting_queue import MARKET_BOOK, VENUE_INSTRUMENT, quote_row
from router.rows import account_row, child_row, get, position_row, venue_row
from router.tables import ACCOUNT_BYTES, CHILD_BYTES, HEAD, PARENT, POSITION_BYTES, VENUE

LINE_BYTES: Final = 64
TEMPLATE_BYTES: Final = 192  # most of an instrument's templates


@njit(nogil=True, forceinline=True)
def ask_for(address, size_bytes):
    """Asks for some memory, line by line."""
    for at in range(0, size_bytes, LINE_BYTES):
        prefetch(address + at)


@njit(nogil=True)
def ask_for_gate(router, parent):
    """What the gate and the order tables need for an order of a parent, by its row."""
    account, instrument = get(parent, PARENT.account), get(parent, PARENT.instrument)
    ask_for(position_row(router, account, instrument), POSITION_BYTES)
    ask_for(account_row(router, account), ACCOUNT_BYTES)
    ask_for(child_row(router, get(router, HEAD.child_count) + 1), CHILD_BYTES)
    prefetch(token_place(router, get(router, HEAD.token_count) + 1))
    limits = get(router, HEAD.limits)
    if limits == 0:
        return
    ask_for(rules_of(limits, account), ACCOUNT_LIMITS_BYTES)
    memory = get(limits, LIMITS.memory)
    ask_for(pace_of_account(memory, account), PACE_BYTES)
    ask_for(memory + MEMORY.second, RING_BYTES)


@njit(nogil=True)
def ask_for_places(router, parent):
    """What posting looks at for a parent, by its row: first its order, then venue by venue.

    Venue by venue these would be misses one behind the other; asked for together they overlap.
    """
    ask_for(child_row(router, get(parent, PARENT.first_open)), CHILD_BYTES)
    instrument, side = get(parent, PARENT.instrument), get(parent, PARENT.side)
    market, learning = get(router, HEAD.market), get(router, HEAD.learning)
    for venue in range(get(router, HEAD.venue_count)):
        number = get(venue_row(router, venue), VENUE.quotes)
        if number < 0:
            continue
        prefetch(flow_row(learning, venue, instrument, side))
        book = get(market_venue(market, number), MARKET_BOOK)
        if book != 0:
            own = load_n32le(quote_row(market, number, instrument) + VENUE_INSTRUMENT)
            prefetch(ladder_address(book, 2 * own))


@njit(nogil=True)
def ask_for_venue(router, venue, instrument):
    """What the gate and the encoder need for a message to a venue."""
    if get(router, HEAD.sessions) == 0:
        return
    row = venue_row(router, venue)
    session = session_row(router, get(row, VENUE.session))
    ask_for(session, SESSION_BYTES)
    templates = get(session, SESSION.templates) + get(session, SESSION.template_bytes) * instrument
    ask_for(templates, TEMPLATE_BYTES)
    prefetch(get(session, SESSION.out))
    limits = get(router, HEAD.limits)
    if limits != 0:
        ask_for(ring_of_venue(get(limits, LIMITS.memory), venue), RING_BYTES)
