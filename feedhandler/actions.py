"""What a book needs to hear, whatever protocol said it: one 64-byte record an action.

Action kernels write these records into a batch; books, routers and recorders read nothing else.

Prices are integers of 1e-8 currency units, so that every scale on the wires (0 to 8 decimals, and 9
for futures by rule of the feed) is an exact multiplication; a price that does not fit is NO_PRICE.
Times are ns since the epoch, 0 when the stream has not yet said enough to know. The key is the
venue's own: locate code, symbol index, security id, or 8 bytes of symbol text.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from nic.raw import store_u64le

PRICE_DECIMALS: Final = 8
NO_PRICE: Final = -(1 << 63)

BUY: Final = 1
SELL: Final = 2

SYMBOL: Final = (
    1  # key -> symbol text (order_id: 8 bytes, aux: the rest), price: unit, quantity: lot
)
ADD: Final = 2
REDUCE: Final = 3  # quantity: shares taken off
EXECUTE: Final = 4  # at the order's price; aux: trade id
EXECUTE_PRICE: Final = 5  # at another price; aux: trade id
DELETE: Final = 6
REPLACE: Final = 7  # order_id leaves, aux enters at the back of its level
MODIFY: Final = 8  # in place: new price and quantity; NO_PRICE leaves the price as it is
LEVEL: Final = 9  # quantity is the level's new size; 0 removes it
TOP: Final = 10  # best price and size of a side; quantity 0: none
TRADE: Final = 11  # not from a displayed order; aux: trade id
BREAK: Final = 12  # aux: trade id
CLEAR: Final = 13  # drop the orders of a key, or of the channel when ALL is flagged
STATUS: Final = 14  # aux: one of the STATUS_ codes; order_id: the venue's own code
BANDS: Final = 15  # limit up, limit down: price: lower, aux: upper; 0: none
AUCTION: Final = 16  # price: reference, aux: clearing, quantity: paired, order_id: imbalance
CLOCK: Final = 17
END: Final = 18  # end of the session
RESTRICT: Final = 19  # short sale price test: aux 1 in force, 0 not
ACCEPTED: Final = 20  # order entry: order_id is ours, aux the venue's
EXECUTED: Final = 21  # order entry: a fill, aux: its id, unit: of protocols.liquidity
CANCELED: Final = 22  # order entry: quantity taken off
REJECTED: Final = 23  # order entry: aux the venue's reason
REPLACED: Final = 24  # order entry: order_id the new one of ours, aux the old one
SESSION: Final = 25  # order entry: login, heartbeat, end; aux: the venue's code
OPERATIONAL_HALT: Final = 26  # the venue's own halt, beside STATUS: aux 1 in force, 0 not
SNAPSHOT_END: Final = 27  # the book is whole as of sequence order_id
CANCEL_REJECTED: Final = 28  # order entry: a cancel or change was refused, the order stands
CANCEL_PENDING: Final = 29  # order entry: the cancel waits, the order may still trade
RESTATED: Final = 30  # order entry: the venue changed the order; aux: its reason or its new id
COLLAR: Final = 31  # of an auction: price: lower, aux: upper, quantity: reference

KINDS: Final = (
    "none symbol add reduce execute execute_price delete replace modify level top trade break clear"
    " status bands auction clock end restrict accepted executed canceled rejected replaced session"
    " operational_halt snapshot_end cancel_rejected cancel_pending restated collar"
).split()

HIDDEN: Final = 1  # the trade or order is not in the displayed book
NOT_PRINTABLE: Final = 2  # the execution does not count as volume
KEEPS_PRIORITY: Final = 4  # a modified order stays where it is in the queue
EVENT_OPEN: Final = 8  # the venue is inside an event: the book is not yet consistent
ALL: Final = 16  # the action concerns every key of the channel or unit
CROSS: Final = 32  # an auction's trade
ODD_LOT: Final = 64
CLOSED_SIDE: Final = 128  # the quote is not eligible (halted, outside hours)
TEST_SYMBOL: Final = 256
REFRESH: Final = 512  # part of a snapshot, not of the live stream
ATTRIBUTED: Final = 1024
SWEEP: Final = 2048  # intermarket sweep
EXTENDED_HOURS: Final = 4096
CORRECTION: Final = 8192  # with BREAK: the trade stands with the new price and quantity
FAR: Final = 16384  # with AUCTION: aux is the far price
# with AUCTION: aux is one of AUCTION_TYPES, order_id the venue's letter for it, price where it
# would trade now, quantity the imbalance of orders at the market
TYPED: Final = 32768

STATUS_UNKNOWN: Final = 0
STATUS_PREOPEN: Final = 1
STATUS_TRADING: Final = 2
STATUS_HALTED: Final = 3
STATUS_PAUSED: Final = 4
STATUS_QUOTING: Final = 5
STATUS_CLOSED: Final = 6
STATUS_AUCTION: Final = 7

AUCTION_TYPES: Final = (
    "unknown", "opening", "closing", "halt", "ipo", "volatility", "periodic", "early opening",
    "extended close",
)  # fmt: skip
(
    AUCTION_UNKNOWN, AUCTION_OPENING, AUCTION_CLOSING, AUCTION_HALT, AUCTION_IPO,
    AUCTION_VOLATILITY, AUCTION_PERIODIC, AUCTION_EARLY_OPENING, AUCTION_EXTENDED_CLOSE,
) = range(len(AUCTION_TYPES))  # fmt: skip

ACTION_DTYPE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("flags", "u2"),
        ("unit", "u4"),
        ("key", "i8"),
        ("order_id", "i8"),
        ("price", "i8"),
        ("quantity", "i8"),
        ("aux", "i8"),
        ("time_ns", "i8"),
        ("sequence", "i8"),
    ]
)
ACTION_BYTES: Final = ACTION_DTYPE.itemsize
assert ACTION_BYTES == 64


@njit(nogil=True)
def head(kind, side, flags):
    """The first word of a record."""
    return kind | (side << 8) | (flags << 16)


@njit(nogil=True)
def emit(out, first, key, order_id, price, quantity, aux, time_ns, sequence):
    """Writes one record at `out`; `first` comes from head(). Gives 1, the number written."""
    store_u64le(out, first)
    store_u64le(out + 8, key)
    store_u64le(out + 16, order_id)
    store_u64le(out + 24, price)
    store_u64le(out + 32, quantity)
    store_u64le(out + 40, aux)
    store_u64le(out + 48, time_ns)
    store_u64le(out + 56, sequence)
    return 1
