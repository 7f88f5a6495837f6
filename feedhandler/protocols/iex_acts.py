"""What IEX messages mean to a book, as rows.

Nothing is made of three messages: a retail liquidity indicator; a security event, which moves no
order and does not say whether a security trades; and an official price, a statistic of trades that
are reported as such (a record of it could be taken for another print).
"""

from __future__ import annotations

from feedhandler.actions import (
    ADD,
    ALL,
    AUCTION,
    AUCTION_CLOSING,
    AUCTION_HALT,
    AUCTION_IPO,
    AUCTION_OPENING,
    AUCTION_VOLATILITY,
    BREAK,
    BUY,
    CLEAR,
    CLOSED_SIDE,
    COLLAR,
    CROSS,
    DELETE,
    END,
    EVENT_OPEN,
    EXECUTE_PRICE,
    EXTENDED_HOURS,
    FAR,
    HIDDEN,
    KEEPS_PRIORITY,
    LEVEL,
    MODIFY,
    ODD_LOT,
    OPERATIONAL_HALT,
    RESTRICT,
    SELL,
    STATUS,
    STATUS_CLOSED,
    STATUS_HALTED,
    STATUS_PAUSED,
    STATUS_PREOPEN,
    STATUS_QUOTING,
    STATUS_TRADING,
    SWEEP,
    SYMBOL,
    TEST_SYMBOL,
    TOP,
    TRADE,
    TYPED,
)
from feedhandler.protocols.iex import DEEP, DEEP_PLUS, TOPS_1_5, TOPS_1_6
from feedhandler.wire.acts import Act, Rows

Acts = dict[int | str, Act | tuple[Act, ...]]


def of_symbol(kind: int, **more: object) -> Act:
    """An action on the message's symbol at the message's time."""
    return Act(kind, key="symbol", time="timestamp", **more)  # type: ignore[arg-type]


TRADING_STATES = {"T": STATUS_TRADING, "H": STATUS_HALTED, "P": STATUS_PAUSED, "O": STATUS_QUOTING}
SESSION_STATES: dict[int | str, int] = {
    "S": STATUS_PREOPEN,
    "R": STATUS_TRADING,
    "E": STATUS_CLOSED,
}
SALE_CONDITIONS = (
    "sale_condition_flags",
    {0x80: SWEEP, 0x40: EXTENDED_HOURS, 0x20: ODD_LOT, 0x08: CROSS},
)
QUOTE_CONDITIONS = ("quote_update_flags", {0x80: CLOSED_SIDE, 0x40: CLOSED_SIDE | EXTENDED_HOURS})
KEEPS = ("modify_flags", {0x80: KEEPS_PRIORITY, 0x01: KEEPS_PRIORITY})
# an event is complete when the lowest bit says so
INSIDE_EVENT = ("event_flags", dict.fromkeys(range(0, 256, 2), EVENT_OPEN))
TRADED = {"price": "price", "quantity": "size", "aux": "trade_id", "masked": SALE_CONDITIONS}
IMBALANCE = {
    "order_id": "imbalance_shares",
    "price": "reference_price",
    "quantity": "paired_shares",
    "side": "imbalance_side",
    "sides": {"B": BUY, "S": SELL, "N": 0},
}

AUCTIONS = {
    "O": AUCTION_OPENING,
    "C": AUCTION_CLOSING,
    "H": AUCTION_HALT,
    "I": AUCTION_IPO,
    "V": AUCTION_VOLATILITY,
}

ADMINISTRATIVE: Acts = {
    "S": Act(
        STATUS,
        time="timestamp",
        order_id="system_event",
        flags=ALL,
        kinds=("system_event", {"C": END}),
        mapped=("system_event", SESSION_STATES),
    ),
    "D": of_symbol(
        SYMBOL,
        order_id="symbol",
        quantity="round_lot_size",
        masked=("security_directory_flags", {0x80: TEST_SYMBOL}),
    ),
    "H": of_symbol(STATUS, order_id="trading_status", mapped=("trading_status", TRADING_STATES)),
    "O": of_symbol(
        OPERATIONAL_HALT,
        order_id="operational_halt_status",
        mapped=("operational_halt_status", {"N": 0}),
        default=1,
    ),
    "P": of_symbol(RESTRICT, mapped=("short_sale_price_test_status", {0: 0}), default=1),
    "B": of_symbol(BREAK, **TRADED),
}
TRADES: Acts = {
    "T": of_symbol(TRADE, **TRADED),
    "A": (
        of_symbol(AUCTION, aux="indicative_clearing_price", **IMBALANCE),
        of_symbol(AUCTION, aux="auction_book_clearing_price", flags=FAR, **IMBALANCE),
        of_symbol(AUCTION, flags=TYPED, order_id="auction_type", mapped=("auction_type", AUCTIONS)),
        of_symbol(
            COLLAR,
            price="lower_auction_collar",
            aux="upper_auction_collar",
            quantity="collar_reference_price",
        ),
    ),
}
LEVELS: Acts = {
    "8": of_symbol(LEVEL, side=BUY, price="price", quantity="size", flagged=INSIDE_EVENT),
    "5": of_symbol(LEVEL, side=SELL, price="price", quantity="size", flagged=INSIDE_EVENT),
}
QUOTES: Acts = {
    "Q": (
        of_symbol(TOP, side=BUY, price="bid_price", quantity="bid_size", masked=QUOTE_CONDITIONS),
        of_symbol(TOP, side=SELL, price="ask_price", quantity="ask_size", masked=QUOTE_CONDITIONS),
    )
}
ORDERS: Acts = {
    "a": of_symbol(
        ADD,
        order_id="order_id",
        price="price",
        quantity="size",
        side="side",
        sides={"8": BUY, "5": SELL},
    ),
    "M": of_symbol(
        MODIFY, order_id="order_id_reference", price="price", quantity="size", masked=KEEPS
    ),
    "R": of_symbol(DELETE, order_id="order_id_reference"),
    # the trade's price may be better than the order's: sliding and price improvement
    "L": of_symbol(EXECUTE_PRICE, order_id="order_id_reference", **TRADED),
    "T": of_symbol(TRADE, flags=HIDDEN, **TRADED),
    "C": of_symbol(CLEAR),
}

DEEP_ROWS = Rows(DEEP, {**ADMINISTRATIVE, **TRADES, **LEVELS})
DEEP_PLUS_ROWS = Rows(DEEP_PLUS, {**ADMINISTRATIVE, **ORDERS})
TOPS_1_5_ROWS = Rows(TOPS_1_5, {**ADMINISTRATIVE, **TRADES, **QUOTES})
TOPS_1_6_ROWS = Rows(TOPS_1_6, {**ADMINISTRATIVE, **TRADES, **QUOTES})
