"""The tables of replayed venues: what is in them and where.

    head      one row: addresses, room, the loop's clock, what is due
    venues    a row a venue: its rules, its speed, its resting orders, what we have taken there
    sessions  a row a port: one session of the router's at one venue; a port's handle is its row
    orders    a row an order, from 1; rows are not used twice
    tokens    hash of (session, token) to order
    events    a heap by time, then by the order in which they were made: arrivals, renewals
    messages  what is on its way to a venue, a slot each
    answers   a ring a session: what is on its way to the router, in the order of its times
    taken     rows a venue: shares of displayed levels that are ours and that the feed still shows
    hidden    rows a venue, instrument and side: what waits there unseen
    wires     a row a venue: the forms of its protocol, its codes
    symbols   hash of (venue, name on its wire) to instrument

Prices are in 1e-8 currency units, quantities in shares, times in ns since the epoch. Everything
that a message says or that an answer tells is in words first (REQUEST_DTYPE, ANSWER_DTYPE); what
the bytes look like is the business of the session's protocol.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from nic.block import offsets_of
from router.entry.formlayout import WORDS_DTYPE
from router.entry.forms import ORDERS, REPLIES

NEVER: Final = (1 << 63) - 1
MOST_TICKS: Final = 8
MOST_TAKEN: Final = 128  # rows a venue
MARKET_VENUES: Final = 32
MESSAGE_BYTES: Final = 480  # of an order message or an answer
ORDER_FORMS: Final = len(ORDERS)
DRAWS: Final = 1024  # entries of a table that a distribution is drawn from

# Kinds of requests, as in router.tables, and of events.
ENTER, REPLACE, CANCEL = 1, 2, 3
ARRIVAL, RENEWAL = 1, 2

# States of an order.
RESTING, OVER, ENTERING = 1, 2, 3

# Rules of a venue.
SIZE_DOWN_KEEPS: Final = 1  # a replace to fewer shares at the same price keeps its place
SLIDES: Final = 2  # a post-only order that would take is priced a tick away, else refused
PROTECTS: Final = 4  # orders that are no sweeps take nothing beyond the national best
DARK: Final = 8  # midpoint executions only
SILENT: Final = 16  # a cancel of what is gone is not answered

# Why something was refused or ended.
REASONS: Final = (
    "none", "by owner", "ioc remainder", "fok not filled", "would take", "unknown order",
    "unknown instrument", "duplicate token", "bad price", "bad quantity", "bad side", "halted",
    "closed", "no reference", "full", "refused",
)  # fmt: skip
(
    NO_REASON, BY_OWNER, IOC_REMAINDER, FOK_NOT_FILLED, WOULD_TAKE, UNKNOWN_ORDER,
    UNKNOWN_INSTRUMENT, DUPLICATE_TOKEN, BAD_PRICE, BAD_QUANTITY, BAD_SIDE, HALTED,
    CLOSED, NO_REFERENCE, FULL, REFUSED,
) = range(len(REASONS))  # fmt: skip

REQUEST_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # ENTER, REPLACE or CANCEL
        ("token", "i8"),  # of a cancel: of the order that is to go
        ("old_token", "i8"),  # of a replace; of a cancel: its own, 0 where it has none
        ("instrument", "i8"),  # 0: a name that nobody knows
        ("side", "i8"),
        ("quantity", "i8"),  # the whole order, executed shares included; of a cancel: 0 is all
        ("price", "i8"),  # 0: none
        ("tif", "i8"),  # of router.tables, as are the flags
        ("flags", "i8"),
        ("minimum", "i8"),
        ("shown", "i8"),  # 0: all
        ("unused", "i8", (5,)),
    ]
)
ANSWER_DTYPE: Final = np.dtype(
    [
        ("kind", "i8"),  # ACCEPTED ... of feedhandler.actions
        ("token", "i8"),
        ("old_token", "i8"),  # of a replace
        ("instrument", "i8"),
        ("side", "i8"),
        ("quantity", "i8"),  # executed or canceled now; accepted and replaced: open
        ("price", "i8"),  # of the execution, else the limit
        ("leaves", "i8"),
        ("executed", "i8"),  # so far
        ("order", "i8"),  # the venue's number of it
        ("execution", "i8"),  # id, unique over all venues
        ("liquidity", "i8"),  # of router.tables
        ("reason", "i8"),  # of REASONS
        ("time_ns", "i8"),  # at the venue
        ("whole", "i8"),  # quantity of the order, executed shares included
        ("limit", "i8"),
        ("tif", "i8"),
        ("flags", "i8"),
        ("minimum", "i8"),
        ("shown", "i8"),
        ("request", "i8"),  # what is refused: ENTER, REPLACE or CANCEL
        ("since_midnight", "i8"),  # time_ns less the session's midnight
        ("unused", "i8", (10,)),
    ]
)
HEAD_DTYPE: Final = np.dtype(
    [
        ("now_ns", "i8"),  # written by the loop before it sends
        ("due_ns", "i8"),  # when the next thing happens; NEVER
        ("watched", "i8"),  # bit v: the packets of market venue v concern us
        ("ready_ns", "i8"),  # answers up to here may be read
        ("market", "i8"),  # address of the consolidated book
        ("venues", "i8"),
        ("sessions", "i8"),
        ("orders", "i8"),
        ("tokens", "i8"),
        ("events", "i8"),
        ("messages", "i8"),
        ("symbols", "i8"),
        ("venue_count", "i8"),
        ("session_count", "i8"),
        ("instrument_count", "i8"),  # room for numbers 1 ... count - 1
        ("most_orders", "i8"),
        ("token_mask", "i8"),
        ("most_tokens", "i8"),
        ("most_events", "i8"),
        ("symbol_mask", "i8"),
        ("seed", "i8"),
        ("forget_ns", "i8"),  # what we took is shown to others again after so long
        ("order_count", "i8"),
        ("token_count", "i8"),
        ("event_count", "i8"),
        ("event_number", "i8"),  # of the next one
        ("free_message", "i8"),  # number of the first free slot; 0: none
        ("execution_count", "i8"),
        ("packet", "i8"),  # number of the packet that is being noted
        # Counters.
        ("arrived", "i8"),
        ("answered", "i8"),
        ("executed", "i8"),  # shares
        ("unread", "i8"),  # messages that are no orders
        ("ignored", "i8"),  # what venues do not answer
        ("unsaid", "i8"),  # answers that the protocol cannot say
        ("unsent", "i8"),  # messages that found no room: the sender was told
        ("full", "i8"),  # what found another table full
        ("untaken", "i8"),  # fills that did not come about for want of room
        ("draw", "i8"),  # scratch of the generator
        ("market_to_venue", "i8", (MARKET_VENUES,)),  # our venue by market venue; -1: none
        ("request", REQUEST_DTYPE),
        ("answer", ANSWER_DTYPE),
        ("noted", "i8", (8,)),
        ("words", WORDS_DTYPE),  # of a message that is read or written
    ]
)
VENUE_DTYPE: Final = np.dtype(
    [
        ("name", "S16"),
        ("number", "i8"),
        ("quotes", "i8"),  # its number in the consolidated book; -1: none
        ("rules", "i8"),
        ("most_shares", "i8"),
        ("reject_chance", "i8"),  # of simulator.matching.speed.CHANCES
        ("tick_count", "i8"),
        ("ticks", "i8", (2 * MOST_TICKS,)),  # from price, tick
        ("inbound", "i8"),  # addresses of simulator.matching.speed states
        ("outbound", "i8"),
        ("troubles", "i8"),
        ("taken", "i8"),  # address of its rows
        ("hidden", "i8"),  # address of its rows; 0: nothing waits unseen
        ("sizes", "i8"),  # address of the table that sizes are drawn from
        ("waits", "i8"),  # and times to the next renewal
        ("cancels_ahead", "i8"),  # part of the cancels at a price that is ahead of us, 1/1024
        # Written by the kernels.
        ("first", "i8"),  # resting orders, better prices of an instrument's side first
        ("resting", "i8"),
        ("taken_count", "i8"),
        ("taken_until", "i8"),  # nothing taken is remembered behind
        ("arrived", "i8"),
        ("refused", "i8"),
        ("fills", "i8"),
        ("executed", "i8"),
        ("unused", "i8", (8,)),
    ]
)
SESSION_DTYPE: Final = np.dtype(
    [
        ("sim", "i8"),  # address of the head
        ("number", "i8"),
        ("venue", "i8"),  # address of its row
        ("wire", "i8"),  # address of its row; 0: messages are rows of words
        ("midnight_ns", "i8"),
        ("answers", "i8"),
        ("answer_mask", "i8"),
        ("put", "i8"),  # answers ever made
        ("given", "i8"),  # and read
        ("sequence", "i8"),  # of the messages written
        ("received", "i8"),  # messages
        ("unused", "i8", (4,)),
    ]
)
ORDER_DTYPE: Final = np.dtype(
    [
        ("session", "i8"),  # address of its row
        ("venue", "i8"),
        ("number", "i8"),
        ("token", "i8"),
        ("instrument", "i8"),
        ("side", "i8"),
        ("quantity", "i8"),  # executed shares included
        ("executed", "i8"),
        ("leaves", "i8"),
        ("price", "i8"),
        ("tif", "i8"),
        ("flags", "i8"),
        ("minimum", "i8"),
        ("shown", "i8"),
        ("state", "i8"),
        ("slice", "i8"),  # shares left of what a reserve order shows
        ("ahead", "i8"),  # displayed shares before it
        ("packet", "i8"),  # number of the packet that `gone` is about
        ("gone", "i8"),  # displayed shares that left its level in it
        ("timer", "i8"),  # 1: its renewal is among the events
        ("chained", "i8"),
        ("next", "i8"),
        ("last", "i8"),
        ("entered_ns", "i8"),
    ]
)
MESSAGE_DTYPE: Final = np.dtype(
    [("next", "i8"), ("session", "i8"), ("length", "i8"), ("unused", "i8"),
     ("data", "u1", (MESSAGE_BYTES,))]
)  # fmt: skip
SENT_DTYPE: Final = np.dtype(
    [("time_ns", "i8"), ("length", "i8"), ("unused", "i8", (2,)), ("data", "u1", (MESSAGE_BYTES,))]
)
TOKEN_DTYPE: Final = np.dtype(
    [("session", "i8"), ("token", "i8"), ("order", "i8"), ("unused", "i8")]
)
TAKEN_DTYPE: Final = np.dtype(
    [("instrument", "i8"), ("side", "i8"), ("price", "i8"), ("quantity", "i8"), ("time_ns", "i8"),
     ("unused", "i8", (3,))]
)  # fmt: skip
HIDDEN_DTYPE: Final = np.dtype(
    [("next_ns", "i8"), ("size", "i8"), ("count", "i8"), ("unused", "i8")]
)
SYMBOL_DTYPE: Final = np.dtype(
    [("venue", "i8"), ("word", "i8"), ("instrument", "i8"), ("unused", "i8")]
)
WIRE_DTYPE: Final = np.dtype(
    [
        ("orders", "i8", (ORDER_FORMS,)),  # addresses of forms
        ("replies", "i8", (len(REPLIES),)),
        ("numbered", "i8", (len(REPLIES),)),  # 1: has a number in the session's stream
        ("cancel_codes", "i8", (len(REASONS),)),  # the venue's, by our reason
        ("reject_codes", "i8", (len(REASONS),)),
        ("symbols", "i8"),  # address of the words of instruments, by number
    ]
)


# Offsets by name, for kernels: `ORDER.leaves` is a constant there.
REQUEST: Final = offsets_of(REQUEST_DTYPE)
ANSWER: Final = offsets_of(ANSWER_DTYPE)
HEAD: Final = offsets_of(HEAD_DTYPE)
VENUE: Final = offsets_of(VENUE_DTYPE)
SESSION: Final = offsets_of(SESSION_DTYPE)
ORDER: Final = offsets_of(ORDER_DTYPE)
MESSAGE: Final = offsets_of(MESSAGE_DTYPE)
SENT: Final = offsets_of(SENT_DTYPE)
TOKEN: Final = offsets_of(TOKEN_DTYPE)
TAKEN: Final = offsets_of(TAKEN_DTYPE)
HIDDEN: Final = offsets_of(HIDDEN_DTYPE)
SYMBOL: Final = offsets_of(SYMBOL_DTYPE)
WIRE: Final = offsets_of(WIRE_DTYPE)
REQUEST_BYTES: Final = REQUEST_DTYPE.itemsize
ANSWER_BYTES: Final = ANSWER_DTYPE.itemsize
VENUE_BYTES: Final = VENUE_DTYPE.itemsize
SESSION_BYTES: Final = SESSION_DTYPE.itemsize
ORDER_BYTES: Final = ORDER_DTYPE.itemsize
MESSAGE_SLOT_BYTES: Final = MESSAGE_DTYPE.itemsize
SENT_BYTES: Final = SENT_DTYPE.itemsize
TOKEN_BYTES: Final = TOKEN_DTYPE.itemsize
TAKEN_BYTES: Final = TAKEN_DTYPE.itemsize
HIDDEN_BYTES: Final = HIDDEN_DTYPE.itemsize
SYMBOL_BYTES: Final = SYMBOL_DTYPE.itemsize
