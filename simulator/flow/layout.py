"""The tables of the order flow: what is in them and where.

    head         one row: addresses, parameters, counters
    instruments  512 bytes an instrument; row 0 is the session's clock
    venues       128 bytes a venue
    quotes       32 bytes an instrument and venue: the top of its book, as the driver tells it
    orders       64 bytes an order that rests somewhere, by slot; slot 0 is none
    lists        4 bytes an order: slots, by instrument and class of lifetime
    buckets      4 bytes a chain: first slot, by instrument, side and price
    times        8 bytes a node: the earliest next event below it, a tree over the instruments
    draws        8 bytes a value: tables that turn random bits into numbers

Prices are in 1e-8 currency units, times in ns. A share of 1 is an integer of 16 bits (ONE), a rate
is events a second with 20 bits behind the point. A quantity of 0 in a quote means "none".
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import field_offset
from simulator.flow.settings import MOST_CLASSES, MOST_KERNELS

ONE: Final = 1 << 16
ONE_BITS: Final = 16
RATE_BITS: Final = 20
NEVER: Final = (1 << 63) - 1
SLOT_BITS: Final = 24  # of a token; the rest is a serial number
SLOT_MASK: Final = (1 << SLOT_BITS) - 1
DECAY_BITS: Final = 48  # of a kernel's decay a ns, as a power of two
ROOM: Final = 8  # most commands that one event gives one venue
DAY_SLOTS: Final = 64
BUCKETS: Final = 64  # chains a side of an instrument
TAKER_OWNER: Final = 801
CLOCK_OWNER: Final = 999

# States of an instrument; the clock's row has its phase there.
PREOPEN: Final = 0
TRADING: Final = 1
STOPPED: Final = 2
ENDED: Final = 3

BEGIN: Final = 0
OPEN: Final = 1
TRADE: Final = 2
CLOSE: Final = 3
END: Final = 4

LIT: Final = 0
DARK: Final = 1

# Kinds of resting orders.
SHOWN: Final = 0
UNSEEN: Final = 1  # hidden, with a limit
PEGGED: Final = 2

HEAD_DTYPE: Final = np.dtype(
    [
        ("instruments", "i8"),  # addresses
        ("venues", "i8"),
        ("quotes", "i8"),
        ("orders", "i8"),
        ("lists", "i8"),
        ("buckets", "i8"),
        ("times", "i8"),
        ("draws", "i8"),
        ("commands", "i8"),  # of this step: COMMAND_DTYPE [venue, capacity]
        ("counts", "i8"),  # of this step: i8 a venue
        ("capacity", "i8"),
        ("fullest", "i8"),  # most commands that a venue has in this step
        ("shapes_ns", "i8"),  # until when the shapes of the day are as here
        ("day_shape", "i8"),
        ("spread_shape", "i8"),
        ("instrument_count", "i8"),  # rows, the clock included
        ("leaf_count", "i8"),
        ("venue_count", "i8"),
        ("lot", "i8"),
        ("free_order", "i8"),
        ("next_serial", "i8"),
        ("start_ns", "i8"),
        ("open_ns", "i8"),
        ("close_ns", "i8"),
        ("closing_ns", "i8"),  # from here on orders for the closing auction come
        ("slot_ns", "i8"),  # length of a slot of the day's shapes
        ("owners", "i8"),
        ("kernel_count", "i8"),
        ("class_count", "i8"),
        ("kernel_decay", "i8", (MOST_KERNELS,)),
        ("kernel_span_ns", "i8", (MOST_KERNELS,)),  # after which nothing is left
        ("kernel_kick", "i8", (MOST_KERNELS,)),  # rate that one event adds
        ("class_share", "i8", (MOST_CLASSES,)),  # cumulative
        ("class_filling", "i8", (MOST_CLASSES,)),  # cumulative, of the book at rest
        ("class_rate", "i8", (MOST_CLASSES,)),  # of cancels, an order
        ("replace_share", "i8"),
        ("reduce_share", "i8"),
        ("executions_per_add", "i8"),
        ("impact", "i8"),
        ("improve", "i8"),
        ("lock", "i8"),
        ("follow", "i8"),
        ("post_only", "i8"),
        ("side_memory", "i8"),
        ("mixed_share", "i8"),
        ("hidden", "i8"),  # cumulative: hidden, reserve, midpoint
        ("reserve", "i8"),
        ("midpoint", "i8"),
        ("reserve_lots", "i8"),
        ("sweep", "i8"),
        ("whole", "i8"),
        ("market", "i8"),
        ("dark", "i8"),
        ("stale", "i8"),
        ("news_size", "i8"),
        ("news_kick", "i8"),
        ("flight_rate", "i8"),
        ("halt_ns", "i8"),
        ("bands", "i8"),
        ("pause_ns", "i8"),
        ("opening", "i8"),
        ("closing", "i8"),
        ("events", "i8"),  # counters from here on
        ("adds", "i8"),
        ("cancels", "i8"),
        ("reduces", "i8"),
        ("replaces", "i8"),
        ("takers", "i8"),
        ("sweeps", "i8"),
        ("stale_takers", "i8"),
        ("fades", "i8"),
        ("news", "i8"),
        ("halts", "i8"),
        ("executions", "i8"),
        ("rejected", "i8"),
        ("lists_full", "i8"),
        ("live_orders", "i8"),
    ]
)
INSTRUMENT_DTYPE: Final = np.dtype(
    [
        ("random", "i8"),
        ("state", "i8"),
        ("time_ns", "i8"),  # of the excitement
        ("bound", "i8"),  # rate that the next event was drawn with; 0: draw anew
        ("excitement", "i8", (MOST_KERNELS,)),  # rates
        ("base_rate", "i8"),
        ("filling_rate", "i8"),  # before the opening
        ("news_rate", "i8"),
        ("halt_rate", "i8"),
        ("cancel_rate", "i8"),  # of all its live orders
        ("fair", "i8"),  # the latent price
        ("step", "i8"),  # of it, a new order
        ("half_spread", "i8"),
        ("tick", "i8"),
        ("unit", "i8"),  # ticks between the prices that orders use
        ("listing", "i8"),  # venue
        ("listing_share", "i8"),  # of new orders that go there for that
        ("odd_share", "i8"),
        ("side", "i8"),  # of the last taker
        ("resume_ns", "i8"),
        ("flight", "i8"),  # classes that have not fled yet after news
        ("flight_place", "i8"),  # orders of the last of them that have not
        ("band_price", "i8"),  # reference of the bands
        ("told_bid", "i8"),  # last reference of pegs
        ("told_offer", "i8"),
        ("adds", "i8"),  # displayed, while trading
        ("executions", "i8"),  # of displayed orders
        ("unpriced", "i8"),  # for the close without a price, bought less sold, not yet answered
        ("first", "i8", (MOST_CLASSES,)),  # of the class's list
        ("room", "i8", (MOST_CLASSES,)),
        ("count", "i8", (MOST_CLASSES,)),
        ("spare", "i8", (15,)),
    ]
)
VENUE_DTYPE: Final = np.dtype(
    [
        ("random", "i8"),
        ("kind", "i8"),
        ("share", "i8"),  # cumulative
        ("lit_share", "i8"),  # cumulative over the lit ones
        ("delay_ns", "i8"),
        ("jitter_ns", "i8"),
        ("last_ns", "i8"),  # time of the last command
        ("pegs", "i8"),  # 1: wants the national best for pegs
        ("spare", "i8", (8,)),
    ]
)
QUOTE_DTYPE: Final = np.dtype(
    [("bid", "i8"), ("bid_quantity", "i8"), ("offer", "i8"), ("offer_quantity", "i8")]
)
ORDER_DTYPE: Final = np.dtype(
    [
        ("token", "i8"),  # 0: free, the next free slot is in `price`
        ("price", "i8"),
        ("quantity", "i8"),
        ("place", "i8"),  # in its list
        ("instrument", "i4"),
        ("venue", "i4"),
        ("side", "i4"),
        ("kind", "i4"),
        ("class", "i4"),
        ("chain", "i4"),
        ("next", "i4"),  # in the chain of its price
        ("previous", "i4"),
    ]
)

# Settings of the same name that are plain shares.
HEAD_SHARES: Final = frozenset(
    "replace_share reduce_share executions_per_add improve lock follow post_only side_memory sweep"
    " whole market dark stale opening closing".split()
)

INSTRUMENT_BYTES: Final = INSTRUMENT_DTYPE.itemsize
VENUE_BYTES: Final = VENUE_DTYPE.itemsize
QUOTE_BYTES: Final = QUOTE_DTYPE.itemsize
ORDER_BYTES: Final = ORDER_DTYPE.itemsize
assert (INSTRUMENT_BYTES, VENUE_BYTES, QUOTE_BYTES, ORDER_BYTES) == (512, 128, 32, 64)

# Tables of `draws`, as offsets in bytes.
TABLE_BITS: Final = 10
TABLE_MASK: Final = (1 << TABLE_BITS) - 1
TABLE_BYTES: Final = 8 << TABLE_BITS
LOGARITHM: Final = 0  # ln(1 + x), 24 bits behind the point
POWER: Final = TABLE_BYTES  # 2 to the -x, 22 bits
NORMAL: Final = 2 * TABLE_BYTES  # quantiles, 16 bits
EXPONENTIAL: Final = 3 * TABLE_BYTES  # quantiles, 16 bits
LOTS: Final = 4 * TABLE_BYTES  # quantiles: round lots
ODD: Final = 5 * TABLE_BYTES  # quantiles: shares of an odd lot
REACH: Final = 6 * TABLE_BYTES  # quantiles: distance of a class's orders in ticks, class by class
DAY_SHAPE: Final = (
    6 + MOST_CLASSES
) * TABLE_BYTES  # activity by slot of the day, share of the mean
SPREAD_SHAPE: Final = DAY_SHAPE + 8 * DAY_SLOTS
TABLE_WORDS: Final = (SPREAD_SHAPE + 8 * DAY_SLOTS) // 8

_head = {name: field_offset(HEAD_DTYPE, name) for name in HEAD_DTYPE.names or ()}
_row = {name: field_offset(INSTRUMENT_DTYPE, name) for name in INSTRUMENT_DTYPE.names or ()}
_venue = {name: field_offset(VENUE_DTYPE, name) for name in VENUE_DTYPE.names or ()}
_order = {name: field_offset(ORDER_DTYPE, name) for name in ORDER_DTYPE.names or ()}

H_INSTRUMENTS: Final = _head["instruments"]
H_VENUES: Final = _head["venues"]
H_QUOTES: Final = _head["quotes"]
H_ORDERS: Final = _head["orders"]
H_LISTS: Final = _head["lists"]
H_BUCKETS: Final = _head["buckets"]
H_TIMES: Final = _head["times"]
H_DRAWS: Final = _head["draws"]
H_COMMANDS: Final = _head["commands"]
H_COUNTS: Final = _head["counts"]
H_CAPACITY: Final = _head["capacity"]
H_FULLEST: Final = _head["fullest"]
H_SHAPES_NS: Final = _head["shapes_ns"]
H_DAY_SHAPE: Final = _head["day_shape"]
H_SPREAD_SHAPE: Final = _head["spread_shape"]
H_INSTRUMENT_COUNT: Final = _head["instrument_count"]
H_LEAF_COUNT: Final = _head["leaf_count"]
H_VENUE_COUNT: Final = _head["venue_count"]
H_LOT: Final = _head["lot"]
H_FREE_ORDER: Final = _head["free_order"]
H_NEXT_SERIAL: Final = _head["next_serial"]
H_OPEN_NS: Final = _head["open_ns"]
H_CLOSE_NS: Final = _head["close_ns"]
H_CLOSING_NS: Final = _head["closing_ns"]
H_SLOT_NS: Final = _head["slot_ns"]
H_OWNERS: Final = _head["owners"]
H_KERNEL_COUNT: Final = _head["kernel_count"]
H_CLASS_COUNT: Final = _head["class_count"]
H_KERNEL_DECAY: Final = _head["kernel_decay"]
H_KERNEL_SPAN_NS: Final = _head["kernel_span_ns"]
H_KERNEL_KICK: Final = _head["kernel_kick"]
H_CLASS_SHARE: Final = _head["class_share"]
H_CLASS_FILLING: Final = _head["class_filling"]
H_CLASS_RATE: Final = _head["class_rate"]
H_REPLACE_SHARE: Final = _head["replace_share"]
H_REDUCE_SHARE: Final = _head["reduce_share"]
H_EXECUTIONS_PER_ADD: Final = _head["executions_per_add"]
H_IMPACT: Final = _head["impact"]
H_IMPROVE: Final = _head["improve"]
H_FOLLOW: Final = _head["follow"]
H_LOCK: Final = _head["lock"]
H_POST_ONLY: Final = _head["post_only"]
H_SIDE_MEMORY: Final = _head["side_memory"]
H_MIXED_SHARE: Final = _head["mixed_share"]
H_HIDDEN: Final = _head["hidden"]
H_RESERVE: Final = _head["reserve"]
H_MIDPOINT: Final = _head["midpoint"]
H_RESERVE_LOTS: Final = _head["reserve_lots"]
H_SWEEP: Final = _head["sweep"]
H_WHOLE: Final = _head["whole"]
H_MARKET: Final = _head["market"]
H_DARK: Final = _head["dark"]
H_STALE: Final = _head["stale"]
H_NEWS_SIZE: Final = _head["news_size"]
H_NEWS_KICK: Final = _head["news_kick"]
H_FLIGHT_RATE: Final = _head["flight_rate"]
H_HALT_NS: Final = _head["halt_ns"]
H_BANDS: Final = _head["bands"]
H_PAUSE_NS: Final = _head["pause_ns"]
H_OPENING: Final = _head["opening"]
H_CLOSING: Final = _head["closing"]
H_EVENTS: Final = _head["events"]
H_ADDS: Final = _head["adds"]
H_CANCELS: Final = _head["cancels"]
H_REDUCES: Final = _head["reduces"]
H_REPLACES: Final = _head["replaces"]
H_TAKERS: Final = _head["takers"]
H_SWEEPS: Final = _head["sweeps"]
H_STALE_TAKERS: Final = _head["stale_takers"]
H_FADES: Final = _head["fades"]
H_NEWS: Final = _head["news"]
H_HALTS: Final = _head["halts"]
H_EXECUTIONS: Final = _head["executions"]
H_REJECTED: Final = _head["rejected"]
H_LISTS_FULL: Final = _head["lists_full"]
H_LIVE_ORDERS: Final = _head["live_orders"]

I_RANDOM: Final = _row["random"]
I_STATE: Final = _row["state"]
I_TIME_NS: Final = _row["time_ns"]
I_BOUND: Final = _row["bound"]
I_EXCITEMENT: Final = _row["excitement"]
I_BASE_RATE: Final = _row["base_rate"]
I_FILLING_RATE: Final = _row["filling_rate"]
I_NEWS_RATE: Final = _row["news_rate"]
I_HALT_RATE: Final = _row["halt_rate"]
I_CANCEL_RATE: Final = _row["cancel_rate"]
I_FAIR: Final = _row["fair"]
I_STEP: Final = _row["step"]
I_HALF_SPREAD: Final = _row["half_spread"]
I_TICK: Final = _row["tick"]
I_UNIT: Final = _row["unit"]
I_LISTING: Final = _row["listing"]
I_LISTING_SHARE: Final = _row["listing_share"]
I_ODD_SHARE: Final = _row["odd_share"]
I_SIDE: Final = _row["side"]
I_RESUME_NS: Final = _row["resume_ns"]
I_FLIGHT: Final = _row["flight"]
I_FLIGHT_PLACE: Final = _row["flight_place"]
I_BAND_PRICE: Final = _row["band_price"]
I_TOLD_BID: Final = _row["told_bid"]
I_TOLD_OFFER: Final = _row["told_offer"]
I_ADDS: Final = _row["adds"]
I_EXECUTIONS: Final = _row["executions"]
I_UNPRICED: Final = _row["unpriced"]
I_FIRST: Final = _row["first"]
I_ROOM: Final = _row["room"]
I_COUNT: Final = _row["count"]

V_RANDOM: Final = _venue["random"]
V_KIND: Final = _venue["kind"]
V_SHARE: Final = _venue["share"]
V_LIT_SHARE: Final = _venue["lit_share"]
V_DELAY_NS: Final = _venue["delay_ns"]
V_JITTER_NS: Final = _venue["jitter_ns"]
V_LAST_NS: Final = _venue["last_ns"]
V_PEGS: Final = _venue["pegs"]

O_TOKEN: Final = _order["token"]
O_PRICE: Final = _order["price"]
O_QUANTITY: Final = _order["quantity"]
O_PLACE: Final = _order["place"]
O_INSTRUMENT: Final = _order["instrument"]
O_VENUE: Final = _order["venue"]
O_SIDE: Final = _order["side"]
O_KIND: Final = _order["kind"]
O_CLASS: Final = _order["class"]
O_CHAIN: Final = _order["chain"]
O_NEXT: Final = _order["next"]
O_PREVIOUS: Final = _order["previous"]
