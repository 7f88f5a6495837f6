"""IEX DEEP 1.0, DEEP+ 1.0 and TOPS 1.5 and 1.6: levels, orders and quotes of Investors Exchange.

Times are ns since the epoch, prices signed with 4 decimals, and the symbol stands in every message
(Nasdaq integrated symbology, 8 bytes). The feeds share their administrative messages.

Source: IEX DEEP specification 1.08, DEEP+ specification 1.04, TOPS specifications 1.56 and 1.66.
"""

from __future__ import annotations

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

le = Fields(big=False)

CODE = le.alpha("message_type", 1, role=Role.CODE)
TIMESTAMP = le.sint("timestamp", 8)
SYMBOL = le.alpha("symbol", 8)
SIZE = le.u32("size")
PRICE = le.signed_price("price", 8, 4)
TRADE_ID = le.u64("trade_id")

SYSTEM_EVENT = {
    "O": "start of messages",
    "S": "start of system hours",
    "R": "start of regular market hours",
    "M": "end of regular market hours",
    "E": "end of system hours",
    "C": "end of messages",
}
SECURITY_DIRECTORY_FLAGS = {0x20: "etp", 0x40: "when issued", 0x80: "test security"}
LULD_TIER = {0: "not applicable", 1: "tier 1 nms stock", 2: "tier 2 nms stock"}
TRADING_STATUS = {
    "H": "trading halted across all us equity markets",
    "O": "trading halt released into an order acceptance period on iex",
    "P": "trading paused and order acceptance period on iex",
    "T": "trading on iex",
}
RETAIL_LIQUIDITY_INDICATOR = {
    " ": "not applicable",
    "A": "buy interest",
    "B": "sell interest",
    "C": "buy and sell interest",
}
OPERATIONAL_HALT_STATUS = {
    "O": "iex specific operational trading halt",
    "N": "not operationally halted on iex",
}
SHORT_SALE_PRICE_TEST_STATUS = {0: "not in effect", 1: "in effect"}
SHORT_SALE_DETAIL = {
    " ": "no price test in place",
    "A": "activated by an intraday price drop",
    "C": "continued from the prior day",
    "D": "deactivated",
    "N": "not available",
}
SECURITY_EVENT = {"O": "opening process complete", "C": "closing process complete"}
EVENT_FLAGS = {0: "order book is processing an event", 1: "event processing complete"}
SALE_CONDITION_FLAGS = {
    0x08: "single-price cross trade",
    0x10: "trade through exempt",
    0x20: "odd lot",
    0x40: "extended hours",
    0x80: "intermarket sweep",
}
QUOTE_UPDATE_FLAGS = {0x40: "pre-market or post-market session", 0x80: "symbol not available"}
PRICE_TYPE = {"Q": "iex official opening price", "M": "iex official closing price"}
AUCTION_TYPE = {
    "O": "opening auction",
    "C": "closing auction",
    "I": "ipo auction",
    "H": "halt auction",
    "V": "volatility auction",
}
IMBALANCE_SIDE = {"B": "buy", "S": "sell", "N": "none"}
SIDE = {"8": "buy", "5": "sell"}

SALE_CONDITIONS = le.flags("sale_condition_flags", 1, SALE_CONDITION_FLAGS)
ORDER_ID_REFERENCE = le.u64("order_id_reference")


def message(code: str, name: str, size: int, status: Field, *fields: Field) -> Record:
    """A message: one byte of flags or status stands between its code and its time."""
    return Record(code, name, size, [CODE, status, TIMESTAMP, *fields])


