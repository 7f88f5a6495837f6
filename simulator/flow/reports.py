"""What venues answer: executions, cancels and rejects of the flow's resting orders."""

from __future__ import annotations

from numba import njit

from nic.block import field_offset
from nic.raw import load_i64le, load_n8, load_n32le, store_u64le
from simulator.flow.layout import (
    H_EXECUTIONS,
    H_REJECTED,
    I_EXECUTIONS,
    I_STATE,
    O_INSTRUMENT,
    O_KIND,
    O_QUANTITY,
    SHOWN,
    TRADING,
)
from simulator.flow.levels import order_row
from simulator.flow.resting import bump, leave, slot_of
from simulator.flow.rows import instrument_row, quote_row
from simulator.matching.records import (
    CANCEL_REJECTED,
    CANCELED,
    EXECUTED,
    REJECTED,
    REMOVED,
    REPORT_DTYPE,
)

REPORT_BYTES = REPORT_DTYPE.itemsize
TOKEN = field_offset(REPORT_DTYPE, "token")
LIQUIDITY = field_offset(REPORT_DTYPE, "liquidity")
LEAVES = field_offset(REPORT_DTYPE, "leaves")


@njit(nogil=True)
def hear_one(flow, report, slots):
    """Takes one report in."""
    slot = slot_of(flow, load_i64le(report + TOKEN), slots)
    if slot == 0:
        return
    kind, leaves = load_n8(report), load_i64le(report + LEAVES)
    order = order_row(flow, slot)
    if kind == EXECUTED:
        bump(flow + H_EXECUTIONS)
        row = instrument_row(flow, load_n32le(order + O_INSTRUMENT))
        rested = load_n8(report + LIQUIDITY) != REMOVED
        shown = load_n32le(order + O_KIND) == SHOWN
        if rested and shown and load_i64le(row + I_STATE) == TRADING:
            bump(row + I_EXECUTIONS)
    refused = kind == REJECTED or kind == CANCEL_REJECTED
    if refused:
        bump(flow + H_REJECTED)
    if refused or (leaves == 0 and (kind == EXECUTED or kind == CANCELED)):
        leave(flow, slot)
    elif kind == EXECUTED or kind == CANCELED:
        store_u64le(order + O_QUANTITY, leaves)


@njit(nogil=True, cache=True)
def hear(flow, reports, count, slots):
    """Takes `count` REPORT_DTYPE records in. slots: rows of the order table."""
    for number in range(count):
        hear_one(flow, reports + REPORT_BYTES * number, slots)


@njit(nogil=True, cache=True)
def show(flow, instrument, venue, bid, bid_quantity, offer, offer_quantity):
    """Tells the top of a venue's book; a quantity of 0 is none. Dark venues have none to tell."""
    quote = quote_row(flow, instrument, venue)
    store_u64le(quote, bid)
    store_u64le(quote + 8, bid_quantity)
    store_u64le(quote + 16, offer)
    store_u64le(quote + 24, offer_quantity)
