"""What the messages of NYSE's market data mean to a book, as rows.

Symbol mappings, source times and security states are more than moved fields: `nyse_kernels`.
"""

from __future__ import annotations

from collections.abc import Mapping

from feedhandler.actions import (
    ADD,
    ALL,
    AUCTION,
    AUCTION_CLOSING,
    AUCTION_EARLY_OPENING,
    AUCTION_HALT,
    AUCTION_OPENING,
    BREAK,
    BUY,
    CLEAR,
    CORRECTION,
    CROSS,
    DELETE,
    EXECUTE_PRICE,
    EXTENDED_HOURS,
    FAR,
    HIDDEN,
    KEEPS_PRIORITY,
    MODIFY,
    NOT_PRINTABLE,
    REFRESH,
    REPLACE,
    SELL,
    STATUS_CLOSED,
    STATUS_HALTED,
    STATUS_PREOPEN,
    STATUS_TRADING,
    TRADE,
    TYPED,
)
from feedhandler.protocols.nyse_integrated_21 import NYSE_INTEGRATED_21
from feedhandler.protocols.nyse_integrated_25 import NYSE_INTEGRATED_25
from feedhandler.wire.acts import Act, Rows

TRADING_EXTENDED = STATUS_TRADING | EXTENDED_HOURS << 16
NO_STATUS = 0  # the message does not change the state
BY_MARKET = -1  # the market's state, which stands in the same message
NOT_IN_LAYOUT = -2

SECURITY_STATUS: Mapping[str, int] = {
    "4": STATUS_HALTED,
    "5": BY_MARKET,
    "6": STATUS_HALTED,
    "A": NO_STATUS,
    "C": NO_STATUS,
    "D": NO_STATUS,
    "P": STATUS_PREOPEN,
    "B": STATUS_PREOPEN,
    "E": TRADING_EXTENDED,
    "O": STATUS_TRADING,
    "L": TRADING_EXTENDED,
    "X": STATUS_CLOSED,
    "I": NO_STATUS,
    "G": NO_STATUS,
}
MARKET_STATE: Mapping[str, int] = {
    "P": STATUS_PREOPEN,
    "E": TRADING_EXTENDED,
    "O": STATUS_TRADING,
    "L": TRADING_EXTENDED,
    "X": STATUS_CLOSED,
}


def live(kind: int, **more: object) -> Act:
    """An action whose second comes from the source time reference."""
    return Act(kind, key="symbol_index", time="source_time_ns", **more)  # type: ignore[arg-type]


def timed(kind: int, **more: object) -> Act:
    """An action of a message that carries its second."""
    return live(kind, second="source_time", **more)


CONTROL_ACTS: Mapping[int | str, Act | tuple[Act, ...]] = {
    1: Act(CLEAR, time="source_time_ns", second="source_time", flags=ALL),
    32: timed(CLEAR),
}
PRICED = {"price": "price", "quantity": "volume"}
ORDER = {"order_id": "order_id", "side": "side", **PRICED}
PRINTED = ("printable_flag", {0: NOT_PRINTABLE})
IMBALANCE = {
    "order_id": "total_imbalance_qty",
    "price": "reference_price",
    "quantity": "paired_qty",
    "side": "imbalance_side",
    "sides": {"B": BUY, "S": SELL, " ": 0, "\0": 0},
}


AUCTIONS: Mapping[str, int] = {
    "O": AUCTION_EARLY_OPENING,
    "M": AUCTION_OPENING,
    "H": AUCTION_HALT,
    "C": AUCTION_CLOSING,
    "P": AUCTION_CLOSING,  # an extreme imbalance of it
    "R": AUCTION_CLOSING,  # a significant one
}


def imbalance(far: str) -> tuple[Act, ...]:
    """Where all interest would clear, where that of the auction alone would, and which it is.

    Args:
        far: the field with the auction's own clearing price, which each version calls otherwise.
    """
    return (
        timed(AUCTION, aux="continuous_book_clearing_price", **IMBALANCE),
        timed(AUCTION, aux=far, flags=FAR, **IMBALANCE),
        timed(
            AUCTION,
            flags=TYPED,
            order_id="auction_type",
            mapped=("auction_type", AUCTIONS),
            price="indicative_match_price",
            quantity="market_imbalance_qty",
        ),
    )


def integrated(far: str) -> Mapping[int | str, Act | tuple[Act, ...]]:
    """The Integrated Feed's meaning, alike in both versions."""
    return {
        **CONTROL_ACTS,
        100: live(ADD, **ORDER),
        101: live(
            MODIFY, order_id="order_id", flagged=("position_change", {0: KEEPS_PRIORITY}), **PRICED
        ),
        102: live(DELETE, order_id="order_id"),
        103: live(EXECUTE_PRICE, order_id="order_id", aux="trade_id", flagged=PRINTED, **PRICED),
        104: live(REPLACE, order_id="order_id", aux="new_order_id", **PRICED),
        105: imbalance(far),
        106: timed(ADD, flags=REFRESH, **ORDER),
        110: live(TRADE, flags=HIDDEN, aux="trade_id", flagged=PRINTED, **PRICED),
        111: live(TRADE, flags=CROSS, aux="cross_id", **PRICED),
        112: live(BREAK, aux="trade_id"),
        113: live(BREAK, flags=CROSS | CORRECTION, aux="cross_id", quantity="volume"),
    }


ROWS_25 = Rows(NYSE_INTEGRATED_25, integrated("auction_interest_clearing_price"))
ROWS_21 = Rows(NYSE_INTEGRATED_21, integrated("closing_only_clearing_price"))
