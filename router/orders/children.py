"""Children: made, asked to be replaced or canceled, moved by what the control side knows."""

from __future__ import annotations

from numba import njit

from nic.raw import load_i64le, store_u64le
from router.orders.chains import push, push_sibling
from router.orders.machine import child_after, settle, step
from router.orders.reserve import hold
from router.orders.states import EVENT, IMPOSSIBLE, MARK, STATE
from router.rows import (
    account_row,
    add,
    child_row,
    get,
    instrument_row,
    named_token,
    parent_row,
    position_row,
    put,
    venue_row,
)
from router.tables import ACCOUNT, CHILD, HEAD, INSTRUMENT, INTENT, PARENT, POSITION, VENUE


@njit(nogil=True)
def token_place(router, token):
    """Where the child of a token is written."""
    return load_i64le(router + HEAD.tokens) + 8 * token


@njit(nogil=True)
def child_of(router, token):
    """The child that a venue means by a token; 0 where it is none of ours."""
    if 0 < token <= get(router, HEAD.token_count) and token < get(router, HEAD.most_tokens):
        return load_i64le(token_place(router, token))
    return 0


@njit(nogil=True)
def next_token(router, number):
    """The next token, for that child; 0 where there are no more (counted)."""
    token = get(router, HEAD.token_count) + 1
    if token >= get(router, HEAD.most_tokens):
        add(router, HEAD.full_count, 1)
        return 0
    put(router, HEAD.token_count, token)
    store_u64le(token_place(router, token), number)
    return token


@njit(nogil=True)
def describe(row, intent):
    """Copies what an intent wants into a fresh child."""
    put(row, CHILD.parent, get(intent, INTENT.parent))
    put(row, CHILD.instrument, get(intent, INTENT.instrument))
    put(row, CHILD.account, get(intent, INTENT.account))
    put(row, CHILD.venue, get(intent, INTENT.venue))
    put(row, CHILD.side, get(intent, INTENT.side))
    put(row, CHILD.quantity, get(intent, INTENT.quantity))
    put(row, CHILD.leaves, get(intent, INTENT.quantity))
    put(row, CHILD.located, get(intent, INTENT.quantity))
    put(row, CHILD.price, get(intent, INTENT.price))
    put(row, CHILD.tif, get(intent, INTENT.tif))
    put(row, CHILD.flags, get(intent, INTENT.flags))
    put(row, CHILD.minimum, get(intent, INTENT.minimum))
    put(row, CHILD.shown, get(intent, INTENT.shown))
    put(row, CHILD.decision, get(intent, INTENT.decision))


@njit(nogil=True)
def link(router, number, row):
    """Puts a child into its chains and counts it as open."""
    account = account_row(router, get(row, CHILD.account))
    instrument = get(row, CHILD.instrument)
    position = position_row(router, get(row, CHILD.account), instrument)
    push(router, number, position, POSITION.first_open, CHILD.next_open, CHILD.last_open)
    marked = get(position, POSITION.mark)
    last = get(instrument_row(router, instrument), INSTRUMENT.last)
    put(row, CHILD.reference, marked if marked != 0 else last)
    venue, parent = venue_row(router, get(row, CHILD.venue)), get(row, CHILD.parent)
    add(router, HEAD.open_count, 1)
    add(router, HEAD.order_count, 1)
    add(account, ACCOUNT.open_orders, 1)
    add(account, ACCOUNT.orders, 1)
    add(venue, VENUE.open_orders, 1)
    add(venue, VENUE.orders, 1)
    add(venue, VENUE.sent_shares, get(row, CHILD.quantity))
    if parent != 0:
        of = parent_row(router, parent)
        push_sibling(router, number, of)
        add(of, PARENT.open_children, 1)
        add(of, PARENT.children, 1)


@njit(nogil=True)
def enter(router, intent, now):
    """Makes the child of an ENTER intent; its number, 0 where a table is full (counted).

    `intent` is the address of its row, which gets the child's number and token. The child is
    pending new, in its chains, and reserves what it needs.
    """
    number = get(router, HEAD.child_count) + 1
    if number >= get(router, HEAD.most_children):
        add(router, HEAD.full_count, 1)
        return 0
    token = next_token(router, number)
    if token == 0:
        return 0
    put(router, HEAD.child_count, number)
    row = child_row(router, number)
    describe(row, intent)
    put(row, CHILD.token, token)
    put(row, CHILD.made_ns, now)
    put(intent, INTENT.child, number)
    put(intent, INTENT.token, token)
    link(router, number, row)
    quantity, price = get(row, CHILD.quantity), get(row, CHILD.price)
    step(router, number, EVENT.sent, quantity, price, token, now)
    hold(router, row, 1)
    return number


