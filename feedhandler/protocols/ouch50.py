"""Nasdaq OUCH 5.0: order entry over SoupBinTCP; inbound in unsequenced, outbound in sequenced data.

Orders are named by the user reference number, which must rise in a session. Prices have 4 decimals,
times are ns since midnight US Eastern. Orders and their replies end in an appendage of tagged
elements; an element says its own length, so that unknown tags are stepped over.

Source: Nasdaq OUCH 5.0 specification; the appendage tags 1 to 23 follow the public dissector.
"""

from __future__ import annotations

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record
from feedhandler.wire.tails import Choice, Group

be = Fields(big=True)

CODE = be.alpha("message_type", 1, role=Role.CODE)

EVENT_CODE = {"S": "start of day", "E": "end of day"}
SIDE = {"B": "buy", "S": "sell", "T": "sell short", "E": "sell short exempt"}
TIME_IN_FORCE = {"0": "day", "3": "ioc", "5": "gtx extended hours", "6": "gtt", "E": "after hours"}
DISPLAY = {
    "A": "attributable",
    "Y": "visible",
    "N": "hidden",
    "P": "post only",
    "I": "imbalance only",
    "M": "mid point peg",
    "W": "mid point peg post only",
    "L": "post only and attributable",
    "O": "retail order type 1",
    "T": "retail order type 2",
    "Q": "retail price improvement order",
    "Z": "conformant",
    "m": "mid point peg and mid point trade now",
    "n": "non display and mid point",
}
CAPACITY = {"O": "other", "A": "agency", "P": "principal", "R": "riskless"}
SWEEP_ELIGIBILITY = {"Y": "eligible", "N": "not eligible"}
CROSS_TYPE = {
    "N": "continuous market",
    "O": "opening cross",
    "C": "closing",
    "H": "halt ipo",
    "S": "supplemental",
    "R": "retail",
    "E": "extended",
    "A": "after hours close",
}
ORDER_STATE = {"L": "order live", "D": "order dead"}
CANCEL_REASON = {
    "U": "user requested cancel",
    "I": "immediate or cancel order",
    "T": "timeout",
    "S": "supervisory",
    "D": "regulatory restriction",
    "Q": "self match prevention",
    "Z": "system cancel",
    "C": "cross canceled",
    "K": "this order cannot be executed",
    "H": "halted",
    "X": "open protection",
    "E": "closed",
    "F": "post only cancel",
    "G": "post only cancel contra side displayed",
}
LIQUIDITY_FLAG = {
    "A": "added",
    "e": "retail designated",
    "H": "halt ipo",
    "i": "after hours closing",
    "J": "nondisplayed adding liquidity",
    "j": "rpi order provides liquidity",
    "k": "added liquidity via a midpoint order",
    "K": "halt cross",
    "L": "closing cross",
    "M": "opening cross",
    "m": "removed liquidity at a midpoint",
    "N": "passive midpoint execution",
    "n": "midpoint extended life order execution",
    "O": "opening",
    "p": "removed price improving nondisplayed liquidity",
    "q": "retail order removed midpoint liquidity other than rpi",
    "R": "removed",
    "r": "retail order removed rpi liquidity",
    "t": "retail order removed price improving nondisplayed liquidity other than rpi",
    "0": "supplemental",
    "7": "displayed order added liquidity and improved the nbbo",
    "8": "displayed order added liquidity and set the qbbo while joining the nbbo",
}
BROKEN_TRADE_REASON = {"E": "erroneous", "C": "consent", "S": "supervisory", "X": "external"}
TRADE_CORRECTION_REASON = {"N": "adjusted to nav"}
ORDER_RESTATED_REASON = {"R": "refresh of display", "P": "update of displayed price"}
REJECTED_ORDER_REASON = dict(
    enumerate(
        (
            "quote unavailable",
            "destination closed",
            "invalid display",
            "invalid max floor",
            "invalid peg type",
            "fat finger",
            "halted",
            "iso not allowed",
            "invalid side",
            "processing error",
            "cancel pending",
            "firm not authorized",
            "invalid min quantity",
            "no closing reference price",
            "other",
            "cancel not allowed",
            "pegging not allowed",
            "crossed market",
            "invalid quantity",
            "invalid cross order",
            "replace not allowed",
            "routing not allowed",
            "invalid symbol",
            "test",
            "late loc too aggressive",
            "retail not allowed",
            "invalid midpoint post only price",
            "invalid destination",
            "invalid price",
            "shares exceed threshold",
            "exceeds maximum allowed notional value",
        ),
        start=1,
    )
)
OPTIONS: dict[int, Field] = {
    1: be.u64("secondary_ord_ref_num"),
    2: be.alpha("firm", 4),
    3: be.u32("min_qty"),
    4: be.alpha("customer_type", 1),
    5: be.u32("max_floor"),
    6: be.alpha("price_type", 1),
    7: be.signed_price("peg_offset", 4, 4),
    9: be.price("discretion_price", 8, 4),
    10: be.alpha("discretion_peg_type", 1),
    11: be.signed_price("discretion_peg_offset", 4, 4),
    12: be.alpha("post_only", 1),
    13: be.u32("random_reserves"),
    14: be.alpha("route", 4),
    15: be.u32("expire_time", note="seconds since midnight"),
    16: be.alpha("trade_now", 1),
    17: be.alpha("handle_inst", 1),
    18: be.alpha("bbo_weight_indicator", 1),
    19: be.price("reference_price", 8, 4),
    20: be.alpha("reference_price_type", 1),
    22: be.u32("display_quantity"),
    23: be.price("display_price", 8, 4),
}
OPTION_NAMES = {tag: field.name.replace("_", " ") for tag, field in OPTIONS.items()}


