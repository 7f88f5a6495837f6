"""What the settings mean for each instrument: activity, price, spread, room for orders."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.flow import layout
from simulator.flow.seeds import Stream, signed
from simulator.flow.session_times import SessionTimes
from simulator.flow.settings import Settings

UNITS: Final = 100_000_000  # a currency unit in prices
DAY_S: Final = 23_400.0  # that the volatility is of
BURST: Final = 6.0  # more orders at a time than the mean, in standard deviations
SPARE_ORDERS: Final = 32
HIGH_PRICE: Final = 40.0  # of the settings' share of odd lots
MOST_ODD: Final = 0.8
LISTING_SHARE: Final = 0.06


def rate_of(per_s: float) -> int:
    """A rate as the tables have it."""
    return round(per_s * (1 << layout.RATE_BITS))


def share(value: float) -> int:
    """A share as the tables have it."""
    return round(value * layout.ONE)


def activity(settings: Settings, instruments: int) -> list[float]:
    """New orders a second of each instrument: Zipf's law, the first is the most active."""
    exponent = settings.activity.zipf_exponent
    weights = [number**-exponent for number in range(1, instruments + 1)]
    whole = settings.activity.new_orders_per_s / sum(weights)
    return [whole * weight for weight in weights]


def live_orders(settings: Settings, number: int, orders_per_s: float) -> float:
    """Mean of the orders of a class that live at a time (Little's law)."""
    whole = sum(one.share for one in settings.lifetimes)
    one = settings.lifetimes[number]
    return orders_per_s * one.share / whole * one.mean_s


def fill_instruments(
    rows: NDArray[np.void], settings: Settings, times: SessionTimes, seed: int
) -> int:
    """Fills the rows from 1 on; gives how many orders their lists have room for."""
    rates = activity(settings, len(rows) - 1)
    used = 0
    for number, orders_per_s in enumerate(rates, 1):
        stream = Stream(seed, number)
        row = rows[number]
        row["random"] = signed(stream.bits())
        row["time_ns"] = times.start_ns
        _fill_rates(row, settings, times, orders_per_s)
        _fill_prices(row, settings, stream, orders_per_s)
        row["listing"] = _listing(settings, stream)
        row["listing_share"] = share(LISTING_SHARE)
        row["side"] = 1 + stream.below(2)
        used = _fill_lists(row, settings, orders_per_s, used)
    return used


def _fill_rates(row: np.void, settings: Settings, times: SessionTimes, orders_per_s: float) -> None:
    kernels = settings.activity.kernels
    row["base_rate"] = rate_of(orders_per_s * (1 - settings.activity.branching))
    for number, kernel in enumerate(kernels):
        row["excitement"][number] = rate_of(orders_per_s * kernel.branching)
    resting = sum(live_orders(settings, n, orders_per_s) for n in range(len(settings.lifetimes)))
    resting *= settings.orders.filling
    filling_s = (times.open_ns - times.start_ns) / 1e9
    row["filling_rate"] = rate_of(resting / (1 - min(0.9, settings.auctions.opening)) / filling_s)
    row["news_rate"] = rate_of(settings.news.per_session / times.seconds)
    row["halt_rate"] = rate_of(settings.halts.per_session / times.seconds)


def _fill_prices(row: np.void, settings: Settings, stream: Stream, orders_per_s: float) -> None:
    prices = settings.prices
    normal = NormalDist().inv_cdf((stream.below(1 << 20) + 0.5) / (1 << 20))
    price = min(prices.most, max(prices.least, prices.median * math.exp(prices.log_sigma * normal)))
    tick = round(prices.tick * UNITS)
    step = price * prices.volatility / math.sqrt(orders_per_s * DAY_S)
    half = min(prices.half_spread_steps * step, prices.most_half_spread * price)
    half = max(half, prices.tick / 2)
    row["tick"] = tick
    row["fair"] = round(price * UNITS)
    row["band_price"] = row["fair"]
    row["step"] = round(step * UNITS)
    row["half_spread"] = round(half * UNITS)
    row["unit"] = max(1, round(half / prices.tick / 3))
    odd = settings.sizes.odd_share * math.sqrt(price / HIGH_PRICE)
    row["odd_share"] = share(min(max(odd, settings.sizes.odd_share / 2), MOST_ODD))


def _listing(settings: Settings, stream: Stream) -> int:
    """The venue that lists an instrument, by the venues' shares of listings; else the first lit."""
    shares = [venue.listings for venue in settings.venues]
    lit = [number for number, venue in enumerate(settings.venues) if venue.kind == "lit"]
    if sum(shares) <= 0:
        return lit[0]
    wanted = (stream.below(1 << 20) + 0.5) / (1 << 20) * sum(shares)
    for number, one in enumerate(shares):
        wanted -= one
        if wanted < 0:
            return number
    return lit[0]


def _fill_lists(row: np.void, settings: Settings, orders_per_s: float, used: int) -> int:
    for number in range(len(settings.lifetimes)):
        mean = live_orders(settings, number, orders_per_s)
        room = math.ceil(2 * mean + BURST * math.sqrt(mean)) + SPARE_ORDERS
        row["first"][number], row["room"][number] = used, room
        used += room
    return used