@njit(nogil=True)
def ask_replace(router, number, quantity, price, now):
    """A child's whole quantity and price are to change; the new token, 0 where it cannot be asked.

    It can of a child that is new or partially filled, and for more than it has executed.
    """
    row = child_row(router, number)
    spent = get(row, CHILD.cum) + get(row, CHILD.busted)
    if child_after(get(row, CHILD.state), EVENT.ask_replace) == IMPOSSIBLE:
        return 0
    if quantity <= spent or price < 0:
        return 0
    token = next_token(router, number)
    if token == 0:
        return 0
    hold(router, row, -1)
    put(row, CHILD.before, get(row, CHILD.state))
    put(row, CHILD.asked_ns, now)
    put(row, CHILD.new_token, token)
    put(row, CHILD.new_quantity, quantity)
    put(row, CHILD.new_price, price)
    step(router, number, EVENT.ask_replace, quantity, price, token, now)
    hold(router, row, 1)
    return token


@njit(nogil=True)
def may_cancel(row):
    """Whether a child can be asked to be canceled, for the first time or again."""
    state = get(row, CHILD.state)
    if state == STATE.pending_cancel:
        return get(row, CHILD.marks) & MARK.cancel_crossed != 0
    return child_after(state, EVENT.ask_cancel) != IMPOSSIBLE


@njit(nogil=True)
def ask_cancel(router, number, now):
    """What is left of a child is to be canceled; 1, or 0 where that cannot be asked.

    The message names `named_token`. A cancel that is out already is asked for again only where a
    replace was accepted behind it (mark `cancel crossed`, which this takes off).
    """
    row = child_row(router, number)
    if not may_cancel(row):
        return 0
    if get(row, CHILD.state) != STATE.pending_cancel:
        put(row, CHILD.before, get(row, CHILD.state))
    put(row, CHILD.marks, get(row, CHILD.marks) & ~MARK.cancel_crossed)
    put(row, CHILD.asked_ns, now)
    hold(router, row, -1)
    token, left = named_token(row), get(row, CHILD.leaves)
    step(router, number, EVENT.ask_cancel, left, get(row, CHILD.price), token, now)
    hold(router, row, 1)
    add(account_row(router, get(row, CHILD.account)), ACCOUNT.cancels, 1)
    return 1


@njit(nogil=True)
def move_child(router, number, event, code, now):
    """Moves a child by an event that brings no shares; 1, or 0 where it is impossible (flagged)."""
    row = child_row(router, number)
    hold(router, row, -1)
    left, price = get(row, CHILD.leaves), get(row, CHILD.price)
    before = get(row, CHILD.state)
    done = step(router, number, event, left, price, code, now)
    loses = event == EVENT.lost or event == EVENT.unanswered
    if done != 0 and loses and before != STATE.unknown:
        put(row, CHILD.before, before)
    hold(router, row, 1)
    return done


@njit(nogil=True)
def settle_parent(router, number, now):
    """Ends the parent of a child if that is due."""
    parent = get(child_row(router, number), CHILD.parent)
    if parent != 0:
        settle(router, parent, now)


@njit(nogil=True)
def child_event(router, number, event, reason, now):
    """What the control side or a session knows of a child; 1, or 0 where it is impossible.

    `event` is expired, done for day, suspended, resumed, lost (the session went down), unanswered,
    rejected (it never left) or unsolicited cancel (the venue no longer has it).
    """
    known = event >= EVENT.expired and event <= EVENT.unanswered
    known = known or event == EVENT.rejected or event == EVENT.unsolicited_cancel
    if not known or not 0 < number <= get(router, HEAD.child_count):
        return 0
    if event == EVENT.rejected or event == EVENT.unsolicited_cancel:
        put(child_row(router, number), CHILD.reason, reason)
    done = move_child(router, number, event, reason, now)
    settle_parent(router, number, now)
    return done
