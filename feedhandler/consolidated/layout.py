"""The tables of the consolidated book: what is in them and where.

    head         a row a shard: addresses, sizes, counters, the batch being followed
    venues       64 bytes a venue: its book, its map of instruments, how its quotes count
    instruments  64 bytes an instrument: name and round lot, written by the control side; price
                 bands, written by the loop when a feed says them, or by the control side
    quotes       128 bytes an instrument and venue: what the venue shows, venues beside each other
    records      256 bytes an instrument: the best of all venues
    maps         4 bytes a venue and venue instrument: instrument number, 0 unknown, -1 left out
    subscribers  64 bytes a subscriber of the stream

Prices are in 1e-8 currency units, quantities in shares; a quantity of 0 means "none". A set of
venues is an integer with bit v for venue v. Quotes and records are written under a sequence lock:
the version is odd while a row is being written.

Instruments, quotes and records are there once, whatever the number of shards (loops on cores of
their own); each row has one writer, the shard whose maps name the instrument. All else is there
once a shard.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset

MOST_VENUES: Final = 32
MOST_SUBSCRIBERS: Final = 16
MOST_SHARDS: Final = 64
NO_INSTRUMENT: Final = 0
LEFT_OUT: Final = -1  # test symbols

HEAD_DTYPE: Final = np.dtype(
    [
        ("venues", "i8"),  # addresses
        ("instruments", "i8"),
        ("quotes", "i8"),
        ("records", "i8"),
        ("subscribers", "i8"),
        ("touched", "i8"),  # venue instruments of the batch, i8 each
        ("stamps", "i8"),  # by venue instrument: batch that last touched it
        ("trades", "i8"),  # by action of the batch: price, venue instrument, side of the order
        ("venue_count", "i8"),
        ("quote_venues", "i8"),  # quotes that an instrument has room for
        ("instrument_count", "i8"),  # room for numbers 1 … count - 1
        ("map_count", "i8"),  # venue instruments that each map and the stamps have room for
        ("unknown_trades", "i8"),  # 1: a venue that never said its status counts as trading
        ("subscriber_count", "i8"),
        ("wanted", "i8"),  # kinds of stream records that some subscriber wants, by bit
        ("batch", "i8"),
        ("touched_count", "i8"),
        ("unmapped", "i8"),  # changes of venue instruments that no map knows
        ("quote_changes", "i8"),
        ("record_changes", "i8"),
        ("spare", "i8", (12,)),
        ("scratch", "i8", (32,)),
    ]
)
VENUE_DTYPE: Final = np.dtype(
    [
        ("book", "i8"),  # address of its head row, see feedhandler.books.layout
        ("map", "i8"),  # address
        ("protected", "i8"),  # 1: its quotes are automated and protected
        ("halts_all", "i8"),  # 1: its halts are the market's (a tape, the listing exchange)
        ("name", "S16"),
        ("market", "i8"),  # address of the head, for who has only the venue's row
        ("number", "i8"),
    ]
)
INSTRUMENT_DTYPE: Final = np.dtype(
    [
        ("name", "S16"),
        ("lot", "i8"),  # shares in a round lot, at least 1
        ("lower_band", "i8"),  # 0: none
        ("upper_band", "i8"),
        ("spare", "i8", (3,)),
    ]
)
SIDES: Final = ("bid", "offer")
QUOTE_WORDS: Final = 12  # prices and quantities, two words a side
_shown = [(f"{kind}{side}{part}", "i8") for kind in ("", "protected_", "odd_") for side in SIDES
          for part in ("", "_quantity")]  # fmt: skip
QUOTE_DTYPE: Final = np.dtype(
    [
        ("version", "i8"),
        *_shown,
        ("time_ns", "i8"),
        ("status", "u1"),  # STATUS_ of feedhandler.actions
        ("trust", "u1"),  # of feedhandler.books.layout
        ("usable", "u1"),  # 1: trading and live; else all quantities are 0
        ("marks", "u1"),  # MARK_
        ("venue_instrument", "u4"),
        ("spare", "i8"),
    ]
)
RECORD_WORDS: Final = 18
_best = [(f"{kind}{side}{part}", "i8") for kind in ("", "national_", "odd_") for side in SIDES
         for part in ("", "_quantity", "_venues")]  # fmt: skip
RECORD_DTYPE: Final = np.dtype(
    [
        ("version", "i8"),
        *_best,
        ("time_ns", "i8"),
        ("since_ns", "i8"),  # when the state began
        ("state", "u1"),  # NORMAL, LOCKED or CROSSED, of the national best
        ("flags", "u1"),
        ("spare", "u1", (6,)),
        ("unused", "i8", (10,)),
    ]
)
SUBSCRIBER_DTYPE: Final = np.dtype(
    [
        ("ring", "i8"),  # address; 0: nobody
        ("kinds", "i8"),  # wanted, by bit
        ("sequence", "i8"),  # of the next record, those that were lost included
        ("losing", "i8"),  # lost since the ring was found full; told as soon as there is room
        ("lost", "i8"),  # in all
        ("gaps", "i8"),
        ("spare", "i8", (2,)),
    ]
)

TRADE_NOTE_BYTES: Final = 32

NORMAL: Final = 0
LOCKED: Final = 1
CROSSED: Final = 2
STATES: Final = ("normal", "locked", "crossed")

# Flags of a record: limit up, limit down, and halts.
BID_BELOW_BAND: Final = 1  # the national best bid cannot be executed
OFFER_ABOVE_BAND: Final = 2
LIMIT_UP: Final = 4  # the national best bid stands at the upper band
LIMIT_DOWN: Final = 8
MARKET_HALTED: Final = 16  # and not yet resumed: quotes may be there, trades not

MARK_BID_PROTECTED: Final = 1
MARK_OFFER_PROTECTED: Final = 2

# What a recomputation changed.
BEST_CHANGED: Final = 1
NATIONAL_CHANGED: Final = 2
ODD_CHANGED: Final = 4
STATE_CHANGED: Final = 8

VENUE_BYTES: Final = VENUE_DTYPE.itemsize
INSTRUMENT_BYTES: Final = INSTRUMENT_DTYPE.itemsize
QUOTE_BYTES: Final = QUOTE_DTYPE.itemsize
RECORD_BYTES: Final = RECORD_DTYPE.itemsize
SUBSCRIBER_BYTES: Final = SUBSCRIBER_DTYPE.itemsize
assert (VENUE_BYTES, INSTRUMENT_BYTES, SUBSCRIBER_BYTES) == (64, 64, 64)
assert (QUOTE_BYTES, RECORD_BYTES) == (128, 256)

_head = {name: field_offset(HEAD_DTYPE, name) for name in HEAD_DTYPE.names or ()}
VENUES: Final = _head["venues"]
INSTRUMENTS: Final = _head["instruments"]
QUOTES: Final = _head["quotes"]
RECORDS: Final = _head["records"]
SUBSCRIBERS: Final = _head["subscribers"]
TOUCHED: Final = _head["touched"]
STAMPS: Final = _head["stamps"]
TRADES: Final = _head["trades"]
VENUE_COUNT: Final = _head["venue_count"]
QUOTE_VENUES: Final = _head["quote_venues"]
MAP_COUNT: Final = _head["map_count"]
UNKNOWN_TRADES: Final = _head["unknown_trades"]
SUBSCRIBER_COUNT: Final = _head["subscriber_count"]
WANTED: Final = _head["wanted"]
BATCH: Final = _head["batch"]
TOUCHED_COUNT: Final = _head["touched_count"]
UNMAPPED: Final = _head["unmapped"]
QUOTE_CHANGES: Final = _head["quote_changes"]
RECORD_CHANGES: Final = _head["record_changes"]
SCRATCH: Final = _head["scratch"]

VENUE_MAP: Final = field_offset(VENUE_DTYPE, "map")
VENUE_MARKET: Final = field_offset(VENUE_DTYPE, "market")
VENUE_NUMBER: Final = field_offset(VENUE_DTYPE, "number")
VENUE_PROTECTED: Final = field_offset(VENUE_DTYPE, "protected")
VENUE_HALTS_ALL: Final = field_offset(VENUE_DTYPE, "halts_all")
INSTRUMENT_LOT: Final = field_offset(INSTRUMENT_DTYPE, "lot")
LOWER_BAND: Final = field_offset(INSTRUMENT_DTYPE, "lower_band")
UPPER_BAND: Final = field_offset(INSTRUMENT_DTYPE, "upper_band")

QUOTE_SHOWN: Final = field_offset(QUOTE_DTYPE, "bid")
QUOTE_PROTECTED: Final = field_offset(QUOTE_DTYPE, "protected_bid")
QUOTE_ODD: Final = field_offset(QUOTE_DTYPE, "odd_bid")
QUOTE_TIME: Final = field_offset(QUOTE_DTYPE, "time_ns")
QUOTE_STATUS: Final = field_offset(QUOTE_DTYPE, "status")

RECORD_BEST: Final = field_offset(RECORD_DTYPE, "bid")
RECORD_NATIONAL_BID: Final = field_offset(RECORD_DTYPE, "national_bid")
RECORD_NATIONAL_OFFER: Final = field_offset(RECORD_DTYPE, "national_offer")
RECORD_TIME: Final = field_offset(RECORD_DTYPE, "time_ns")
RECORD_SINCE: Final = field_offset(RECORD_DTYPE, "since_ns")
RECORD_STATE: Final = field_offset(RECORD_DTYPE, "state")

SUBSCRIBER_KINDS: Final = field_offset(SUBSCRIBER_DTYPE, "kinds")
SUBSCRIBER_SEQUENCE: Final = field_offset(SUBSCRIBER_DTYPE, "sequence")
SUBSCRIBER_LOSING: Final = field_offset(SUBSCRIBER_DTYPE, "losing")
SUBSCRIBER_LOST: Final = field_offset(SUBSCRIBER_DTYPE, "lost")
SUBSCRIBER_GAPS: Final = field_offset(SUBSCRIBER_DTYPE, "gaps")
