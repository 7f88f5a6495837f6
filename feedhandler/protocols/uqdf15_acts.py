"""What UQDF 1.5 messages mean to a book, as rows. What names a symbol has a kernel.

Quotes mean nothing to a book here: they are what the venues' own feeds said before, later and with
one price a side, and a router that mixes both would see the same shares twice. Nor does one
market's own halt, which that market's feed tells. What only the tape says is acted on: price
bands, halts and pauses by the listing exchange, the short sale price test, circuit breakers, the
directory.
"""

from __future__ import annotations

from feedhandler.actions import (
    ALL,
    END,
    STATUS,
    STATUS_CLOSED,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_PREOPEN,
    STATUS_QUOTING,
    STATUS_TRADING,
)
from feedhandler.protocols.uqdf15 import UQDF15
from feedhandler.wire.acts import Act, Rows

TRADING_ACTIONS = {"H": STATUS_HALTED, "P": STATUS_PAUSED, "Q": STATUS_QUOTING, "T": STATUS_TRADING}


def of_all(kind: int, code: str, status: int = 0) -> Act:
    """An action on every security."""
    return Act(
        kind, flags=ALL, time="sip_timestamp", order_id=code, mapped=(code, {}), default=status
    )


ROWS = Rows(
    UQDF15,
    {
        "AD": of_all(STATUS, "mwcb_status_level_indicator", STATUS_HALTED),
        "CI": of_all(STATUS, "message_type", STATUS_PREOPEN),
        "CO": of_all(STATUS, "message_type", STATUS_TRADING),
        "CC": of_all(STATUS, "message_type", STATUS_CLOSED),
        "CZ": of_all(END, "message_type"),
    },
)
