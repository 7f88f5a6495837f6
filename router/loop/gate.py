"""The only way out: intents are judged, entered among the orders, encoded and handed to a port.

An order that waits for its time (staggered sends) is judged when it is decided and counts as open
from then on. When it leaves it is looked at again: a kill switch or a lost venue holds it back.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from feedhandler.actions import CANCEL_REJECTED, CANCELED, REJECTED, emit, head
from router import log
from router.entry.encode import encode_cancel, encode_order, encode_replace, session_of
from router.entry.layout import SESSION
from router.entry.transmit import transmit
from router.intents import intent_row
from router.loop.breaker import note_failure
from router.loop.endings import follow_end, wait_after
from router.loop.stages import ENCODE, RISK, ROUTE, end_order, end_stage
from router.loop.timers import set_timer
from router.loop.watch import watch_ask
from router.orders.children import ask_cancel, ask_replace, enter, may_cancel, next_token
from router.orders.hear import hear
from router.orders.states import STATE
from router.risk.judge import count_facts, count_passed, count_rejected, facts_of, judge_fully
from router.routing.gone import note_seen
from router.rows import (
    account_row,
    add,
    child_row,
    get,
    instrument_row,
    named_token,
    parent_row,
    put,
    venue_row,
)
from router.tables import (
    ACCOUNT,
    CHILD,
    DOWN_KILLED,
    DOWN_SESSION,
    ENTER,
    HEAD,
    INSTRUMENT,
    INTENT,
    INTENT_TIMER,
    PARENT,
    REPLACE,
    VENUE,
)

TABLE_FULL: Final = -1  # a refusal that is no verdict: there is no room for another order


@njit(nogil=True)
def tell_refusal(router, intent, reason, seen, allowed, now):
    """Writes a refusal to the log."""
    parent, child = get(intent, INTENT.parent), get(intent, INTENT.child)
    quantity, price = get(intent, INTENT.quantity), get(intent, INTENT.price)
    about, to = get(intent, INTENT.venue) | get(intent, INTENT.kind) << 8, get(router, HEAD.log)
    line = log.begin(to, log.GATE, 2, now, parent, child, reason, quantity, price, about)
    if line == 0:
        return
    more = line + log.LINE_BYTES
    for offset in range(0, log.LINE_BYTES, 8):
        put(more, offset, 0)
    put(more, 0, seen)
    put(more, 8, allowed)
    log.publish(to, 2)


@njit(nogil=True)
def refuse(router, intent, reason, seen, allowed, now):
    """The gate holds an intent back: told, counted, and its parent waits longer each time."""
    put(intent, INTENT.verdict, reason)
    count_rejected(router, intent, reason, now)
    tell_refusal(router, intent, reason, seen, allowed, now)
    parent = get(intent, INTENT.parent)
    if parent == 0:
        return
    row = parent_row(router, parent)
    held = get(row, PARENT.held)
    put(row, PARENT.held, held + 1)
    put(row, PARENT.hold_ns, now + wait_after(held))


@njit(nogil=True)
def answer_locally(router, kind, token, reason, now):
    """Says of an order what its venue would say, where the venue never had it."""
    action = get(router, HEAD.local)
    emit(action, head(kind, 0, 0), 0, token, 0, 0, reason, now, 0)
    child = hear(router, action, now)
    if child != 0:
        follow_end(router, child, now)


@njit(nogil=True)
def hand_over(router, stages, child, kind, token, length, now):
    """Gives the message in the out buffer of a child's venue to its port; 0 where it left."""
    end_stage(stages, ENCODE)
    if length <= 0:
        add(router, HEAD.unsaid_count, 1)
        return 1
    venue = venue_row(router, get(child_row(router, child), CHILD.venue))
    session = session_of(router, get(child_row(router, child), CHILD.venue))
    put(router, HEAD.now_ns, now)
    out = get(session, SESSION.out)
    failed = transmit(router, get(venue, VENUE.session), child, kind, token, out, length)
    if failed != 0:
        add(router, HEAD.unsent_count, 1)
        note_failure(router, get(child_row(router, child), CHILD.venue), now)
        return 1
    if kind == ENTER or kind == REPLACE:
        put(session, SESSION.last_token, max(get(session, SESSION.last_token), token))
    add(router, HEAD.message_count, 1)
    end_order(stages)
    return 0


