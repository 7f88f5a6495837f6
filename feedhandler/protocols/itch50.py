"""Nasdaq TotalView-ITCH 5.0: orders of Nasdaq, BX and PSX, one message table for the three.

Times are ns since midnight US Eastern. Prices have 4 decimals, circuit breaker levels 8. BX sends
no K and O, PSX no K, N and O.

Source: NASDAQ TotalView-ITCH 5.0 specification.
"""

from __future__ import annotations

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

be = Fields(big=True)

CODE = be.alpha("message_type", 1, role=Role.CODE)
HEAD = (CODE, be.u16("stock_locate"), be.u16("tracking_number"), be.u48("timestamp"))

EVENT_CODE = {
    "O": "start of messages",
    "S": "start of system hours",
    "Q": "start of market hours",
    "M": "end of market hours",
    "E": "end of system hours",
    "C": "end of messages",
}
MARKET_CATEGORY = {
    "Q": "nasdaq global select market",
    "G": "nasdaq global market",
    "S": "nasdaq capital market",
    "N": "nyse",
    "A": "nyse american",
    "P": "nyse arca",
    "M": "nyse texas",
    "Z": "bats z",
    "V": "investors exchange",
    " ": "not available",
}
IPO_FLAG = {
    "Y": "set up for ipo release",
    "N": "not set up for ipo release",
    "Z": "non ipo new listed security",
    " ": "not available",
}
TRADING_STATE = {"H": "halted", "P": "paused", "Q": "quotation only period", "T": "trading"}
REG_SHO_ACTION = {
    "0": "no price test",
    "1": "reg sho short sale price test restriction",
    "2": "test restriction remains",
}
MARKET_PARTICIPANT_STATE = {
    "A": "active",
    "E": "excused",
    "W": "withdrawn",
    "S": "suspended",
    "D": "deleted",
}
OPERATIONAL_HALT_ACTION = {"H": "halted", "T": "trading resumed"}
BUY_SELL_INDICATOR = {"B": "buy", "S": "sell"}
PRINTABLE = {"N": "no", "Y": "yes"}
CROSS_TYPE = {"O": "opening", "C": "closing", "H": "halted or paused", "A": "extended close"}
IMBALANCE_DIRECTION = {
    "B": "buy",
    "S": "sell",
    "N": "none",
    "O": "insufficient orders",
    "P": "paused",
}
PRICE_VARIATION_INDICATOR = {
    "L": "less than 1 percent",
    **{str(n): f"less than {n + 1} percent" for n in range(1, 10)},
    "A": "less than 20 percent",
    "B": "less than 30 percent",
    "C": "more than 30 percent",
    " ": "not available",
}
INTEREST_FLAG = {
    "B": "buy side",
    "S": "sell side",
    "A": "both sides",
    "N": "no rpi orders available",
}
OPEN_ELIGIBILITY_STATUS = {"N": "not eligible", "Y": "eligible"}


def message(code: str, name: str, size: int, *fields: Field) -> Record:
    """A message with the header that all but one share."""
    return Record(code, name, size, [*HEAD, *fields])


