"""The optional fields of Cboe BOE v2 messages and the bits that announce them.

Bits count from the lowest of each bitfield. Which of the return fields an outbound message supports
depends on its type; the client chooses among them at login.
"""

from __future__ import annotations

from feedhandler.wire.field import Fields
from feedhandler.wire.presence import Optional, Presence

le = Fields(big=False, pad=b"\0")

SIDE = {"1": "buy", "2": "sell", "5": "short sell", "6": "short sell exempt"}
ORD_TYPE = {"1": "market", "2": "limit", "3": "stop", "4": "stop limit", "P": "pegged"}
TIME_IN_FORCE = {
    "0": "day",
    "1": "good till cancelled",
    "2": "at the open",
    "3": "immediate or cancel",
    "4": "fill or kill",
    "5": "extended day",
    "6": "good till time",
    "7": "at the close",
    "E": "pre-market",
    "R": "regular hours only",
    "T": "pre-market till day",
    "X": "pre-market till extended day",
}
CAPACITY = {"A": "agency", "P": "principal", "R": "riskless principal"}
BASE_LIQUIDITY_INDICATOR = {
    "A": "added liquidity",
    "R": "removed liquidity",
    "X": "routed to another market",
    "C": "auction or uncrossing",
}
SUB_LIQUIDITY_INDICATOR = {
    "E": "trade added rpi liquidity",
    "H": "trade added hidden liquidity",
    "I": "trade added hidden liquidity that was price improved",
    "m": "midpoint peg order",
    "J": "execution from first order to join the nbbo",
    "S": "execution from order that set the nbbo",
    "V": "visible liquidity add trade that was price improved",
}
NOT_IN_DOCUMENT = "reserved in the 2.3 document, one byte on the wire"

clearing_firm = le.alpha("clearing_firm", 4)
clearing_account = le.alpha("clearing_account", 4)
price = le.signed_price("price", 8, 4)
exec_inst = le.alpha("exec_inst", 1)
ord_type = le.alpha("ord_type", 1, ORD_TYPE)
time_in_force = le.alpha("time_in_force", 1, TIME_IN_FORCE)
min_qty = le.u32("min_qty")
max_floor = le.u32("max_floor")
symbol = le.alpha("symbol", 8)
symbol_sfx = le.alpha("symbol_sfx", 8)
capacity = le.alpha("capacity", 1, CAPACITY)
routing_inst = le.alpha("routing_inst", 4)
account = le.alpha("account", 16)
display_indicator = le.alpha("display_indicator", 1)
discretion_amount = le.u16("discretion_amount")
peg_difference = le.signed_price("peg_difference", 8, 4)
prevent_match = le.alpha("prevent_match", 3)
expire_time = le.u64("expire_time")
attributed_quote = le.alpha("attributed_quote", 1)
ext_exec_inst = le.alpha("ext_exec_inst", 1)
stop_px = le.signed_price("stop_px", 8, 4)
rout_strategy = le.alpha("rout_strategy", 6)
route_delivery_method = le.alpha("route_delivery_method", 3)
ex_destination = le.alpha("ex_destination", 1)
echo_text = le.alpha("echo_text", 64)
side = le.alpha("side", 1, SIDE)
order_qty = le.u32("order_qty")

NEW_ORDER = Presence(
    "new_order_bitfield",
    "number_of_new_order_bitfields",
    (
        Optional(1, 0x01, clearing_firm),
        Optional(1, 0x02, clearing_account),
        Optional(1, 0x04, price),
        Optional(1, 0x08, exec_inst),
        Optional(1, 0x10, ord_type),
        Optional(1, 0x20, time_in_force),
        Optional(1, 0x40, min_qty),
        Optional(1, 0x80, max_floor),
        Optional(2, 0x01, symbol),
        Optional(2, 0x02, symbol_sfx),
        Optional(2, 0x40, capacity),
        Optional(2, 0x80, routing_inst),
        Optional(3, 0x01, account),
        Optional(3, 0x02, display_indicator),
        Optional(3, 0x08, discretion_amount),
        Optional(3, 0x10, peg_difference),
        Optional(3, 0x20, prevent_match),
        Optional(3, 0x40, le.alpha("locate_reqd", 1)),
        Optional(3, 0x80, expire_time),
        Optional(4, 0x08, le.alpha("risk_reset", 8)),
        Optional(5, 0x02, attributed_quote),
        Optional(5, 0x08, ext_exec_inst),
        Optional(6, 0x01, le.u32("display_range")),
        Optional(6, 0x02, stop_px),
        Optional(6, 0x04, rout_strategy),
        Optional(6, 0x08, route_delivery_method),
        Optional(6, 0x10, ex_destination),
        Optional(6, 0x20, echo_text),
        Optional(7, 0x02, le.u16("custom_group_id")),
    ),
)
CANCEL_ORDER = Presence(
    "cancel_order_bitfield", "number_of_cancel_order_bitfields", (Optional(1, 0x01, clearing_firm),)
)
MODIFY_ORDER = Presence(
    "modify_order_bitfield",
    "number_of_modify_order_bitfields",
    (
        Optional(1, 0x01, clearing_firm),
        Optional(1, 0x04, order_qty),
        Optional(1, 0x08, price),
        Optional(1, 0x10, ord_type),
        Optional(1, 0x20, le.alpha("cancel_orig_on_reject", 1)),
        Optional(1, 0x40, exec_inst),
        Optional(1, 0x80, side),
        Optional(2, 0x01, max_floor),
        Optional(2, 0x02, stop_px),
    ),
)

