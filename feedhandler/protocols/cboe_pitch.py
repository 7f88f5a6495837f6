"""Cboe multicast PITCH, depth of book of the US equities venues BZX, BYX, EDGX and EDGA.

A unit announces each whole second since midnight US Eastern (Time); other messages give ns since
the last one announced. Prices have 4 decimals, short ones 2. Order ids are integers on the wire;
Cboe prints them in base 36.

Source: Cboe US Equities/Options Multicast PITCH specification 2.41.29.
"""

from __future__ import annotations

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

le = Fields(big=False)

HEAD = (
    le.u8("length", role=Role.LENGTH, note="counts itself"),
    le.u8("message_type", role=Role.CODE),
)
TIME_OFFSET = le.u32("time_offset", note="ns since the unit's last announced second")

SIDE_INDICATOR = {"B": "buy", "S": "sell"}
DISPLAY = {0x01: "display"}
DISPLAY_AND_PRIORITY = {0x01: "display", 0x02: "priority"}
TRADING_STATUS = {
    "A": "accepting orders for queuing",
    "H": "halted",
    "Q": "quote only",
    "S": "exchange specific suspension",
    "T": "trading",
}
REG_SHO_ACTION = {"0": "no price test in effect", "1": "reg sho price test restriction in effect"}
AUCTION_TYPE = {
    "O": "opening auction",
    "C": "closing auction",
    "H": "halt auction",
    "I": "ipo auction",
    "M": "cboe market close",
    "V": "volatility auction",
    "P": "periodic auction",
}
RETAIL_PRICE_IMPROVEMENT = {"B": "buy side", "S": "sell side", "A": "both sides", "N": "none"}

ORDER_ID = le.u64("order_id")
EXECUTION_ID = le.u64("execution_id")
SIDE = le.alpha("side_indicator", 1, SIDE_INDICATOR)
SYMBOL = le.alpha("symbol", 6)
SYMBOL_EXTENDED = le.alpha("symbol_extended", 8)
QUANTITY = le.u32("quantity")
QUANTITY_SHORT = le.u16("quantity_short")
PRICE = le.price("price", 8, 4)
PRICE_SHORT = le.price("price_short", 2, 2)
ADD_ORDER_FLAGS = le.flags("add_order_flags", 1, DISPLAY, note="displayed in the SIP quote")
MODIFY_ORDER_FLAGS = le.flags(
    "modify_order_flags", 1, DISPLAY_AND_PRIORITY, note="priority set: the order keeps its place"
)


def message(code: int, name: str, size: int, *fields: Field, note: str = "") -> Record:
    """A message whose times count from the unit's last announced second."""
    return Record(code, name, size, [*HEAD, TIME_OFFSET, *fields], note=note)


TIME = Record(
    0x20,
    "time",
    6,
    [*HEAD, le.u32("time", note="seconds since midnight US Eastern")],
    note="earlier offsets belong to the second before",
)
ADDS = [
    message(0x21, "add order long", 34, ORDER_ID, SIDE, QUANTITY, SYMBOL, PRICE, ADD_ORDER_FLAGS),
    message(
        0x22,
        "add order short",
        26,
        ORDER_ID,
        SIDE,
        QUANTITY_SHORT,
        SYMBOL,
        PRICE_SHORT,
        ADD_ORDER_FLAGS,
    ),
    message(
        0x2F,
        "add order expanded",
        41,
        ORDER_ID,
        SIDE,
        QUANTITY,
        SYMBOL_EXTENDED,
        PRICE,
        ADD_ORDER_FLAGS,
        le.alpha("participant_id", 4, note="blank: not attributed"),
        le.alpha("customer_indicator", 1),
    ),
]
TRADING_STATUS_MESSAGE = message(
    0x31,
    "trading status",
    18,
    SYMBOL_EXTENDED,
    le.alpha("trading_status", 1, TRADING_STATUS),
    le.alpha("reg_sho_action", 1, REG_SHO_ACTION),
    le.raw("padding", 2),
)

RECORDS = [
    TIME,
    *ADDS,
    message(0x97, "unit clear", 6, note="drop all orders of the unit"),
    message(0x23, "order executed", 26, ORDER_ID, le.u32("executed_quantity"), EXECUTION_ID),
    message(
        0x24,
        "order executed at price size",
        38,
        ORDER_ID,
        le.u32("executed_quantity"),
        le.u32("remaining_quantity"),
        EXECUTION_ID,
        PRICE,
        note="the remaining quantity replaces what the order's history says",
    ),
    message(0x25, "reduce size long", 18, ORDER_ID, le.u32("canceled_quantity")),
    message(0x26, "reduce size short", 16, ORDER_ID, le.u16("canceled_quantity_short")),
    message(0x27, "modify order long", 27, ORDER_ID, QUANTITY, PRICE, MODIFY_ORDER_FLAGS),
    message(
        0x28, "modify order short", 19, ORDER_ID, QUANTITY_SHORT, PRICE_SHORT, MODIFY_ORDER_FLAGS
    ),
    message(0x29, "delete order", 14, ORDER_ID),
    message(0x2A, "trade long", 41, ORDER_ID, SIDE, QUANTITY, SYMBOL, PRICE, EXECUTION_ID),
    message(
        0x2B, "trade short", 33, ORDER_ID, SIDE, QUANTITY_SHORT, SYMBOL, PRICE_SHORT, EXECUTION_ID
    ),
    message(
        0x30,
        "trade expanded",
        43,
        ORDER_ID,
        SIDE,
        QUANTITY,
        SYMBOL_EXTENDED,
        PRICE,
        EXECUTION_ID,
        note="trades are of hidden orders; their side is B whatever the resting one was",
    ),
    message(0x2C, "trade break", 14, EXECUTION_ID),
    Record(0x2D, "end of session", 6, [*HEAD, le.u32("last_timestamp")], note="of the unit"),
    TRADING_STATUS_MESSAGE,
    message(
        0x95,
        "auction update",
        47,
        SYMBOL_EXTENDED,
        le.alpha("auction_type", 1, AUCTION_TYPE),
        le.price("reference_price", 8, 4),
        le.u32("buy_shares"),
        le.u32("sell_shares"),
        le.price("indicative_price", 8, 4),
        le.price("auction_only_price", 8, 4),
    ),
    message(
        0x96,
        "auction summary",
        27,
        SYMBOL_EXTENDED,
        le.alpha("auction_opening_type", 1, AUCTION_TYPE),
        PRICE,
        le.u32("shares_contracts"),
    ),
    message(
        0x98,
        "retail price improvement",
        15,
        SYMBOL_EXTENDED,
        le.alpha("retail_price_improvement", 1, RETAIL_PRICE_IMPROVEMENT),
    ),
]

CBOE_PITCH = Protocol(
    "cboe_pitch",
    "Cboe multicast PITCH",
    RECORDS,
    code_offset=1,
    source="Cboe US Equities/Options Multicast PITCH specification 2.41.29",
)
