"""How long each step takes, in cycles: histograms that are filled while the loop measures.

    parse    packet in hand to its channel known
    decode   to its actions
    book     to the books and the consolidated book brought up to date
    route    from there to the intents of a decision
    risk     the gate's verdict on one order
    encode   the order entered among the orders, its message written
    send     handed to the port, and to the log
    total    the sum of these for an order: tick to order

Parse, decode and book are of every packet; the others of each message that leaves, and total of the
first one of a packet only: later ones wait for those before them. What was due before the packet
came (timers, answers) is no part of it, nor is the counting.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from feedhandler.state import MEASURE, PACKET_STARTED
from nic.block import field_offset, offsets_of
from nic.histogram import HISTOGRAM_DTYPE, histogram_add
from nic.raw import cycles, load_i64le, store_u64le
from router.rows import get, put

STAGES: Final = ("parse", "decode", "book", "route", "risk", "encode", "send", "total")
PARSE, DECODE, BOOK, ROUTE, RISK, ENCODE, SEND, TOTAL = range(len(STAGES))
HISTOGRAM_BYTES: Final = HISTOGRAM_DTYPE.itemsize
NOT_DONE: Final = -1
STAGES_DTYPE: Final = np.dtype(
    [
        ("measure", "i8"),  # 1 while the loop measures
        ("last", "i8"),  # cycle counter when the step before ended
        ("caused", "i8"),  # 1: by a packet
        ("told", "i8"),  # 1: the packet's first order was counted
        ("spent", "i8", (len(STAGES),)),  # of the packet or order at hand; NOT_DONE
        ("unused", "i8", (4,)),
        ("histograms", HISTOGRAM_DTYPE, (len(STAGES),)),
    ]
)
AT: Final = offsets_of(STAGES_DTYPE)
assert field_offset(STAGES_DTYPE, "histograms") == 128


@njit(nogil=True)
def add_to(stages, stage):
    """Counts a step's cycles, once."""
    spent = get(stages, AT.spent + 8 * stage)
    if spent == NOT_DONE:
        return np.int64(0)
    histogram_add(np.uint64(stages + AT.histograms + HISTOGRAM_BYTES * stage), np.uint64(spent))
    return spent


@njit(nogil=True)
def count_packet(stages):
    """Counts what the packet before took."""
    for stage in range(PARSE, BOOK + 1):
        add_to(stages, stage)
        put(stages, AT.spent + 8 * stage, NOT_DONE)


@njit(nogil=True)
def parsed(state, stages):
    """A packet has its channel; `state` is the loop's block. `begin_packet` comes next."""
    measure = load_i64le(state + MEASURE)
    put(stages, AT.measure, measure)
    if measure != 0:
        now = np.int64(cycles())
        count_packet(stages)
        put(stages, AT.spent + 8 * PARSE, now - load_i64le(state + PACKET_STARTED))
        put(stages, AT.caused, 0)


@njit(nogil=True)
def begin_packet(stages):
    """The packet's own work begins: what was due before it is done."""
    if get(stages, AT.measure) != 0:
        put(stages, AT.caused, 1)
        put(stages, AT.told, 0)
        put(stages, AT.last, np.int64(cycles()))


@njit(nogil=True)
def begin_other(stages):
    """What follows was caused by no packet: a timer, an answer, a command."""
    if get(stages, AT.measure) != 0:
        put(stages, AT.caused, 0)
        put(stages, AT.last, np.int64(cycles()))


@njit(nogil=True, forceinline=True)
def end_stage(stages, stage):
    """A step ends now, the next begins."""
    if load_i64le(stages + AT.measure) == 0:
        return
    now = np.int64(cycles())
    store_u64le(stages + AT.spent + 8 * stage, now - load_i64le(stages + AT.last))
    store_u64le(stages + AT.last, now)


@njit(nogil=True)
def end_order(stages):
    """A message was handed to the port: its steps are counted, and the sum for a packet's first."""
    if get(stages, AT.measure) == 0:
        return
    end_stage(stages, SEND)
    total = np.int64(0)
    for stage in range(len(STAGES) - 1):
        total += max(get(stages, AT.spent + 8 * stage), 0)
    for stage in range(ROUTE, SEND + 1):
        add_to(stages, stage)
        put(stages, AT.spent + 8 * stage, NOT_DONE)
    if get(stages, AT.caused) != 0 and get(stages, AT.told) == 0:
        put(stages, AT.told, 1)
        put(stages, AT.spent + 8 * TOTAL, total)
        add_to(stages, TOTAL)
    put(stages, AT.last, np.int64(cycles()))
