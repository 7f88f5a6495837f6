"""What comes out: public events and the reports to owners, numbered together as they happen."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import ACTION_BYTES, emit
from nic.raw import load_fixed, load_i64le, load_n8, load_n32le, store_u64le
from simulator.matching import records as r
from simulator.matching.layout import (
    DOLLAR,
    FEE_BYTES,
    FEE_ROWS,
    FLAGS,
    INSTRUMENT,
    LEAVES,
    NONE,
    NOW,
    NUMBER,
    NUMBERS,
    OWNER,
    OWNER_BYTES,
    OWNER_ROWS,
    PRICE,
    PUBLIC,
    RATE_BYTES,
    REPORT,
    RETAIL_ADDED,
    RETAIL_REMOVED,
    SEQUENCE,
    SIDE,
    TIERS,
    TOKEN,
    TYPE,
)

REPORT_BYTES = 128


@njit(nogil=True, forceinline=True)
def next_sequence(state):
    """The number of the next record."""
    number = load_i64le(state + SEQUENCE) + 1
    store_u64le(state + SEQUENCE, number)
    return number


@njit(nogil=True, forceinline=True)
def next_number(state):
    """A new order number or public reference."""
    number = load_i64le(state + NUMBERS) + 1
    store_u64le(state + NUMBERS, number)
    return number


@njit(nogil=True)
def tell(state, first, instrument, order_id, price, quantity, aux):
    """A public event; `first` comes from feedhandler.actions.head()."""
    out, now = load_i64le(state + PUBLIC), load_i64le(state + NOW)
    emit(out, first, instrument, order_id, price, quantity, aux, now, next_sequence(state))
    store_u64le(state + PUBLIC, out + ACTION_BYTES)


@njit(nogil=True)
def put_report(state, first, names, token, order, price, quantity, leaves, aux, fee):
    """A report. `first`: kind, side, reason, liquidity, flags; `names`: instrument and owner."""
    out = load_i64le(state + REPORT)
    store_u64le(out, first)
    store_u64le(out + 8, names)
    store_u64le(out + 16, load_i64le(state + NOW))
    store_u64le(out + 24, token)
    store_u64le(out + 32, order)
    store_u64le(out + 40, price)
    store_u64le(out + 48, quantity)
    store_u64le(out + 56, leaves)
    store_u64le(out + 64, aux)
    store_u64le(out + 72, fee)
    store_u64le(out + 80, next_sequence(state))
    store_u64le(state + REPORT, out + REPORT_BYTES)


@njit(nogil=True, forceinline=True)
def price_told(order):
    """The price of an order as its owner hears it: 0 of a market order."""
    return 0 if load_n8(order + TYPE) == r.MARKET else load_i64le(order + PRICE)


@njit(nogil=True)
def report(state, order, kind, reason, quantity, aux):
    """A report on an order as it stands; no execution."""
    first = kind | (load_n8(order + SIDE) << 8) | (reason << 16) | (load_n32le(order + FLAGS) << 32)
    names, token = load_i64le(order + INSTRUMENT), load_i64le(order + TOKEN)
    number, leaves = load_i64le(order + NUMBER), load_i64le(order + LEAVES)
    put_report(state, first, names, token, number, price_told(order), quantity, leaves, aux, NONE)


@njit(nogil=True)
def report_canceled(state, order, reason, quantity):
    """Shares of an order are canceled; its leaves have been brought down already."""
    report(state, order, r.CANCELED, reason, quantity, NONE)


@njit(nogil=True)
def refuse(state, command, kind, reason):
    """A command is rejected: a new order by its token, a cancel or replace by its target."""
    first = kind | (load_n8(command + 1) << 8) | (reason << 16) | (load_n32le(command + 4) << 32)
    token, aux = load_i64le(command + 24), 0
    if kind == r.CANCEL_REJECTED:
        token, aux = load_i64le(command + 32), token
    names, price, quantity = load_i64le(command + 8), load_i64le(command + 40), 0
    if kind == r.REJECTED:
        quantity = load_i64le(command + 48)
    put_report(state, first, names, token, NONE, price, quantity, NONE, aux, NONE)


@njit(nogil=True, forceinline=True)
def fee_row(state, owner):
    """The rates of an owner's tier."""
    tier = load_i64le(load_fixed(state + OWNER_ROWS) + OWNER_BYTES * owner + 8)
    return load_fixed(state + FEE_ROWS) + FEE_BYTES * tier + 8


@njit(nogil=True)
def share_of_notional(price, shares, rate):
    """price x shares x rate in 1e-8 currency units, rate in 1e-8; rounded down."""
    whole, part = price // DOLLAR, price % DOLLAR
    part *= shares
    whole = whole * shares + part // DOLLAR
    return whole * rate + (part % DOLLAR) * rate // DOLLAR


@njit(nogil=True)
def fee_of(state, order, liquidity, price, shares):
    """What an execution costs its owner, in 1e-8 currency units; negative: a rebate."""
    kind = liquidity
    if load_n32le(order + FLAGS) & r.RETAIL:
        if liquidity == r.ADDED:
            kind = RETAIL_ADDED
        elif liquidity == r.REMOVED:
            kind = RETAIL_REMOVED
    rates = fee_row(state, load_n32le(order + OWNER)) + RATE_BYTES * kind
    if price < DOLLAR:
        return share_of_notional(price, shares, load_i64le(rates + 8))
    return shares * load_i64le(rates)


@njit(nogil=True)
def count_shares(state, owner, shares):
    """Adds to what an owner has executed today; a tier reached counts from the next execution."""
    row = load_fixed(state + OWNER_ROWS) + OWNER_BYTES * owner
    total, tier = load_i64le(row) + shares, load_i64le(row + 8)
    store_u64le(row, total)
    if tier + 1 < load_fixed(state + TIERS):
        rates = load_fixed(state + FEE_ROWS) + FEE_BYTES * (tier + 1)
        if total >= load_i64le(rates):
            store_u64le(row + 8, tier + 1)


@njit(nogil=True)
def report_executed(state, order, liquidity, price, shares, trade):
    """An execution; the order's leaves have been brought down already."""
    fee = fee_of(state, order, liquidity, price, shares)
    first = r.EXECUTED | (load_n8(order + SIDE) << 8) | (liquidity << 24)
    first |= load_n32le(order + FLAGS) << 32
    names, token = load_i64le(order + INSTRUMENT), load_i64le(order + TOKEN)
    number, leaves = load_i64le(order + NUMBER), load_i64le(order + LEAVES)
    put_report(state, first, names, token, number, price, shares, leaves, trade, fee)
    count_shares(state, load_n32le(order + OWNER), shares)
