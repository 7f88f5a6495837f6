"""The tables that turn random bits into numbers, made from the settings.

A quantile table has at place i the value that a share (i + 1/2) / 1024 of all draws is below; the
powers are those at its left end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.flow import layout
from simulator.flow.settings import Day, Lifetime, Settings

SIZE: Final = 1 << layout.TABLE_BITS
TIDY_ODD: Final = (1, 2, 3, 5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 80, 90)


def draw_tables(settings: Settings) -> NDArray[np.int64]:
    """All tables, in the order of `layout`."""
    words = np.zeros(layout.TABLE_WORDS, np.int64)
    _put(words, layout.LOGARITHM, _values(lambda share: math.log1p(share) * (1 << 24)))
    powers = [round(2.0 ** (-number / SIZE) * (1 << 22)) for number in range(SIZE)]
    _put(words, layout.POWER, powers)
    _put(words, layout.NORMAL, _values(lambda share: NormalDist().inv_cdf(share) * layout.ONE))
    _put(words, layout.EXPONENTIAL, _values(lambda share: -math.log(1 - share) * layout.ONE))
    _put(words, layout.LOTS, _values(_lots(settings)))
    _put(words, layout.ODD, _values(_odd(settings.sizes.lot)))
    for number, one in enumerate(settings.lifetimes):
        place = layout.REACH + number * layout.TABLE_BYTES
        _put(words, place, _values(_reach(settings, one)))
    _put(words, layout.DAY_SHAPE, day_shape(settings.activity.day))
    _put(words, layout.SPREAD_SHAPE, day_shape(settings.prices.spread_day))
    return words


def _put(words: NDArray[np.int64], place: int, values: list[int]) -> None:
    words[place // 8 : place // 8 + len(values)] = values


def _values(quantile: Callable[[float], float]) -> list[int]:
    return [round(quantile((number + 0.5) / SIZE)) for number in range(SIZE)]


def _lots(settings: Settings) -> Callable[[float], float]:
    """Round lots: most orders have one, the others a power law of the settings' exponent."""
    sizes = settings.sizes

    def lots(share: float) -> float:
        if share < sizes.one_lot_share:
            return 1
        rest = (1 - share) / (1 - sizes.one_lot_share)
        lots: float = 1 + math.floor(rest ** (-1 / sizes.tail_exponent))
        return min(sizes.most_lots, lots)

    return lots


def _odd(lot: int) -> Callable[[float], float]:
    """Shares of an odd lot: half of them tidy numbers, the others anything below a lot."""
    tidy = [shares for shares in TIDY_ODD if shares < lot]

    def odd(share: float) -> float:
        if share < 0.5:
            return tidy[math.floor(2 * share * len(tidy))]
        return 1 + math.floor((2 * share - 1) * (lot - 1))

    return odd


def _reach(settings: Settings, one: Lifetime) -> Callable[[float], float]:
    """Ticks from the touch of a class's orders: P(X > x) = (1 + x / reach) ** -exponent."""
    placement = settings.placement

    def ticks(share: float) -> float:
        far = one.reach_ticks * ((1 - share) ** (-1 / placement.tail_exponent) - 1)
        return float(min(placement.most_ticks, math.floor(far)))

    return ticks


def day_shape(day: Day) -> list[int]:
    """Values in equal parts of the session as DAY_SLOTS shares of their mean, straight between."""
    slots = layout.DAY_SLOTS
    places = [(number + 0.5) / slots * len(day) - 0.5 for number in range(slots)]
    values = np.interp(places, range(len(day)), day)
    return [round(float(value / values.mean()) * layout.ONE) for value in values]
