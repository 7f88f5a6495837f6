"""What the exchange's OUCH 4.2 messages mean to an order, as rows.

The tokens, which are text, do not come from rows: `ouch42_actions` turns them into numbers.
"""

from __future__ import annotations

from feedhandler.actions import (
    ACCEPTED,
    BREAK,
    CANCEL_PENDING,
    CANCEL_REJECTED,
    CANCELED,
    CORRECTION,
    EXECUTED,
    REJECTED,
    REPLACED,
    RESTATED,
    SESSION,
)
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.protocols.ouch42 import OUTBOUND
from feedhandler.protocols.ouch50_acts import SIDES
from feedhandler.transports.soupbintcp import HEADER_BYTES
from feedhandler.wire.acts import Act, Rows

LIQUIDITY = {
    **dict.fromkeys("AWe784", ADDED),
    **dict.fromkeys("Rdrt6", REMOVED),
    **dict.fromkeys("Jfj5", ADDED_HIDDEN),
    **dict.fromkeys("kmgn", MIDPOINT),
    **dict.fromkeys("OMCLHK", AUCTION),
}
TERMS = {"side": "buy_sell_indicator", "sides": SIDES, "price": "price", "quantity": "shares"}
FILL = {"price": "execution_price", "quantity": "executed_shares", "aux": "match_number"}


def order(kind: int, **more: object) -> Act:
    """An action on an order of ours."""
    return Act(kind, time="timestamp", **more)  # type: ignore[arg-type]


ROWS = Rows(
    OUTBOUND,
    {
        "S": Act(SESSION, time="timestamp", aux="event_code"),
        "A": order(ACCEPTED, aux="order_reference_number", **TERMS),
        "U": order(REPLACED, **TERMS),
        "C": order(CANCELED, quantity="decrement_shares", aux="cancel_order_reason"),
        "D": order(
            CANCELED,
            quantity="decrement_shares",
            price="execution_price",
            aux="cancel_order_reason",
        ),
        "E": order(EXECUTED, **FILL),
        "G": order(EXECUTED, **FILL),
        "B": order(BREAK, aux="match_number"),
        "F": order(BREAK, flags=CORRECTION, **FILL),
        "J": order(REJECTED, aux="rejected_order_reason"),
        "P": order(CANCEL_PENDING),
        "I": order(CANCEL_REJECTED),
        "T": order(RESTATED, price="price", aux="order_reference_number"),
        "M": order(RESTATED, side="buy_sell_indicator", sides=SIDES, quantity="shares"),
        "N": order(RESTATED, mapped=("message_type", {}), default=ord("N")),
    },
    bytes_in_front=HEADER_BYTES,
)
