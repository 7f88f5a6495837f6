"""MIAX Pearl Equities Express Orders (MEO) 2.6: what client and exchange say over an ESesM session.

Times are ns since the epoch, prices have 6 decimals. Orders go by ids of the client's own, text of
up to 20 characters; instruments by number, which symbol updates announce.

Source: MIAX Pearl Equities MEO 2.6, after the public dissector. From general knowledge: the values
of the packed fields, and that a blank status says that a request succeeded.
"""

from __future__ import annotations

from feedhandler.transports.esesm import le
from feedhandler.wire.field import Field, Part, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

CODE_BYTES = 2
CAPACITY = {"A": "agency", "P": "principal", "R": "riskless principal"}
TIME_IN_FORCE = {"R": "regular hours only", "I": "immediate or cancel"}
ORDER_TYPE = {
    "1": "limit",
    "2": "market",
    "M": "midpoint peg",
    "m": "midpoint peg, not while the nbbo is locked",
    "R": "primary peg",
    "r": "primary peg, not while the nbbo is locked",
}
SIDE = Part("side", 0, 1, {0: "buy", 1: "sell"})
SHORT_SALE = Part("short_sale_indicator", 1, 2, {0: "long", 1: "short", 2: "short exempt"})
LOCATE_REQUIRED = Part("locate_required", 5, 1)
INSTRUCTIONS = le.packed(
    "new_order_instructions",
    2,
    SIDE,
    SHORT_SALE,
    Part("displayed", 3, 1, {0: "not displayed", 1: "displayed"}),
    Part("post_only", 4, 1),
    LOCATE_REQUIRED,
    Part("iso", 6, 1),
    Part("retail_order", 7, 1),
    Part("attributable_order", 8, 2),
    Part("min_qty_exec_type", 10, 2),
    Part("cancel_if_not_nbbo_setter", 12, 1),
)
CHANGES = le.packed("modify_order_instructions", 1, SHORT_SALE, LOCATE_REQUIRED)
REFUSALS = {
    "A": "duplicate client order id",
    "B": "not in the live order window",
    "C": "matching engine is not available",
    "E": "exceeded the test symbol throttle",
    "H": "blocked by the user",
    "I": "invalid mpid",
    "J": "invalid price",
    "K": "invalid size",
    "L": "blocked by the firm",
    "M": "exceeded the greatest size",
}
ORDER_STATUS = {
    **REFUSALS,
    " ": "successful",
    "D": "duplicate order check rejected",
    "F": "iso orders not allowed",
    "G": "invalid self trade protection",
}
MODIFY_STATUS = {
    **REFUSALS,
    " ": "successful",
    "D": "no order with the target client order id",
    "F": "order is routed",
    "G": "short sale orders not allowed",
}
CANCEL_STATUS = {
    " ": "successful",
    "A": "duplicate client order id",
    "B": "not in the live order window",
    "C": "matching engine is not available",
    "D": "no order with the target client order id",
    "E": "exceeded the test symbol throttle",
    "F": "order is routed",
    "I": "invalid mpid",
    "O": "invalid client order id",
    "P": "request is not permitted for this session",
    "Q": "the mpid is not that of the target order",
    "S": "invalid symbol id",
    "T": "invalid target client order id",
    "X": "mpid not permitted",
}
PENDING = {" ": "completed or not applicable", "P": "pending", "X": "rejected"}
SYSTEM_STATUS = {
    "S": "start of system hours",
    "C": "end of system hours",
    "1": "start of test session",
    "2": "end of test session",
}
TRADE_STATUS = {"E": "new execution", "C": "correction of price or size", "X": "trade cancel"}
NBBO_INDICATOR = {"Y": "set a new nbbo", "F": "first to join the nbbo", "N": "not applicable"}
MASS_CANCEL_ACTION = {
    "B": "block only",
    "M": "mass cancel only",
    "X": "block and mass cancel",
    "R": "remove the block",
}