def message(code: str, name: str, size: int, *fields: Field, appendage: str = "") -> Record:
    """A message; with an appendage its length and its elements stand at the end."""
    if not appendage:
        return Record(code, name, size, [CODE, *fields])
    tag = f"{appendage.removesuffix('_appendage')}_optional_field"
    length = be.u8("optional_field_length", note="of tag and value, without itself")
    cases: dict[int | str, Record] = {
        number: Record(number, field.name.replace("_", " "), field.width, [field])
        for number, field in OPTIONS.items()
    }
    choice = Choice(tag, cases, tag.replace("_field", "_value"))
    entry = Record("", "optional field", 2, [length, be.u8(tag, values=OPTION_NAMES)], [choice])
    group = Group(appendage, entry, total="appendage_length", sized=("optional_field_length", 1))
    return Record(code, name, size, [CODE, *fields, be.u16("appendage_length")], [group])


def reply(code: str, name: str, size: int, *fields: Field, appendage: str = "") -> Record:
    """An outbound message: all start with the time."""
    time = be.u64("timestamp", note="ns since midnight")
    return message(code, name, size, time, *fields, appendage=appendage)


USER_REF_NUM = be.u32("user_ref_num")
ORIG_USER_REF_NUM = be.u32("orig_user_ref_num")
SIDE_FIELD = be.alpha("side", 1, SIDE)
QUANTITY = be.u32("quantity")
PRICE = be.price("price", 8, 4)
CLORDID = be.alpha("clordid", 14)
SWEEP = be.alpha("inter_market_sweep_eligibility", 1, SWEEP_ELIGIBILITY)
TERMS = (
    SIDE_FIELD,
    QUANTITY,
    be.alpha("symbol", 8),
    PRICE,
    be.alpha("time_in_force", 1, TIME_IN_FORCE),
    be.alpha("display", 1, DISPLAY),
)
ATTRIBUTES = (be.alpha("capacity", 1, CAPACITY), SWEEP, be.alpha("cross_type", 1, CROSS_TYPE))
ENTERED = (
    *TERMS,
    be.u64("order_reference_number"),
    *ATTRIBUTES,
    be.alpha("order_state", 1, ORDER_STATE),
    CLORDID,
)
FILL = (QUANTITY, PRICE, be.alpha("liquidity_flag", 1, LIQUIDITY_FLAG), be.u64("match_number"))

