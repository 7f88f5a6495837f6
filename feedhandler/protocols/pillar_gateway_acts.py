"""What the Pillar gateway's messages mean to an order.

`order_id` is the client's order id (ClOrdID) of the order concerned, the key the symbol id. A
cancellation takes off all that was left: the message does not say how much that was, so its
quantity is 0. What the client sends means nothing to an order's state.
"""

from __future__ import annotations

from collections.abc import Mapping

from feedhandler.actions import (
    ACCEPTED,
    BREAK,
    BUY,
    CANCEL_PENDING,
    CANCEL_REJECTED,
    CANCELED,
    EXECUTED,
    REJECTED,
    REPLACED,
    RESTATED,
    SELL,
    SESSION,
)
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.protocols.pillar_gateway import PILLAR_GATEWAY
from feedhandler.transports.pillar_stream import PILLAR_STREAM, SEQ_MSG
from feedhandler.wire.acts import Act, Rows

NO_ACTION = 0
NOT_IN_LAYOUT = -1

# By ack_type: of 0x0260 and of 0x0271, which have a kernel because aux hangs on it as well.
ACKNOWLEDGED: Mapping[int, int] = {
    1: ACCEPTED,
    2: RESTATED,
    3: RESTATED,
    4: NO_ACTION,
    5: CANCEL_PENDING,
    6: NO_ACTION,
    7: NO_ACTION,
    8: REPLACED,
    9: REPLACED,
    10: NO_ACTION,
    11: CANCELED,
    12: CANCELED,
    13: CANCELED,
    14: CANCELED,
}
# A modify leaves an order its id: what 0x0271 says of it is news about that order.
CHANGED: Mapping[int, int] = {**ACKNOWLEDGED, 8: RESTATED, 9: RESTATED}
# NYSE publishes the indicators apart from the layouts: these are the simulated venue's.
LIQUIDITY = {"A": ADDED, "R": REMOVED, "H": ADDED_HIDDEN, "M": MIDPOINT, "X": AUCTION}
SIDES: Mapping[int, int] = {1: BUY, 2: SELL, 3: SELL, 4: SELL}

REFUSED = {
    2: CANCEL_REJECTED,
    3: CANCEL_REJECTED,
    4: CANCEL_REJECTED,
    6: SESSION,
    7: SESSION,
    11: SESSION,
}


def order(kind: int, **more: object) -> Act:
    """An action on an order of ours."""
    given = {"order_id": "cl_ord_id", **more}
    return Act(kind, key="symbol_id", time="transact_time", **given)  # type: ignore[arg-type]


ROWS = Rows(
    PILLAR_GATEWAY,
    {
        0x0262: order(RESTATED, aux="order_id", price="working_price", quantity="order_qty"),
        0x0290: order(EXECUTED, aux="deal_id", price="last_px", quantity="last_qty"),
        0x0292: order(BREAK, aux="deal_id", price="last_px", quantity="last_qty"),
        0x0263: order(REJECTED, aux="reason_code", kinds=("reject_type", REFUSED)),
    },
    bytes_in_front=PILLAR_STREAM[SEQ_MSG].size,
)
