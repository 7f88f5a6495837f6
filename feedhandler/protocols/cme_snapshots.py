"""CME MDP 3.0: what a book is as a whole, from the recovery feeds."""

from __future__ import annotations

from feedhandler.protocols.cme_fields import (
    ENTRY_TYPE,
    EVENT,
    ON_BOOK,
    OPEN_CLOSE,
    ORDERS,
    RPT_SEQ,
    SECURITY_ID,
    SETTL_PRICE_TYPE,
    TRADING_STATUS,
    TRANSACT_TIME,
    date,
    i8,
    i32,
    le,
    message,
    price,
    prices,
    u8,
    u64,
)
from feedhandler.protocols.cme_updates import ENTRIES, LONG_SIZE, SIZE, decimals_of
from feedhandler.wire.field import Field
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import SbeGroup, entry

LAST_SEQUENCE = le.u32("last_msg_seq_num_processed", note="of the incremental channel")
REPORTS = le.u32("tot_num_reports", note="messages in the loop")
LIMITS = ("high_limit_price", "low_limit_price", "max_price_variation")
LEVEL_U8 = u8("md_price_level")
ON_SIDE = le.alpha("md_entry_type", 1, ENTRY_TYPE)
SETTLED = le.flags("settl_price_type", 1, SETTL_PRICE_TYPE)
FLAG = u8("open_close_settl_flag", OPEN_CLOSE)
ORDER_ENTRY = (le.u64("order_id"), u64("md_order_priority", note="lower is first"))


def full_refresh(code: int, name: str, *fields: Field) -> Record:
    """The book of a security as it was behind a packet of the incremental channel."""
    root = (
        LAST_SEQUENCE,
        REPORTS,
        SECURITY_ID,
        RPT_SEQ,
        TRANSACT_TIME,
        le.u64("last_update_time"),
        date("trade_date"),
        u8("md_security_trading_status", TRADING_STATUS),
        *prices(decimals_of(code), *LIMITS),
    )
    level = entry("entry", price("md_entry_px", decimals_of(code)), *fields)
    return message(code, name, root, SbeGroup(ENTRIES, level))


def full_refresh_orders(code: int, name: str) -> Record:
    """The orders of a security, in chunks."""
    root = (
        LAST_SEQUENCE,
        REPORTS,
        SECURITY_ID,
        le.u32("no_chunks"),
        le.u32("current_chunk", note="from 1"),
        TRANSACT_TIME,
    )
    px = price("md_entry_px", decimals_of(code))
    order = entry("order", *ORDER_ENTRY, px, le.sint("md_display_qty", 4), ON_BOOK)
    return message(code, name, root, SbeGroup(ENTRIES, order))


SHORT = (SIZE, ORDERS, i8("md_price_level"), date("trading_reference_date"), FLAG, SETTLED, ON_SIDE)
LONG = (LONG_SIZE, ORDERS, LEVEL_U8, FLAG, ON_SIDE)
OF_TCP = (TRANSACT_TIME, EVENT, SECURITY_ID, *prices(9, *LIMITS))
TCP_ENTRY = entry(
    "entry",
    price("md_entry_px"),
    SIZE,
    i32("tradeable_size"),
    ORDERS,
    i8("md_price_level"),
    FLAG,
    ON_SIDE,
    date("trading_reference_date"),
    SETTLED,
)
TOP_ORDER = entry(
    "order", *ORDER_ENTRY, price("md_entry_px"), le.sint("md_display_qty", 4), ON_BOOK
)

RECORDS = (
    full_refresh(38, "snapshot (legacy)", *SHORT),
    full_refresh_orders(44, "snapshot of orders (legacy)"),
    full_refresh(52, "snapshot", *SHORT),
    full_refresh_orders(53, "snapshot of orders"),
    message(
        59,
        "snapshot of the top orders",
        (TRANSACT_TIME, EVENT, SECURITY_ID),
        SbeGroup(ENTRIES, TOP_ORDER),
    ),
    message(61, "snapshot by TCP", OF_TCP, SbeGroup(ENTRIES, TCP_ENTRY)),
    message(
        68,
        "snapshot by TCP (long)",
        OF_TCP,
        SbeGroup(ENTRIES, entry("entry", price("md_entry_px"), *LONG)),
    ),
    full_refresh(69, "snapshot (long)", *LONG),
)
