"""What CQS messages mean to a book, as rows. What names a symbol has a kernel.

Quotes mean nothing to a book, for the reasons in `uqdf15_acts`. A quote also carries the status of
its security and, with the status 0 or 9, the price bands instead of prices: those are acted on.

A halt is the market's when a regulator or the listing exchange orders it. An order imbalance, an
operational halt, sub-penny trading and a security that does not open are one market's own: the
other markets trade on, and that market's own feed tells of them.
"""

from __future__ import annotations

from feedhandler.actions import (
    ALL,
    END,
    STATUS,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_PREOPEN,
    STATUS_TRADING,
)
from feedhandler.protocols.cqs210 import CQS210
from feedhandler.wire.acts import Act, Rows

SECURITY_STATUSES = {
    **dict.fromkeys("ACDEFNOPV123", STATUS_HALTED),
    "M": STATUS_PAUSED,
    "T": STATUS_TRADING,
}
PRICE_TESTS = {"A": 1, "C": 1, "D": 0, "E": 1}
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
