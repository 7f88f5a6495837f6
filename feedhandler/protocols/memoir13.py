"""MEMX MEMOIR Depth 1.3: orders of MEMX, in big-endian SBE.

The SBE header is 6 bytes (template and schema are one byte each), so code for the standard header
does not read it. Its block length says where a message ends: newer versions append fields. Times
are ns since the epoch, prices signed with 6 decimals.

Source: MEMX MEMOIR Depth feed specification 1.3.
"""

from __future__ import annotations

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record

be = Fields(big=True)

SCHEMA_ID = 2
VERSION = 0x0103
SBE_BYTES = 6
HEAD = (
    be.u16("block_length", role=Role.LENGTH, less=SBE_BYTES, note="bytes behind the SBE header"),
    be.u8("template_id", role=Role.CODE),
    be.u8("schema_id", role=Role.HEADER, fixed=SCHEMA_ID),
    be.u16("version", role=Role.HEADER, fixed=VERSION),
    be.u64("timestamp"),
)
SECURITY_ID = be.u16("security_id")
ORDER_ID = be.u64("order_id")
TRADE_ID = be.u64("trade_id")
QUANTITY = be.u32("quantity")
PRICE = be.signed_price("price", 8, 6)

SHORT_SALE_RESTRICTION = {0: "not in effect", 1: "in effect"}
SECURITY_TRADING_STATUS = {"H": "halted", "P": "paused", "Q": "quoting", "T": "trading"}
SECURITY_TRADING_STATUS_REASON = {"X": "none", "R": "regulatory", "A": "administrative"}
TRADING_SESSION = {"1": "opening", "2": "trading", "3": "post trading", "4": "closed"}
SIDE = {"B": "buy", "S": "sell"}


def message(code: int, name: str, size: int, *fields: Field) -> Record:
    """A message with the header that all share."""
    return Record(code, name, size, [*HEAD, *fields], block=("block_length", SBE_BYTES))


RECORDS = [
    message(
        1,
        "instrument directory",
        42,
        SECURITY_ID,
        be.alpha("symbol", 6),
        be.alpha("symbol_sfx", 6),
        be.u32("round_lot"),
        be.u8("reserved"),
        be.u8("is_test_symbol"),
        be.signed_price("mpv", 8, 6, note="minimum price variation"),
    ),
    message(
        2,
        "reg sho restriction",
        17,
        SECURITY_ID,
        be.u8("short_sale_restriction", values=SHORT_SALE_RESTRICTION),
    ),
    message(
        3,
        "security trading status",
        18,
        SECURITY_ID,
        be.alpha("security_trading_status", 1, SECURITY_TRADING_STATUS),
        be.alpha("security_trading_status_reason", 1, SECURITY_TRADING_STATUS_REASON),
    ),
    message(5, "trading session status", 15, be.alpha("trading_session", 1, TRADING_SESSION)),
    message(
        10, "order added", 37, SECURITY_ID, ORDER_ID, be.alpha("side", 1, SIDE), QUANTITY, PRICE
    ),
    message(11, "order deleted", 24, SECURITY_ID, ORDER_ID),
    message(
        12,
        "order reduced",
        28,
        SECURITY_ID,
        ORDER_ID,
        be.u32("quantity", note="taken off the order"),
    ),
    message(13, "order executed", 44, SECURITY_ID, ORDER_ID, TRADE_ID, QUANTITY, PRICE),
    message(14, "trade", 36, SECURITY_ID, TRADE_ID, QUANTITY, PRICE),
    message(
        15,
        "broken trade",
        36,
        SECURITY_ID,
        TRADE_ID,
        be.u32("original_quantity"),
        be.signed_price("original_price", 8, 6),
    ),
    message(
        16,
        "corrected trade",
        48,
        SECURITY_ID,
        TRADE_ID,
        be.u32("original_quantity"),
        be.signed_price("original_price", 8, 6),
        be.u32("corrected_quantity"),
        be.signed_price("corrected_price", 8, 6),
    ),
    message(18, "clear book", 16, SECURITY_ID),
    message(100, "snapshot complete", 22, be.u64("as_of_sequence_number")),
]

MEMOIR13 = Protocol(
    "memoir13",
    "MEMX MEMOIR Depth 1.3",
    RECORDS,
    code_offset=2,
    extensible=True,
    source="MEMX MEMOIR Depth feed specification 1.3",
)
