"""The step: what all instruments send until a time, in the order of time."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, SELL
from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.changes import change_one, fade, flee, follow
from simulator.flow.commands import has_room, head_of, send, set_cap
from simulator.flow.draws import below, bits, draw
from simulator.flow.hawkes import excite, flight_rate, let_decay, next_candidate, order_rate
from simulator.flow.layout import (
    CLOCK_OWNER,
    H_CAPACITY,
    H_CLOSE_NS,
    H_CLOSING,
    H_CLOSING_NS,
    H_COMMANDS,
    H_COUNTS,
    H_EVENTS,
    H_FOLLOW,
    H_FULLEST,
    H_SHAPES_NS,
    H_STALE,
    H_VENUE_COUNT,
    I_BOUND,
    I_CANCEL_RATE,
    I_FAIR,
    I_HALT_RATE,
    I_NEWS_RATE,
    I_RANDOM,
    I_RESUME_NS,
    I_STATE,
    I_TOLD_BID,
    I_TOLD_OFFER,
    NEVER,
    ONE,
    PREOPEN,
    STOPPED,
    V_PEGS,
)
from simulator.flow.makers import add_one
from simulator.flow.pricing import wander
from simulator.flow.resting import bump
from simulator.flow.rows import follow_day, instrument_row, national_best, venue_row
from simulator.flow.session import fill, for_auction, tick_clock
from simulator.flow.stoppage import follow_bands, halt, news, resume
from simulator.flow.takers import take, take_stale, taker_share
from simulator.flow.tree import earliest, next_instrument, set_time
from simulator.matching.records import CLOSING, REFERENCE

QUICK = 4  # takers of stale quotes, for one of the others


@njit(nogil=True)
def tell_reference(flow, row, instrument, now_ns, bid, offer):
    """Tells venues with pegs the national best, when it has changed and is whole."""
    known = load_i64le(row + I_TOLD_BID) == bid and load_i64le(row + I_TOLD_OFFER) == offer
    if known or bid == 0 or offer == 0:
        return
    store_u64le(row + I_TOLD_BID, bid)
    store_u64le(row + I_TOLD_OFFER, offer)
    head = head_of(REFERENCE, 0, 0, 0, 0)
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        if load_fixed(venue_row(flow, venue) + V_PEGS) != 0:
            out = send(flow, venue, now_ns, head, instrument, CLOCK_OWNER, 0, 0, bid, 0)
            set_cap(out, offer)


@njit(nogil=True)
def pick_off(flow, row, instrument, now_ns, side, price):
    """A quote is behind the latent price: a taker of `side` has it, or its owner sees it first."""
    quick = bits(draw(row + I_RANDOM), 0, 16) >= QUICK * taker_share(flow, row)
    if not quick or fade(flow, row, instrument, now_ns, BUY + SELL - side, price) == 0:
        take_stale(flow, row, instrument, now_ns, side)


@njit(nogil=True)
def rest(flow, row, instrument, now_ns):
    """A new order; before it often a look of a maker at what he has somewhere."""
    random = draw(row + I_RANDOM)
    if bits(random, 48, 15) < load_fixed(flow + H_FOLLOW) >> 1:
        follow(flow, row, instrument, now_ns, random)
    add_one(flow, row, instrument, now_ns)


@njit(nogil=True)
def arrive(flow, row, instrument, now_ns):
    """Somebody comes to the market: to take, or to rest an order."""
    random = draw(row + I_RANDOM)
    excite(flow, row, ONE)
    wander(flow, row, random)
    bid, offer = national_best(flow, instrument)
    tell_reference(flow, row, instrument, now_ns, bid, offer)
    fair = load_i64le(row + I_FAIR)
    alert = bits(random, 10, 16) < load_fixed(flow + H_STALE)
    if alert and bid > fair:
        pick_off(flow, row, instrument, now_ns, SELL, bid)
    elif alert and offer != 0 and offer < fair:
        pick_off(flow, row, instrument, now_ns, BUY, offer)
    elif bits(random, 26, 16) < taker_share(flow, row):
        take(flow, row, instrument, now_ns, bid, offer)
    elif now_ns >= load_fixed(flow + H_CLOSING_NS) and bits(random, 42, 16) < load_fixed(
        flow + H_CLOSING
    ):
        for_auction(flow, row, instrument, now_ns, CLOSING)
    else:
        rest(flow, row, instrument, now_ns)
    follow_bands(flow, row, instrument, now_ns)


@njit(nogil=True)
def happen(flow, row, instrument, now_ns):
    """A candidate's moment: nothing, or one of the things whose rates made it."""
    bound = load_i64le(row + I_BOUND)
    if bound == 0:
        return
    value = below(draw(row + I_RANDOM), bound)
    state = load_i64le(row + I_STATE)
    if state == PREOPEN:
        fill(flow, row, instrument, now_ns)
        return
    changes = load_i64le(row + I_CANCEL_RATE)
    if value < changes:
        change_one(flow, row, instrument, now_ns, value)
        return
    value -= changes
    fleeing = flight_rate(flow, row)
    if value < fleeing:
        flee(flow, row, instrument, now_ns)
        return
    value -= fleeing
    if state == STOPPED:
        return
    rare = load_fixed(row + I_NEWS_RATE)
    if value < rare:
        news(flow, row, instrument, now_ns)
        return
    rare += load_fixed(row + I_HALT_RATE)
    if value < rare:
        halt(flow, row, instrument, now_ns)
    elif value < rare + order_rate(flow, row):
        arrive(flow, row, instrument, now_ns)


@njit(nogil=True)
def one_event(flow, instrument, now_ns):
    """One event of an instrument, or of the session's clock; gives when the next one is."""
    row = instrument_row(flow, instrument)
    bump(flow + H_EVENTS)
    if instrument == 0:
        return tick_clock(flow, row, now_ns)
    if now_ns >= load_fixed(flow + H_CLOSE_NS):
        return NEVER
    let_decay(flow, row, now_ns)
    resumes_ns = load_i64le(row + I_RESUME_NS)
    if load_i64le(row + I_STATE) == STOPPED and now_ns >= resumes_ns:
        resume(flow, row, instrument, now_ns)
    else:
        happen(flow, row, instrument, now_ns)
    following = next_candidate(flow, row, now_ns)
    if load_i64le(row + I_STATE) == STOPPED:
        following = min(following, max(now_ns + 1, load_i64le(row + I_RESUME_NS)))
    return following


@njit(nogil=True, cache=True)
def step(flow, until_ns, commands, capacity, counts):
    """Writes the commands that are decided before `until_ns`; gives the time reached.

    commands: address of COMMAND_DTYPE [venue, capacity]; counts: of an i64 a venue. The time
    reached is `until_ns`, or earlier where a row is full: take the commands then and step again.
    """
    store_u64le(flow + H_COMMANDS, commands)
    store_u64le(flow + H_CAPACITY, capacity)
    store_u64le(flow + H_COUNTS, counts)
    store_u64le(flow + H_FULLEST, 0)
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        store_u64le(counts + 8 * venue, 0)
    while True:
        now_ns = earliest(flow)
        if now_ns >= until_ns:
            return until_ns
        if not has_room(flow):
            return now_ns
        if now_ns >= load_i64le(flow + H_SHAPES_NS):
            follow_day(flow, now_ns)
        instrument = next_instrument(flow)
        set_time(flow, instrument, one_event(flow, instrument, now_ns))
