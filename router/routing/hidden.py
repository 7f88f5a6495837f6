"""Executions of the market by venue, instrument and side: how much lately, and how much was hidden.

The sums decay with a half-life: their mean rate is sum x ln 2 / half-life. The side is that of the
book which was executed: BUY where resting bids were hit.

What is hidden now is guessed as in Almgren and Harts, "A dynamic algorithm for smart order routing"
(2008): executions against what nobody saw speak for more of it, the less the longer ago. Here as a
ratio: of a venue where a third of what executed was hidden, half of what is shown is there besides.
"""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY, SELL
from feedhandler.consolidated.layout import QUOTE_BYTES, QUOTE_SHOWN
from feedhandler.consolidated.quotes import quotes_of
from router.routing.learning import FLOW, FLOW_BYTES, LEARNING, SIDES
from router.rows import add, get, put, venue_row
from router.tables import HEAD, VENUE

SHARE = 1 << 10  # of the sums
MOST_SHARES = 1 << 30  # that a sum goes up to
MEAN_WEIGHT = 8
BIT = 20
ONE = 1 << BIT
# A cubic that meets 2^-f and its slope at 0 and at 1; off by less than 0.0005 between.
FIRST, SECOND, THIRD = 726_817, 244_179, 41_650


@njit(nogil=True, error_model="numpy")
def halved(value, elapsed, half_life):
    """value x 2^(-elapsed / half_life); for values and half-lives below 2^43."""
    if elapsed <= 0:
        return value
    whole = elapsed // half_life
    if whole >= 62:
        return value * 0
    part = ((elapsed - whole * half_life) << BIT) // half_life
    factor = SECOND - (THIRD * part >> BIT)
    factor = FIRST - (factor * part >> BIT)
    factor = ONE - (factor * part >> BIT)
    return ((value * factor) >> BIT) >> whole


@njit(nogil=True)
def flow_row(learning, venue, instrument, side):
    """Where the executions of a venue, instrument and side are."""
    row = (venue * get(learning, LEARNING.instrument_count) + instrument) * SIDES + side - 1
    return get(learning, LEARNING.flows) + FLOW_BYTES * row


@njit(nogil=True)
def decay(learning, flow, now):
    """Brings the sums of a flow to the time."""
    elapsed, half_life = now - get(flow, FLOW.time_ns), get(learning, LEARNING.half_life_ns)
    if elapsed <= 0:
        return
    put(flow, FLOW.mass, halved(get(flow, FLOW.mass), elapsed, half_life))
    put(flow, FLOW.hidden, halved(get(flow, FLOW.hidden), elapsed, half_life))
    put(flow, FLOW.time_ns, now)


@njit(nogil=True)
def add_executed(learning, flow, quantity, now):
    """Adds executed shares, twice as many 1/1024 parts never beyond the sum's room."""
    decay(learning, flow, now)
    room = MOST_SHARES * SHARE - get(flow, FLOW.mass)
    parts = min(min(quantity, MOST_SHARES) * SHARE, room)
    add(flow, FLOW.mass, parts)
    return parts


@njit(nogil=True)
def add_hidden(learning, flow, quantity, now):
    """Adds executed shares of hidden orders."""
    if quantity <= 0:
        return
    add(flow, FLOW.hidden, add_executed(learning, flow, quantity, now))
    size, mean = min(quantity, MOST_SHARES) * SHARE, get(flow, FLOW.hidden_mean)
    put(flow, FLOW.hidden_mean, size if mean == 0 else mean + (size - mean) // MEAN_WEIGHT)


@njit(nogil=True)
def note_hidden(router, venue, instrument, side, quantity, now):
    """An execution against orders that were not shown (actions with the flag HIDDEN).

    `venue` is our number of it; a side that the venue does not say (0) counts half for both.
    """
    learning = get(router, HEAD.learning)
    if side == BUY or side == SELL:
        add_hidden(learning, flow_row(learning, venue, instrument, side), quantity, now)
        return
    for each in range(BUY, SELL + 1):
        half = (quantity + each - BUY) // 2
        add_hidden(learning, flow_row(learning, venue, instrument, each), half, now)


@njit(nogil=True)
def shown_at(router, venue, instrument, side):
    """Where price and quantity of a venue's best are, or 0 where the market shows none of it."""
    market, quotes = get(router, HEAD.market), get(venue_row(router, venue), VENUE.quotes)
    if market == 0 or quotes < 0:
        return market * 0
    quote = quotes_of(market, instrument) + QUOTE_BYTES * quotes
    return quote + QUOTE_SHOWN + 16 * (side - 1)


@njit(nogil=True, error_model="numpy")
def hidden_size(router, venue, instrument, side):
    """Shares believed to wait hidden at a venue's best of a side.

    As many of those shown as hidden executions are of shown ones, at most ten times; where nothing
    is shown, the mean size of its hidden executions.
    """
    flow = flow_row(get(router, HEAD.learning), venue, instrument, side)
    hidden = get(flow, FLOW.hidden)
    if hidden == 0:
        return hidden
    at = shown_at(router, venue, instrument, side)
    shown = get(at, 8) if at != 0 else at
    if shown == 0:
        return get(flow, FLOW.hidden_mean) // SHARE
    visible = max(get(flow, FLOW.mass) - hidden, 1)
    tenths = min((hidden * 10) // visible, 100)
    return min(shown, MOST_SHARES) * tenths // 10
