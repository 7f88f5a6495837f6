"""What goes into a venue's matching and what comes out.

In: COMMAND_DTYPE records, in time order. Out, in the order things happened:

* public events, `feedhandler.actions.ACTION_DTYPE`: exactly what a book of the venue's feed needs
  to hear (add, execute, execute_price, reduce, delete, replace, modify, trade, status, auction,
  bands). `key` is the instrument's number at the venue (from 1), `order_id` the public reference of
  a displayed order, `aux` a trade id, `sequence` the number of the event at the venue (from 1),
  public and private ones counted together.
* private reports, REPORT_DTYPE: what the owner of an order is told.

Prices are integers of 1e-8 currency units, quantities shares, times ns since the epoch.
"""

from __future__ import annotations

from typing import Final

import numpy as np

COMMAND_DTYPE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("side", "u1"),  # BUY or SELL of feedhandler.actions
        ("type", "u1"),
        ("time_in_force", "u1"),
        ("flags", "u4"),
        ("instrument", "i4"),  # number at the venue, from 1
        ("owner", "i4"),  # session or participant, from 1; order flow's own are below 1000
        ("time_ns", "i8"),  # when the matching sees it
        ("token", "i8"),  # the owner's id of the order: unique for the owner and day
        ("target", "i8"),  # token of the order to cancel or replace
        ("price", "i8"),  # limit; peg offset for pegs (0: at the reference), with a limit in `cap`
        ("quantity", "i8"),  # shares; of a replace the new total still open
        ("display", "i8"),  # displayed part of a reserve order; 0: all of it
        ("minimum", "i8"),  # least shares taken together on entry, given at once at rest; 0: any
        ("cap", "i8"),  # limit of a peg; NO_PRICE: none
        ("group", "i8"),  # self-trade prevention group; 0: none
        ("spare", "i8", (5,)),
    ]
)
REPORT_DTYPE: Final = np.dtype(
    [
        ("kind", "u1"),
        ("side", "u1"),
        ("reason", "u1"),  # of a reject, cancel or restatement
        ("liquidity", "u1"),
        ("flags", "u4"),
        ("instrument", "i4"),
        ("owner", "i4"),
        ("time_ns", "i8"),
        ("token", "i8"),
        ("order", "i8"),  # the venue's number of the order, also that of hidden ones
        ("price", "i8"),  # of the execution, or of the order as it stands now
        ("quantity", "i8"),  # executed, canceled or accepted shares
        ("leaves", "i8"),  # still open behind this
        ("aux", "i8"),  # trade id of an execution, old token of a replace
        ("fee", "i8"),  # 1e-8 currency units; negative: a rebate
        ("sequence", "i8"),  # number of the event at the venue
        ("spare", "i8", (5,)),
    ]
)
assert (COMMAND_DTYPE.itemsize, REPORT_DTYPE.itemsize) == (128, 128)

# Kinds of commands.
NEW: Final = 1
CANCEL: Final = 2  # quantity 0: all of it, else down to so many open shares
REPLACE: Final = 3  # target leaves, token enters by the venue's priority rule
MASS_CANCEL: Final = 4  # all orders of the owner, of one instrument when it is not 0
HALT: Final = 5  # flags: STATUS_ code to publish
RESUME: Final = 6
BANDS: Final = 7  # price: lower, cap: upper; NO_PRICE: none
REFERENCE: Final = 8  # national best bid in price, offer in cap: what pegs follow
AUCTION: Final = 9  # flags: OPENING or CLOSING; cross what has come for it, then trade on
SESSION: Final = 10  # flags: STATUS_ code of the whole venue
DISCONNECT: Final = 11  # the owner's session is gone: cancel what asked for it

LIMIT: Final = 1
MARKET: Final = 2
MIDPOINT_PEG: Final = 3
PRIMARY_PEG: Final = 4

DAY: Final = 0
IOC: Final = 1
FOK: Final = 2
OPENING: Final = 3  # for the opening auction alone
CLOSING: Final = 4

# Flags of commands.
POST_ONLY: Final = 1  # rejected when it would take
SLIDE: Final = 2  # with POST_ONLY: priced one tick away instead
HIDDEN: Final = 4
SWEEP: Final = 8  # ISO: takes what is here without a look at other venues
RETAIL: Final = 16
CANCEL_ON_DISCONNECT: Final = 32
FIRM_UP: Final = 64  # conditional order made firm
CONDITIONAL: Final = 128  # an invitation only, at venues with conditional orders

REFUSE: Final = 256  # the gateway wants it rejected: the venue's own troubles, made up by seed

# Self-trade prevention, three bits of the flags from STP_SHIFT on.
STP_SHIFT: Final = 16
STP_FLAGS: Final = 7 << STP_SHIFT
STP_NONE: Final = 0
STP_CANCEL_NEW: Final = 1
STP_CANCEL_OLD: Final = 2
STP_CANCEL_BOTH: Final = 3
STP_DECREMENT: Final = 4  # both lose the smaller quantity

# Kinds of reports. CANCEL_REJECTED has the target in `token`, the command's own token in `aux`.
ACCEPTED: Final = 1
REJECTED: Final = 2
EXECUTED: Final = 3
CANCELED: Final = 4
REPLACED: Final = 5
CANCEL_REJECTED: Final = 6
RESTATED: Final = 7  # repriced or displayed anew by the venue
INVITED: Final = 8  # a conditional order may be firmed up

# Liquidity of an execution.
ADDED: Final = 1
REMOVED: Final = 2
ADDED_HIDDEN: Final = 3
MIDPOINT: Final = 4
CROSSED: Final = 5  # in an auction

# Reasons.
(
    NO_REASON,
    BY_OWNER,
    BY_MASS_CANCEL,
    BY_DISCONNECT,
    IOC_REMAINDER,
    FOK_NOT_FILLED,
    SELF_TRADE,
    END_OF_DAY,
    WOULD_TAKE,
    UNKNOWN_ORDER,
    UNKNOWN_INSTRUMENT,
    DUPLICATE_TOKEN,
    BAD_PRICE,
    BAD_QUANTITY,
    BAD_TYPE,
    HALTED,
    CLOSED,
    OUTSIDE_BANDS,
    NO_REFERENCE,
    NO_LIQUIDITY,
    BOOK_FULL,
    RISK,
    THROTTLED,
    REFRESHED,
    REPRICED,
) = range(25)
