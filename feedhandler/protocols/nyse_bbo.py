"""NYSE BBO, Pillar 2.5 and XDP 2.4: the best bid and offer of one NYSE group market.

The two have the same message; that of XDP has four bytes more behind it. The prices of 2.5 are
signed. Its letters for a quote's condition are those of the consolidated tape, as far as is known.

Source: NYSE BBO Feed Client Specification 2.5 and XDP BBO 2.4, after the public dissectors; the
longer form was checked against a capture.
"""

from __future__ import annotations

from collections.abc import Callable

from feedhandler.protocols.cqs210 import QUOTE_CONDITION
from feedhandler.protocols.nyse_control import CONTROL, le, message
from feedhandler.wire.field import Field
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

RPI_INDICATOR = {
    " ": "no retail interest",
    "A": "retail interest on the bid side",
    "B": "retail interest on the offer side",
    "C": "retail interest on both sides",
}
QUOTE = 140


def quote(size: int, price: Callable[..., Field], *more: Field) -> Record:
    """The quote; `price` makes a price field of the version's sign."""
    return message(
        QUOTE,
        "quote",
        size,
        le.u32("source_time_ns"),
        le.u32("symbol_index"),
        le.u32("symbol_seq_num"),
        price("ask_price", 4, None),
        le.u32("ask_volume"),
        price("bid_price", 4, None),
        le.u32("bid_volume"),
        le.alpha("quote_condition", 1, QUOTE_CONDITION),
        le.alpha("rpi_indicator", 1, RPI_INDICATOR),
        *more,
    )


NYSE_BBO_25 = Protocol(
    "nyse_bbo_25",
    "NYSE BBO 2.5",
    [*CONTROL, quote(34, le.signed_price)],
    code_offset=2,
    code_width=2,
    source="NYSE BBO Feed Client Specification 2.5",
)
NYSE_BBO_24 = Protocol(
    "nyse_bbo_24",
    "NYSE BBO 2.4",
    [*CONTROL, quote(38, le.price, le.raw("reserved_4", 4))],
    code_offset=2,
    code_width=2,
    source="NYSE XDP BBO Feed Client Specification 2.4",
)
