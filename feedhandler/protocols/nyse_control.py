"""Messages that all of NYSE's market data feeds share: clocks, symbols, states, requests.

Prices are integers with as many decimals as the symbol's mapping says. Most messages carry only the
ns of a second that the source time reference of the symbol's system announced.

Source: Pillar Common Client Specification (NYSE).
"""

from __future__ import annotations

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.record import Record

le = Fields(big=False)

HEAD = (
    le.u16("message_size", role=Role.LENGTH, note="counts itself"),
    le.u16("message_type", role=Role.CODE),
)

SECURITY_STATUS = {
    "4": "trading halt",
    "5": "resume",
    "6": "suspend",
    "A": "short sale restriction activated day 1",
    "C": "short sale restriction continued day 2",
    "D": "short sale restriction deactivated",
    "P": "preopening",
    "B": "begin accepting orders",
    "E": "early session",
    "O": "core session",
    "L": "late session",
    "X": "closed",
    "I": "halt resume price indication",
    "G": "pre-opening price indication",
}
HALT_CONDITION = {
    "~": "security not delayed or halted",
    "D": "news released",
    "I": "order imbalance",
    "P": "news pending",
    "M": "luld pause",
    "X": "equipment changeover",
    "A": "additional information requested",
    "C": "regulatory concern",
    "E": "merger effective",
    "F": "etf component prices not available",
    "N": "corporate action",
    "O": "new security offering",
    "V": "intraday indicative value not available",
    "6": "suspend",
}
SSR_STATE = {"~": "no short sale restriction in effect", "E": "short sale restriction in effect"}
MARKET_STATE = {
    "P": "preopening",
    "E": "early session",
    "O": "core session",
    "L": "late session",
    "X": "closed",
}
REQUEST_STATUS = {
    "0": "message was accepted",
    "1": "rejected due to an invalid source id",
    "3": "rejected due to maximum sequence range",
    "4": "rejected due to maximum requests in a day",
    "5": "rejected due to maximum number of refreshes in a day",
    "6": "rejected because the request's sequence number is too old",
    "7": "rejected due to an invalid channel id",
    "8": "rejected due to an invalid product id",
    "9": "rejected due to an invalid message type or size",
}


def message(code: int, name: str, size: int, *fields: Field, note: str = "") -> Record:
    """A message with the header that all have."""
    return Record(code, name, size, [*HEAD, *fields], note=note)


SOURCE_TIME_REFERENCE = message(
    2,
    "source time reference",
    16,
    le.u32("id", note="the system_id of the symbols concerned"),
    le.u32("symbol_seq_num"),
    le.u32("source_time"),
)
SYMBOL_INDEX_MAPPING = message(
    3,
    "symbol index mapping",
    44,
    le.u32("symbol_index"),
    le.alpha("symbol", 11),
    le.u8("reserved_1"),
    le.u16("market_id"),
    le.u8("system_id"),
    le.alpha("exchange_code", 1),
    le.u8("price_scale_code", note="decimals of all the symbol's prices"),
    le.alpha("security_type", 1),
    le.u16("lot_size"),
    le.signed_price("prev_close_price", 4, None),
    le.u32("prev_close_volume"),
    le.u8("price_resolution"),
    le.alpha("round_lot", 1),
    le.u16("mpv"),
    le.u16("unit_of_trade"),
    le.u16("reserved_2"),
)
SECURITY_STATUS_MESSAGE = message(
    34,
    "security status",
    46,
    le.u32("source_time"),
    le.u32("source_time_ns"),
    le.u32("symbol_index"),
    le.u32("symbol_seq_num"),
    le.alpha("security_status", 1, SECURITY_STATUS),
    le.alpha("halt_condition", 1, HALT_CONDITION),
    le.u32("reserved_4"),
    le.signed_price("price_1", 4, None),
    le.signed_price("price_2", 4, None),
    le.alpha("ssr_triggering_exchange_id", 1),
    le.u32("ssr_triggering_volume"),
    le.u32("time"),
    le.alpha("ssr_state", 1, SSR_STATE),
    le.alpha("market_state", 1, MARKET_STATE),
    le.alpha("session_state", 1),
)
REFRESH_HEADER = message(
    35,
    "refresh header",
    16,
    le.u16("current_refresh_pkt"),
    le.u16("total_refresh_pkts"),
    le.u32("last_seq_num"),
    le.u32("last_symbol_seq_num"),
)

REQUESTS = (
    message(
        10,
        "retransmission request",
        24,
        le.u32("begin_seq_num"),
        le.u32("end_seq_num"),
        le.alpha("source_id", 10),
        le.u8("product_id"),
        le.u8("channel_id"),
    ),
    message(
        13,
        "symbol index mapping request",
        21,
        le.u32("symbol_index"),
        le.alpha("source_id", 10),
        le.u8("product_id"),
        le.u8("channel_id"),
        le.u8("retransmit_method"),
    ),
    message(
        15,
        "refresh request",
        20,
        le.u32("symbol_index"),
        le.alpha("source_id", 10),
        le.u8("product_id"),
        le.u8("channel_id"),
    ),
    message(12, "heartbeat response", 14, le.alpha("source_id", 10)),
)

CONTROL = [
    *REQUESTS,
    message(
        1,
        "sequence number reset",
        14,
        le.u32("source_time"),
        le.u32("source_time_ns"),
        le.u8("product_id"),
        le.u8("channel_id"),
    ),
    SOURCE_TIME_REFERENCE,
    SYMBOL_INDEX_MAPPING,
    message(
        32,
        "symbol clear",
        20,
        le.u32("source_time"),
        le.u32("source_time_ns"),
        le.u32("symbol_index"),
        le.u32("next_source_seq_num"),
    ),
    SECURITY_STATUS_MESSAGE,
    message(
        31,
        "message unavailable",
        14,
        le.u32("begin_seq_num"),
        le.u32("end_seq_num"),
        le.u8("product_id"),
        le.u8("channel_id"),
    ),
    REFRESH_HEADER,
    message(
        11,
        "request response",
        29,
        le.u32("request_seq_num"),
        le.u32("begin_seq_num"),
        le.u32("end_seq_num"),
        le.alpha("source_id", 10),
        le.u8("product_id"),
        le.u8("channel_id"),
        le.alpha("status", 1, REQUEST_STATUS),
    ),
]
