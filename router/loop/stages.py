"""How long each step takes, in cycles: histograms that are filled while the loop measures.

    parse    packet in hand to its channel known
    decode   to its actions
    book     to the books and the consolidated book brought up to date
    route    from there to the intents of a decision
    risk     the gate's verdict on one order
    encode   the order's message written
    send     handed to the port
    total    packet in hand to the message handed to the port: tick to order

Parse, decode and book are of every packet; the others of each order that a packet led to, and total
only of the first one of a packet: later ones wait for those before them.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.state import MEASURE, PACKET_STARTED
from nic.block import field_offset
from nic.histogram import HISTOGRAM_DTYPE, histogram_add
from nic.raw import cycles, load_i64le, load_u64le, store_u64le

STAGES: Final = ("parse", "decode", "book", "route", "risk", "encode", "send", "total")
PARSE, DECODE, BOOK, ROUTE, RISK, ENCODE, SEND, TOTAL = range(len(STAGES))
HISTOGRAM_BYTES: Final = HISTOGRAM_DTYPE.itemsize
STAGES_DTYPE: Final = np.dtype(
    [
        ("measure", "i8"),  # 1 while the loop measures
        ("started", "i8"),  # cycle counter when the packet came to hand; 0: there is none
        ("last", "i8"),  # when the step before ended
        ("told", "i8"),  # 1: the packet's first order was counted
        ("unused", "i8", (4,)),
        ("histograms", HISTOGRAM_DTYPE, (len(STAGES),)),
    ]
)
MEASURING: Final = field_offset(STAGES_DTYPE, "measure")
STARTED: Final = field_offset(STAGES_DTYPE, "started")
LAST: Final = field_offset(STAGES_DTYPE, "last")
TOLD: Final = field_offset(STAGES_DTYPE, "told")
HISTOGRAMS: Final = field_offset(STAGES_DTYPE, "histograms")


@njit(nogil=True)
def begin_packet(state, stages):
    """A packet has its channel; `state` is the loop's block."""
    measure = load_i64le(state + MEASURE)
    store_u64le(stages + MEASURING, measure)
    if measure == 0:
        return
    started, now = load_i64le(state + PACKET_STARTED), np.int64(cycles())
    store_u64le(stages + STARTED, started)
    store_u64le(stages + LAST, now)
    store_u64le(stages + TOLD, np.int64(0))
    add_to(stages, PARSE, now - started)


@njit(nogil=True)
def begin_other(stages):
    """What follows was caused by no packet: a timer, an answer, a command."""
    store_u64le(stages + STARTED, np.int64(0))
    if load_i64le(stages + MEASURING) != 0:
        store_u64le(stages + LAST, np.int64(cycles()))


@njit(nogil=True)
def add_to(stages, stage, spent):
    """Counts a step's cycles."""
    histogram_add(np.uint64(stages + HISTOGRAMS + HISTOGRAM_BYTES * stage), np.uint64(spent))


@njit(nogil=True)
def end_stage(stages, stage):
    """A step ends now, the next begins."""
    if load_i64le(stages + MEASURING) == 0:
        return
    now = np.int64(cycles())
    add_to(stages, stage, now - load_i64le(stages + LAST))
    store_u64le(stages + LAST, now)


@njit(nogil=True)
def end_order(stages):
    """An order was handed to the port."""
    end_stage(stages, SEND)
    started = load_i64le(stages + STARTED)
    if started != 0 and load_u64le(stages + TOLD) == 0:
        store_u64le(stages + TOLD, np.int64(1))
        add_to(stages, TOTAL, load_i64le(stages + LAST) - started)
