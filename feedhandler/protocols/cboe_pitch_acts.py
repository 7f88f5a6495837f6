"""What PITCH messages mean to a book, as rows, also those of the spin service's image.

Only messages that bring an order or a symbol name the symbol: an action on an order has key 0, its
order is found by the order id. Trades have no side: the wire's is B whatever the resting order was.
Answers of the two services are SESSION actions: aux the message code, order_id the status, key the
first sequence, quantity the count.
"""

from __future__ import annotations

from collections.abc import Mapping

from feedhandler.actions import (
    ADD,
    ALL,
    AUCTION_CLOSING,
    AUCTION_HALT,
    AUCTION_IPO,
    AUCTION_OPENING,
    AUCTION_PERIODIC,
    AUCTION_VOLATILITY,
    BREAK,
    CLEAR,
    CROSS,
    DELETE,
    END,
    EXECUTE,
    HIDDEN,
    KEEPS_PRIORITY,
    MODIFY,
    REDUCE,
    REFRESH,
    RESTRICT,
    SESSION,
    SNAPSHOT_END,
    STATUS,
    STATUS_HALTED,
    STATUS_PREOPEN,
    STATUS_QUOTING,
    STATUS_TRADING,
    TRADE,
)
from feedhandler.protocols.cboe_grp import CBOE_GRP
from feedhandler.protocols.cboe_pitch import CBOE_PITCH
from feedhandler.protocols.cboe_spin import CBOE_SPIN
from feedhandler.wire.acts import Act, Rows

DISPLAY_BIT, PRIORITY_BIT = 0x01, 0x02
TRADING_STATES = {
    "A": STATUS_PREOPEN,
    "H": STATUS_HALTED,
    "Q": STATUS_QUOTING,
    "S": STATUS_HALTED,
    "T": STATUS_TRADING,
}


def act(kind: int, **more: object) -> Act:
    """An action whose time counts from the unit's second."""
    return Act(kind, time="time_offset", **more)  # type: ignore[arg-type]


def order(kind: int, **more: object) -> Act:
    """An action on an order."""
    return act(kind, order_id="order_id", **more)


AUCTIONS: Mapping[str, int] = {
    "O": AUCTION_OPENING,
    "C": AUCTION_CLOSING,
    "H": AUCTION_HALT,
    "I": AUCTION_IPO,
    "M": AUCTION_CLOSING,  # Cboe Market Close: matched at the listing market's price
    "V": AUCTION_VOLATILITY,
    "P": AUCTION_PERIODIC,
}


def shown(bits: int) -> int:
    """Flags by the display bit: an order without it is not in the displayed book."""
    return 0 if bits & DISPLAY_BIT else HIDDEN


ADD_FLAGS: Mapping[int | str, int] = {bits: shown(bits) for bits in range(256)}
MODIFY_FLAGS: Mapping[int | str, int] = {
    bits: shown(bits) | (KEEPS_PRIORITY if bits & PRIORITY_BIT else 0) for bits in range(256)
}
LONG = {"quantity": "quantity", "price": "price"}
SHORT = {"quantity": "quantity_short", "price": "price_short"}
ENTERED = {"side": "side_indicator", "flagged": ("add_order_flags", ADD_FLAGS)}
MODIFIED = {"flagged": ("modify_order_flags", MODIFY_FLAGS)}
TRADED = {"flags": HIDDEN, "aux": "execution_id"}


def image(flags: int) -> dict[int | str, Act | tuple[Act, ...]]:
    """Rows of the messages that the live stream and the spin image share."""
    symbol = {"key": "symbol_extended", "flags": flags}
    return {
        0x21: order(ADD, key="symbol", flags=flags, **LONG, **ENTERED),
        0x22: order(ADD, key="symbol", flags=flags, **SHORT, **ENTERED),
        0x31: (
            act(
                STATUS,
                order_id="trading_status",
                mapped=("trading_status", TRADING_STATES),
                **symbol,
            ),
            act(RESTRICT, mapped=("reg_sho_action", {"0": 0}), default=1, **symbol),
        ),
    }


ROWS = Rows(
    CBOE_PITCH,
    {
        **image(0),
        0x97: act(CLEAR, flags=ALL),
        0x23: order(EXECUTE, quantity="executed_quantity", aux="execution_id"),
        0x25: order(REDUCE, quantity="canceled_quantity"),
        0x26: order(REDUCE, quantity="canceled_quantity_short"),
        0x27: order(MODIFY, **LONG, **MODIFIED),
        0x28: order(MODIFY, **SHORT, **MODIFIED),
        0x29: order(DELETE),
        0x2A: order(TRADE, key="symbol", **LONG, **TRADED),
        0x2B: order(TRADE, key="symbol", **SHORT, **TRADED),
        0x30: order(TRADE, key="symbol_extended", **LONG, **TRADED),
        0x2C: act(BREAK, aux="execution_id"),
        0x2D: Act(END, time="last_timestamp", flags=ALL),
        0x96: act(
            TRADE, key="symbol_extended", price="price", quantity="shares_contracts", flags=CROSS
        ),
    },
)


def answer(**more: object) -> Act:
    """What a service says to a request."""
    return Act(SESSION, aux="message_type", **more)  # type: ignore[arg-type]


LOGIN_ANSWER = answer(order_id="status")
GRP_ROWS = Rows(
    CBOE_GRP,
    {0x02: LOGIN_ANSWER, 0x04: answer(order_id="status", key="sequence", quantity="count")},
)
SPIN_ROWS = Rows(
    CBOE_SPIN,
    {
        0x02: LOGIN_ANSWER,
        **image(REFRESH),
        0x80: answer(key="sequence"),
        0x82: answer(order_id="status", key="sequence", quantity="order_count"),
        0x83: Act(SNAPSHOT_END, order_id="sequence", flags=REFRESH | ALL),
    },
)
