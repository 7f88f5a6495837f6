"""The tables of a venue's books: what is in them and where, and what can be wrong with an action.

One region holds all books of a venue:

    head      one row: addresses, sizes, free lists, fault counters
    orders    buckets of four orders, one cache line: id, quantity, level; a free slot is NO_ORDER
    arrivals  beside the orders: arrival sequence and attribution, read when someone asks
    levels    32 bytes a price level: price, quantity, orders, ladder
    ladders   64 bytes a side of an instrument: where its keys and levels are, how many
    chunks    of ladders: GUARDS times NO_KEY, then price keys sorted with the best last, then as
              many level numbers (u4); a ladder moves to a chunk of the next size class when full
    tops      64 bytes an instrument: best of both sides and how far the book can be trusted

Price keys are prices for bids and minus prices for offers, so the best key is the highest on both
sides. Level 0 means "none". The guards let a kernel compare GUARDS keys at once wherever it looks.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset

SIZE_CLASSES: Final = 24  # ladder capacities 8, 16, … 8 << 23
SMALLEST_LADDER: Final = 8
GUARDS: Final = 16
NO_KEY: Final = -(1 << 63)  # below every price key
NO_ORDER: Final = -1  # id of a free slot
BUCKET_ORDERS: Final = 4
BUCKET_BYTES: Final = 64

FAULT_NAMES: Final = (
    "none",
    "unknown_order",  # named by an execute, reduce, delete, replace or modify
    "duplicate_order",  # added although it is there
    "over_reduced",  # more shares taken off than the order has
    "bad_price",  # an order or level without a usable price
    "bad_quantity",  # zero, negative or beyond 32 bits
    "orders_full",
    "levels_full",
    "chunks_full",
    "unknown_instrument",  # a key beyond the configured instruments
    "crossed",  # best bid at or above best offer while trading
    "bad_side",  # an order or level without a side
)
(
    NO_FAULT,
    UNKNOWN_ORDER,
    DUPLICATE_ORDER,
    OVER_REDUCED,
    BAD_PRICE,
    BAD_QUANTITY,
    ORDERS_FULL,
    LEVELS_FULL,
    CHUNKS_FULL,
    UNKNOWN_INSTRUMENT,
    CROSSED,
    BAD_SIDE,
) = range(len(FAULT_NAMES))

HEAD_DTYPE: Final = np.dtype(
    [
        ("orders", "i8"),  # address, 64-byte aligned
        ("bucket_mask", "i8"),  # number of buckets - 1
        ("order_factor", "i8"),  # 1 keeps dense ids beside each other, an odd number scatters
        (
            "order_shift",
            "i8",
        ),  # of the product: 2 for dense ids (four to a bucket), 32 for scattered
        ("live_orders", "i8"),
        ("most_orders", "i8"),  # adds beyond it are refused: probing stays short
        ("arrivals", "i8"),
        ("levels", "i8"),
        ("free_level", "i8"),  # first of the chain of free levels; 0 = none
        ("next_level", "i8"),  # first never used
        ("most_levels", "i8"),
        ("ladders", "i8"),
        ("instruments", "i8"),
        ("tops", "i8"),
        ("next_chunk", "i8"),  # address of ladder memory never used
        ("end_chunk", "i8"),
        ("keys", "i8"),  # address of the key table; 0: keys are instrument numbers
        ("key_mask", "i8"),
        ("known_keys", "i8"),
        ("changes", "i8"),  # tops changed since the start
        ("live_levels", "i8"),
        ("event_open", "i8"),  # inside an event of the venue: a crossed book is no fault yet
        ("batches", "i8"),  # odd while a batch is being applied: readers on other threads look
        ("apply", "i8"),  # the function that applies actions to these books, for the loop
        ("free_chunks", "i8", (SIZE_CLASSES,)),  # first free chunk of each size class
        ("faults", "i8", (16,)),
        ("stale_units", "i8"),  # channels or units whose messages are missing
    ]
)
ORDER_DTYPE: Final = np.dtype([("id", "i8"), ("quantity", "u4"), ("level", "u4")])
ARRIVAL_DTYPE: Final = np.dtype([("sequence", "i8"), ("attribution", "i8")])
LEVEL_DTYPE: Final = np.dtype(
    [("price", "i8"), ("quantity", "i8"), ("orders", "u4"), ("ladder", "u4"), ("next_free", "i8")]
)
LADDER_DTYPE: Final = np.dtype(
    [
        ("keys", "i8"),  # address of the first key; 0 before the first level
        ("levels", "i8"),  # address of the first level number
        ("count", "i8"),
        ("size_class", "i8"),
        ("mark", "i8"),  # of the bids: the book has all from this sequence on; 0: nobody says so
        ("spare", "i8", (3,)),
    ]
)
TOP_DTYPE: Final = np.dtype(
    [
        ("version", "i8"),  # odd while being written
        ("bid", "i8"),
        ("bid_quantity", "i8"),
        ("offer", "i8"),
        ("offer_quantity", "i8"),
        ("time_ns", "i8"),
        ("status", "u1"),  # STATUS_ of feedhandler.actions
        ("trust", "u1"),  # LIVE or STALE; halted and closed follow from the status
        ("fault", "u1"),  # first impossible input since it was last live; 0 none
        ("restricted", "u1"),  # short sale price test in force
        ("unit", "u4"),
        ("key", "i8"),
    ]
)
KEY_DTYPE: Final = np.dtype([("key", "i8"), ("instrument", "i8")])

LIVE: Final = 0
STALE: Final = 1
HALTED: Final = 2
CLOSED: Final = 3
TRUSTS: Final = ("live", "stale", "halted", "closed")

ORDER_BYTES: Final = ORDER_DTYPE.itemsize
ARRIVAL_BYTES: Final = ARRIVAL_DTYPE.itemsize
LEVEL_BYTES: Final = LEVEL_DTYPE.itemsize
LADDER_BYTES: Final = LADDER_DTYPE.itemsize
TOP_BYTES: Final = TOP_DTYPE.itemsize
assert (ORDER_BYTES, LEVEL_BYTES, LADDER_BYTES, TOP_BYTES) == (16, 32, 64, 64)

_head = {name: field_offset(HEAD_DTYPE, name) for name in HEAD_DTYPE.names or ()}
ORDERS: Final = _head["orders"]
BUCKET_MASK: Final = _head["bucket_mask"]
ORDER_FACTOR: Final = _head["order_factor"]
ORDER_SHIFT: Final = _head["order_shift"]
LIVE_ORDERS: Final = _head["live_orders"]
MOST_ORDERS: Final = _head["most_orders"]
ARRIVALS: Final = _head["arrivals"]
LEVELS: Final = _head["levels"]
FREE_LEVEL: Final = _head["free_level"]
NEXT_LEVEL: Final = _head["next_level"]
MOST_LEVELS: Final = _head["most_levels"]
LADDERS: Final = _head["ladders"]
INSTRUMENTS: Final = _head["instruments"]
TOPS: Final = _head["tops"]
NEXT_CHUNK: Final = _head["next_chunk"]
END_CHUNK: Final = _head["end_chunk"]
KEYS: Final = _head["keys"]
KEY_MASK: Final = _head["key_mask"]
KNOWN_KEYS: Final = _head["known_keys"]
CHANGES: Final = _head["changes"]
LIVE_LEVELS: Final = _head["live_levels"]
EVENT_OPEN_MARK: Final = _head["event_open"]
BATCHES: Final = _head["batches"]
APPLY: Final = _head["apply"]
FREE_CHUNKS: Final = _head["free_chunks"]
FAULTS: Final = _head["faults"]

ORDER_QUANTITY: Final = field_offset(ORDER_DTYPE, "quantity")
ORDER_LEVEL: Final = field_offset(ORDER_DTYPE, "level")
LEVEL_QUANTITY: Final = field_offset(LEVEL_DTYPE, "quantity")
LEVEL_ORDERS: Final = field_offset(LEVEL_DTYPE, "orders")
LEVEL_LADDER: Final = field_offset(LEVEL_DTYPE, "ladder")
LEVEL_NEXT_FREE: Final = field_offset(LEVEL_DTYPE, "next_free")
LADDER_LEVELS: Final = field_offset(LADDER_DTYPE, "levels")
LADDER_COUNT: Final = field_offset(LADDER_DTYPE, "count")
LADDER_CLASS: Final = field_offset(LADDER_DTYPE, "size_class")
LADDER_MARK: Final = field_offset(LADDER_DTYPE, "mark")
TOP_BID: Final = field_offset(TOP_DTYPE, "bid")
TOP_OFFER: Final = field_offset(TOP_DTYPE, "offer")
TOP_TIME: Final = field_offset(TOP_DTYPE, "time_ns")
TOP_STATUS: Final = field_offset(TOP_DTYPE, "status")
TOP_TRUST: Final = field_offset(TOP_DTYPE, "trust")
TOP_FAULT: Final = field_offset(TOP_DTYPE, "fault")
TOP_RESTRICTED: Final = field_offset(TOP_DTYPE, "restricted")
TOP_UNIT: Final = field_offset(TOP_DTYPE, "unit")
TOP_KEY: Final = field_offset(TOP_DTYPE, "key")