@njit(nogil=True)
def send_order(router, stages, child, intent, now):
    """Encodes and sends a new order; one that cannot leave is rejected on the spot."""
    session = session_of(router, get(intent, INTENT.venue))
    token = get(intent, INTENT.token)
    put(child_row(router, child), CHILD.sent_ns, now)
    length = encode_order(router, intent, get(session, SESSION.out))
    if hand_over(router, stages, child, ENTER, token, length, now) != 0:
        put(child_row(router, child), CHILD.sent_ns, 0)
        answer_locally(router, REJECTED, token, 0, now)


@njit(nogil=True)
def pass_order(router, stages, intent, now):
    """A new order that was let through; where there is no room for it, nothing of it counts."""
    child = enter(router, intent, now)
    if child == 0:
        refuse(router, intent, TABLE_FULL, 0, 0, now)
        return
    count_passed(router, intent, now)
    put(child_row(router, child), CHILD.ahead, get(intent, INTENT.ahead))
    note_seen(router, child)
    put(parent_row(router, get(intent, INTENT.parent)), PARENT.held, 0)
    send_ns = get(intent, INTENT.send_ns)
    if send_ns > now and set_timer(router, send_ns, INTENT_TIMER, child) != 0:
        return
    send_order(router, stages, child, intent, now)


@njit(nogil=True, forceinline=True)
def is_cut_off(router, row):
    """Whether a child's venue cannot be told anything just now."""
    return get(venue_row(router, get(row, CHILD.venue)), VENUE.down) & DOWN_SESSION != 0


@njit(nogil=True)
def pass_replace(router, stages, intent, now):
    """A change that was let through."""
    child = get(intent, INTENT.child)
    quantity, price = get(intent, INTENT.quantity), get(intent, INTENT.price)
    row = child_row(router, child)
    if get(row, CHILD.sent_ns) == 0 or is_cut_off(router, row):
        return  # it has not left yet, or its session is gone: it is looked at when that is back
    put(parent_row(router, get(intent, INTENT.parent)), PARENT.held, 0)
    passed = facts_of(router, intent, now)
    token = ask_replace(router, child, quantity, price, now)
    if token == 0:
        return
    count_facts(router, intent, passed)
    put(intent, INTENT.token, token)
    put(child_row(router, child), CHILD.ahead, get(intent, INTENT.ahead))
    session = session_of(router, get(child_row(router, child), CHILD.venue))
    length = encode_replace(router, intent, get(session, SESSION.out))
    if hand_over(router, stages, child, REPLACE, token, length, now) != 0:
        answer_locally(router, CANCEL_REJECTED, token, 0, now)
        return
    watch_ask(router, child, now)


@njit(nogil=True)
def pass_cancel(router, stages, intent, now):
    """A cancel; an order that has not left yet is over at once."""
    child = get(intent, INTENT.child)
    row = child_row(router, child)
    token = named_token(row)
    if may_cancel(row) == 0 or (get(row, CHILD.sent_ns) != 0 and is_cut_off(router, row)):
        return
    count_passed(router, intent, now)
    ask_cancel(router, child, now)
    if get(row, CHILD.sent_ns) == 0:
        answer_locally(router, CANCELED, token, 0, now)
        return
    session = session_of(router, get(row, CHILD.venue))
    length = encode_cancel(router, row, get(session, SESSION.out))
    if hand_over(router, stages, child, get(intent, INTENT.kind), token, length, now) != 0:
        answer_locally(router, CANCEL_REJECTED, token, 0, now)
        return
    watch_ask(router, child, now)


