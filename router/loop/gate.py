"""The only way out: intents are judged, entered among the orders, encoded and handed to a port.

An order that waits for its time (staggered sends) is judged when it is decided and counts as open
from then on. When it leaves it is looked at again: a kill switch or a lost venue holds it back.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from feedhandler.actions import CANCELED, REJECTED, emit, head
from router import log as records
from router.entry.encode import encode_cancel, encode_order, encode_replace
from router.entry.transmit import out_buffer, transmit
from router.intents import intent_row
from router.loop.stages import ENCODE, RISK, end_order, end_stage
from router.loop.timers import set_timer
from router.orders.children import ask_cancel, ask_replace, enter
from router.orders.reports import hear
from router.risk.counting import count_passed, count_rejected
from router.risk.judge import judge
from router.risk.layout import TABLE_FULL
from router.rows import add, child_row, get, parent_row, put, venue_row
from router.tables import CANCEL, CHILD, ENTER, HEAD, INTENT, INTENT_TIMER, PARENT, REPLACE, VENUE

FIRST_HOLD_NS: Final = 10_000_000  # a parent whose order was refused tries no sooner
MOST_DOUBLINGS: Final = 7  # 1.28 s
SUSPENDING_REFUSALS: Final = 20  # in a row


@njit(nogil=True)
def tell_refusal(router, intent, reason, now):
    """Writes the refusal to the log."""
    about = get(intent, INTENT.venue) | get(intent, INTENT.kind) << 8
    parent, child = get(intent, INTENT.parent), get(intent, INTENT.child)
    quantity, price = get(intent, INTENT.quantity), get(intent, INTENT.price)
    log = get(router, HEAD.log)
    records.write(log, records.GATE, now, parent, child, reason, quantity, price, about)


@njit(nogil=True)
def refuse(router, intent, reason, now):
    """The gate holds an intent back: told, counted, and the parent waits longer each time."""
    put(intent, INTENT.verdict, reason)
    count_rejected(router, intent, reason, now)
    add(router, HEAD.reject_count, 1)
    tell_refusal(router, intent, reason, now)
    parent = get(intent, INTENT.parent)
    if parent == 0:
        return
    row = parent_row(router, parent)
    held = get(row, PARENT.held)
    put(row, PARENT.held, held + 1)
    add(row, PARENT.rejects, 1)
    put(row, PARENT.hold_ns, now + (FIRST_HOLD_NS << min(held, MOST_DOUBLINGS)))


@njit(nogil=True)
def answer_locally(router, child, kind, reason, now):
    """What a venue would say, said by ourselves of an order that never left: REJECTED, CANCELED."""
    action = get(router, HEAD.local)
    token = get(child_row(router, child), CHILD.token)
    emit(action, head(kind, 0, 0), 0, token, 0, 0, reason, now, 0)
    hear(router, action, now)


@njit(nogil=True)
def hand_over(router, child, intent, length, now):
    """Gives the message in the venue's buffer to its port; 0, or what the port said."""
    session = get(venue_row(router, get(intent, INTENT.venue)), VENUE.session)
    far = get(router, HEAD.far_now)
    if far != 0:
        put(far, 0, now)
    return transmit(router, session, length, child, get(intent, INTENT.kind), now)


@njit(nogil=True)
def send_order(router, stages, child, intent, now):
    """Encodes and sends a new order."""
    session = get(venue_row(router, get(intent, INTENT.venue)), VENUE.session)
    length = encode_order(router, intent, out_buffer(router, session))
    end_stage(stages, ENCODE)
    if length <= 0:
        add(router, HEAD.unsaid_count, 1)
        answer_locally(router, child, REJECTED, 0, now)
        return
    put(child_row(router, child), CHILD.sent_ns, now)
    if hand_over(router, child, intent, length, now) != 0:
        add(router, HEAD.unsent_count, 1)
        answer_locally(router, child, REJECTED, 0, now)
        return
    add(router, HEAD.order_count, 1)
    end_order(stages)


@njit(nogil=True)
def pass_order(router, stages, intent, now):
    """A new order that was let through."""
    child = enter(router, intent, now)
    if child == 0:
        refuse(router, intent, TABLE_FULL, now)
        return
    put(intent, INTENT.child, child)
    count_passed(router, intent, now)
    put(parent_row(router, get(intent, INTENT.parent)), PARENT.held, 0)
    send_ns = get(intent, INTENT.send_ns)
    if send_ns > now and set_timer(router, send_ns, INTENT_TIMER, child) != 0:
        return
    send_order(router, stages, child, intent, now)


@njit(nogil=True)
def pass_replace(router, stages, intent, now):
    """A change that was let through."""
    child = get(intent, INTENT.child)
    quantity, price = get(intent, INTENT.quantity), get(intent, INTENT.price)
    session = get(venue_row(router, get(intent, INTENT.venue)), VENUE.session)
    token = ask_replace(router, child, quantity, price, now)
    if token == 0:
        return
    put(intent, INTENT.token, token)
    length = encode_replace(router, intent, out_buffer(router, session))
    end_stage(stages, ENCODE)
    if length <= 0 or hand_over(router, child, intent, length, now) != 0:
        add(router, HEAD.unsent_count, 1)
        refuse_change(router, child, token, now)
        return
    count_passed(router, intent, now)
    end_order(stages)


@njit(nogil=True)
def cancel_child(router, stages, intent, now):
    """Cancels a child; one that has not left yet is over at once."""
    child = get(intent, INTENT.child)
    row = child_row(router, child)
    if get(row, CHILD.sent_ns) == 0:
        answer_locally(router, child, CANCELED, 0, now)
        return
    if ask_cancel(router, child, now) == 0:
        return
    put(intent, INTENT.venue, get(row, CHILD.venue))
    session = get(venue_row(router, get(row, CHILD.venue)), VENUE.session)
    length = encode_cancel(router, child, out_buffer(router, session))
    end_stage(stages, ENCODE)
    if length <= 0 or hand_over(router, child, intent, length, now) != 0:
        add(router, HEAD.unsent_count, 1)
        refuse_change(router, child, get(row, CHILD.token), now)
        return
    count_passed(router, intent, now)
    end_order(stages)
