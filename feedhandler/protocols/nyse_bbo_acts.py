"""What NYSE's quotes mean to a book, as rows: the best of both sides.

A quote that is slow, closed or not firm is shown but not eligible for a national best.
"""

from __future__ import annotations

from feedhandler.actions import BUY, CLOSED_SIDE, SELL, TOP
from feedhandler.protocols.nyse_acts import CONTROL_ACTS, live
from feedhandler.protocols.nyse_bbo import NYSE_BBO_24, NYSE_BBO_25, QUOTE
from feedhandler.wire.acts import Act, Rows

BOTH_CLOSED = "CHLNUW"
CLOSED_BIDS = dict.fromkeys(BOTH_CLOSED + "BE", CLOSED_SIDE)
CLOSED_OFFERS = dict.fromkeys(BOTH_CLOSED + "AF", CLOSED_SIDE)

SIDES: tuple[Act, ...] = (
    live(
        TOP,
        side=BUY,
        price="bid_price",
        quantity="bid_volume",
        flagged=("quote_condition", CLOSED_BIDS),
    ),
    live(
        TOP,
        side=SELL,
        price="ask_price",
        quantity="ask_volume",
        flagged=("quote_condition", CLOSED_OFFERS),
    ),
)
ROWS_25 = Rows(NYSE_BBO_25, {**CONTROL_ACTS, QUOTE: SIDES})
ROWS_24 = Rows(NYSE_BBO_24, {**CONTROL_ACTS, QUOTE: SIDES})