@njit(nogil=True)
def pass_intent(router, stages, intent, now):
    """One intent through the gate."""
    kind = get(intent, INTENT.kind)
    if kind != ENTER:
        row = child_row(router, get(intent, INTENT.child))
        put(intent, INTENT.parent, get(row, CHILD.parent))
        put(intent, INTENT.venue, get(row, CHILD.venue))
    reason, seen, allowed = judge_fully(router, intent, now)
    end_stage(stages, RISK)
    if reason != 0:
        refuse(router, intent, reason, seen, allowed, now)
    elif kind == ENTER:
        pass_order(router, stages, intent, now)
    elif kind == REPLACE:
        pass_replace(router, stages, intent, now)
    else:
        pass_cancel(router, stages, intent, now)


@njit(nogil=True)
def gate(router, now):
    """All intents that wait, in order; none is left."""
    count, stages = get(router, HEAD.intent_count), get(router, HEAD.stages)
    if count == 0:
        return
    end_stage(stages, ROUTE)
    for number in range(count):
        pass_intent(router, stages, intent_row(router, number), now)
    put(router, HEAD.intent_count, 0)


@njit(nogil=True)
def is_killed(router, row):
    """Whether a kill switch concerns a child, by its row."""
    killed = get(venue_row(router, get(row, CHILD.venue)), VENUE.down) & DOWN_KILLED
    killed |= get(account_row(router, get(row, CHILD.account)), ACCOUNT.killed)
    killed |= get(instrument_row(router, get(row, CHILD.instrument)), INSTRUMENT.killed)
    return killed | get(router, HEAD.killed)


@njit(nogil=True)
def is_held_back(router, row):
    """Whether something has come between an order's decision and its leaving."""
    return is_killed(router, row) | get(venue_row(router, get(row, CHILD.venue)), VENUE.down)


@njit(nogil=True)
def rename_late(router, row, child):
    """A new name for an order that waited, where its venue wants them rising and later ones left.

    0 where there is none any more.
    """
    session, token = session_of(router, get(row, CHILD.venue)), get(row, CHILD.token)
    if get(session, SESSION.rising) == 0 or token > get(session, SESSION.last_token):
        return 1
    token = next_token(router, child)
    if token != 0:
        put(row, CHILD.token, token)
    return token


@njit(nogil=True)
def send_held(router, child, now):
    """The time of an order that waited has come; one that was canceled meanwhile is over."""
    row, intent = child_row(router, child), get(router, HEAD.held_intent)
    if get(row, CHILD.state) != STATE.pending_new or get(row, CHILD.sent_ns) != 0:
        return
    if is_held_back(router, row) != 0:
        answer_locally(router, REJECTED, get(row, CHILD.token), 0, now)
        return
    put(intent, INTENT.kind, ENTER)
    put(intent, INTENT.child, child)
    put(intent, INTENT.parent, get(row, CHILD.parent))
    put(intent, INTENT.instrument, get(row, CHILD.instrument))
    put(intent, INTENT.account, get(row, CHILD.account))
    put(intent, INTENT.venue, get(row, CHILD.venue))
    put(intent, INTENT.side, get(row, CHILD.side))
    put(intent, INTENT.quantity, get(row, CHILD.quantity))
    put(intent, INTENT.price, get(row, CHILD.price))
    put(intent, INTENT.tif, get(row, CHILD.tif))
    put(intent, INTENT.flags, get(row, CHILD.flags))
    put(intent, INTENT.minimum, get(row, CHILD.minimum))
    put(intent, INTENT.shown, get(row, CHILD.shown))
    if rename_late(router, row, child) == 0:
        answer_locally(router, REJECTED, get(row, CHILD.token), 0, now)
        return
    put(intent, INTENT.token, get(row, CHILD.token))
    send_order(router, get(router, HEAD.stages), child, intent, now)
