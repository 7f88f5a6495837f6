"""Orders that a decision wants sent: a list that the gate then goes through, in order.

Routing writes intents and knows nothing of gates; the gate sends and decides nothing.
"""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le, store_u64le
from router.rows import add, get, parent_row, put
from router.tables import CANCEL, ENTER, HEAD, INTENT, INTENT_BYTES, PARENT, REPLACE


@njit(nogil=True)
def intent_row(router, number):
    """Where a waiting intent is."""
    return load_i64le(router + HEAD.intents) + INTENT_BYTES * number


@njit(nogil=True)
def new_intent(router):
    """A fresh intent, all zero; 0 where there is no room (counted)."""
    count = get(router, HEAD.intent_count)
    if count == get(router, HEAD.most_intents):
        add(router, HEAD.full_count, 1)
        return 0
    put(router, HEAD.intent_count, count + 1)
    row = intent_row(router, count)
    for offset in range(0, INTENT_BYTES, 8):
        store_u64le(row + offset, 0)
    return row


@njit(nogil=True)
def want_order(router, parent, venue, quantity, price, tif, flags, decision, send_ns):
    """An intent to enter an order for a parent; its address, 0 where there is no room.

    `parent` is its number. `minimum` and `shown` may be set in the row that comes back.
    """
    row = new_intent(router)
    if row == 0:
        return row
    of = parent_row(router, parent)
    put(row, INTENT.kind, ENTER)
    put(row, INTENT.parent, parent)
    put(row, INTENT.instrument, get(of, PARENT.instrument))
    put(row, INTENT.account, get(of, PARENT.account))
    put(row, INTENT.venue, venue)
    put(row, INTENT.side, get(of, PARENT.side))
    put(row, INTENT.quantity, quantity)
    put(row, INTENT.price, price)
    put(row, INTENT.tif, tif)
    put(row, INTENT.flags, flags | get(of, PARENT.flags))
    put(row, INTENT.decision, decision)
    put(row, INTENT.send_ns, send_ns)
    return row


@njit(nogil=True)
def want_replace(router, child, quantity, price, decision):
    """An intent to change a child's whole quantity and price; its address, 0: no room."""
    row = new_intent(router)
    if row != 0:
        put(row, INTENT.kind, REPLACE)
        put(row, INTENT.child, child)
        put(row, INTENT.quantity, quantity)
        put(row, INTENT.price, price)
        put(row, INTENT.decision, decision)
    return row


@njit(nogil=True)
def want_cancel(router, child, decision):
    """An intent to cancel a child; its address, 0: no room."""
    row = new_intent(router)
    if row != 0:
        put(row, INTENT.kind, CANCEL)
        put(row, INTENT.child, child)
        put(row, INTENT.decision, decision)
    return row
