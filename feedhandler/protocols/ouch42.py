"""Nasdaq OUCH 4.2: order entry over SoupBinTCP; inbound in unsequenced, outbound in sequenced data.

Orders are named by a token of 14 characters that the client chooses. Prices have 4 decimals, times
are ns since midnight US Eastern, the time in force is in seconds (0: immediate or cancel; 99998 and
99999: until the end of market hours and of system hours).

Source: layouts, field names and codes from the Open Markets Initiative's public dissector of OUCH
4.2 (specification of July 2019), checked against its C structures of the same specification.
Unverified: no captured bytes were at hand for any message; neither source gives the meanings of the
broken trade and correction reasons and of the reference price types; the special values of the time
in force, the reject reasons and the wording of the liquidity flags are general knowledge.
"""

from __future__ import annotations

from feedhandler.protocols.ouch50 import CANCEL_REASON, CAPACITY, EVENT_CODE, ORDER_STATE, SIDE
from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

be = Fields(big=True)

CODE = be.alpha("message_type", 1, role=Role.CODE)
TOKEN_BYTES = 14
TOKEN_LIMIT = 10**TOKEN_BYTES

DISPLAY = {
    "A": "attributable price to display",
    "Y": "anonymous price to display",
    "N": "non display",
    "P": "post only",
    "I": "imbalance only",
    "M": "mid point peg",
    "W": "mid point peg post only",
    "L": "post only and attributable",
    "O": "retail order type 1",
    "T": "retail order type 2",
    "Q": "retail price improvement order",
    "m": "mid point peg and mid point trade now",
    "n": "non display and mid point trade now",
}
SWEEP_ELIGIBILITY = {"Y": "eligible", "N": "not eligible", "y": "trade at intermarket sweep"}
CROSS_TYPE = {
    "N": "no cross",
    "O": "opening",
    "C": "closing",
    "H": "halt ipo cross",
    "S": "supplemental",
    "R": "retail",
    "E": "extended",
}
CUSTOMER_TYPE = {
    "R": "retail designated",
    "N": "not a retail designated",
    " ": "default of the port",
}
BBO_WEIGHT_INDICATOR = {
    "0": "0 to 0.2 percent",
    "1": "0.2 to 1 percent",
    "2": "1 to 2 percent",
    "3": "greater than 2 percent",
    "S": "sets the qbbo",
    "N": "improves the nbbo upon entry",
}
LIQUIDITY_FLAG = {
    "A": "added",
    "R": "removed",
    "O": "opening cross (billable)",
    "M": "opening cross",
    "C": "closing cross (billable)",
    "L": "closing cross",
    "H": "halt ipo cross (billable)",
    "K": "halt cross",
    "J": "nondisplayed adding liquidity",
    "W": "added post only",
    "m": "removed liquidity at a midpoint",
    "k": "added liquidity via a midpoint order",
    "0": "supplemental order execution",
    "7": "displayed order added liquidity and improved the nbbo",
    "8": "displayed order added liquidity and set the qbbo while joining the nbbo",
    "d": "retail designated, removed",
    "e": "retail designated, added displayed",
    "f": "retail designated, added nondisplayed",
    "j": "rpi order provides liquidity",
    "r": "retail order removed rpi liquidity",
    "t": "retail order removed price improving nondisplayed liquidity",
    "4": "added displayed liquidity in a group of securities",
    "5": "added nondisplayed liquidity in a group of securities",
    "6": "removed liquidity in a group of securities",
    "g": "added nondisplayed midpoint liquidity in a group of securities",
    "n": "midpoint extended life order execution",
}


def message(code: str, name: str, size: int, *fields: Field) -> Record:
    """An inbound message."""
    return Record(code, name, size, [CODE, *fields])


def reply(code: str, name: str, size: int, *fields: Field, token: str = "order_token") -> Record:
    """An outbound message on an order: time and token stand at its start."""
    time = be.u64("timestamp", note="ns since midnight")
    return Record(code, name, size, [CODE, time, be.alpha(token, TOKEN_BYTES), *fields])


