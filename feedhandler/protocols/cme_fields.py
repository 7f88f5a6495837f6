"""What the messages of CME MDP 3.0 share: the SBE header, kinds of fields, codes, group dimensions.

Names follow the FIX tags without what tells the types of versions apart: `md_entry_px` is
MDEntryPx, whether it has 7 or 9 decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import SbeGroup
from feedhandler.wire.sbe import message as sbe_message

le = Fields(big=False, pad=b"\0")

SCHEMA_ID: Final = 1
HEADER_BYTES: Final = 10  # message size and SBE header
LEGACY_BELOW: Final = 46  # templates with PRICE (7 decimals); from here on PRICE9

NULL_I8, NULL_U8, NULL_U16, NULL_I32 = 127, 255, 65_535, (1 << 31) - 1
NULL_U32, NULL_I64, NULL_U64 = (1 << 32) - 1, (1 << 63) - 1, (1 << 64) - 1


def head(schema_id: int) -> tuple[Field, ...]:
    """The header of all messages of a schema."""
    return (
        le.u16("message_size", role=Role.LENGTH),
        le.u16("block_length", role=Role.HEADER, note="of the root block"),
        le.u16("template_id", role=Role.CODE),
        le.u16("schema_id", role=Role.HEADER, fixed=schema_id),
        le.u16("version", role=Role.HEADER, note="of the schema: 9 is version 1.9"),
    )


HEAD = head(SCHEMA_ID)


def i8(name: str) -> Field:
    """A signed byte that may be null."""
    return le.sint(name, 1, values={NULL_I8: "null"})


def u8(name: str, values: Mapping[int, str] | None = None, note: str = "") -> Field:
    """A byte that may be null."""
    return le.u8(name, values={**(values or {}), NULL_U8: "null"}, note=note)


def date(name: str) -> Field:
    """A date in days since the epoch, or null."""
    return le.u16(name, values={NULL_U16: "null"}, note="days since the epoch")


def i32(name: str, note: str = "") -> Field:
    """A signed integer that may be null."""
    return le.sint(name, 4, values={NULL_I32: "null"}, note=note)


def u32(name: str, note: str = "") -> Field:
    """An unsigned integer of 4 bytes that may be null."""
    return le.u32(name, values={NULL_U32: "null"}, note=note)


def u64(name: str, note: str = "") -> Field:
    """An unsigned integer of 8 bytes that may be null."""
    return le.u64(name, values={NULL_U64: "null"}, note=note)


def price(name: str, decimals: int = 9, note: str = "") -> Field:
    """A price that may be null."""
    return le.signed_price(name, 8, decimals, values={NULL_I64: "null"}, note=note)


def prices(decimals: int, *names: str) -> tuple[Field, ...]:
    """Several prices with the same decimals."""
    return tuple(price(name, decimals) for name in names)


MATCH_EVENT = {
    0x01: "last trade message",
    0x02: "last volume message",
    0x04: "last quote message",
    0x08: "last statistics message",
    0x10: "last implied message",
    0x20: "recovery message",
    0x80: "end of event",
}
SETTL_PRICE_TYPE = {0x01: "final", 0x02: "actual", 0x04: "rounded", 0x08: "intraday", 0x80: "null"}
UPDATE_ACTION = {
    0: "new",
    1: "change",
    2: "delete",
    3: "delete thru",
    4: "delete from",
    5: "overlay",
}
ORDER_UPDATE_ACTION = {0: "new", 1: "update", 2: "delete"}
BOOK_TYPE = {
    "0": "bid",
    "1": "offer",
    "E": "implied bid",
    "F": "implied offer",
    "J": "book reset",
    "w": "market best offer",
    "x": "market best bid",
}
ENTRY_TYPE = {
    "2": "trade",
    "4": "open price",
    "6": "settlement price",
    "7": "trading session high price",
    "8": "trading session low price",
    "9": "VWAP",
    "B": "cleared volume",
    "C": "open interest",
    "N": "session high bid",
    "O": "session low offer",
    "W": "fixing price",
    "e": "electronic volume",
    "g": "limits and price band variation",
    **BOOK_TYPE,
}
STATISTICS_TYPE = {
    "4": "open price",
    "7": "high trade",
    "8": "low trade",
    "9": "VWAP",
    "N": "highest bid",
    "O": "lowest offer",
}
DAILY_TYPE = {
    "6": "settlement price",
    "B": "cleared volume",
    "C": "open interest",
    "W": "fixing price",
}
TRADING_STATUS = {
    2: "trading halt",
    4: "close",
    15: "new price indication",
    17: "ready to trade",
    18: "not available for trading",
    20: "unknown or invalid",
    21: "pre-open",
    24: "pre-cross",
    25: "cross",
    26: "post close",
    103: "no change",
    201: "private workup",
    202: "public workup",
}
HALT_REASON = {
    0: "group schedule",
    1: "surveillance intervention",
    2: "market event",
    3: "instrument activation",
    4: "instrument expiration",
    5: "unknown",
    6: "recovery in process",
    7: "trade date roll",
}
TRADING_EVENT = {
    0: "none",
    1: "no cancel",
    4: "reset statistics",
    5: "implied matching on",
    6: "implied matching off",
    7: "end of workup",
}
OPEN_CLOSE = {
    0: "daily open price",
    5: "indicative opening price",
    100: "intraday VWAP",
    101: "repo average 8:30",
    102: "repo average 10:00",
    103: "repo average 10:00 of the session before",
}
AGGRESSOR_SIDE = {0: "no aggressor", 1: "buy", 2: "sell"}

TRANSACT_TIME = le.u64("transact_time", note="ns since the epoch")
EVENT = le.flags("match_event_indicator", 1, MATCH_EVENT)
SECURITY_ID = le.sint("security_id", 4)
RPT_SEQ = le.u32("rpt_seq", note="counts the updates of the security; 0 in TCP recovery")
ORDERS = i32("number_of_orders")
UPDATE = le.u8("md_update_action", values=UPDATE_ACTION)
LEVEL = le.u8("md_price_level", note="from 1")
ON_BOOK = le.alpha("md_entry_type", 1, BOOK_TYPE)
OF_EVENT = (TRANSACT_TIME, EVENT, le.raw("padding", 2))


def message(
    code: int,
    name: str,
    fields: tuple[Field, ...],
    *groups: SbeGroup,
    later: tuple[Field, ...] = (),
    note: str = "",
) -> Record:
    """A message of the market data schema."""
    return sbe_message(code, name, HEAD, fields, groups, later=later, note=note)