MPID = le.alpha("mpid", 4)
TOKEN = le.alpha("client_order_id", 20)
OLD_TOKEN = le.alpha("original_client_order_id", 20)
SYMBOL_ID = le.u32("symbol_id")
ORDER_ID = le.u64("order_id")
PRICE = le.price("price", 8, 6)
SIZE = le.u32("size")
LEAVES = le.u32("leaves_qty")
TIME = le.u64("matching_engine_time")
ASKED = (le.alpha("reserved_8", 8), MPID, TOKEN)
ANSWERED = (TIME, MPID, TOKEN)
LOCATE_ACCOUNT = le.alpha("locate_account", 4)
ORIGINAL_CAPACITY = le.alpha("original_order_capacity", 1, CAPACITY)
TERMS = (
    SYMBOL_ID,
    PRICE,
    SIZE,
    INSTRUCTIONS,
    le.alpha("time_in_force", 1, TIME_IN_FORCE),
    le.alpha("order_type", 1, ORDER_TYPE),
    le.alpha("price_sliding_and_reprice_frequency", 1),
    le.packed("self_trade_protection", 1, Part("stp_level", 0, 3), Part("stp_instruction", 3, 3)),
    le.alpha("self_trade_protection_group", 1),
    le.packed("routing", 1, Part("routing_instruction", 0, 3), Part("routing_strategy", 3, 3)),
    le.signed_price("trading_collar_dollar_value", 8, 6),
    le.alpha("capacity", 1, CAPACITY),
    le.alpha("account", 16),
    le.alpha("clearing_account", 4),
    le.u32("min_qty"),
    le.u32("max_floor_qty"),
    le.u32("display_range_qty"),
    le.signed_price("peg_offset", 8, 6),
    LOCATE_ACCOUNT,
    le.alpha("purge_group", 1),
)


def message(code: str, name: str, size: int, *fields: Field, note: str = "") -> Record:
    """A message; the size counts its code and not the packet in front of it."""
    head = le.alpha("message_type", CODE_BYTES, role=Role.CODE)
    return Record(code, name, size, [head, *fields], note=note)


def blank(width: int) -> Field:
    """Reserved bytes at a message's end."""
    return le.alpha(f"reserved_{width}", width)