RETURNED = (
    Optional(1, 0x01, side),
    Optional(1, 0x02, peg_difference),
    Optional(1, 0x04, price),
    Optional(1, 0x08, exec_inst),
    Optional(1, 0x10, ord_type),
    Optional(1, 0x20, time_in_force),
    Optional(1, 0x40, min_qty),
    Optional(1, 0x80, le.u8("max_remove_pct", note=NOT_IN_DOCUMENT)),
    Optional(2, 0x01, symbol),
    Optional(2, 0x02, symbol_sfx),
    Optional(2, 0x40, capacity),
    Optional(3, 0x01, account),
    Optional(3, 0x02, clearing_firm),
    Optional(3, 0x04, clearing_account),
    Optional(3, 0x08, display_indicator),
    Optional(3, 0x10, max_floor),
    Optional(3, 0x20, discretion_amount),
    Optional(3, 0x40, order_qty),
    Optional(3, 0x80, prevent_match),
    Optional(5, 0x01, le.alpha("orig_cl_ord_id", 20)),
    Optional(5, 0x02, le.u32("leaves_qty")),
    Optional(5, 0x04, le.u32("last_shares")),
    Optional(5, 0x08, le.signed_price("last_px", 8, 4)),
    Optional(5, 0x10, le.signed_price("display_price", 8, 4)),
    Optional(5, 0x20, le.signed_price("working_price", 8, 4)),
    Optional(5, 0x40, le.alpha("base_liquidity_indicator", 1, BASE_LIQUIDITY_INDICATOR)),
    Optional(5, 0x80, expire_time),
    Optional(6, 0x01, le.u64("secondary_order_id")),
    Optional(6, 0x04, le.alpha("contra_capacity", 1, CAPACITY, note=NOT_IN_DOCUMENT)),
    Optional(6, 0x08, attributed_quote),
    Optional(6, 0x10, ext_exec_inst),
    Optional(7, 0x01, le.alpha("sub_liquidity_indicator", 1, SUB_LIQUIDITY_INDICATOR)),
    Optional(8, 0x01, le.alpha("fee_code", 2)),
    Optional(8, 0x02, echo_text),
    Optional(8, 0x04, stop_px),
    Optional(8, 0x08, routing_inst),
    Optional(8, 0x10, rout_strategy),
    Optional(8, 0x20, route_delivery_method),
    Optional(8, 0x40, ex_destination),
    Optional(15, 0x08, le.alpha("mass_cancel_id", 20)),
)
NAMES = tuple(item.field.name for item in RETURNED)


def returned(names: set[str]) -> Presence:
    """The return bitfields of a message that supports the named fields."""
    unknown = names - set(NAMES)
    if unknown:
        raise ValueError(f"no return bit announces {', '.join(sorted(unknown))}")
    fields = tuple(item for item in RETURNED if item.field.name in names)
    return Presence("return_bitfield", "number_of_return_bitfields", fields)


def of_bytes(*numbers: int) -> set[str]:
    """The fields that some return bitfields announce."""
    return {item.field.name for item in RETURNED if item.byte in numbers}


TERMS = of_bytes(1, 2, 3)
ROUTING = of_bytes(8) - {"fee_code"}
QUOTING = {"attributed_quote", "ext_exec_inst"}
ACKNOWLEDGMENT = returned(set(NAMES) - {"contra_capacity"})
REJECTED = returned(TERMS | ROUTING | QUOTING | {"secondary_order_id"})
CHANGED = returned(set(NAMES) - {"contra_capacity", "sub_liquidity_indicator", "fee_code"})
CANCEL_REJECTED = returned(of_bytes(1, 2) | {"echo_text", "stop_px", "rout_strategy"})
EXECUTION = returned(TERMS | of_bytes(8) | QUOTING | {"contra_capacity"})
TRADE_CANCEL = returned(of_bytes(2) | {"sub_liquidity_indicator"})
MODIFY_REJECTED = returned({"sub_liquidity_indicator"})
PURGE_REJECTED = returned({"sub_liquidity_indicator", "mass_cancel_id"})