ORDER_TOKEN = be.alpha("order_token", TOKEN_BYTES)
SIDE_FIELD = be.alpha("buy_sell_indicator", 1, SIDE)
SHARES = be.u32("shares")
PRICE = be.price("price", 4, 4)
TIME_IN_FORCE = be.u32("time_in_force", note="seconds; 0 is immediate or cancel")
DISPLAY_FIELD = be.alpha("display", 1, DISPLAY)
CAPACITY_FIELD = be.alpha("capacity", 1, CAPACITY)
SWEEP = be.alpha("intermarket_sweep_eligibility", 1, SWEEP_ELIGIBILITY)
MINIMUM_QUANTITY = be.u32("minimum_quantity")
CROSS = be.alpha("cross_type", 1, CROSS_TYPE)
BBO_WEIGHT = be.alpha("bbo_weight_indicator", 1, BBO_WEIGHT_INDICATOR)
REJECTED_ORDER_REASON = {
    "T": "test mode",
    "H": "halted",
    "Z": "shares exceed threshold",
    "S": "invalid symbol",
    "D": "invalid display",
    "C": "closed",
    "L": "firm not authorized",
    "M": "outside of permitted times",
    "R": "not allowed in this cross",
    "X": "invalid price",
    "N": "invalid min quantity",
    "O": "other",
}
REJECT_REASON = be.alpha("rejected_order_reason", 1, REJECTED_ORDER_REASON)
CANCEL = (be.u32("decrement_shares"), be.alpha("cancel_order_reason", 1, CANCEL_REASON))
EXECUTION_PRICE = be.price("execution_price", 4, 4)
LIQUIDITY = be.alpha("liquidity_flag", 1, LIQUIDITY_FLAG)
MATCH_NUMBER = be.u64("match_number")
FILL = (be.u32("executed_shares"), EXECUTION_PRICE, LIQUIDITY, MATCH_NUMBER)
TERMS = (
    SIDE_FIELD,
    SHARES,
    be.alpha("stock", 8),
    PRICE,
    TIME_IN_FORCE,
    be.alpha("firm", 4),
    DISPLAY_FIELD,
)
ENTERED = (
    *TERMS,
    be.u64("order_reference_number"),
    CAPACITY_FIELD,
    SWEEP,
    MINIMUM_QUANTITY,
    CROSS,
    be.alpha("order_state", 1, ORDER_STATE),
)

INBOUND = Protocol(
    "ouch42 inbound",
    "Nasdaq OUCH 4.2, to the exchange",
    [
        message(
            "O",
            "enter order",
            49,
            ORDER_TOKEN,
            *TERMS,
            CAPACITY_FIELD,
            SWEEP,
            MINIMUM_QUANTITY,
            CROSS,
            be.alpha("customer_type", 1, CUSTOMER_TYPE),
        ),
        message(
            "U",
            "replace order",
            47,
            be.alpha("existing_order_token", TOKEN_BYTES),
            be.alpha("replacement_order_token_token_14", TOKEN_BYTES),
            SHARES,
            PRICE,
            TIME_IN_FORCE,
            DISPLAY_FIELD,
            SWEEP,
            MINIMUM_QUANTITY,
        ),
        message(
            "X",
            "cancel order",
            19,
            ORDER_TOKEN,
            be.u32("shares", note="the new intended size; 0 cancels all"),
        ),
        message("M", "modify order", 20, ORDER_TOKEN, SIDE_FIELD, SHARES),
        message("N", "trade now", 15, ORDER_TOKEN),
    ],
    source="Nasdaq OUCH 4.2",
)

OUTBOUND = Protocol(
    "ouch42 outbound",
    "Nasdaq OUCH 4.2, from the exchange",
    [
        message(
            "S", "system event", 10, be.u64("timestamp"), be.alpha("event_code", 1, EVENT_CODE)
        ),
        reply("A", "accepted", 66, *ENTERED, BBO_WEIGHT),
        reply(
            "U",
            "replaced",
            80,
            *ENTERED,
            be.alpha("previous_order_token", TOKEN_BYTES),
            BBO_WEIGHT,
            token="replacement_order_token_alphanumeric_14",
        ),
        reply("C", "canceled", 28, *CANCEL),
        reply(
            "D",
            "aiq cancelled",
            37,
            *CANCEL,
            be.u32("quantity_prevented_from_trading"),
            EXECUTION_PRICE,
            LIQUIDITY,
        ),
        reply("E", "executed", 40, *FILL),
        reply("B", "broken trade", 32, MATCH_NUMBER, be.alpha("broken_trade_reason", 1)),
        reply(
            "G",
            "executed with reference price",
            45,
            *FILL,
            be.price("reference_price", 4, 4),
            be.alpha("reference_price_type", 1),
        ),
        reply("F", "trade correction", 41, *FILL, be.alpha("reason", 1)),
        reply("J", "rejected order", 24, REJECT_REASON),
        reply("P", "cancel pending", 23),
        reply("I", "cancel reject", 23),
        reply(
            "T", "order priority update", 36, PRICE, DISPLAY_FIELD, be.u64("order_reference_number")
        ),
        reply("M", "order modified", 28, SIDE_FIELD, SHARES),
        reply("N", "sequenced trade now", 23),
    ],
    source="Nasdaq OUCH 4.2",
)


def token_of(order_id: int) -> str:
    """The token the router gives an order: its number in fourteen digits.

    Raises:
        ValueError: when the number does not fit.
    """
    if not 0 <= order_id < TOKEN_LIMIT:
        raise ValueError(f"order {order_id}: a token holds 0 to {TOKEN_LIMIT - 1}")
    return f"{order_id:0{TOKEN_BYTES}d}"
