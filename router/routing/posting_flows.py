"""Executions that the market prints, as posting needs them: how fast, and what came behind them."""

from __future__ import annotations

from numba import njit

from feedhandler.actions import BUY
from router.orders.midpoints import OFFER, middle, national_best
from router.routing.hidden import SHARE, add_executed, flow_row, halved
from router.routing.learning import FLOW, LEARNING
from router.rows import get, put
from router.tables import HEAD

DRIFT_WEIGHT = 16
LN2_MILLI = 693
MOST_RATIO = 1 << 20  # horizon over half-life, in 1/1000


@njit(nogil=True)
def midpoint(router, instrument):
    """Midpoint of the national best; 0 where a side is missing or they cross."""
    market = get(router, HEAD.market)
    if market == 0:
        return market
    best = national_best(router, instrument)
    return middle(best) if get(best, 0) <= get(best, OFFER) else market * 0


@njit(nogil=True)
def settle_drift(learning, flow, side, mid, now):
    """Where the midpoint went since the execution that is followed, once it is time to look."""
    mark = get(flow, FLOW.mark)
    if mark == 0 or mid == 0 or now - get(flow, FLOW.mark_ns) < get(learning, LEARNING.drift_ns):
        return
    move = mark - mid if side == BUY else mid - mark
    count = min(get(flow, FLOW.drift_count) + 1, DRIFT_WEIGHT)
    drift = get(flow, FLOW.drift)
    put(flow, FLOW.drift, drift + (move - drift) // count)
    put(flow, FLOW.drift_count, count)
    put(flow, FLOW.mark, 0)


@njit(nogil=True)
def note_trade(router, venue, instrument, side, price, quantity, now):
    """An execution of shown orders: the loop says so of each.

    Args:
        venue: our number of it.
        side: of the orders that stood there: BUY where a bid was hit.
        price: of the execution; the midpoint is taken for it where there is one.
    """
    learning = get(router, HEAD.learning)
    flow = flow_row(learning, venue, instrument, side)
    mid = midpoint(router, instrument)
    settle_drift(learning, flow, side, mid, now)
    if quantity > 0:
        add_executed(learning, flow, quantity, now)
    if get(flow, FLOW.mark) == 0:
        put(flow, FLOW.mark, mid if mid != 0 else price)
        put(flow, FLOW.mark_ns, now)


@njit(nogil=True, error_model="numpy")
def outflow(learning, flow, horizon, now):
    """Shares expected to execute within a horizon, in 1/1000 of a share.

    The sum's mean rate, and where nothing was seen the settings' prior.
    """
    half_life = get(learning, LEARNING.half_life_ns)
    mass = halved(get(flow, FLOW.mass), now - get(flow, FLOW.time_ns), half_life)
    ratio = min(horizon * 1000 // half_life, MOST_RATIO)
    expected = (mass * LN2_MILLI // SHARE) * ratio // 1000
    return max(expected, get(learning, LEARNING.prior_shares) * 1000)
