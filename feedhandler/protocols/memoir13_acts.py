"""What MEMOIR Depth 1.3 messages mean to a book, as rows. The instrument directory has a kernel."""

from __future__ import annotations

from feedhandler.actions import (
    ADD,
    ALL,
    BREAK,
    CLEAR,
    CORRECTION,
    DELETE,
    EXECUTE_PRICE,
    HIDDEN,
    REDUCE,
    REFRESH,
    RESTRICT,
    SNAPSHOT_END,
    STATUS,
    STATUS_CLOSED,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_PREOPEN,
    STATUS_QUOTING,
    STATUS_TRADING,
    TRADE,
)
from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.transports.memxtcp import FRAMING
from feedhandler.wire.acts import Act, Rows


def of_security(kind: int, **more: object) -> Act:
    """An action on the message's security at the message's time."""
    return Act(kind, key="security_id", time="timestamp", **more)  # type: ignore[arg-type]


def of_order(kind: int, **more: object) -> Act:
    """An action on a displayed order."""
    return of_security(kind, order_id="order_id", **more)


TRADING_STATES = {"T": STATUS_TRADING, "H": STATUS_HALTED, "P": STATUS_PAUSED, "Q": STATUS_QUOTING}
SESSION_STATES: dict[int | str, int] = {
    "1": STATUS_PREOPEN,
    "2": STATUS_TRADING,
    "4": STATUS_CLOSED,
}
TRADED = {"price": "price", "quantity": "quantity", "aux": "trade_id"}

ACTS: dict[int | str, Act | tuple[Act, ...]] = {
    2: of_security(RESTRICT, mapped=("short_sale_restriction", {0: 0}), default=1),
    3: of_security(
        STATUS,
        order_id="security_trading_status",
        mapped=("security_trading_status", TRADING_STATES),
    ),
    5: Act(
        STATUS,
        time="timestamp",
        order_id="trading_session",
        flags=ALL,
        mapped=("trading_session", SESSION_STATES),
    ),
    10: of_order(ADD, side="side", price="price", quantity="quantity"),
    11: of_order(DELETE),
    12: of_order(REDUCE, quantity="quantity"),
    13: of_order(EXECUTE_PRICE, **TRADED),
    14: of_security(TRADE, flags=HIDDEN, **TRADED),
    15: of_security(BREAK, price="original_price", quantity="original_quantity", aux="trade_id"),
    16: of_security(
        BREAK,
        flags=CORRECTION,
        price="corrected_price",
        quantity="corrected_quantity",
        aux="trade_id",
    ),
    18: of_security(CLEAR),
    100: Act(SNAPSHOT_END, time="timestamp", order_id="as_of_sequence_number", flags=ALL | REFRESH),
}
ROWS = Rows(MEMOIR13, ACTS)
TCP_ROWS = Rows(MEMOIR13, ACTS, bytes_in_front=FRAMING.body)
