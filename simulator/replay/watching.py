"""What a packet of a venue's feed means to orders of ours there, before the books have it.

An order rests behind the shares that were displayed at its price when it came (`ahead`). Executions
at that price take shares off `ahead`; what goes beyond it is ours. Cancels at the price may have
been ahead or behind: a part of them is counted as ahead, in proportion, as the venue's
`cancels_ahead` says (none at 0); but never is more ahead than is still displayed. When the venue
trades through our price, or an order that entered behind us trades, we have been executed. An order
that enters on the other side at our price or through it meets us as an execution would, and what it
lost to us is remembered as ours. Unseen trades count like displayed ones.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from feedhandler.actions import (
    ACTION_BYTES,
    ADD,
    ALL,
    BUY,
    CLEAR,
    DELETE,
    EXECUTE,
    EXECUTE_PRICE,
    LEVEL,
    MODIFY,
    NO_PRICE,
    REDUCE,
    REPLACE,
    SELL,
    TOP,
    TRADE,
)
from feedhandler.books.changes import ladder_of
from feedhandler.books.keys import instrument_of
from feedhandler.books.ladder import best_level, ladder_address, level_address
from feedhandler.books.orders import find_order, level_at, quantity_at
from feedhandler.consolidated.follow import global_of, kind_of, word
from nic.raw import load_i64le, load_n8
from router.rows import add, get, put
from router.tables import NOT_SHOWN
from simulator.replay.layout import HEAD, MOST_TAKEN, ORDER, VENUE
from simulator.replay.resting import same_side, shown_of, trade_resting
from simulator.replay.shown import (
    book_of,
    find_taken,
    forget_taken,
    gone_from_level,
    is_better,
    refresh_watch,
    remember,
    shown_at,
)

MOST = (1 << 31) - 1
# What an action on an order is about, in the head's `noted` words.
INSTRUMENT, SIDE, PRICE, SHARES, FRESH = 0, 8, 16, 24, 32


@njit(nogil=True)
def look_back(sim, venue, actions, number, out):
    """What the packet's earlier actions say of the order that an action names.

    Puts side and shares (below 0: the book's) and what else is known into `out`; gives the id that
    the order had before the packet, and the shares that left it since.
    """
    order_id, less = word(actions + ACTION_BYTES * number, 2), np.int64(0)
    at = number - 1
    while at >= 0 and get(out, SIDE) == 0:
        action = actions + ACTION_BYTES * at
        kind, named = kind_of(action), word(action, 2) == order_id
        enters = (kind == ADD and named) or (kind == REPLACE and word(action, 5) == order_id)
        if enters or (kind == MODIFY and named):
            if get(out, SHARES) < 0:
                put(out, SHARES, word(action, 4))
            if get(out, PRICE) == NO_PRICE and word(action, 3) != NO_PRICE:
                put(out, PRICE, word(action, 3))
                put(out, FRESH, 1)
        if kind == ADD and named:
            put(out, INSTRUMENT, instrument_of(book_of(sim, venue), word(action, 1)))
            put(out, SIDE, load_n8(action + 1))
        elif enters:
            order_id = word(action, 2)
        elif named and (kind == EXECUTE or kind == EXECUTE_PRICE or kind == REDUCE):
            less += word(action, 4) if get(out, SHARES) < 0 else 0
        at -= 1
    return order_id, less


@njit(nogil=True)
def look_up(sim, venue, actions, number):
    """Whose an order is that an action names; 1, or 0 where nobody knows it.

    Puts instrument, side, price, shares and whether it entered in this packet into the head.
    """
    out = sim + HEAD.noted
    put(out, SIDE, 0)
    put(out, PRICE, NO_PRICE)
    put(out, SHARES, -1)
    put(out, FRESH, 0)
    order_id, less = look_back(sim, venue, actions, number, out)
    if get(out, SIDE) == 0:
        book = book_of(sim, venue)
        order = find_order(book, order_id)
        if order == 0:
            return 0
        level = level_at(order)
        ladder = ladder_of(book, level)
        put(out, INSTRUMENT, ladder >> 1)
        put(out, SIDE, (ladder & 1) + BUY)
        if get(out, PRICE) == NO_PRICE:
            put(out, PRICE, load_i64le(level_address(book, level)))
        if get(out, SHARES) < 0:
            put(out, SHARES, quantity_at(order))
    put(out, SHARES, max(np.int64(0), get(out, SHARES) - less))
    market, own = get(sim, HEAD.market), get(out, INSTRUMENT)
    instrument = global_of(market, get(venue, VENUE.quotes), own)
    put(out, INSTRUMENT, instrument)
    return 1 if instrument > 0 else 0


@njit(nogil=True)
def open_packet(sim, order):
    """Before the first action of a packet that matters to an order: nothing has left its level.

    What was ahead and is no longer displayed is gone.
    """
    if get(order, ORDER.packet) != get(sim, HEAD.packet):
        put(order, ORDER.packet, get(sim, HEAD.packet))
        put(order, ORDER.gone, 0)
    put(order, ORDER.ahead, min(get(order, ORDER.ahead), shown_of(sim, order)))


@njit(nogil=True)
def shares_left(sim, order, shares, fresh, displayed):
    """Shares left an order's level; gives how many of them were behind `ahead`."""
    open_packet(sim, order)
    if fresh:
        put(order, ORDER.ahead, 0)
        return shares
    ahead = get(order, ORDER.ahead)
    passed = min(ahead, shares)
    put(order, ORDER.ahead, ahead - passed)
    if displayed:
        add(order, ORDER.gone, shares)
        put(order, ORDER.ahead, min(ahead - passed, shown_of(sim, order)))
    return shares - passed


@njit(nogil=True)
def canceled_at(sim, order, shares):
    """Displayed shares at an order's price were canceled."""
    open_packet(sim, order)
    displayed, ahead = shown_of(sim, order), get(order, ORDER.ahead)
    part = get(get(order, ORDER.venue), VENUE.cancels_ahead)
    if displayed > 0 and part > 0:
        passed = (min(ahead, MOST) * min(shares, MOST)) // displayed
        put(order, ORDER.ahead, max(np.int64(0), ahead - ((passed * part) >> 10)))
    add(order, ORDER.gone, shares)
    put(order, ORDER.ahead, min(get(order, ORDER.ahead), shown_of(sim, order)))


@njit(nogil=True)
def displayed_traded(sim, venue, instrument, side, price, shares, fresh, now_ns):
    """Displayed shares of a side were executed at a price."""
    if not fresh:
        gone_from_level(venue, instrument, side, price, shares)
    order, used = get(venue, VENUE.first), np.int64(0)
    while order != 0:
        following, own = get(order, ORDER.next), get(order, ORDER.price)
        if same_side(order, instrument, side):
            if is_better(side, own, price):
                trade_resting(sim, order, get(order, ORDER.leaves), now_ns)
            elif own == price and get(order, ORDER.flags) & NOT_SHOWN == 0:
                behind = shares_left(sim, order, shares, fresh, True)
                used += trade_resting(sim, order, max(np.int64(0), behind - used), now_ns)
        order = following


@njit(nogil=True)
def unseen_traded(sim, venue, instrument, price, shares, now_ns):
    """A trade that is not from a displayed order."""
    order, used = get(venue, VENUE.first), np.int64(0)
    while order != 0:
        following, own = get(order, ORDER.next), get(order, ORDER.price)
        if get(order, ORDER.instrument) == instrument:
            if is_better(get(order, ORDER.side), own, price):
                trade_resting(sim, order, get(order, ORDER.leaves), now_ns)
            elif own == price:
                behind = shares_left(sim, order, shares, 0, False)
                used += trade_resting(sim, order, max(np.int64(0), behind - used), now_ns)
        order = following


@njit(nogil=True)
def displayed_canceled(sim, venue, instrument, side, price, shares, fresh):
    """Displayed shares of a side at a price are gone without a trade."""
    if fresh:
        return
    gone_from_level(venue, instrument, side, price, shares)
    order = get(venue, VENUE.first)
    while order != 0:
        same = same_side(order, instrument, side) and get(order, ORDER.price) == price
        if same and get(order, ORDER.flags) & NOT_SHOWN == 0:
            canceled_at(sim, order, shares)
        order = get(order, ORDER.next)


@njit(nogil=True)
def has_memory(venue, instrument, side, price):
    """Whether there is room to remember what an order at a price loses to us."""
    room = get(venue, VENUE.taken_count) < MOST_TAKEN
    return room or find_taken(venue, instrument, side, price) != 0


@njit(nogil=True)
def displayed_entered(sim, venue, instrument, side, price, shares, now_ns):
    """Shares are displayed anew on a side: they meet orders of ours that they cross."""
    order, used = get(venue, VENUE.first), np.int64(0)
    while order != 0 and used < shares:
        following, own = get(order, ORDER.next), get(order, ORDER.price)
        crossed = own == price or is_better(3 - side, own, price)
        if same_side(order, instrument, 3 - side) and crossed:
            behind = shares_left(sim, order, shares, 0, False)
            traded = np.int64(0)
            if behind > used and has_memory(venue, instrument, side, price):
                traded = trade_resting(sim, order, behind - used, now_ns)
            if traded > 0:
                remember(sim, venue, instrument, side, price, traded, now_ns)
            used += traded
        order = following


@njit(nogil=True)
def level_said(sim, venue, instrument, side, price, shares, now_ns):
    """A level has a new size: what is less is canceled as far as we know, what is more is new."""
    more = shares - shown_at(sim, venue, instrument, side, price)
    if more < 0:
        displayed_canceled(sim, venue, instrument, side, price, -more, 0)
    elif more > 0:
        displayed_entered(sim, venue, instrument, side, price, more, now_ns)


@njit(nogil=True)
def top_said(sim, venue, own, instrument, side, price, shares, now_ns):
    """The only level of a side is another one, or has another size."""
    book = book_of(sim, venue)
    level = best_level(ladder_address(book, 2 * own + side - 1))
    if level != 0:
        before = load_i64le(level_address(book, level))
        if before != price or shares == 0:
            level_said(sim, venue, instrument, side, before, 0, now_ns)
    if shares != 0:
        level_said(sim, venue, instrument, side, price, shares, now_ns)


@njit(nogil=True)
def about_order(sim, venue, actions, number, now_ns):
    """An action on an order that is there."""
    action, out = actions + ACTION_BYTES * number, sim + HEAD.noted
    if look_up(sim, venue, actions, number) == 0:
        return
    kind, instrument, side = kind_of(action), get(out, INSTRUMENT), get(out, SIDE)
    price, had, fresh = get(out, PRICE), get(out, SHARES), get(out, FRESH)
    shares = word(action, 4)
    if shares < 0:
        return
    if kind == EXECUTE or kind == EXECUTE_PRICE:
        displayed_traded(sim, venue, instrument, side, price, shares, fresh, now_ns)
    elif kind == REDUCE:
        displayed_canceled(sim, venue, instrument, side, price, min(shares, had), fresh)
    elif kind == DELETE or kind == REPLACE:
        displayed_canceled(sim, venue, instrument, side, price, had, fresh)
    else:
        moved = word(action, 3) != NO_PRICE and word(action, 3) != price
        less = had if moved else max(np.int64(0), had - shares)
        displayed_canceled(sim, venue, instrument, side, price, less, fresh)
        if not moved:
            return
    if kind == REPLACE or kind == MODIFY:
        displayed_entered(sim, venue, instrument, side, word(action, 3), shares, now_ns)


@njit(nogil=True)
def about_key(sim, venue, action, now_ns):
    """An action on what its key names."""
    kind, flags = kind_of(action), (word(action, 0) >> 16) & 0xFFFF
    if kind == CLEAR and flags & ALL != 0:
        forget_taken(venue, 0)
        return
    own = instrument_of(book_of(sim, venue), word(action, 1))
    instrument = global_of(get(sim, HEAD.market), get(venue, VENUE.quotes), own)
    if instrument <= 0:
        return
    side, price, shares = load_n8(action + 1), word(action, 3), word(action, 4)
    if kind == TRADE and (price <= 0 or shares <= 0):
        return  # an auction that crossed nothing
    if kind == TRADE:
        unseen_traded(sim, venue, instrument, price, shares, now_ns)
    elif kind == CLEAR:
        forget_taken(venue, instrument)
    elif side == BUY or side == SELL:
        if kind == ADD:
            displayed_entered(sim, venue, instrument, side, price, shares, now_ns)
        elif kind == LEVEL:
            level_said(sim, venue, instrument, side, price, shares, now_ns)
        else:
            top_said(sim, venue, own, instrument, side, price, shares, now_ns)


@njit(nogil=True)
def note_packet(sim, venue, actions, count, now_ns):
    """Goes through the actions of a packet that the venue's books do not have yet."""
    add(sim, HEAD.packet, 1)
    if get(venue, VENUE.taken_count) != 0 and now_ns > get(venue, VENUE.taken_until):
        forget_taken(venue, 0)
    for number in range(count):
        action = actions + ACTION_BYTES * number
        kind = kind_of(action)
        if kind >= REDUCE and kind <= MODIFY:
            about_order(sim, venue, actions, number, now_ns)
        elif kind == ADD or kind == LEVEL or kind == TOP or kind == TRADE or kind == CLEAR:
            about_key(sim, venue, action, now_ns)
    refresh_watch(sim, venue)
