"""What BOE messages mean to an order, as rows. Optional fields are added by a kernel.

Order ids are the numbers that client order ids spell: see `cboe_boe_actions`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import (
    ACCEPTED,
    ALL,
    BREAK,
    BUY,
    CANCEL_REJECTED,
    CANCELED,
    EXECUTED,
    REJECTED,
    REPLACED,
    RESTATED,
    SELL,
    SESSION,
)
from feedhandler.protocols.cboe_boe import CBOE_BOE
from feedhandler.protocols.liquidity import ADDED, ADDED_HIDDEN, AUCTION, MIDPOINT, REMOVED
from feedhandler.wire.acts import Act, Rows

BASE_LIQUIDITY = {"A": ADDED, "R": REMOVED, "C": AUCTION}
SUB_LIQUIDITY = {"E": ADDED_HIDDEN, "H": ADDED_HIDDEN, "I": ADDED_HIDDEN, "m": MIDPOINT}
SIDES = {"1": BUY, "2": SELL, "5": SELL, "6": SELL}


def order(kind: int, time: str = "transaction_time", **more: object) -> Act:
    """An action on one of our orders."""
    return Act(kind, order_id="cl_ord_id", time=time, **more)  # type: ignore[arg-type]


def session(code: int, **more: object) -> Act:
    """A session message: aux its code."""
    return Act(SESSION, mapped=("message_type", {code: code}), **more)  # type: ignore[arg-type]


ROWS = Rows(
    CBOE_BOE,
    {
        0x24: session(
            0x24, order_id="login_response_status", quantity="last_received_sequence_number"
        ),
        0x08: session(0x08, order_id="logout_reason", quantity="last_received_sequence_number"),
        0x13: session(0x13),
        0x36: session(0x36, quantity="cancelled_order_count", time="transaction_time"),
        0x25: order(ACCEPTED, "transact_time", aux="order_id"),
        0x26: order(REJECTED, aux="order_reject_reason"),
        0x27: order(REPLACED),
        0x28: order(RESTATED, aux="restatement_reason"),
        0x29: order(CANCEL_REJECTED, aux="modify_reject_reason"),
        0x2A: order(CANCELED, "transact_time", aux="cancel_reason"),
        0x2B: order(CANCEL_REJECTED, aux="cancel_reject_reason"),
        0x2C: order(EXECUTED, quantity="last_shares", price="last_px", aux="exec_id"),
        0x2D: order(
            BREAK,
            quantity="last_shares",
            price="corrected_price",
            aux="exec_ref_id",
            side="side",
            sides=SIDES,
        ),
        0x48: Act(CANCEL_REJECTED, aux="purge_reject_reason", time="transaction_time", flags=ALL),
    },
    bytes_in_front=0,
)


def id_places() -> NDArray[np.int32]:
    """By message code, the offset of our order's id in the messages that have rows; 0: none."""
    made = np.zeros(max(CBOE_BOE.by_number) + 1, np.int32)
    for code, record in CBOE_BOE.by_number.items():
        if ROWS.first[code] and "cl_ord_id" in record.by_name:
            made[code] = record.offset("cl_ord_id")
    return made


ID_PLACES = id_places()