RECORDS = [
    message("S", "system event", 12, be.alpha("event_code", 1, EVENT_CODE)),
    message(
        "R",
        "stock directory",
        39,
        be.alpha("stock", 8),
        be.alpha("market_category", 1, MARKET_CATEGORY),
        be.alpha("financial_status_indicator", 1),
        be.u32("round_lot_size"),
        be.alpha("round_lots_only", 1),
        be.alpha("issue_classification", 1),
        be.alpha("issue_sub_type", 2),
        be.alpha("authenticity", 1),
        be.alpha("short_sale_threshold_indicator", 1),
        be.alpha("ipo_flag", 1, IPO_FLAG),
        be.alpha("luld_reference_price_tier", 1),
        be.alpha("etp_flag", 1),
        be.u32("etp_leverage_factor"),
        be.alpha("inverse_indicator", 1),
    ),
    message(
        "H",
        "stock trading action",
        25,
        be.alpha("stock", 8),
        be.alpha("trading_state", 1, TRADING_STATE),
        be.alpha("reserved", 1),
        be.alpha("reason_code", 4),
    ),
    Record(
        "Y",
        "reg sho short sale price test restricted indicator",
        20,
        [
            CODE,
            be.u16("locate_code"),
            be.u16("tracking_number"),
            be.u48("timestamp"),
            be.alpha("stock", 8),
            be.alpha("reg_sho_action", 1, REG_SHO_ACTION),
        ],
    ),
    message(
        "L",
        "market participant position",
        26,
        be.alpha("mpid", 4),
        be.alpha("stock", 8),
        be.alpha("primary_market_maker", 1),
        be.alpha("market_maker_mode", 1),
        be.alpha("market_participant_state", 1, MARKET_PARTICIPANT_STATE),
    ),
    message(
        "V",
        "mwcb decline level",
        35,
        be.price("level_1", 8, 8),
        be.price("level_2", 8, 8),
        be.price("level_3", 8, 8),
    ),
    message("W", "mwcb status level", 12, be.alpha("breached_level", 1)),
    message(
        "K",
        "ipo quoting period update",
        28,
        be.alpha("stock", 8),
        be.u32("ipo_quotation_release_time"),
        be.alpha("ipo_quotation_release_qualifier", 1),
        be.price("ipo_price", 4, 4),
    ),
    message(
        "J",
        "luld auction collar",
        35,
        be.alpha("stock", 8),
        be.price("auction_collar_reference_price", 4, 4),
        be.price("upper_auction_collar_price", 4, 4),
        be.price("lower_auction_collar_price", 4, 4),
        be.u32("auction_collar_extension"),
    ),
    message(
        "h",
        "operational halt",
        21,
        be.alpha("stock", 8),
        be.alpha("market_code", 1),
        be.alpha("operational_halt_action", 1, OPERATIONAL_HALT_ACTION),
    ),
    message(
        "A",
        "add order no mpid attribution",
        36,
        be.u64("order_reference_number"),
        be.alpha("buy_sell_indicator", 1, BUY_SELL_INDICATOR),
        be.u32("shares"),
        be.alpha("stock", 8),
        be.price("price", 4, 4),
    ),
    message(
        "F",
        "add order with mpid attribution",
        40,
        be.u64("order_reference_number"),
        be.alpha("buy_sell_indicator", 1, BUY_SELL_INDICATOR),
        be.u32("shares"),
        be.alpha("stock", 8),
        be.price("price", 4, 4),
        be.alpha("attribution", 4),
    ),
    message(
        "E",
        "order executed",
        31,
        be.u64("order_reference_number"),
        be.u32("executed_shares"),
        be.u64("match_number"),
    ),
    message(
        "C",
        "order executed with price",
        36,
        be.u64("order_reference_number"),
        be.u32("executed_shares"),
        be.u64("match_number"),
        be.alpha("printable", 1, PRINTABLE),
        be.price("execution_price", 4, 4),
    ),
    message("X", "order cancel", 23, be.u64("order_reference_number"), be.u32("canceled_shares")),
    message("D", "order delete", 19, be.u64("order_reference_number")),
    message(
        "U",
        "order replace",
        35,
        be.u64("original_order_reference_number"),
        be.u64("new_order_reference_number"),
        be.u32("shares"),
        be.price("price", 4, 4),
    ),
    message(
        "P",
        "non cross trade",
        44,
        be.u64("order_reference_number"),
        be.alpha("buy_sell_indicator", 1, BUY_SELL_INDICATOR),
        be.u32("shares"),
        be.alpha("stock", 8),
        be.price("price", 4, 4),
        be.u64("match_number"),
    ),
    message(
        "Q",
        "cross trade",
        40,
        be.u64("cross_shares"),
        be.alpha("stock", 8),
        be.price("cross_price", 4, 4),
        be.u64("match_number"),
        be.alpha("cross_type", 1, CROSS_TYPE),
    ),
    message("B", "broken trade", 19, be.u64("match_number")),
    message(
        "I",
        "net order imbalance indicator",
        50,
        be.u64("paired_shares"),
        be.u64("imbalance_shares"),
        be.alpha("imbalance_direction", 1, IMBALANCE_DIRECTION),
        be.alpha("stock", 8),
        be.price("far_price", 4, 4),
        be.price("near_price", 4, 4),
        be.price("current_reference_price", 4, 4),
        be.alpha("cross_type", 1, CROSS_TYPE),
        be.alpha("price_variation_indicator", 1, PRICE_VARIATION_INDICATOR),
    ),
    message(
        "N",
        "retail price improvement indicator",
        20,
        be.alpha("stock", 8),
        be.alpha("interest_flag", 1, INTEREST_FLAG),
    ),
    message(
        "O",
        "direct listing with capital raise price discovery",
        48,
        be.alpha("stock", 8),
        be.alpha("open_eligibility_status", 1, OPEN_ELIGIBILITY_STATUS),
        be.price("minimum_allowable_price", 4, 4),
        be.price("maximum_allowable_price", 4, 4),
        be.price("near_execution_price", 4, 4),
        be.u64("near_execution_time"),
        be.price("lower_price_range_collar", 4, 4),
        be.price("upper_price_range_collar", 4, 4),
    ),
]

ITCH50 = Protocol(
    "itch50", "Nasdaq TotalView-ITCH 5.0", RECORDS, source="NASDAQ TotalView-ITCH 5.0 specification"
)
