"""What the exchange's OUCH 5.0 messages mean to an order, as rows.

`order_id` is the user reference number. The key is the symbol where the message has one (accepted
and replaced, see `ouch50_actions`), else 0.
"""

from __future__ import annotations

from feedhandler.actions import (
    ACCEPTED,
    BREAK,
    BUY,
    CANCEL_PENDING,
    CANCEL_REJECTED,
    CANCELED,
    CORRECTION,
    EXECUTED,
    REJECTED,
    REPLACED,
    RESTATED,
    SELL,
    SESSION,
)
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.protocols.ouch50 import OUTBOUND
from feedhandler.transports.soupbintcp import HEADER_BYTES
from feedhandler.wire.acts import Act, Rows

SIDES = {"B": BUY, "S": SELL, "T": SELL, "E": SELL}
LIQUIDITY = {
    **dict.fromkeys("Ae78", ADDED),
    **dict.fromkeys("Rprt", REMOVED),
    **dict.fromkeys("Jj", ADDED_HIDDEN),
    **dict.fromkeys("kmnNq", MIDPOINT),
    **dict.fromkeys("HiKLMO", AUCTION),
}
TERMS = {"side": "side", "sides": SIDES, "price": "price", "quantity": "quantity"}
FILL = {"price": "price", "quantity": "quantity", "aux": "match_number"}


def order(kind: int, **more: object) -> Act:
    """An action on an order of ours."""
    return Act(kind, order_id="user_ref_num", time="timestamp", **more)  # type: ignore[arg-type]


ROWS = Rows(
    OUTBOUND,
    {
        "S": Act(SESSION, time="timestamp", aux="event_code"),
        "A": order(ACCEPTED, aux="order_reference_number", **TERMS),
        "U": order(REPLACED, aux="orig_user_ref_num", **TERMS),
        "C": order(CANCELED, quantity="quantity", aux="cancel_order_reason"),
        "D": order(
            CANCELED,
            quantity="decrement_shares",
            price="execution_price",
            aux="order_cancel_reason",
        ),
        "E": order(EXECUTED, **FILL),
        "B": order(BREAK, aux="match_number"),
        "F": order(BREAK, flags=CORRECTION, **FILL),
        "J": order(REJECTED, aux="rejected_order_reason"),
        "P": order(CANCEL_PENDING),
        "I": order(CANCEL_REJECTED),
        "T": order(RESTATED, price="price", aux="order_reference_number"),
        "M": order(RESTATED, side="side", sides=SIDES, quantity="quantity"),
        "R": order(RESTATED, aux="order_restated_reason"),
        "Q": Act(
            SESSION,
            order_id="next_user_ref_num",
            time="timestamp",
            mapped=("message_type", {}),
            default=ord("Q"),
        ),
    },
    bytes_in_front=HEADER_BYTES,
)
