"""What venues say about our orders, one record of feedhandler.actions after the other."""

from __future__ import annotations

from numba import njit

from feedhandler import actions as a
from nic.block import field_offset
from nic.raw import load_n8, load_n32le
from router.orders.children import child_of, move_child, settle_parent
from router.orders.executions import busted, corrected, executed
from router.orders.machine import child_after, flag, set_mark, step, tell_child
from router.orders.reserve import hold, new_leaves
from router.orders.states import EVENT, IMPOSSIBLE, MARK, STATE
from router.rows import account_row, add, child_row, get, parent_row, put, venue_row
from router.tables import ACCOUNT, CHILD, FOK, HEAD, IOC, PARENT, VENUE

UNIT = field_offset(a.ACTION_DTYPE, "unit")
ORDER_ID = field_offset(a.ACTION_DTYPE, "order_id")
PRICE = field_offset(a.ACTION_DTYPE, "price")
QUANTITY = field_offset(a.ACTION_DTYPE, "quantity")
AUX = field_offset(a.ACTION_DTYPE, "aux")
FLAGS_SHIFT = 16


@njit(nogil=True)
def note_heard(router, row, now):
    """The first that is heard of an order: when, and how long the venue took."""
    if get(row, CHILD.heard_ns) != 0:
        return
    put(row, CHILD.heard_ns, now)
    sent = get(row, CHILD.sent_ns)
    sent = sent if sent != 0 else get(row, CHILD.made_ns)
    put(venue_row(router, get(row, CHILD.venue)), VENUE.rtt_ns, now - sent)


@njit(nogil=True)
def accepted(router, number, action, now):
    """An acknowledgement: once, unless we had lost sight of the order."""
    row = child_row(router, number)
    state = get(row, CHILD.state)
    again = get(row, CHILD.heard_ns) != 0 and state != STATE.unknown
    if again or child_after(state, EVENT.accepted) == IMPOSSIBLE:
        flag(router, number, EVENT.accepted, get(action, QUANTITY), get(action, PRICE), now)
        return
    note_heard(router, row, now)
    put(row, CHILD.venue_order, get(action, AUX))
    move_child(router, number, EVENT.accepted, get(action, AUX), now)


@njit(nogil=True)
def was_asked(row):
    """Whether a cancel is what we asked for: by a cancel, an IOC, or a replace to nothing."""
    state, tif = get(row, CHILD.state), get(row, CHILD.tif)
    if state == STATE.pending_cancel or tif == IOC or tif == FOK:
        return True
    if state == STATE.unknown and get(row, CHILD.before) == STATE.pending_cancel:
        return True
    return get(row, CHILD.new_token) != 0 and new_leaves(row) == 0


@njit(nogil=True)
def reduce(router, number, event, taken, code, now):
    """Takes shares off what is left of a child that stays open."""
    row = child_row(router, number)
    hold(router, row, -1)
    add(row, CHILD.quantity, -taken)
    add(row, CHILD.leaves, -taken)
    step(router, number, event, taken, get(row, CHILD.price), code, now)
    hold(router, row, 1)


@njit(nogil=True)
def canceled(router, number, action, now):
    """Shares were taken off: some of what is left, or all of it."""
    row, reason, taken = child_row(router, number), get(action, AUX), get(action, QUANTITY)
    if 0 < taken < get(row, CHILD.leaves):
        reduce(router, number, EVENT.reduced, taken, reason, now)
        return
    event = EVENT.canceled if was_asked(row) else EVENT.unsolicited_cancel
    if move_child(router, number, event, reason, now) != 0:
        put(row, CHILD.reason, reason)
        if event == EVENT.unsolicited_cancel:
            set_mark(row, MARK.unsolicited_cancel)


@njit(nogil=True)
def restated(router, number, action, now):
    """The venue changed the order. A quantity below what is left is all that is left now.

    Prices of restatements are working prices: the limit stands.
    """
    row, left = child_row(router, number), get(action, QUANTITY)
    if 0 < left < get(row, CHILD.leaves):
        taken = get(row, CHILD.leaves) - left
        reduce(router, number, EVENT.restated, taken, get(action, AUX), now)
    else:
        move_child(router, number, EVENT.restated, get(action, AUX), now)


@njit(nogil=True)
def forget_replace(row):
    """No replace is under way any more."""
    put(row, CHILD.new_token, 0)
    put(row, CHILD.new_quantity, 0)
    put(row, CHILD.new_price, 0)


@njit(nogil=True)
def replaced(router, number, action, now):
    """A replace of ours was accepted: the child goes by its new token and terms.

    Where no more than that has been executed, the order is filled.
    """
    row, token = child_row(router, number), get(action, ORDER_ID)
    state, quantity, price = get(row, CHILD.state), get(action, QUANTITY), get(action, PRICE)
    ours = token != 0 and token == get(row, CHILD.new_token)
    if not ours or child_after(state, EVENT.replace_accepted) == IMPOSSIBLE:
        flag(router, number, EVENT.replace_accepted, quantity, price, now)
        return
    hold(router, row, -1)
    quantity, price, left = get(row, CHILD.new_quantity), get(row, CHILD.new_price), new_leaves(row)
    put(row, CHILD.token, token)
    put(row, CHILD.quantity, quantity)
    put(row, CHILD.price, price)
    put(row, CHILD.leaves, left)
    forget_replace(row)
    note_heard(router, row, now)
    if state == STATE.pending_cancel and left != 0:
        set_mark(row, MARK.cancel_crossed)
    step(router, number, EVENT.replace_accepted, quantity, price, token, now)
    if left == 0:
        step(router, number, EVENT.full_fill, 0, price, 0, now)
    hold(router, row, 1)


