"""Those who take: one venue at a time, or all at once (intermarket sweeps)."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, NO_PRICE, SELL
from nic.raw import load_fixed, load_i64le, store_u64le
from simulator.flow.commands import head_of, send
from simulator.flow.draws import bits, draw, share_of
from simulator.flow.layout import (
    DARK,
    H_DARK,
    H_EXECUTIONS_PER_ADD,
    H_IMPACT,
    H_LOT,
    H_MARKET,
    H_SIDE_MEMORY,
    H_STALE_TAKERS,
    H_SWEEP,
    H_SWEEPS,
    H_TAKERS,
    H_VENUE_COUNT,
    H_WHOLE,
    I_ADDS,
    I_EXECUTIONS,
    I_FAIR,
    I_HALF_SPREAD,
    I_RANDOM,
    I_SIDE,
    ONE_BITS,
    TAKER_OWNER,
    V_KIND,
)
from simulator.flow.pricing import move_fair, order_size, sign_of
from simulator.flow.resting import bump, new_token
from simulator.flow.rows import quote_row, venue_row
from simulator.matching.records import HIDDEN, IOC, LIMIT, MARKET, MIDPOINT_PEG, NEW, SWEEP

SWEEP_SIZES = 3  # of an order, that a sweep takes
THIN_LOTS = 3  # a queue so short is taken whole
SETTLING = 64  # orders after which an instrument's own proportions steer its takers
FEWEST_PER_EVENT = 2  # executions that one taker brings, roughly: only where the steering starts


@njit(nogil=True, forceinline=True)
def taker_share(flow, row):
    """How many of the arrivals take, so that executions keep their proportion to adds.

    Below the proportion more of them do, up to four times as many; above it fewer, down to none.
    """
    wanted = load_fixed(flow + H_EXECUTIONS_PER_ADD)
    adds = load_i64le(row + I_ADDS) + SETTLING
    due = share_of(adds << ONE_BITS, wanted)
    done = (load_i64le(row + I_EXECUTIONS) << ONE_BITS) + SETTLING * wanted
    behind = ((due - done) << 3) // adds  # as a share of the adds, eightfold
    usual = wanted // FEWEST_PER_EVENT
    return max(0, min(4 * usual, usual + behind))


@njit(nogil=True, forceinline=True)
def shown(flow, instrument, venue, side):
    """Price and quantity that a venue offers a taker of a side; quantity 0: none."""
    quote = quote_row(flow, instrument, venue) + (16 if side == BUY else 0)
    return load_i64le(quote), load_i64le(quote + 8)


@njit(nogil=True)
def take_at(flow, instrument, now_ns, venue, side, order_type, flags, price, quantity):
    """Sends an order that takes what is there and goes."""
    head = head_of(NEW, side, order_type, IOC, flags)
    token = new_token(flow, 0)
    send(flow, venue, now_ns, head, instrument, TAKER_OWNER + venue, token, 0, price, quantity)


@njit(nogil=True)
def sweep(flow, row, instrument, now_ns, side, limit, wanted):
    """Takes at every venue what it shows at `limit` or better, `wanted` shares at most."""
    sign = sign_of(side)
    bump(flow + H_SWEEPS)
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        price, quantity = shown(flow, instrument, venue, side)
        if wanted > 0 and quantity > 0 and price * sign <= limit * sign:
            part = min(wanted, quantity)
            wanted -= part
            take_at(flow, instrument, now_ns, venue, side, LIMIT, SWEEP, limit, part)


@njit(nogil=True, forceinline=True)
def venue_at(flow, instrument, side, best, random):
    """A venue that shows the best price, any of them; -1 for none."""
    venues = load_fixed(flow + H_VENUE_COUNT)
    first = bits(random, 0, 16) % venues
    for number in range(venues):
        venue = (first + number) % venues
        price, quantity = shown(flow, instrument, venue, side)
        if quantity > 0 and price == best:
            return venue
    return -1


@njit(nogil=True)
def take_one(flow, row, instrument, now_ns, side, best, random):
    """Takes at one venue with the best price."""
    venue = venue_at(flow, instrument, side, best, random)
    if venue < 0:
        return
    _, quantity = shown(flow, instrument, venue, side)
    thin = quantity <= THIN_LOTS * load_fixed(flow + H_LOT)
    if not thin or bits(random, 16, 16) >= load_fixed(flow + H_WHOLE):
        quantity = order_size(flow, row)
    priced = bits(random, 32, 16) >= load_fixed(flow + H_MARKET)
    order_type, price = (LIMIT, best) if priced else (MARKET, NO_PRICE)
    take_at(flow, instrument, now_ns, venue, side, order_type, 0, price, quantity)


@njit(nogil=True)
def take_dark(flow, row, instrument, now_ns, side, random):
    """Tries the midpoint of a dark pool; the market's when there is none."""
    for venue in range(load_fixed(flow + H_VENUE_COUNT)):
        if load_fixed(venue_row(flow, venue) + V_KIND) == DARK:
            quantity = order_size(flow, row) * (1 + bits(random, 0, 2))
            take_at(flow, instrument, now_ns, venue, side, MIDPOINT_PEG, HIDDEN, NO_PRICE, quantity)
            return


@njit(nogil=True)
def take(flow, row, instrument, now_ns, bid, offer):
    """One who takes, of the side that took last or of the other one."""
    random, more = draw(row + I_RANDOM), draw(row + I_RANDOM)
    side = load_i64le(row + I_SIDE)
    if bits(random, 0, 16) >= load_fixed(flow + H_SIDE_MEMORY):
        side = BUY + SELL - side
        store_u64le(row + I_SIDE, side)
    best = offer if side == BUY else bid
    bump(flow + H_TAKERS)
    if bits(random, 16, 16) < load_fixed(flow + H_DARK):
        take_dark(flow, row, instrument, now_ns, side, more)
        return
    if best == 0:
        return
    change = share_of(load_fixed(row + I_HALF_SPREAD), load_fixed(flow + H_IMPACT))
    move_fair(row, change * sign_of(side))
    if bits(random, 32, 16) < load_fixed(flow + H_SWEEP):
        sweep(flow, row, instrument, now_ns, side, best, SWEEP_SIZES * order_size(flow, row))
    else:
        take_one(flow, row, instrument, now_ns, side, best, more)


@njit(nogil=True)
def take_stale(flow, row, instrument, now_ns, side):
    """Sweeps quotes that the latent price has left behind."""
    bump(flow + H_TAKERS)
    bump(flow + H_STALE_TAKERS)
    wanted = SWEEP_SIZES * order_size(flow, row)
    sweep(flow, row, instrument, now_ns, side, load_i64le(row + I_FAIR), wanted)