ADMINISTRATIVE = [
    message("S", "system event", 10, le.alpha("system_event", 1, SYSTEM_EVENT)),
    message(
        "D",
        "security directory",
        31,
        le.flags("security_directory_flags", 1, SECURITY_DIRECTORY_FLAGS),
        SYMBOL,
        le.u32("round_lot_size"),
        le.signed_price("adjusted_poc_price", 8, 4),
        le.u8("luld_tier", values=LULD_TIER),
    ),
    message(
        "H",
        "trading status",
        22,
        le.alpha("trading_status", 1, TRADING_STATUS),
        SYMBOL,
        le.alpha("reason", 4),
    ),
    message(
        "O",
        "operational halt status",
        18,
        le.alpha("operational_halt_status", 1, OPERATIONAL_HALT_STATUS),
        SYMBOL,
    ),
    message(
        "P",
        "short sale price test status",
        19,
        le.u8("short_sale_price_test_status", values=SHORT_SALE_PRICE_TEST_STATUS),
        SYMBOL,
        le.alpha("detail", 1, SHORT_SALE_DETAIL),
    ),
]
RETAIL_LIQUIDITY = message(
    "I",
    "retail liquidity indicator",
    18,
    le.alpha("retail_liquidity_indicator", 1, RETAIL_LIQUIDITY_INDICATOR),
    SYMBOL,
)
SECURITY_EVENTS = message(
    "E", "security event", 18, le.alpha("security_event", 1, SECURITY_EVENT), SYMBOL
)
TRADE_BREAK = message("B", "trade break", 38, SALE_CONDITIONS, SYMBOL, SIZE, PRICE, TRADE_ID)
TRADES = [
    message("T", "trade report", 38, SALE_CONDITIONS, SYMBOL, SIZE, PRICE, TRADE_ID),
    message(
        "X",
        "official price",
        26,
        le.alpha("price_type", 1, PRICE_TYPE),
        SYMBOL,
        le.signed_price("official_price", 8, 4),
    ),
    TRADE_BREAK,
    message(
        "A",
        "auction information",
        80,
        le.alpha("auction_type", 1, AUCTION_TYPE),
        SYMBOL,
        le.u32("paired_shares"),
        le.signed_price("reference_price", 8, 4),
        le.signed_price("indicative_clearing_price", 8, 4),
        le.u32("imbalance_shares"),
        le.alpha("imbalance_side", 1, IMBALANCE_SIDE),
        le.alpha("extension_number", 1),
        le.u32("scheduled_auction_time", note="seconds since the epoch"),
        le.signed_price("auction_book_clearing_price", 8, 4),
        le.signed_price("collar_reference_price", 8, 4),
        le.signed_price("lower_auction_collar", 8, 4),
        le.signed_price("upper_auction_collar", 8, 4),
    ),
]
LEVEL = (le.u8("event_flags", values=EVENT_FLAGS), SYMBOL, SIZE, PRICE)
LEVELS = [
    message("8", "price level buy update", 30, *LEVEL),
    message("5", "price level sell update", 30, *LEVEL),
]
QUOTE_UPDATE = message(
    "Q",
    "quote update",
    42,
    le.flags("quote_update_flags", 1, QUOTE_UPDATE_FLAGS),
    SYMBOL,
    le.u32("bid_size"),
    le.signed_price("bid_price", 8, 4),
    le.signed_price("ask_price", 8, 4),
    le.u32("ask_size"),
)
MODIFY_NOTE = "set: the order keeps its priority; the specification has the bit at 0x01"
ORDERS = [
    message(
        "a", "add order", 38, le.alpha("side", 1, SIDE), SYMBOL, le.u64("order_id"), SIZE, PRICE
    ),
    message(
        "M",
        "order modify",
        38,
        le.flags("modify_flags", 1, {0x80: "priority"}, note=MODIFY_NOTE),
        SYMBOL,
        ORDER_ID_REFERENCE,
        SIZE,
        PRICE,
    ),
    message("R", "order delete", 26, le.alpha("reserved_1", 1), SYMBOL, ORDER_ID_REFERENCE),
    message(
        "L",
        "order executed",
        46,
        SALE_CONDITIONS,
        SYMBOL,
        ORDER_ID_REFERENCE,
        SIZE,
        PRICE,
        TRADE_ID,
    ),
    message("T", "trade", 38, SALE_CONDITIONS, SYMBOL, SIZE, PRICE, TRADE_ID),
    TRADE_BREAK,
    message("C", "clear book", 18, le.alpha("reserved_1", 1), SYMBOL),
]

DEEP = Protocol(
    "iex_deep",
    "IEX DEEP 1.0",
    [*ADMINISTRATIVE, RETAIL_LIQUIDITY, SECURITY_EVENTS, *LEVELS, *TRADES],
    source="IEX DEEP specification 1.08",
)
DEEP_PLUS = Protocol(
    "iex_deepplus",
    "IEX DEEP+ 1.0",
    [*ADMINISTRATIVE, RETAIL_LIQUIDITY, SECURITY_EVENTS, *ORDERS],
    source="IEX DEEP+ specification 1.04",
)
TOPS_1_6 = Protocol(
    "iex_tops16",
    "IEX TOPS 1.6",
    [*ADMINISTRATIVE, RETAIL_LIQUIDITY, QUOTE_UPDATE, *TRADES],
    source="IEX TOPS specification 1.66",
)
TOPS_1_5 = Protocol(
    "iex_tops15",
    "IEX TOPS 1.5",
    [*ADMINISTRATIVE, SECURITY_EVENTS, QUOTE_UPDATE, *TRADES],
    source="IEX TOPS specification 1.56",
)
