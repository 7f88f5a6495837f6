"""Cboe BOE v2: order entry of the US equities venues over TCP.

Text is padded with NULs, prices are signed with 4 decimals, times are ns since the epoch, client
order ids are 20 bytes of text. Most messages end in fields announced by bits (`cboe_boe_fields`).

Source: Cboe US Equities BOE specification 2.3. The bodies of logout, user modify rejected, mass
cancel acknowledgment and purge rejected follow public descriptions of that specification and were
not seen on the wire; the body of purge orders is kept as bytes, because the descriptions differ.
"""

from __future__ import annotations

from feedhandler.protocols import cboe_boe_fields as optional
from feedhandler.protocols.cboe_boe_fields import (
    BASE_LIQUIDITY_INDICATOR,
    SIDE,
    SUB_LIQUIDITY_INDICATOR,
    le,
)
from feedhandler.wire.field import Field, Role
from feedhandler.wire.presence import Presence
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Tail
from feedhandler.wire.tails import Choice, Group, Integers

START_OF_MESSAGE = 0xBABA
UNSEEN = "not seen on the wire"
HEAD = (
    le.u16("start_of_message", role=Role.HEADER, fixed=START_OF_MESSAGE),
    le.u16("message_length", role=Role.LENGTH, less=2, note="without the two start bytes"),
    le.u8("message_type", role=Role.CODE),
    le.u8("matching_unit", role=Role.HEADER, note="0 for session and inbound messages"),
    le.u32("sequence_number", role=Role.HEADER, note="0 on messages that are not replayed"),
)
LOGIN_STATUS = {
    "A": "login accepted",
    "N": "not authorized",
    "D": "session is disabled",
    "B": "session in use",
    "S": "invalid session",
    "Q": "sequence ahead in login message",
    "I": "invalid unit given in login message",
    "F": "invalid return bitfield in login message",
    "M": "invalid login request structure",
}
LOGOUT_REASON = {
    "U": "user requested",
    "E": "end of day",
    "A": "administrative",
    "!": "protocol violation",
}
RESTATEMENT_REASON = {
    "C": "cboe market close",
    "L": "reload",
    "P": "peg or price sliding reprice",
    "Q": "liquidity updated",
    "R": "reroute",
    "S": "reduction of quantity",
    "W": "wash",
}
REASON = {
    "A": "admin",
    "D": "duplicate identifier",
    "H": "halted",
    "J": "too late to cancel",
    "K": "order rate threshold exceeded",
    "L": "order would lock or cross the nbbo",
    "M": "order size exceeded",
    "N": "ran out of liquidity to execute against",
    "O": "client order id matches no known order",
    "P": "order is pending fill",
    "R": "routing unavailable",
    "S": "short sale price violation",
    "T": "fill would trade through the nbbo",
    "U": "user requested",
    "V": "would wash",
    "W": "add liquidity only order would remove",
    "X": "order expired",
    "Y": "symbol not supported",
    "Z": "unforeseen reason",
    "f": "risk management, mpid or custom group",
    "m": "market access risk limit exceeded",
    "o": "max open orders count exceeded",
    "r": "reserve reload",
    "s": "risk management, risk root",
    "u": "limit up limit down",
    "w": "would remove on unslide",
    "x": "crossed market",
    "y": "order received during replay",
}

PARAM_GROUP = Group(
    "param_group",
    Record(
        "",
        "parameter group",
        3,
        [le.u16("length", note="of the whole group"), le.u8("type")],
        tails=[
            Choice(
                "type",
                {
                    0x80: Record(
                        "",
                        "unit sequences",
                        2,
                        [le.u8("no_unspecified_unit_replay"), le.u8("number_of_units")],
                        tails=[
                            Group(
                                "units",
                                Record("", "unit", 5, [le.u8("unit"), le.u32("sequence")]),
                                count="number_of_units",
                            )
                        ],
                    ),
                    0x81: Record(
                        "",
                        "return bitfields",
                        2,
                        [le.u8("message_type"), le.u8("bitfield_count")],
                        tails=[Integers("bitfields", le.u8("bitfield"), "bitfield_count")],
                    ),
                },
                other="body",
            )
        ],
    ),
    count="number_of_param_groups",
    sized=("length", 0),
    header=Record("", "parameter groups", 1, [le.u8("number_of_param_groups")]),
)
UNIT_SEQUENCE = Group(
    "unit_sequence",
    Record("", "unit", 5, [le.u8("unit_number"), le.u32("sequence_number")]),
    count="number_of_units",
)

CL_ORD_ID = le.alpha("cl_ord_id", 20)
ORIG_CL_ORD_ID = le.alpha("orig_cl_ord_id", 20)
TRANSACT_TIME = le.u64("transact_time")
TRANSACTION_TIME = le.u64("transaction_time")
ORDER_ID = le.u64("order_id")
TEXT = le.alpha("text", 60)
RESERVED = le.alpha("reserved_1", 1)
QUANTITY = le.u32("order_qty")
LAST_SHARES = le.u32("last_shares")
LAST_PX = le.signed_price("last_px", 8, 4)
BASE_LIQUIDITY = le.alpha("base_liquidity_indicator", 1, BASE_LIQUIDITY_INDICATOR)
SUB_LIQUIDITY = le.alpha("sub_liquidity_indicator", 1, SUB_LIQUIDITY_INDICATOR)


def message(
    code: int, name: str, size: int, *fields: Field, tails: tuple[Tail, ...] = (), note: str = ""
) -> Record:
    """A message with the header that all share."""
    return Record(code, name, size, [*HEAD, *fields], tails, note)


