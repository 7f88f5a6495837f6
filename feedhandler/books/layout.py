"""The tables of a venue's books: what is in them and where, and what can be wrong with an action.

One region holds all books of a venue:

    head      one row: addresses, sizes, free lists, fault counters
    orders    buckets of four orders, one cache line: id, quantity, level; a free slot is NO_ORDER
    arrivals  beside the orders: arrival sequence and attribution, read when someone asks
    levels    32 bytes a price level: price, quantity, orders, ladder; those of a window lie side by
              side, WINDOW of them, and a free one of them has no price; behind all windows come the
              single ones
    ladders   128 bytes an instrument: a line with the best and the window of both sides, for every
              message, and a line that says where their other levels are
    chunks    of ladders: GUARDS times NO_KEY, then price keys sorted with the best last, then as
              many level numbers (u4); a ladder moves to a chunk of the next size class when full
    tops      64 bytes an instrument: best of both sides and how far the book can be trusted
    notes     32 bytes an instrument: what is seldom said of it and must not get lost

Price keys are prices for bids and minus prices for offers, so the best key is the highest on both
sides. Level 0 means "none". The guards let a kernel compare GUARDS keys at once wherever it looks.

The window of a ladder is where nearly all of its life happens: the WINDOW cents that end somewhat
above the best key, a level each, found without a search. A cent's place in it is its number modulo
WINDOW, so that moving the window up or down moves no level. Prices outside, and those between
cents, stand in the sorted keys; so does a level that the window has left behind, at the place it
has, until it is empty. `bits` tells which places are of the window's own cents and in use.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset

SIZE_CLASSES: Final = 24  # ladder capacities 8, 16, … 8 << 23
SMALLEST_LADDER: Final = 8
GUARDS: Final = 16
WINDOW: Final = 64  # as many as bits in a word
NO_KEY: Final = -(1 << 63)  # below every price key
NO_ORDER: Final = -1  # id of a free slot
BUCKET_ORDERS: Final = 4
SEEN_ORDERS: Final = 16
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
        ("next_window", "i8"),  # level number of the first window never used
        ("first_single", "i8"),  # level number behind the last window
        ("notes", "i8"),
        ("seen", "i8", (SEEN_ORDERS,)),  # where orders of the next actions were found
        ("no_order", "i8"),  # NO_ORDER: an order that is none
        ("noted", "i8"),  # 1: some instrument had bands or a side that does not count
        ("filter", "i8"),  # address of the row of feedhandler.books.owned; 0: all symbols are kept
    ]
)
ORDER_DTYPE: Final = np.dtype([("id", "i8"), ("quantity", "u4"), ("level", "u4")])
ARRIVAL_DTYPE: Final = np.dtype([("sequence", "i8"), ("attribution", "i8")])
LEVEL_DTYPE: Final = np.dtype(
    [("price", "i8"), ("quantity", "i8"), ("orders", "u4"), ("ladder", "u4"), ("next_free", "i8")]
)
NEAR_DTYPE: Final = np.dtype(
    [
        ("best", "u4"),  # level number; 0: the ladder is empty
        ("window", "u4"),  # level number of its first place; 0: no window
        ("best_key", "i8"),  # NO_KEY or lower when it is empty
        ("low", "i8"),  # key of the window's lowest cent, in cents
        ("bits", "i8"),
    ]
)
FAR_DTYPE: Final = np.dtype(
    [
        ("keys", "i8"),  # address of the first key; 0 before the first level outside the window
        ("levels", "i8"),  # address of the first level number
        ("count", "u4"),  # of sorted keys
        ("size_class", "u4"),
        ("mark", "i8"),  # of the bids: the book has all from this sequence on; 0: nobody says so
    ]
)
LADDERS_DTYPE: Final = np.dtype([("near", NEAR_DTYPE, 2), ("far", FAR_DTYPE, 2)])  # bids, offers
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
NOTE_DTYPE: Final = np.dtype(
    [
        ("lower_band", "i8"),  # 0: none
        ("upper_band", "i8"),
        ("bands_ns", "i8"),  # exchange's time of the bands
        ("banded", "u1"),  # 1: bands were said, and the consolidated book has not taken them yet
        ("status", "u1"),  # STATUS_ that was said of the instrument alone, last
        ("closed", "u1"),  # sides whose quote is not eligible: bit 0 bids, bit 1 offers
        ("spare", "u1", (5,)),
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
LADDERS_BYTES: Final = LADDERS_DTYPE.itemsize
NEAR_BYTES: Final = NEAR_DTYPE.itemsize
TOP_BYTES: Final = TOP_DTYPE.itemsize
assert (ORDER_BYTES, LEVEL_BYTES, LADDERS_BYTES, TOP_BYTES) == (16, 32, 128, 64)
assert FAR_DTYPE.itemsize == NEAR_BYTES
NOTE_BYTES: Final = NOTE_DTYPE.itemsize
assert NOTE_BYTES == 32

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
SEEN: Final = _head["seen"]
NO_ORDER_AT: Final = _head["no_order"]
NEXT_WINDOW: Final = _head["next_window"]
FIRST_SINGLE: Final = _head["first_single"]
NOTES: Final = _head["notes"]
NOTED: Final = _head["noted"]
FILTER: Final = _head["filter"]

ORDER_QUANTITY: Final = field_offset(ORDER_DTYPE, "quantity")
ORDER_LEVEL: Final = field_offset(ORDER_DTYPE, "level")
LEVEL_QUANTITY: Final = field_offset(LEVEL_DTYPE, "quantity")
LEVEL_ORDERS: Final = field_offset(LEVEL_DTYPE, "orders")
LEVEL_LADDER: Final = field_offset(LEVEL_DTYPE, "ladder")
LEVEL_NEXT_FREE: Final = field_offset(LEVEL_DTYPE, "next_free")
LADDER_BEST: Final = field_offset(NEAR_DTYPE, "best")
LADDER_WINDOW: Final = field_offset(NEAR_DTYPE, "window")
LADDER_BEST_KEY: Final = field_offset(NEAR_DTYPE, "best_key")
LADDER_LOW: Final = field_offset(NEAR_DTYPE, "low")
LADDER_BITS: Final = field_offset(NEAR_DTYPE, "bits")
FAR_AT: Final = field_offset(LADDERS_DTYPE, "far")  # from a side's near part to its far one
LADDER_KEYS: Final = FAR_AT + field_offset(FAR_DTYPE, "keys")
LADDER_LEVELS: Final = FAR_AT + field_offset(FAR_DTYPE, "levels")
LADDER_COUNT: Final = FAR_AT + field_offset(FAR_DTYPE, "count")
LADDER_CLASS: Final = FAR_AT + field_offset(FAR_DTYPE, "size_class")
LADDER_MARK: Final = FAR_AT + field_offset(FAR_DTYPE, "mark")
TOP_BID: Final = field_offset(TOP_DTYPE, "bid")
TOP_OFFER: Final = field_offset(TOP_DTYPE, "offer")
TOP_TIME: Final = field_offset(TOP_DTYPE, "time_ns")
TOP_STATUS: Final = field_offset(TOP_DTYPE, "status")
TOP_TRUST: Final = field_offset(TOP_DTYPE, "trust")
TOP_FAULT: Final = field_offset(TOP_DTYPE, "fault")
TOP_RESTRICTED: Final = field_offset(TOP_DTYPE, "restricted")
TOP_UNIT: Final = field_offset(TOP_DTYPE, "unit")
TOP_KEY: Final = field_offset(TOP_DTYPE, "key")
NOTE_LOWER: Final = field_offset(NOTE_DTYPE, "lower_band")
NOTE_UPPER: Final = field_offset(NOTE_DTYPE, "upper_band")
NOTE_BANDS_NS: Final = field_offset(NOTE_DTYPE, "bands_ns")
NOTE_BANDED: Final = field_offset(NOTE_DTYPE, "banded")
NOTE_STATUS: Final = field_offset(NOTE_DTYPE, "status")
NOTE_CLOSED: Final = field_offset(NOTE_DTYPE, "closed")
