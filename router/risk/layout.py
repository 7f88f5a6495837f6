"""The tables of the gate: limits, and what it remembers of the orders that passed.

Limits exist twice: one table is in force (`HEAD.limits` is its address), the other is where the
next one is built. Each has one row for all (LIMITS), one an account, one number an account and
instrument, one row a venue. `version` is odd while a table is being written.

What the gate remembers (MEMORY) stands beside them and outlives every change of limits: rings of
counts for rates, the last orders for duplicates, refusals by reason.

Prices and money in 1e-8 units, shares, ns.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any, Final

import numpy as np

from nic.block import offsets_of

# Beyond these no order is looked at further, so that no product or sum can wrap.
MOST_SHARES: Final = (1 << 31) - 1  # of an order
MOST_PRICE: Final = 400_000_000_000_000  # 4 million currency units; x 20,000 fits
MOST_MONEY: Final = 1 << 60  # of a limit, and of what an account's figures may be
MOST_HELD: Final = 1 << 40  # shares of a position or of its open orders
MOST_SUM: Final = 1 << 62  # sums over accounts stop there
WHOLE_BPS: Final = 10_000

# A ring of counts: this bucket and the 16 before it, so that every span of 16 is inside.
BUCKETS: Final = 17
SECOND_BUCKET_NS: Final = 62_500_000  # 16 a second
MINUTE_BUCKET_NS: Final = 3_750_000_000  # 16 a minute

LIMITS_DTYPE: Final = np.dtype(
    [
        ("version", "i8"),
        ("number", "i8"),  # 1 for the first table, then on
        ("memory", "i8"),  # addresses
        ("accounts", "i8"),
        ("positions", "i8"),  # i8 shares by [account, instrument]
        ("venues", "i8"),
        ("account_count", "i8"),  # rows
        ("instrument_count", "i8"),
        ("venue_count", "i8"),
        # Over all accounts together.
        ("gross", "i8"),
        ("loss", "i8"),
        ("open_orders", "i8"),
        ("orders_per_second", "i8"),
        ("unused", "i8", (3,)),
    ]
)
ACCOUNT_LIMITS_DTYPE: Final = np.dtype(
    [
        ("present", "i8"),  # 0: the account has no limits, so its orders do not pass
        ("peer", "i8"),  # next account of the self-trade group, in a circle
        ("order_shares", "i8"),
        ("order_notional", "i8"),
        ("collar_bps", "i8"),  # from the national best
        ("last_bps", "i8"),  # from the last trade
        ("gross", "i8"),
        ("net", "i8"),
        ("capital", "i8"),
        ("credit", "i8"),
        ("loss", "i8"),
        ("open_orders", "i8"),
        ("orders_per_second", "i8"),
        ("duplicate_ns", "i8"),
        ("cancel_percent", "i8"),  # cancels in 100 orders, of the last minute
        ("cancel_from", "i8"),  # orders in it before the percentage counts
    ]
)
VENUE_LIMITS_DTYPE: Final = np.dtype([("present", "i8"), ("orders_per_second", "i8")])

RING_DTYPE: Final = np.dtype([("stamps", "i8", (BUCKETS,)), ("counts", "i8", (BUCKETS,))])
PACE_DTYPE: Final = np.dtype(
    [("second", RING_DTYPE), ("orders", RING_DTYPE), ("cancels", RING_DTYPE)]
)
REASON_ROOM: Final = 64
MEMORY_DTYPE: Final = np.dtype(
    [
        ("accounts", "i8"),  # address of a PACE row an account
        ("venues", "i8"),  # of a RING a venue
        ("orders", "i8"),  # of the last new orders, a ring
        ("heads", "i8"),  # i8 by hash: newest order with it, counted from 1; 0: none
        ("mask", "i8"),  # orders in the ring - 1, a power of two - 1
        ("written", "i8"),  # new orders that passed
        ("replaces", "i8"),  # that passed
        ("cancels", "i8"),
        ("second", RING_DTYPE),  # of all accounts
        ("refused", "i8", (REASON_ROOM,)),  # by reason
    ]
)
SEEN_DTYPE: Final = np.dtype(
    [
        ("account", "i8"),
        ("instrument", "i8"),
        ("venue", "i8"),
        ("side", "i8"),
        ("price", "i8"),
        ("quantity", "i8"),
        ("time_ns", "i8"),
        ("before", "i8"),  # the order before it with the same hash, counted from 1
    ]
)

# The checks, in their order: the first that does not hold gives the verdict.
REASONS: Final = (
    "passed",
    "unknown kind",
    "unknown order",
    "replace under way",
    "no limits, no trading",
    "unknown account",
    "unknown instrument",
    "unknown venue",
    "unknown side",
    "account has no limits",
    "venue has no limits",
    "figures out of range",
    "killed",
    "account killed",
    "instrument killed",
    "venue killed",
    "venue down",
    "no market data",
    "market halted",
    "venue not trading",
    "book not live",
    "restricted",
    "quantity not positive",
    "quantity too large",
    "order size",
    "lot",
    "price out of range",
    "tick",
    "no reference price",
    "price collar",
    "last trade collar",
    "price band",
    "order notional",
    "short not flagged",
    "not located",
    "no locates left",
    "short sale price test",
    "self-trade",
    "duplicate order",
    "position limit",
    "gross exposure",
    "net exposure",
    "buying power",
    "credit",
    "daily loss",
    "gross exposure of all",
    "daily loss of all",
    "open orders",
    "open orders of all",
    "account order rate",
    "venue order rate",
    "order rate of all",
    "cancel ratio",
)
(
    PASSED, UNKNOWN_KIND, UNKNOWN_ORDER, REPLACE_UNDER_WAY, NO_LIMITS, UNKNOWN_ACCOUNT,
    UNKNOWN_INSTRUMENT, UNKNOWN_VENUE, UNKNOWN_SIDE, ACCOUNT_WITHOUT_LIMITS, VENUE_WITHOUT_LIMITS,
    FIGURES, KILLED, ACCOUNT_KILLED, INSTRUMENT_KILLED, VENUE_KILLED, VENUE_DOWN, NO_MARKET,
    MARKET_IS_HALTED, VENUE_NOT_TRADING, BOOK_NOT_LIVE, RESTRICTED, NO_QUANTITY, LARGE_QUANTITY,
    ORDER_SIZE, LOT, PRICE, TICK, NO_REFERENCE, COLLAR, LAST_COLLAR, BAND, NOTIONAL, NOT_FLAGGED,
    NOT_LOCATED, NO_LOCATES, PRICE_TEST, SELF_TRADE, DUPLICATE, POSITION_LIMIT, GROSS, NET,
    BUYING_POWER, CREDIT, LOSS, ALL_GROSS, ALL_LOSS, OPEN_ORDERS, ALL_OPEN_ORDERS, ACCOUNT_RATE,
    VENUE_RATE, ALL_RATE, CANCEL_RATIO,
) = range(len(REASONS))  # fmt: skip
assert len(REASONS) <= REASON_ROOM

# What an order is, once it is known which rows it is about: carried from check to check.
Facts: Any = namedtuple(
    "Facts",
    (
        "router", "limits", "rules", "now",  # addresses but `now`
        "account", "instrument", "venue", "position",  # addresses of rows
        "account_number", "instrument_number", "venue_number", "enters",
        "side", "price", "flags", "whole",  # `whole`: the quantity, executed shares included
        "cum", "was_whole", "was_open", "was_price",  # of the child that is replaced, else 0
    ),
)  # fmt: skip
# What the market says: prices, 0 where there is none.
Prices: Any = namedtuple("Prices", ("bid", "offer", "last", "lower", "upper"))


LIMITS: Final = offsets_of(LIMITS_DTYPE)
ACCOUNT_LIMITS: Final = offsets_of(ACCOUNT_LIMITS_DTYPE)
VENUE_LIMITS: Final = offsets_of(VENUE_LIMITS_DTYPE)
PACE: Final = offsets_of(PACE_DTYPE)
MEMORY: Final = offsets_of(MEMORY_DTYPE)
SEEN: Final = offsets_of(SEEN_DTYPE)
ACCOUNT_LIMITS_BYTES: Final = ACCOUNT_LIMITS_DTYPE.itemsize
VENUE_LIMITS_BYTES: Final = VENUE_LIMITS_DTYPE.itemsize
RING_BYTES: Final = RING_DTYPE.itemsize
PACE_BYTES: Final = PACE_DTYPE.itemsize
SEEN_BYTES: Final = SEEN_DTYPE.itemsize
SEEN_ORDERS: Final = 4096  # new orders that duplicates are looked for in


def risk_sections(
    accounts: int, instruments: int, venues: int, seen_orders: int = SEEN_ORDERS
) -> list[tuple[str, np.dtype[Any], int]]:
    """What the gate needs in the block of the router's tables: two tables of limits, a memory.

    Args:
        accounts, instruments, venues: of `router.tablespace.Sizes`.
        seen_orders: the duplicates' memory; a power of two, else ValueError.
    """
    if seen_orders < 1 or seen_orders & (seen_orders - 1):
        raise ValueError(f"seen_orders: expected a power of two, got {seen_orders}")
    accounts, instruments = accounts + 1, instruments + 1
    return [
        ("limit_tables", LIMITS_DTYPE, 2),
        ("account_limits", ACCOUNT_LIMITS_DTYPE, 2 * accounts),
        ("position_limits", np.dtype("i8"), 2 * accounts * instruments),
        ("venue_limits", VENUE_LIMITS_DTYPE, 2 * venues),
        ("gate", MEMORY_DTYPE, 1),
        ("gate_accounts", PACE_DTYPE, accounts),
        ("gate_venues", RING_DTYPE, venues),
        ("gate_orders", SEEN_DTYPE, seen_orders),
        ("gate_heads", np.dtype("i8"), seen_orders),
    ]
