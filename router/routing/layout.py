"""The scratch memory of a decision: what is in it and where.

    work    one row: counts, what the search has found so far
    lines   candidates as they go into the log, a level of a venue each; while a sweep is being
            worked out, `first` is the address of the line's place
    places  venues that show something, and where in their ladder a sweep stands
    flight  by venue: shares that our own orders under way take there; the price of our own orders
            on the other side
    levels  [place, level]: for the search
    nodes   boxes that the search still has to look at
    pools   [lot, segment]: levels of several venues as one ladder
    heads   sources of a pool: venues, and the pool of the next smaller lot

Keys are prices times 1 (buying) or -1 (selling), so that lower is better on both sides; an
effective key has the fee added. NONE is above every key.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from nic.block import offsets_of
from router.log import CANDIDATE_DTYPE
from router.routing.gonetable import gone_section
from router.tables import PLACES

NONE: Final = 1 << 62
MOST_LEVELS: Final = 32  # of a venue that a sweep looks at
MOST_LINES: Final = PLACES * MOST_LEVELS + 2 * PLACES
MOST_LOTS: Final = 4  # different lots, each a multiple of the one before, that are solved exactly
MOST_SEGMENTS: Final = 4096
STACK: Final = 64
MOST_NODES: Final = 256  # boxes of a search

# Flags of a candidate: what it is, and why it was not taken.
PROTECTED: Final = 1  # the venue's protected quote has this price
BY_ISO: Final = 2  # the order there is an intermarket sweep
DOWN: Final = 4
NOT_LIVE: Final = 8  # book stale, or not trading
NOTHING: Final = 16  # shows nothing on this side
BEYOND_LIMIT: Final = 32
OWN_ORDER: Final = 64  # an own order on the other side stands there or before
IN_FLIGHT: Final = 128  # own orders under way take all of it
NO_ISO: Final = 256  # beyond a better protected quote, and the venue takes no ISO
NO_ROUTE: Final = 512  # a protected quote of a venue that we have no way to
HALTED: Final = 1024  # the market is halted
DEARER: Final = 2048  # others are cheaper
LOT: Final = 4096  # less than the venue's lot or its smallest order
THROUGH: Final = 8192  # a better protected quote cannot be swept
BOUNDED: Final = 16384  # the search was cut short: what was chosen may not be the cheapest
FLAGS: Final = (
    "protected", "ISO", "down", "not live", "shows nothing", "beyond limit", "own order there",
    "already asked for", "takes no ISO", "no route", "market halted", "dearer", "lot too large",
    "would trade through", "search bounded",
)  # fmt: skip

WORK_DTYPE: Final = np.dtype(
    [
        ("line_count", "i8"),
        ("place_count", "i8"),
        ("market", "i8"),
        ("sign", "i8"),  # 1 buys, -1 sells
        ("side", "i8"),  # of the ladders taken from: 0 bids, 1 offers
        ("node_count", "i8"),  # looked at
        ("waiting", "i8"),  # nodes on the stack
        ("bounded", "i8"),
        ("best_shares", "i8"),
        ("best_cost", "i8"),  # relative to `base` a share
        ("base", "i8"),  # lowest effective key
        ("lot_count", "i8"),
        ("lots", "i8", (MOST_LOTS,)),
        ("prefix", "i8", (MOST_LOTS,)),  # blocks that a pool gives for itself
        ("quantity", "i8"),
        ("busy", "i8"),  # not 0: there may be own orders in the instrument
        ("first_protected", "i8"),  # best protected key, whose place it is, and the next best
        ("first_place", "i8"),
        ("second_protected", "i8"),
        ("stop", "i8"),  # flag of what lies beyond the cap of all
        ("now", "i8"),
        ("gone", "i8"),  # address of what is shown and not there; 0: nothing
        ("unused", "i8", (4,)),
    ]
)
PLACE_DTYPE: Final = np.dtype(
    [
        ("key", "i8"),  # effective, of the level at hand; NONE: there is none
        ("left", "i8"),  # shares of it
        ("line", "i8"),  # address of its line
        ("taken", "i8"),  # shares
        ("worst", "i8"),  # key of the worst displayed price taken
        ("cap", "i8"),  # key of the worst displayed price that may be taken
        ("stop", "i8"),  # flag that says why
        ("skip", "i8"),  # shares still to be left to own orders under way
        ("venue", "i8"),  # its number; below 0: -1 - number in the market, we have no way there
        ("row", "i8"),  # address
        ("quote", "i8"),  # address
        ("per_share", "i8"),
        ("per_notional", "i8"),
        ("lot", "i8"),
        ("least", "i8"),
        ("takes_iso", "i8"),
        ("protected", "i8"),  # key of the protected price; NONE
        ("need", "i8"),  # shares to sweep before anything beyond that price executes elsewhere
        ("depth", "i8"),  # levels seen
        ("reach", "i8"),  # shares of them that may be taken
        ("book", "i8"),  # addresses, and where in the ladder; 0 until the second level is wanted
        ("ladder", "i8"),
        ("bits", "i8"),
        ("far", "i8"),
        ("number", "i8"),  # of the instrument at the venue
        ("iso", "i8"),
        ("grid", "i8"),  # lot that the search solves exactly: divides `lot`
        ("count", "i8"),  # levels for the search
        ("best", "i8"),  # shares in the best allocation so far
        ("attempt", "i8"),  # shares in the one being looked at
        ("unused", "i8", (2,)),
    ]
)
LEVEL_DTYPE: Final = np.dtype([("key", "i8"), ("shares", "i8"), ("shown", "i8")])
NODE_DTYPE: Final = np.dtype([("low", "i8", (PLACES,)), ("high", "i8", (PLACES,))])
SEGMENT_DTYPE: Final = np.dtype([("key", "i8"), ("blocks", "i8"), ("who", "i8")])
HEAD_DTYPE: Final = np.dtype(
    [
        ("at", "i8"),  # address of the entry at hand
        ("end", "i8"),  # behind the last
        ("used", "i8"),  # of the entry at hand
        ("lot", "i8"),  # units that make a block
        ("limit", "i8"),  # blocks still to be had
        ("key", "i8"),  # of the next blocks, each; NONE: there are none
        ("run", "i8"),  # how many have it
        ("who", "i8"),  # number of the place; -1: the pool of the next smaller lot
    ]
)
SCRATCH_DTYPE: Final = np.dtype(
    [
        ("work", WORK_DTYPE),
        ("places", PLACE_DTYPE, (PLACES,)),
        ("flight", "i8", (PLACES,)),
        ("own", "i8", (PLACES,)),
        ("lines", CANDIDATE_DTYPE, (MOST_LINES,)),
        ("levels", LEVEL_DTYPE, (PLACES, MOST_LEVELS)),
        ("nodes", NODE_DTYPE, (STACK,)),
        ("pools", SEGMENT_DTYPE, (MOST_LOTS, MOST_SEGMENTS)),
        ("heads", HEAD_DTYPE, (PLACES + 1,)),
    ]
)
WORK: Final = offsets_of(WORK_DTYPE)
PLACE: Final = offsets_of(PLACE_DTYPE)
SOURCE: Final = offsets_of(HEAD_DTYPE)
LINE: Final = offsets_of(CANDIDATE_DTYPE)
SCRATCH: Final = offsets_of(SCRATCH_DTYPE)
PLACE_BYTES: Final = PLACE_DTYPE.itemsize
LINE_BYTES: Final = CANDIDATE_DTYPE.itemsize
LEVEL_BYTES: Final = LEVEL_DTYPE.itemsize
NODE_BYTES: Final = NODE_DTYPE.itemsize
SEGMENT_BYTES: Final = SEGMENT_DTYPE.itemsize
SOURCE_BYTES: Final = HEAD_DTYPE.itemsize
assert PLACE_BYTES == 256 and SOURCE_BYTES == 64


def scratch_sections(instruments: int) -> list[tuple[str, np.dtype[Any], int]]:
    """The sections that `router.tablespace.RouterTables` is to be given for decisions."""
    return [("scratch", SCRATCH_DTYPE, 1), gone_section(instruments)]
