"""Measures of execution quality: pure functions on arrays, a value a parent (or venue).

Prices are in currency units a share, money in currency units, quantities in shares; what is not
known is NaN, and so is all that follows from it. Costs are positive and savings negative, on both
sides. A basis point (bps) is 1/10,000.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from feedhandler.actions import SELL

BPS: Final = 1e4
Values = NDArray[np.float64]


class Shortfall(NamedTuple):
    """Implementation shortfall and its parts: money, and the total in bps.

    Attributes:
        execution: what the executed shares cost more than at the arrival price.
        fees: paid less rebates.
        opportunity: what the shares not executed would have earned: those at the closing price
            against those at the arrival price.
        total: the sum.
        total_bps: of the whole order at the arrival price.
    """

    execution: Values
    fees: Values
    opportunity: Values
    total: Values
    total_bps: Values


class VwapSlippage(NamedTuple):
    """The market's average price in an interval, and an order's deviation from it.

    Attributes:
        vwap: volume-weighted average price of the interval.
        money: what the executed shares cost more than at that price.
        bps: the same as part of it.
    """

    vwap: Values
    money: Values
    bps: Values


def _values(given: ArrayLike) -> Values:
    return np.atleast_1d(np.asarray(given, np.float64))


def ratio(part: ArrayLike, whole: ArrayLike) -> Values:
    """Part by whole; NaN where the whole is 0 or not known."""
    above, below = np.broadcast_arrays(_values(part), _values(whole))
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below != 0)
    return found


def signs(sides: ArrayLike) -> Values:
    """1 for buys, where a higher price costs more, and -1 for sells."""
    return np.where(np.atleast_1d(np.asarray(sides)) == SELL, -1.0, 1.0)


def average_price(executed: ArrayLike, notional: ArrayLike) -> Values:
    """Average price of executed shares; NaN where there are none."""
    return ratio(notional, executed)


def fill_rate(executed: ArrayLike, sent: ArrayLike) -> Values:
    """Shares executed by shares sent, 0 to 1; NaN where none were sent."""
    return ratio(executed, sent)


def implementation_shortfall(
    sides: ArrayLike,
    quantity: ArrayLike,
    executed: ArrayLike,
    notional: ArrayLike,
    fees: ArrayLike,
    arrival: ArrayLike,
    closing: ArrayLike,
) -> Shortfall:
    """How far orders stayed behind a paper portfolio that trades all at once at the arrival price.

    After A. Perold, "The Implementation Shortfall: Paper Versus Reality", Journal of Portfolio
    Management 14(3), 1988, with the opportunity cost of what was not executed. `arrival` is the
    midpoint when the order came, `closing` the one when it ended. Where all was executed the
    closing price does not matter; where nothing was, the arrival price still does.
    """
    sign, whole, done = signs(sides), _values(quantity), _values(executed)
    start, end, paid = _values(arrival), _values(closing), _values(fees)
    execution = sign * (_values(notional) - done * start)
    left = whole - done
    opportunity = np.where(left == 0, 0.0 * start, sign * left * (end - start))
    total = execution + paid + opportunity
    return Shortfall(execution, paid, opportunity, total, BPS * ratio(total, whole * start))


def vwap_slippage(
    sides: ArrayLike,
    executed: ArrayLike,
    notional: ArrayLike,
    market_volume: ArrayLike,
    market_notional: ArrayLike,
) -> VwapSlippage:
    """Deviation of the average price from the interval's volume-weighted average price (VWAP).

    The benchmark is that of S. Berkowitz, D. Logue and E. Noser, "The Total Cost of Transactions
    on the NYSE", Journal of Finance 43(1), 1988, over the time from the order's arrival to its
    end; the order's own executions are part of the market's volume. Fees are not in it.
    """
    sign, done = signs(sides), _values(executed)
    vwap = ratio(market_notional, market_volume)
    off = sign * (average_price(done, notional) - vwap)
    return VwapSlippage(vwap, off * done, BPS * ratio(off, vwap))


def optional(value: Any, places: int = 8) -> float | None:
    """A measured value for JSON, rounded; None for NaN."""
    return None if np.isnan(value) else round(float(value), places)
