"""News, halts, pauses and price bands of an instrument."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import STATUS_HALTED, STATUS_PAUSED
from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.changes import begin_flight
from simulator.flow.commands import band_all, steer_all
from simulator.flow.draws import bits, draw, looked_up, share_of
from simulator.flow.hawkes import excite
from simulator.flow.layout import (
    EXPONENTIAL,
    H_BANDS,
    H_HALT_NS,
    H_HALTS,
    H_NEWS,
    H_NEWS_KICK,
    H_NEWS_SIZE,
    H_PAUSE_NS,
    I_BAND_PRICE,
    I_FAIR,
    I_RANDOM,
    I_RESUME_NS,
    I_STATE,
    I_TICK,
    STOPPED,
    TABLE_BITS,
    TRADING,
)
from simulator.flow.pricing import move_fair
from simulator.flow.resting import bump
from simulator.matching.records import BANDS, HALT, RESUME

REFERENCE_DRIFT = 100  # a hundredth off the reference, the bands follow


@njit(nogil=True)
def tell_bands(flow, row, instrument, now_ns):
    """Sends price bands around the latent price, on ticks, to all venues."""
    fair, tick = load_i64le(row + I_FAIR), load_fixed(row + I_TICK)
    store_u64le(row + I_BAND_PRICE, fair)
    width = share_of(fair, load_fixed(flow + H_BANDS))
    lower, upper = (fair - width) // tick * tick, (fair + width) // tick * tick
    band_all(flow, now_ns, BANDS, instrument, max(tick, lower), upper)


@njit(nogil=True)
def follow_bands(flow, row, instrument, now_ns):
    """Sends new bands when the latent price has gone a hundredth from their reference."""
    reference = load_i64le(row + I_BAND_PRICE)
    if abs(load_i64le(row + I_FAIR) - reference) * REFERENCE_DRIFT > reference:
        tell_bands(flow, row, instrument, now_ns)


@njit(nogil=True)
def stop(flow, row, instrument, now_ns, status, length_ns):
    """Halts or pauses an instrument at all venues; owners go on to cancel."""
    store_u64le(row + I_STATE, STOPPED)
    store_u64le(row + I_RESUME_NS, now_ns + length_ns)
    bump(flow + H_HALTS)
    steer_all(flow, now_ns, HALT, status, instrument)


@njit(nogil=True)
def resume(flow, row, instrument, now_ns):
    """Lets an instrument trade again, with bands around the price of then."""
    store_u64le(row + I_STATE, TRADING)
    tell_bands(flow, row, instrument, now_ns)
    steer_all(flow, now_ns, RESUME, 0, instrument)


@njit(nogil=True)
def halt(flow, row, instrument, now_ns):
    """A regulatory halt."""
    stop(flow, row, instrument, now_ns, STATUS_HALTED, load_fixed(flow + H_HALT_NS))


@njit(nogil=True)
def news(flow, row, instrument, now_ns):
    """The latent price jumps, orders come in a cluster, makers flee; beyond the bands: a pause."""
    random = draw(row + I_RANDOM)
    fair = load_i64le(row + I_FAIR)
    times = looked_up(flow, EXPONENTIAL, bits(random, 1, TABLE_BITS))
    jump = share_of(fair, share_of(load_fixed(flow + H_NEWS_SIZE), times))
    move_fair(row, jump if bits(random, 0, 1) == 0 else -jump)
    excite(flow, row, load_fixed(flow + H_NEWS_KICK))
    begin_flight(flow, row)
    bump(flow + H_NEWS)
    reference = load_i64le(row + I_BAND_PRICE)
    moved = abs(load_i64le(row + I_FAIR) - reference)
    if moved > share_of(reference, load_fixed(flow + H_BANDS)):
        stop(flow, row, instrument, now_ns, STATUS_PAUSED, load_fixed(flow + H_PAUSE_NS))
    else:
        follow_bands(flow, row, instrument, now_ns)