REQUESTS = [
    message("N1", "new order request", 131, *ASKED, *TERMS, blank(19)),
    message(
        "M1",
        "modify order request",
        111,
        *ASKED,
        OLD_TOKEN,
        SYMBOL_ID,
        PRICE,
        SIZE,
        CHANGES,
        le.u32("min_qty"),
        le.u32("max_floor_qty"),
        LOCATE_ACCOUNT,
        blank(28),
    ),
    message("CO", "cancel order request", 68, *ASKED, OLD_TOKEN, SYMBOL_ID, blank(10)),
    message(
        "CX",
        "cancel order by exchange order id request",
        56,
        *ASKED,
        ORDER_ID,
        SYMBOL_ID,
        blank(10),
    ),
    message(
        "XQ",
        "mass cancel request",
        46,
        *ASKED,
        le.alpha("scope", 1),
        le.alpha("action", 1, MASS_CANCEL_ACTION),
        le.alpha("purge_group", 1),
        blank(9),
    ),
    message(
        "XR",
        "mass cancel response",
        69,
        le.u64("notification_time"),
        MPID,
        TOKEN,
        le.u8("number_of_matching_engines"),
        le.alpha("matching_engine_status", 24),
        blank(10),
        note="of the exchange, though unsequenced",
    ),
]
ANSWERS = [
    message(
        "NR",
        "new order response",
        78,
        *ANSWERED,
        SYMBOL_ID,
        ORDER_ID,
        PRICE,
        SIZE,
        le.alpha("order_status", 1, ORDER_STATUS),
        blank(19),
    ),
    message(
        "MR",
        "modify order response",
        89,
        *ANSWERED,
        OLD_TOKEN,
        SYMBOL_ID,
        ORDER_ID,
        LEAVES,
        PRICE,
        le.alpha("modify_status", 1, MODIFY_STATUS),
        blank(10),
    ),
    message(
        "CR",
        "cancel order response",
        81,
        *ANSWERED,
        OLD_TOKEN,
        SYMBOL_ID,
        ORDER_ID,
        LEAVES,
        le.alpha("cancel_status", 1, CANCEL_STATUS),
        blank(10),
    ),
    message(
        "CQ",
        "cancel order by exchange order id response",
        61,
        *ANSWERED,
        SYMBOL_ID,
        ORDER_ID,
        LEAVES,
        le.alpha("cancel_status", 1, CANCEL_STATUS),
        blank(10),
    ),
]
NOTIFICATIONS = [
    message(
        "SU",
        "symbol update",
        61,
        TIME,
        SYMBOL_ID,
        le.alpha("ticker_symbol", 11),
        le.alpha("reserved_1", 1),
        le.alpha("test_security_indicator", 1, {"Y": "test security", "N": "no test security"}),
        le.u8("future"),
        le.u32("lot_size"),
        le.alpha("opening_time", 8),
        le.alpha("closing_time", 8),
        le.alpha("primary_market_code", 1),
        blank(12),
    ),
    message(
        "SN",
        "system state notification",
        28,
        TIME,
        le.alpha("meo_version", 8),
        le.u8("session_id"),
        le.alpha("system_status", 1, SYSTEM_STATUS),
        blank(8),
    ),
    message(
        "O1",
        "new order notification",
        139,
        TIME,
        MPID,
        ORDER_ID,
        TOKEN,
        *TERMS,
        ORIGINAL_CAPACITY,
        blank(18),
    ),
    message(
        "MN",
        "modify order notification",
        123,
        *ANSWERED,
        OLD_TOKEN,
        SYMBOL_ID,
        ORDER_ID,
        PRICE,
        SIZE,
        LEAVES,
        CHANGES,
        le.u32("min_qty"),
        le.u32("max_floor_qty"),
        le.alpha("pending_modify_status", 1, PENDING),
        le.alpha("pending_reject_reason", 1),
        LOCATE_ACCOUNT,
        blank(26),
    ),
    message(
        "XN",
        "cancel reduce size order notification",
        73,
        *ANSWERED,
        SYMBOL_ID,
        ORDER_ID,
        LEAVES,
        le.alpha("cancel_reason", 1),
        le.price("last_price", 8, 6),
        le.u32("last_size"),
        le.alpha("pending_cancel_status", 1, PENDING),
        le.alpha("pending_reject_reason", 1),
        blank(8),
    ),
    message(
        "PU",
        "order price update notification",
        40,
        TIME,
        SYMBOL_ID,
        ORDER_ID,
        le.price("working_price", 8, 6),
        le.alpha("nbbo_indicator", 1, NBBO_INDICATOR),
        blank(9),
    ),
    message(
        "RA",
        "reserve order replenishment notification",
        44,
        TIME,
        SYMBOL_ID,
        ORDER_ID,
        le.u64("secondary_order_id"),
        le.u32("display_qty"),
        blank(10),
    ),
    message(
        "E1",
        "execution notification",
        104,
        TIME,
        MPID,
        SYMBOL_ID,
        TOKEN,
        le.u64("trade_id"),
        le.u64("execution_id"),
        le.u8("correction_number"),
        le.alpha("trade_status", 1, TRADE_STATUS),
        le.price("last_price", 8, 6),
        le.u32("last_size"),
        le.packed("order_execution_instructions", 2, SIDE),
        le.alpha("executing_trading_center", 1),
        le.u64("secondary_order_id"),
        le.alpha("liquidity_indicator", 3),
        LOCATE_ACCOUNT,
        ORIGINAL_CAPACITY,
        le.packed("additional_liquidity_indicator", 1, Part("nbbo_setter_joiner", 0, 3)),
        le.alpha("executing_trading_center_mpid", 4),
        blank(12),
    ),
]

MIAX_MEO = Protocol(
    "miax_meo",
    "MIAX Pearl Equities MEO 2.6",
    [*REQUESTS, *ANSWERS, *NOTIFICATIONS],
    code_width=CODE_BYTES,
    code_big=True,
    source="MIAX Pearl Equities MEO 2.6",
)
