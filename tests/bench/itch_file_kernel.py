"""The kernel that writes a synthetic TotalView-ITCH 5.0 stream: a market's worth of order lives."""

from __future__ import annotations

import numpy as np
from numba import njit

ADD, ADD_MPID, EXECUTE, EXECUTE_PRICE, CANCEL, DELETE, REPLACE, TRADE = range(8)
RECENT = 4096  # orders that a touch in the hot profile is drawn from


@njit(nogil=True)
def put(out, at, width, value):
    """Writes a big-endian integer; gives the offset behind it."""
    for i in range(width):
        out[at + i] = (value >> (8 * (width - 1 - i))) & 0xFF
    return at + width


@njit(nogil=True)
def header(out, at, length, letter, symbol, time_ns):
    """Length prefix and the fields that start every message."""
    at = put(out, at, 2, length)
    out[at] = letter
    at = put(out, at + 1, 2, symbol)
    at = put(out, at, 2, 0)
    return put(out, at, 6, time_ns)


@njit(nogil=True)
def add_message(out, at, symbol, time_ns, order, side, shares, price, name):
    """A message A."""
    at = header(out, at, 36, ord("A"), symbol, time_ns)
    at = put(out, at, 8, order)
    out[at] = side
    at = put(out, at + 1, 4, shares)
    for i in range(8):
        out[at + i] = name[i]
    return put(out, at + 8, 4, price)


@njit(nogil=True)
def pick(live, live_count, recent, recent_at, place, hot_share):
    """Position in `live` of the order to touch: a recent one with the given probability."""
    if np.random.random() < hot_share:
        for _ in range(8):
            back = int(np.random.exponential(300.0)) % RECENT
            order = recent[(recent_at - 1 - back) % RECENT]
            if order >= 0 and place[order] >= 0:
                return place[order]
    return np.random.randint(live_count)


@njit(nogil=True)
def depth_ticks():
    """How far behind the best price an order rests: near the top mostly, far away at times."""
    if np.random.random() < 0.02:
        return 1 + int(np.random.exponential(400.0))
    return 1 + int(np.random.exponential(6.0))


@njit(nogil=True)
def random_price(mid, side):
    """A price on one side of a symbol's middle, in units of 1e-4, on whole cents."""
    price = mid - 100 * depth_ticks() if side == ord("B") else mid + 100 * depth_ticks()
    return max(price, 100)


@njit(nogil=True)
def new_order(out, at, order, number, time_ns, cumulative, mids, names, table):
    """A new order in a row of the table; gives the offset behind its message."""
    symbol = np.searchsorted(cumulative, np.random.random())
    side = ord("B") if np.random.random() < 0.5 else ord("S")
    shares = 100 * (1 + int(np.random.exponential(2.0)))
    if np.random.random() < 0.2:
        shares = 1 + int(np.random.random() * 99)
    price = random_price(mids[symbol], side)
    table[order, 0], table[order, 1], table[order, 2] = number, symbol, side
    table[order, 3], table[order, 4] = shares, price
    return add_message(out, at, symbol + 1, time_ns, number, side, shares, price, names[symbol])


@njit(nogil=True)
def execution(out, at, row, time_ns, match):
    """An execution of part of an order or all of it."""
    shares = row[3]
    if np.random.random() < 0.4 and shares > 1:
        shares = 1 + int(np.random.random() * (shares - 1))
    at = header(out, at, 31, ord("E"), row[1] + 1, time_ns)
    at = put(out, at, 8, row[0])
    at = put(out, at, 4, shares)
    row[3] -= shares
    return put(out, at, 8, match)


@njit(nogil=True)
def replacement(out, at, row, time_ns, number, mids):
    """A new number, size and price for an order."""
    price = random_price(mids[row[1]], row[2])
    shares = 100 * (1 + int(np.random.exponential(2.0)))
    at = header(out, at, 35, ord("U"), row[1] + 1, time_ns)
    at = put(out, at, 8, row[0])
    at = put(out, at, 8, number)
    at = put(out, at, 4, shares)
    row[0], row[3], row[4] = number, shares, price
    return put(out, at, 4, price)


@njit(nogil=True)
def reduction(out, at, row, time_ns):
    """A cancel of half of an order."""
    shares = max(1, row[3] // 2)
    at = header(out, at, 23, ord("X"), row[1] + 1, time_ns)
    at = put(out, at, 8, row[0])
    row[3] -= shares
    return put(out, at, 4, shares)


@njit(nogil=True)
def touch(out, at, draw, row, time_ns, number, match, mids):
    """What happens to a resting order; its shares are 0 when it is gone."""
    if draw < 0.86:
        at = header(out, at, 19, ord("D"), row[1] + 1, time_ns)
        row[3] = 0
        return put(out, at, 8, row[0])
    if draw < 0.91:
        return execution(out, at, row, time_ns, match)
    if draw < 0.956:
        return replacement(out, at, row, time_ns, number, mids)
    return reduction(out, at, row, time_ns)


@njit(nogil=True, cache=True)
def make(out, count, seed, hot_share, cumulative, mids, names, table):
    """Writes `count` messages to `out`; gives (bytes written, live orders at the end).

    cumulative: float64 [symbol], the share of activity up to each symbol.
    mids: int64 [symbol], the middle price of each.
    names: uint8 [symbol][8].
    table: int64 [order][5]: number, symbol, side, shares, price.
    """
    np.random.seed(seed)
    live, place = np.empty(table.shape[0], np.int64), np.full(table.shape[0], -1, np.int64)
    recent = np.full(RECENT, -1, np.int64)
    recent_at, live_count, orders, at = 0, 0, 0, 0
    number, time_ns = 1000, 34_200_000_000_000
    for message in range(count):
        time_ns += int(np.random.exponential(1500.0))
        number += 1 + int(np.random.exponential(0.6))
        draw = np.random.random() * 0.971
        order = orders
        if draw < 0.49 or live_count < 100:
            at = new_order(out, at, order, number, time_ns, cumulative, mids, names, table)
            place[order], live[live_count] = live_count, order
            live_count += 1
            orders += 1
        else:
            where = pick(live, live_count, recent, recent_at, place, hot_share)
            order = live[where]
            at = touch(out, at, draw, table[order], time_ns, number, message, mids)
        if draw < 0.49 or 0.91 <= draw < 0.956:
            recent[recent_at % RECENT] = order
            recent_at += 1
        if table[order, 3] == 0:
            live_count -= 1
            last = live[live_count]
            live[place[order]], place[last], place[order] = last, place[order], -1
    return at, live_count
