"""What CQS messages mean to a book, as rows. What names a symbol has a kernel.

Quotes mean nothing to a book, for the reasons in `uqdf15_acts`. A quote also carries the status of
its security and, with the status 0 or 9, the price bands instead of prices: those are acted on.
"""

from __future__ import annotations

from feedhandler.actions import ALL, END, STATUS, STATUS_PREOPEN
from feedhandler.protocols.cqs210 import CQS210
from feedhandler.wire.acts import Act, Rows

WHEN = {"second": "seconds", "time": "nanoseconds", "order_id": "message_type"}

ROWS = Rows(
    CQS210,
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
