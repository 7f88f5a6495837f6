"""The session: the opening and the closing auction, and what comes before and after them.

The session has a clock of its own, instrument 0: at each of its events it does one instrument.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, NO_PRICE, SELL, STATUS_CLOSED, STATUS_PREOPEN, STATUS_TRADING
from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.commands import head_of, send, steer, steer_all
from simulator.flow.draws import bits, draw
from simulator.flow.layout import (
    BEGIN,
    CLOSE,
    END,
    ENDED,
    H_CLASS_FILLING,
    H_CLOSE_NS,
    H_CLOSING_NS,
    H_INSTRUMENT_COUNT,
    H_OPEN_NS,
    H_OPENING,
    I_COUNT,
    I_LISTING,
    I_RANDOM,
    I_STATE,
    I_TICK,
    I_UNPRICED,
    NEVER,
    OPEN,
    TAKER_OWNER,
    TRADE,
    TRADING,
    V_LIT_SHARE,
)
from simulator.flow.makers import add
from simulator.flow.pricing import half_spread, order_size, touch_key
from simulator.flow.resting import new_token
from simulator.flow.rows import instrument_row
from simulator.flow.stoppage import tell_bands
from simulator.flow.tree import set_time
from simulator.matching.records import AUCTION, CLOSING, LIMIT, MARKET, NEW, OPENING, SESSION

STEP_NS = 2_000  # between two instruments' auctions
MOST_ANSWERED = 50_000  # shares of an imbalance that one late order for the close takes up


@njit(nogil=True)
def is_late(flow, now_ns, time_in_force):
    """Whether an order for the close must have a price: in the second half of the window.

    As at exchanges: late orders only answer the published imbalance. Else what has no price would
    sweep the book of the venue, to the bands.
    """
    begin_ns, end_ns = load_fixed(flow + H_CLOSING_NS), load_fixed(flow + H_CLOSE_NS)
    return time_in_force == CLOSING and now_ns >= begin_ns + (end_ns - begin_ns) // 2


@njit(nogil=True)
def answering(row, side):
    """The side that answers what has come for the close without a price; `side` where nothing."""
    left = load_i64le(row + I_UNPRICED)
    if left == 0:
        return side
    return SELL if left > 0 else BUY


@njit(nogil=True)
def note_for_close(row, sign, quantity, priced):
    """Keeps the imbalance of what has no price; what has one can only take it off."""
    left = load_i64le(row + I_UNPRICED)
    if priced:
        quantity = min(quantity, max(-sign * left, 0))
    store_u64le(row + I_UNPRICED, left + sign * quantity)


@njit(nogil=True)
def for_auction(flow, row, instrument, now_ns, time_in_force):
    """An order for an auction alone, at the venue of the listing: half of them without a price."""
    random = draw(row + I_RANDOM)
    side = BUY if bits(random, 0, 1) == 0 else SELL
    priced = bits(random, 8, 1) == 0
    late = is_late(flow, now_ns, time_in_force)
    if late:
        side, priced = answering(row, side), True
    tick = load_fixed(row + I_TICK)
    sign = 1 if side == BUY else -1
    key = touch_key(row, sign, -half_spread(flow, row)) + tick * bits(random, 1, 3)
    order_type, price = (LIMIT, max(tick, key * sign)) if priced else (MARKET, NO_PRICE)
    venue = load_fixed(row + I_LISTING)
    head = head_of(NEW, side, order_type, time_in_force, 0)
    quantity = order_size(flow, row) * (1 + bits(random, 16, 3))
    if late:
        quantity = max(quantity, min(abs(load_i64le(row + I_UNPRICED)), MOST_ANSWERED))
    if time_in_force == CLOSING:
        note_for_close(row, sign, quantity, priced)
    token = new_token(flow, 0)
    send(flow, venue, now_ns, head, instrument, TAKER_OWNER + venue, token, 0, price, quantity)


@njit(nogil=True)
def fill(flow, row, instrument, now_ns):
    """An order before the opening: for its auction, or one of the book that rests then."""
    if bits(draw(row + I_RANDOM), 0, 16) < load_fixed(flow + H_OPENING):
        for_auction(flow, row, instrument, now_ns, OPENING)
    else:
        add(flow, row, instrument, now_ns, flow + H_CLASS_FILLING, V_LIT_SHARE)


@njit(nogil=True)
def open_one(flow, instrument, now_ns):
    """Opens an instrument: bands everywhere, the auction where it is listed."""
    row = instrument_row(flow, instrument)
    tell_bands(flow, row, instrument, now_ns)
    steer(flow, load_fixed(row + I_LISTING), now_ns, AUCTION, OPENING, instrument)
    store_u64le(row + I_STATE, TRADING)


@njit(nogil=True)
def close_one(flow, instrument, now_ns):
    """Closes an instrument with the auction where it is listed."""
    row = instrument_row(flow, instrument)
    steer(flow, load_fixed(row + I_LISTING), now_ns, AUCTION, CLOSING, instrument)
    store_u64le(row + I_STATE, ENDED)
    set_time(flow, instrument, NEVER)


@njit(nogil=True)
def tick_clock(flow, row, now_ns):
    """One event of the session's clock; gives when the next one is."""
    phase, done = load_i64le(row + I_STATE), load_i64le(row + I_COUNT)
    if phase == BEGIN:
        steer_all(flow, now_ns, SESSION, STATUS_PREOPEN, 0)
        store_u64le(row + I_STATE, OPEN)
        return load_fixed(flow + H_OPEN_NS)
    if phase == TRADE:
        store_u64le(row + I_STATE, CLOSE)
        return load_fixed(flow + H_CLOSE_NS)
    store_u64le(row + I_COUNT, done + 1)
    if done + 1 < load_fixed(flow + H_INSTRUMENT_COUNT):
        if phase == OPEN:
            open_one(flow, done + 1, now_ns)
        else:
            close_one(flow, done + 1, now_ns)
        return now_ns + STEP_NS
    store_u64le(row + I_COUNT, 0)
    if phase == OPEN:
        steer_all(flow, now_ns, SESSION, STATUS_TRADING, 0)
        store_u64le(row + I_STATE, TRADE)
        return now_ns + STEP_NS
    steer_all(flow, now_ns, SESSION, STATUS_CLOSED, 0)
    store_u64le(row + I_STATE, END)
    return NEVER