@njit(nogil=True)
def replace_refused(router, number, code, now):
    """A replace of ours was refused: the child stands as it did, if it still stands."""
    row = child_row(router, number)
    if get(row, CHILD.new_token) == 0:
        flag(router, number, EVENT.replace_rejected, 0, 0, now)
        return
    hold(router, row, -1)
    forget_replace(row)
    put(row, CHILD.reason, code)
    left, price = get(row, CHILD.leaves), get(row, CHILD.price)
    step(router, number, EVENT.replace_rejected, left, price, code, now)
    hold(router, row, 1)


@njit(nogil=True)
def names_replace(row, token):
    """Whether a refusal with that token is of the replace under way."""
    if get(row, CHILD.new_token) == 0:
        return False
    waits = get(row, CHILD.state) == STATE.pending_replace
    return token == get(row, CHILD.new_token) or (waits and token == get(row, CHILD.token))


@njit(nogil=True)
def rejected(router, number, action, now):
    """An order was refused, or the replace of one: the token tells."""
    row, reason, token = child_row(router, number), get(action, AUX), get(action, ORDER_ID)
    if names_replace(row, token):
        replace_refused(router, number, reason, now)
        return
    if token != get(row, CHILD.token):
        flag(router, number, EVENT.rejected, 0, 0, now)
        return
    if move_child(router, number, EVENT.rejected, reason, now) == 0:
        return
    put(row, CHILD.reason, reason)
    add(router, HEAD.refused_count, 1)
    add(venue_row(router, get(row, CHILD.venue)), VENUE.rejects, 1)
    add(account_row(router, get(row, CHILD.account)), ACCOUNT.rejects, 1)
    if get(row, CHILD.parent) != 0:
        add(parent_row(router, get(row, CHILD.parent)), PARENT.rejects, 1)


@njit(nogil=True)
def cancel_rejected(router, number, action, now):
    """A cancel or a replace was refused; one that names a token of the past changes nothing."""
    row, reason, token = child_row(router, number), get(action, AUX), get(action, ORDER_ID)
    if names_replace(row, token):
        replace_refused(router, number, reason, now)
    elif token != get(row, CHILD.token):
        move_child(router, number, EVENT.late_answer, reason, now)
    elif move_child(router, number, EVENT.cancel_rejected, reason, now) != 0:
        put(row, CHILD.reason, reason)


@njit(nogil=True)
def broken(router, number, action, now):
    """A trade was broken, or corrected where that is flagged."""
    execution = get(action, AUX)
    if load_n32le(action) >> FLAGS_SHIFT & a.CORRECTION:
        shares, price = get(action, QUANTITY), get(action, PRICE)
        corrected(router, number, execution, shares, price, now)
    else:
        busted(router, number, execution, now)


@njit(nogil=True)
def orphan(router, kind, action, now):
    """A report of an order that is not ours: counted and logged."""
    add(router, HEAD.orphan_count, 1)
    quantity, price = get(action, QUANTITY), get(action, PRICE)
    tell_child(router, 0, EVENT.orphan, kind, quantity, price, get(action, ORDER_ID), now)


@njit(nogil=True)
def apply(router, number, kind, action, now):
    """One report of a child."""
    if kind == a.EXECUTED:
        shares, price, execution = get(action, QUANTITY), get(action, PRICE), get(action, AUX)
        executed(router, number, execution, shares, price, load_n32le(action + UNIT), now)
    elif kind == a.ACCEPTED:
        accepted(router, number, action, now)
    elif kind == a.CANCELED:
        canceled(router, number, action, now)
    elif kind == a.REPLACED:
        replaced(router, number, action, now)
    elif kind == a.REJECTED:
        rejected(router, number, action, now)
    elif kind == a.CANCEL_REJECTED:
        cancel_rejected(router, number, action, now)
    elif kind == a.CANCEL_PENDING:
        move_child(router, number, EVENT.cancel_pending, get(action, AUX), now)
    elif kind == a.RESTATED:
        restated(router, number, action, now)
    else:
        broken(router, number, action, now)


@njit(nogil=True)
def is_report(kind):
    """Whether an action of that kind is about an order of ours."""
    if a.ACCEPTED <= kind <= a.REPLACED or a.CANCEL_REJECTED <= kind <= a.RESTATED:
        return True
    return kind == a.BREAK


@njit(nogil=True)
def hear(router, action, now):
    """Applies one action, at that address, to the child that it is about; the child's number.

    `order_id` is our token. 0: an order that is not ours (counted), or an action of another kind.
    """
    kind = load_n8(action)
    if not is_report(kind):
        return 0
    number = child_of(router, get(action, ORDER_ID))
    if number == 0 and kind == a.REPLACED:
        number = child_of(router, get(action, AUX))
    if number == 0:
        orphan(router, kind, action, now)
        return 0
    apply(router, number, kind, action, now)
    settle_parent(router, number, now)
    return number