INBOUND = Protocol(
    "ouch50 inbound",
    "Nasdaq OUCH 5.0, to the exchange",
    [
        message(
            "O",
            "enter order",
            47,
            USER_REF_NUM,
            *TERMS,
            *ATTRIBUTES,
            CLORDID,
            appendage="enter_order_appendage",
        ),
        message(
            "U",
            "replace order",
            40,
            ORIG_USER_REF_NUM,
            USER_REF_NUM,
            QUANTITY,
            PRICE,
            be.alpha("time_in_force", 1, TIME_IN_FORCE),
            be.alpha("display", 1, DISPLAY),
            SWEEP,
            CLORDID,
            appendage="replace_order_appendage",
        ),
        message(
            "X",
            "cancel order",
            9,
            USER_REF_NUM,
            be.u32("quantity", note="the new intended size; 0 cancels all"),
        ),
        message("M", "modify order", 10, USER_REF_NUM, SIDE_FIELD, QUANTITY),
        message("Q", "account query", 1),
    ],
    source="Nasdaq OUCH 5.0",
)

OUTBOUND = Protocol(
    "ouch50 outbound",
    "Nasdaq OUCH 5.0, from the exchange",
    [
        reply("S", "system event", 10, be.alpha("event_code", 1, EVENT_CODE)),
        reply(
            "A", "order accepted", 64, USER_REF_NUM, *ENTERED, appendage="order_accepted_appendage"
        ),
        reply(
            "U",
            "replaced",
            68,
            ORIG_USER_REF_NUM,
            USER_REF_NUM,
            *ENTERED,
            appendage="replaced_message_appendage",
        ),
        reply(
            "C",
            "canceled",
            18,
            USER_REF_NUM,
            be.u32("quantity", note="taken off the order"),
            be.alpha("cancel_order_reason", 1, CANCEL_REASON),
        ),
        reply(
            "D",
            "aiq canceled",
            31,
            USER_REF_NUM,
            be.u32("decrement_shares"),
            be.alpha("order_cancel_reason", 1, CANCEL_REASON),
            be.u32("quantity_prevented_from_trading"),
            be.price("execution_price", 8, 4),
            be.alpha("liquidity_flag", 1, LIQUIDITY_FLAG),
        ),
        reply("E", "order executed", 36, USER_REF_NUM, *FILL, appendage="order_executed_appendage"),
        reply(
            "B",
            "broken trade",
            36,
            USER_REF_NUM,
            be.u64("match_number"),
            be.alpha("broken_trade_reason", 1, BROKEN_TRADE_REASON),
            CLORDID,
        ),
        reply(
            "F",
            "trade correction",
            49,
            USER_REF_NUM,
            *FILL,
            be.alpha("trade_correction_reason", 1, TRADE_CORRECTION_REASON),
            CLORDID,
        ),
        reply(
            "J",
            "rejected order",
            29,
            USER_REF_NUM,
            be.u16("rejected_order_reason", values=REJECTED_ORDER_REASON),
            CLORDID,
        ),
        reply("P", "cancel pending", 13, USER_REF_NUM),
        reply("I", "cancel reject", 13, USER_REF_NUM),
        reply(
            "T",
            "order priority update",
            30,
            USER_REF_NUM,
            PRICE,
            be.alpha("display", 1, DISPLAY),
            be.u64("order_reference_number"),
        ),
        reply("M", "order modified", 18, USER_REF_NUM, SIDE_FIELD, QUANTITY),
        reply(
            "R",
            "order restated",
            16,
            USER_REF_NUM,
            be.alpha("order_restated_reason", 1, ORDER_RESTATED_REASON),
            appendage="order_restated_appendage",
        ),
        reply("Q", "account query response", 13, be.u32("next_user_ref_num")),
    ],
    source="Nasdaq OUCH 5.0",
)
