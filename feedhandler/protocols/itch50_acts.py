"""What TotalView-ITCH 5.0 messages mean to a book, as rows. The stock directory has a kernel."""

from __future__ import annotations

from feedhandler.actions import (
    ADD,
    ALL,
    ATTRIBUTED,
    AUCTION,
    AUCTION_CLOSING,
    AUCTION_EXTENDED_CLOSE,
    AUCTION_HALT,
    AUCTION_OPENING,
    BREAK,
    COLLAR,
    CROSS,
    DELETE,
    END,
    EXECUTE,
    EXECUTE_PRICE,
    FAR,
    HIDDEN,
    NOT_PRINTABLE,
    REDUCE,
    REPLACE,
    RESTRICT,
    STATUS,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_QUOTING,
    STATUS_TRADING,
    TRADE,
    TYPED,
)
from feedhandler.protocols.itch50 import ITCH50
from feedhandler.wire.acts import Act, Rows


def order(kind: int, **more: object) -> Act:
    """An action on a displayed order."""
    given = {"order_id": "order_reference_number", **more}
    return Act(kind, key="stock_locate", time="timestamp", **given)  # type: ignore[arg-type]


def other(kind: int, **more: object) -> Act:
    """An action that names no displayed order."""
    return Act(kind, key="stock_locate", time="timestamp", **more)  # type: ignore[arg-type]


ENTERED = {"side": "buy_sell_indicator", "price": "price", "quantity": "shares"}
EXECUTED = {"quantity": "executed_shares", "aux": "match_number"}
IMBALANCE = {
    "order_id": "imbalance_shares",
    "price": "current_reference_price",
    "quantity": "paired_shares",
    "side": "imbalance_direction",
    "sides": {"B": 1, "S": 2, "N": 0, "O": 0, "P": 0},
}
AUCTIONS = {
    "O": AUCTION_OPENING,
    "C": AUCTION_CLOSING,
    "H": AUCTION_HALT,  # and of initial offerings
    "A": AUCTION_EXTENDED_CLOSE,
}
TRADING_STATES = {"T": STATUS_TRADING, "H": STATUS_HALTED, "P": STATUS_PAUSED, "Q": STATUS_QUOTING}

ROWS = Rows(
    ITCH50,
    {
        "A": order(ADD, **ENTERED),
        "F": order(ADD, flags=ATTRIBUTED, **ENTERED),
        "E": order(EXECUTE, **EXECUTED),
        "C": order(
            EXECUTE_PRICE,
            price="execution_price",
            flagged=("printable", {"N": NOT_PRINTABLE}),
            **EXECUTED,
        ),
        "X": order(REDUCE, quantity="canceled_shares"),
        "D": order(DELETE),
        "U": order(
            REPLACE,
            order_id="original_order_reference_number",
            aux="new_order_reference_number",
            price="price",
            quantity="shares",
        ),
        "P": order(TRADE, flags=HIDDEN, aux="match_number", **ENTERED),
        "Q": other(
            TRADE, flags=CROSS, price="cross_price", quantity="cross_shares", aux="match_number"
        ),
        "B": other(BREAK, aux="match_number"),
        "I": (
            other(AUCTION, aux="near_price", **IMBALANCE),
            other(AUCTION, aux="far_price", flags=FAR, **IMBALANCE),
            other(AUCTION, flags=TYPED, order_id="cross_type", mapped=("cross_type", AUCTIONS)),
        ),
        "H": other(STATUS, order_id="trading_state", mapped=("trading_state", TRADING_STATES)),
        "Y": Act(
            RESTRICT,
            key="locate_code",
            time="timestamp",
            mapped=("reg_sho_action", {"0": 0}),
            default=1,
        ),
        "J": other(
            COLLAR,
            price="lower_auction_collar_price",
            aux="upper_auction_collar_price",
            quantity="auction_collar_reference_price",
        ),
        "S": Act(
            STATUS,
            time="timestamp",
            order_id="event_code",
            flags=ALL,
            kinds=("event_code", {"C": END}),
            mapped=("event_code", {"Q": STATUS_TRADING}),
        ),
    },
)
