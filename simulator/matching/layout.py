"""The tables of a venue's matching: what is in them and where.

One region holds a venue:

    head         one row: sizes, counters, where output goes; begins with the head of a book, so
                 that the ladders of `feedhandler.books.ladder` serve here too
    instruments  one cache line each: status, bands, reference, its orders beside the ladders
    orders       three cache lines an order: what matching reads, what it is, what few orders have
    tokens       hash table from (owner, token) to the order; a free slot has order 0
    owners       shares executed today and the fee tier reached
    fees         a row a tier
    ticks        a row a price band
    queues       beside the levels: first and last order of the displayed and of the hidden queue
    levels, ladders, chunks: as in `feedhandler.books.layout`; a level's quantity and orders are the
                 displayed ones, `next_free` chains free levels

Orders are numbered by their row, 0 means "none". The displayed queue of a level goes before the
hidden one. An order that is not in a ladder (a parked peg, an order for an auction, an invitation)
has level 0 and stands beside: in the list of its instrument that holds all pegs and such.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from feedhandler.books.layout import HEAD_DTYPE as BOOK_HEAD_DTYPE
from nic.block import field_offset

NONE: Final = np.int64(0)  # an argument; numba compiles a kernel anew for a literal 0
MOST_PRICE: Final = 1 << 52  # above every price; what a market order to buy would pay
FEE_KINDS: Final = 8  # liquidity codes, then RETAIL_ADDED and RETAIL_REMOVED
RETAIL_ADDED: Final = 6
RETAIL_REMOVED: Final = 7
DOLLAR: Final = 100_000_000  # one currency unit
MOST_TICKS: Final = 8
MOST_TIERS: Final = 8

# Rules of a venue, bits of the head's `rules`.
SIZE_DOWN_KEEPS: Final = 1  # a replace to fewer shares at the same price keeps its priority
IN_PLACE: Final = 2  # changed orders keep their public reference (MODIFY, not REPLACE)
REFRESH_AT_ONCE: Final = 4  # a reserve shows its next slice before hidden orders have traded
HALT_QUEUES: Final = 8  # orders wait through a halt; else they are refused
BANDS_SLIDE: Final = 16  # orders beyond the bands are priced at the band; else refused
MIDPOINT_ONLY: Final = 32  # a dark pool: every order is a midpoint peg
CONDITIONALS: Final = 64  # invitations are taken
PROTECT: Final = 128  # orders without SWEEP do not trade through a better price elsewhere
TAKES_RETAIL: Final = 256  # the RETAIL flag is accepted
NO_AUCTIONS: Final = 512  # orders for an auction are refused

HEAD_DTYPE: Final = np.dtype(
    [
        ("book", BOOK_HEAD_DTYPE),
        ("order_rows", "i8"),  # addresses of the tables
        ("queues", "i8"),
        ("token_table", "i8"),
        ("owner_rows", "i8"),
        ("instrument_rows", "i8"),
        ("fee_rows", "i8"),
        ("tick_rows", "i8"),
        ("token_mask", "i8"),  # slots - 1
        ("order_room", "i8"),  # rows of orders, without row 0
        ("slice_room", "i8"),  # slices of reserve orders, all together
        ("owner_room", "i8"),
        ("tiers", "i8"),
        ("ticks", "i8"),
        ("rules", "i8"),
        ("round_lot", "i8"),
        ("most_shares", "i8"),  # of one order
        ("self_trade_modes", "i8"),  # bit n: mode n is taken
        ("firm_up_ns", "i8"),  # how long an invitation holds
        ("public_room", "i8"),  # records, of the buffers given to submit
        ("report_room", "i8"),
        # From here on kernels write.
        ("free_order", "i8"),
        ("next_order", "i8"),
        ("live", "i8"),
        ("slices", "i8"),
        ("sequence", "i8"),  # of the last record out
        ("numbers", "i8"),  # last order number or public reference given
        ("trades", "i8"),  # last trade id
        ("now", "i8"),
        ("public", "i8"),  # address of the next public record
        ("report", "i8"),
        ("public_count", "i8"),  # records the last submit wrote
        ("report_count", "i8"),
        ("refresh_first", "i8"),  # reserve orders whose slice is used up
        ("refresh_last", "i8"),
        ("commands", "i8"),  # taken since the start
        ("spare", "i8", (4,)),
    ]
)
INSTRUMENT_DTYPE: Final = np.dtype(
    [
        ("status", "i8"),
        ("lower", "i8"),  # band; 0 none
        ("upper", "i8"),  # band; MOST_PRICE none
        ("bid", "i8"),  # national best; 0 none
        ("offer", "i8"),
        ("last", "i8"),  # price of the last trade
        ("beside_first", "u4"),
        ("beside_last", "u4"),
        ("spare", "i8"),
    ]
)
ORDER_DTYPE: Final = np.dtype(
    [
        ("next", "u4"),
        ("previous", "u4"),
        ("level", "u4"),
        ("flags", "u4"),
        ("leaves", "i8"),  # 0: the row is free
        ("shown", "i8"),  # shares on the public book
        ("reference", "i8"),  # on the public book; 0: the next display takes a new one
        ("token", "i8"),
        ("instrument", "i4"),
        ("owner", "i4"),
        ("side", "u1"),
        ("type", "u1"),
        ("time_in_force", "u1"),
        ("marks", "u1"),
        ("slices", "u4"),
        ("price", "i8"),  # where it stands now
        ("group", "i8"),
        ("arrival", "i8"),  # time priority
        ("number", "i8"),
        ("display", "i8"),
        ("minimum", "i8"),
        ("cap", "i8"),  # 0: none
        ("offset", "i8"),
        ("beside_next", "u4"),
        ("beside_previous", "u4"),
        ("refresh_next", "u4"),
        ("unused", "u4"),
        ("invited_ns", "i8"),
        ("spare", "i8", (5,)),
    ]
)
QUEUE_DTYPE: Final = np.dtype(
    [("shown_first", "u4"), ("shown_last", "u4"), ("hidden_first", "u4"), ("hidden_last", "u4")]
)
TOKEN_DTYPE: Final = np.dtype([("token", "i8"), ("owner", "i4"), ("order", "u4")])
OWNER_DTYPE: Final = np.dtype([("shares", "i8"), ("tier", "i8")])
RATE_DTYPE: Final = np.dtype([("per_share", "i8"), ("per_notional", "i8")])
FEE_DTYPE: Final = np.dtype([("from_shares", "i8"), ("rates", RATE_DTYPE, (FEE_KINDS,))])
TICK_DTYPE: Final = np.dtype([("from_price", "i8"), ("tick", "i8")])

# Marks of an order.
WAITS: Final = 1  # in a ladder, but shown only when the instrument trades again
BESIDE: Final = 2  # in the list of its instrument
USED_UP: Final = 4  # a reserve order whose slice is gone, to be shown anew
INVITATION: Final = 8  # a conditional order
RESERVED: Final = 16  # a displayed order with a reserve behind
UNSEEN: Final = 32  # never displayed

ORDER_BYTES: Final = ORDER_DTYPE.itemsize
INSTRUMENT_BYTES: Final = INSTRUMENT_DTYPE.itemsize
QUEUE_BYTES: Final = QUEUE_DTYPE.itemsize
TOKEN_BYTES: Final = TOKEN_DTYPE.itemsize
OWNER_BYTES: Final = OWNER_DTYPE.itemsize
RATE_BYTES: Final = RATE_DTYPE.itemsize
FEE_BYTES: Final = FEE_DTYPE.itemsize
TICK_BYTES: Final = TICK_DTYPE.itemsize
assert (ORDER_BYTES, INSTRUMENT_BYTES, QUEUE_BYTES, TOKEN_BYTES) == (192, 64, 16, 16)

# Most records that one order, or one slice of it, can cause while one command is worked on.
PUBLIC_AN_ORDER: Final = 4
REPORTS_AN_ORDER: Final = 6
MORE_RECORDS: Final = 16  # and so many beside, for the command itself

_head = {name: field_offset(HEAD_DTYPE, name) for name in HEAD_DTYPE.names or ()}
ORDER_ROWS: Final = _head["order_rows"]
QUEUES: Final = _head["queues"]
TOKEN_TABLE: Final = _head["token_table"]
OWNER_ROWS: Final = _head["owner_rows"]
INSTRUMENT_ROWS: Final = _head["instrument_rows"]
FEE_ROWS: Final = _head["fee_rows"]
TICK_ROWS: Final = _head["tick_rows"]
TOKEN_MASK: Final = _head["token_mask"]
ORDER_ROOM: Final = _head["order_room"]
SLICE_ROOM: Final = _head["slice_room"]
OWNER_ROOM: Final = _head["owner_room"]
TIERS: Final = _head["tiers"]
TICKS: Final = _head["ticks"]
RULES: Final = _head["rules"]
ROUND_LOT: Final = _head["round_lot"]
MOST_SHARES: Final = _head["most_shares"]
SELF_TRADE_MODES: Final = _head["self_trade_modes"]
FIRM_UP_NS: Final = _head["firm_up_ns"]
PUBLIC_ROOM: Final = _head["public_room"]
REPORT_ROOM: Final = _head["report_room"]
FREE_ORDER: Final = _head["free_order"]
NEXT_ORDER: Final = _head["next_order"]
LIVE: Final = _head["live"]
SLICES: Final = _head["slices"]
SEQUENCE: Final = _head["sequence"]
NUMBERS: Final = _head["numbers"]
TRADES: Final = _head["trades"]
NOW: Final = _head["now"]
PUBLIC: Final = _head["public"]
REPORT: Final = _head["report"]
PUBLIC_COUNT: Final = _head["public_count"]
REPORT_COUNT: Final = _head["report_count"]
REFRESH_FIRST: Final = _head["refresh_first"]
REFRESH_LAST: Final = _head["refresh_last"]
COMMANDS: Final = _head["commands"]

_instrument = {name: field_offset(INSTRUMENT_DTYPE, name) for name in INSTRUMENT_DTYPE.names or ()}
STATUS: Final = _instrument["status"]
LOWER: Final = _instrument["lower"]
UPPER: Final = _instrument["upper"]
BID: Final = _instrument["bid"]
OFFER: Final = _instrument["offer"]
LAST: Final = _instrument["last"]
BESIDE_FIRST: Final = _instrument["beside_first"]
BESIDE_LAST: Final = _instrument["beside_last"]

_order = {name: field_offset(ORDER_DTYPE, name) for name in ORDER_DTYPE.names or ()}
NEXT: Final = _order["next"]
PREVIOUS: Final = _order["previous"]
LEVEL: Final = _order["level"]
FLAGS: Final = _order["flags"]
LEAVES: Final = _order["leaves"]
SHOWN: Final = _order["shown"]
REFERENCE: Final = _order["reference"]
TOKEN: Final = _order["token"]
OWNER: Final = _order["owner"]
INSTRUMENT: Final = _order["instrument"]
SIDE: Final = _order["side"]
TYPE: Final = _order["type"]
TIME_IN_FORCE: Final = _order["time_in_force"]
MARKS: Final = _order["marks"]
ORDER_SLICES: Final = _order["slices"]
PRICE: Final = _order["price"]
GROUP: Final = _order["group"]
ARRIVAL: Final = _order["arrival"]
NUMBER: Final = _order["number"]
DISPLAY: Final = _order["display"]
MINIMUM: Final = _order["minimum"]
CAP: Final = _order["cap"]
OFFSET: Final = _order["offset"]
BESIDE_NEXT: Final = _order["beside_next"]
BESIDE_PREVIOUS: Final = _order["beside_previous"]
REFRESH_NEXT: Final = _order["refresh_next"]
INVITED_NS: Final = _order["invited_ns"]
