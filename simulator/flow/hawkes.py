"""When an instrument has its next event: self-exciting arrivals, cancels by population, thinned.

The rate of new orders is the base rate by the time of day plus a sum of exponentials, each raised
by every event. The rate of cancels is the number of live orders of each class by its lifetime. No
rate grows between two events, so the next candidate is drawn with the present sum, and accepted
with the chance that the rates still have then.
"""

from __future__ import annotations

from numba import njit

from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.draws import BILLION, decayed, draw, exponential, share_of
from simulator.flow.layout import (
    H_DAY_SHAPE,
    H_FLIGHT_RATE,
    H_KERNEL_COUNT,
    H_KERNEL_DECAY,
    H_KERNEL_KICK,
    H_KERNEL_SPAN_NS,
    H_SLOT_NS,
    I_BASE_RATE,
    I_BOUND,
    I_CANCEL_RATE,
    I_EXCITEMENT,
    I_FILLING_RATE,
    I_FLIGHT,
    I_HALT_RATE,
    I_NEWS_RATE,
    I_RANDOM,
    I_STATE,
    I_TIME_NS,
    PREOPEN,
    STOPPED,
    TRADING,
)

EXCITEMENT_MOST = 1 << 40  # a million a second: what a decay can multiply


@njit(nogil=True, forceinline=True)
def let_decay(flow, row, now_ns):
    """Brings the excitement of an instrument to a time."""
    elapsed_ns = now_ns - load_i64le(row + I_TIME_NS)
    store_u64le(row + I_TIME_NS, now_ns)
    for kernel in range(load_fixed(flow + H_KERNEL_COUNT)):
        place = 8 * kernel
        rate = load_i64le(row + I_EXCITEMENT + place)
        decay = load_fixed(flow + H_KERNEL_DECAY + place)
        span_ns = load_fixed(flow + H_KERNEL_SPAN_NS + place)
        store_u64le(row + I_EXCITEMENT + place, decayed(flow, rate, elapsed_ns, decay, span_ns))


@njit(nogil=True)
def excite(flow, row, events):
    """Raises the excitement by that of `events` new orders, with 16 bits behind the point."""
    for kernel in range(load_fixed(flow + H_KERNEL_COUNT)):
        place = row + I_EXCITEMENT + 8 * kernel
        kick = share_of(load_fixed(flow + H_KERNEL_KICK + 8 * kernel), events)
        store_u64le(place, min(EXCITEMENT_MOST, load_i64le(place) + kick))


@njit(nogil=True, forceinline=True)
def order_rate(flow, row):
    """The rate of new orders at the time the excitement stands at."""
    rate = share_of(load_fixed(row + I_BASE_RATE), load_i64le(flow + H_DAY_SHAPE))
    for kernel in range(load_fixed(flow + H_KERNEL_COUNT)):
        rate += load_i64le(row + I_EXCITEMENT + 8 * kernel)
    return rate


@njit(nogil=True, forceinline=True)
def flight_rate(flow, row):
    """The rate at which orders that news has left behind are canceled."""
    return load_fixed(flow + H_FLIGHT_RATE) if load_i64le(row + I_FLIGHT) > 0 else 0


@njit(nogil=True)
def all_rates(flow, row):
    """The rate of all that can happen to an instrument."""
    state = load_i64le(row + I_STATE)
    if state == PREOPEN:
        return load_fixed(row + I_FILLING_RATE)
    if state == STOPPED:
        return flight_rate(flow, row) + load_i64le(row + I_CANCEL_RATE)
    if state != TRADING:
        return 0
    rate = load_fixed(row + I_NEWS_RATE) + load_fixed(row + I_HALT_RATE)
    rate += flight_rate(flow, row) + load_i64le(row + I_CANCEL_RATE)
    return rate + order_rate(flow, row)


@njit(nogil=True)
def next_candidate(flow, row, now_ns):
    """Draws when the next candidate comes, and keeps the rate it was drawn with.

    Beyond a slot of the day nothing is drawn: there it begins anew, with the rates of then.
    """
    rate = all_rates(flow, row)
    longest_ns = load_fixed(flow + H_SLOT_NS)
    wait_ns = longest_ns
    if rate > 0:
        wait_ns = exponential(flow, draw(row + I_RANDOM)) * BILLION // (rate << 4)
    if wait_ns >= longest_ns:
        store_u64le(row + I_BOUND, 0)
        return now_ns + longest_ns
    store_u64le(row + I_BOUND, rate)
    return now_ns + 1 + wait_ns