def optioned(
    code: int, name: str, size: int, bits: Presence, *fields: Field, note: str = ""
) -> Record:
    """A message that ends in fields announced by bits."""
    return message(code, name, size, *fields, le.u8(bits.count), tails=(bits,), note=note)


def rejection(code: int, name: str, bits: Presence, reason: str, note: str = "") -> Record:
    """A message that refuses what the client asked of an order."""
    fields = (TRANSACTION_TIME, CL_ORD_ID, le.alpha(reason, 1, REASON), TEXT, RESERVED)
    return optioned(code, name, 101, bits, *fields, note=note)


INBOUND = [
    message(
        0x37,
        "login request",
        28,
        le.alpha("session_sub_id", 4),
        le.alpha("username", 4),
        le.alpha("password", 10),
        tails=(PARAM_GROUP,),
    ),
    message(0x02, "logout request", 10),
    message(0x03, "client heartbeat", 10),
    optioned(
        0x38, "new order", 36, optional.NEW_ORDER, CL_ORD_ID, le.alpha("side", 1, SIDE), QUANTITY
    ),
    optioned(0x39, "cancel order", 31, optional.CANCEL_ORDER, ORIG_CL_ORD_ID),
    optioned(0x3A, "modify order", 51, optional.MODIFY_ORDER, CL_ORD_ID, ORIG_CL_ORD_ID),
    message(
        0x47,
        "purge orders",
        11,
        RESERVED,
        tails=(Choice("message_type", {}, other="options"),),
        note=f"{UNSEEN}: what follows is kept as bytes",
    ),
]
OUTBOUND = [
    message(
        0x24,
        "login response",
        77,
        le.alpha("login_response_status", 1, LOGIN_STATUS),
        le.alpha("login_response_text", 60),
        le.alpha("no_unspecified_unit_replay", 1),
        le.u32("last_received_sequence_number"),
        le.u8("number_of_units"),
        tails=(UNIT_SEQUENCE, PARAM_GROUP),
    ),
    message(
        0x08,
        "logout",
        76,
        le.alpha("logout_reason", 1, LOGOUT_REASON),
        le.alpha("logout_reason_text", 60),
        le.u32("last_received_sequence_number"),
        le.u8("number_of_units"),
        tails=(UNIT_SEQUENCE,),
        note=UNSEEN,
    ),
    message(0x09, "server heartbeat", 10),
    message(0x13, "replay complete", 10),
    optioned(
        0x25,
        "order acknowledgment",
        48,
        optional.ACKNOWLEDGMENT,
        TRANSACT_TIME,
        CL_ORD_ID,
        ORDER_ID,
        RESERVED,
    ),
    rejection(0x26, "order rejected", optional.REJECTED, "order_reject_reason"),
    optioned(
        0x27,
        "order modified",
        48,
        optional.CHANGED,
        TRANSACTION_TIME,
        CL_ORD_ID,
        ORDER_ID,
        RESERVED,
    ),
    optioned(
        0x28,
        "order restated",
        49,
        optional.CHANGED,
        TRANSACTION_TIME,
        CL_ORD_ID,
        ORDER_ID,
        le.alpha("restatement_reason", 1, RESTATEMENT_REASON),
        RESERVED,
    ),
    rejection(
        0x29, "user modify rejected", optional.MODIFY_REJECTED, "modify_reject_reason", UNSEEN
    ),
    optioned(
        0x2A,
        "order cancelled",
        41,
        optional.CHANGED,
        TRANSACT_TIME,
        CL_ORD_ID,
        le.alpha("cancel_reason", 1, REASON),
        RESERVED,
    ),
    rejection(0x2B, "cancel rejected", optional.CANCEL_REJECTED, "cancel_reject_reason"),
    optioned(
        0x2C,
        "order execution",
        70,
        optional.EXECUTION,
        TRANSACTION_TIME,
        CL_ORD_ID,
        le.u64("exec_id"),
        LAST_SHARES,
        LAST_PX,
        le.u32("leaves_qty"),
        BASE_LIQUIDITY,
        SUB_LIQUIDITY,
        le.alpha("contra_broker", 4),
        RESERVED,
    ),
    optioned(
        0x2D,
        "trade cancel or correct",
        94,
        optional.TRADE_CANCEL,
        TRANSACTION_TIME,
        CL_ORD_ID,
        ORDER_ID,
        le.u64("exec_ref_id"),
        le.alpha("side", 1, SIDE),
        BASE_LIQUIDITY,
        le.alpha("clearing_firm", 4),
        le.alpha("clearing_account", 4),
        LAST_SHARES,
        LAST_PX,
        le.signed_price("corrected_price", 8, 4, note="0: the trade is cancelled"),
        le.u64("orig_time"),
        RESERVED,
    ),
    message(
        0x36,
        "mass cancel acknowledgment",
        43,
        TRANSACTION_TIME,
        le.alpha("mass_cancel_id", 20),
        le.u32("cancelled_order_count"),
        RESERVED,
        note=UNSEEN,
    ),
    optioned(
        0x48,
        "purge rejected",
        81,
        optional.PURGE_REJECTED,
        TRANSACTION_TIME,
        le.alpha("purge_reject_reason", 1, REASON),
        TEXT,
        RESERVED,
        note=UNSEEN,
    ),
]

CBOE_BOE = Protocol(
    "cboe_boe",
    "Cboe BOE v2",
    [*INBOUND, *OUTBOUND],
    code_offset=4,
    source="Cboe US Equities BOE specification 2.3",
)
