"""What CTS messages mean, as rows and as what its letters mean. What names a symbol has a kernel.

A trade of the tape is one that a market's own feed said before, unless that market or facility has
none here: who enters the tape beside the markets has each trade twice, and the router counts those
of a tape in no volume. Volume is in whole shares; what a fractional trade has beside them is in
`order_id`, see `cts211_actions`. Summaries and the day before mean nothing to a book.
"""

from __future__ import annotations

from feedhandler.actions import (
    ALL,
    CROSS,
    END,
    EXTENDED_HOURS,
    NOT_PRINTABLE,
    ODD_LOT,
    STATUS,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_PREOPEN,
    SWEEP,
)
from feedhandler.protocols.cts211 import CTS211
from feedhandler.wire.acts import Act, Rows

CONDITION_FLAGS = {
    "F": SWEEP,
    "I": ODD_LOT,
    "T": EXTENDED_HOURS,
    "U": EXTENDED_HOURS,
    "O": CROSS,
    "5": CROSS,
    "6": CROSS,
    "M": NOT_PRINTABLE,
    "Q": NOT_PRINTABLE,
    "9": NOT_PRINTABLE,
}
# by the reason of a trading halt: those of one market alone are not the market's, see cqs210_acts
HALTS = {**dict.fromkeys(" ACDEFNOPV", STATUS_HALTED), "M": STATUS_PAUSED}
HALT, RESUME = "2", "3"
WHEN = {"second": "seconds", "time": "nanoseconds", "order_id": "message_type"}

ROWS = Rows(
    CTS211,
    {
        "CA": Act(
            STATUS,
            flags=ALL,
            mapped=("message_type", {}),
            default=STATUS_PREOPEN,
            **WHEN,  # type: ignore[arg-type]
        ),
        "CZ": Act(END, flags=ALL, **WHEN),  # type: ignore[arg-type]
    },
)
