"""CME MDP 3.0: what happens to books, orders, trades and statistics, incrementally.

A template below 46 is a legacy one, with 7 decimals; its successor has 9. Of templates that grew
within their padding (35, 42, 46) the layout here is the newest one: in older versions those bytes
are padding.
"""

from __future__ import annotations

from feedhandler.protocols.cme_fields import (
    AGGRESSOR_SIDE,
    DAILY_TYPE,
    EVENT,
    HALT_REASON,
    LEGACY_BELOW,
    LEVEL,
    OF_EVENT,
    ON_BOOK,
    OPEN_CLOSE,
    ORDER_UPDATE_ACTION,
    ORDERS,
    RPT_SEQ,
    SECURITY_ID,
    SETTL_PRICE_TYPE,
    STATISTICS_TYPE,
    TRADING_EVENT,
    TRADING_STATUS,
    TRANSACT_TIME,
    UPDATE,
    date,
    i8,
    i32,
    le,
    message,
    price,
    prices,
    u8,
    u32,
    u64,
)
from feedhandler.wire.record import Record
from feedhandler.wire.sbe import SbeGroup, entry

WIDE = 5  # padding among the dimensions of the groups of order ids
ENTRIES, ORDER_IDS = "md_entries", "order_id_entries"
SIZE, LONG_SIZE = i32("md_entry_size"), u64("md_entry_size")


def decimals_of(code: int) -> int:
    """Decimals of the prices in a template."""
    return 7 if code < LEGACY_BELOW else 9


def order_ids(*, later: bool = False) -> SbeGroup:
    """The orders behind the entries of a book message."""
    order = entry(
        "order id entry",
        le.u64("order_id"),
        u64("md_order_priority", note="lower is first"),
        i32("md_display_qty"),
        u8("reference_id", note="which of the entries in front, from 1"),
        le.u8("order_update_action", values=ORDER_UPDATE_ACTION),
        le.raw("padding", 2),
    )
    return SbeGroup(ORDER_IDS, order, WIDE, later)


def fills() -> SbeGroup:
    """The orders that traded, the aggressor first."""
    fill = entry("order id entry", le.u64("order_id"), le.sint("last_qty", 4), le.raw("padding", 4))
    return SbeGroup(ORDER_IDS, fill, WIDE)


def book(code: int, name: str) -> Record:
    """Levels of books by price, and the orders behind them where the book is by order as well."""
    change = entry(
        "level",
        price("md_entry_px", decimals_of(code)),
        SIZE,
        SECURITY_ID,
        RPT_SEQ,
        ORDERS,
        LEVEL,
        UPDATE,
        ON_BOOK,
        i32("tradeable_size", note="from version 1.10 on"),
        le.raw("padding", 1),
    )
    orders = order_ids(later=code < LEGACY_BELOW)
    return message(code, name, OF_EVENT, SbeGroup(ENTRIES, change), orders)


def order_book(code: int, name: str) -> Record:
    """Orders of books by order."""
    change = entry(
        "order",
        u64("order_id"),
        u64("md_order_priority", note="lower is first"),
        price("md_entry_px", decimals_of(code)),
        i32("md_display_qty"),
        SECURITY_ID,
        UPDATE,
        ON_BOOK,
        le.raw("padding", 6),
    )
    return message(code, name, OF_EVENT, SbeGroup(ENTRIES, change))


def trades(code: int, name: str) -> Record:
    """Trades by price, and the orders in them."""
    trade = entry(
        "trade",
        price("md_entry_px", decimals_of(code)),
        le.sint("md_entry_size", 4),
        SECURITY_ID,
        RPT_SEQ,
        ORDERS,
        u8("aggressor_side", AGGRESSOR_SIDE),
        UPDATE,
        u32("md_trade_entry_id", note="from version 1.8 on"),
        le.raw("padding", 2),
    )
    return message(code, name, OF_EVENT, SbeGroup(ENTRIES, trade), fills())


def daily_statistics(code: int, name: str) -> Record:
    """Settlement, cleared volume, open interest."""
    value = entry(
        "statistic",
        price("md_entry_px", decimals_of(code)),
        SIZE,
        SECURITY_ID,
        RPT_SEQ,
        date("trading_reference_date"),
        le.flags("settl_price_type", 1, SETTL_PRICE_TYPE),
        UPDATE,
        le.alpha("md_entry_type", 1, DAILY_TYPE),
        le.raw("padding", 7),
    )
    return message(code, name, OF_EVENT, SbeGroup(ENTRIES, value))


def limits(code: int, name: str) -> Record:
    """Price limits and bands."""
    names = ("high_limit_price", "low_limit_price", "max_price_variation")
    value = entry("limits", *prices(decimals_of(code), *names), SECURITY_ID, RPT_SEQ)
    return message(code, name, OF_EVENT, SbeGroup(ENTRIES, value))


def session_statistics(code: int, name: str) -> Record:
    """Open, high, low of a session."""
    value = entry(
        "statistic",
        price("md_entry_px", decimals_of(code)),
        SECURITY_ID,
        RPT_SEQ,
        u8("open_close_settl_flag", OPEN_CLOSE),
        UPDATE,
        le.alpha("md_entry_type", 1, STATISTICS_TYPE),
        i32("md_entry_size", note="from version 1.8 on"),
        le.raw("padding", 1),
    )
    return message(code, name, OF_EVENT, SbeGroup(ENTRIES, value))


LONG_LEVEL = entry(
    "level",
    price("md_entry_px"),
    LONG_SIZE,
    SECURITY_ID,
    RPT_SEQ,
    ORDERS,
    LEVEL,
    UPDATE,
    ON_BOOK,
    le.raw("padding", 1),
)
LONG_TRADE = entry(
    "trade",
    price("md_entry_px"),
    le.u64("md_entry_size"),
    SECURITY_ID,
    RPT_SEQ,
    ORDERS,
    u32("md_trade_entry_id"),
    u8("aggressor_side", AGGRESSOR_SIDE),
    UPDATE,
    le.raw("padding", 6),
)
LEGACY_TRADE = entry(
    "trade",
    price("md_entry_px", 7),
    le.sint("md_entry_size", 4),
    SECURITY_ID,
    RPT_SEQ,
    ORDERS,
    le.sint("trade_id", 4),
    u8("aggressor_side", AGGRESSOR_SIDE),
    UPDATE,
    le.raw("padding", 2),
)
VOLUME = entry(
    "volume", le.sint("md_entry_size", 4), SECURITY_ID, RPT_SEQ, UPDATE, le.raw("padding", 3)
)
LONG_VOLUME = entry(
    "volume", le.u64("md_entry_size"), SECURITY_ID, RPT_SEQ, UPDATE, le.raw("padding", 7)
)
LONG_STATISTIC = entry(
    "statistic",
    price("md_entry_px"),
    LONG_SIZE,
    SECURITY_ID,
    RPT_SEQ,
    u8("open_close_settl_flag", OPEN_CLOSE),
    UPDATE,
    le.alpha("md_entry_type", 1, STATISTICS_TYPE),
    le.raw("padding", 5),
)
QUOTE = entry(
    "related symbol",
    le.alpha("symbol", 20),
    SECURITY_ID,
    i32("order_qty"),
    le.sint("quote_type", 1),
    i8("side"),
    le.raw("padding", 2),
)
COLLATERAL = entry(
    "collateral",
    le.alpha("underlying_security_alt_id", 12),
    u8("underlying_security_alt_id_source"),
    le.signed_price("collateral_market_price", 8, 9),
    le.signed_price("dirty_price", 8, 9),
    le.u64("underlying_instrument_guid"),
    u8("md_stream_id"),
    le.raw("padding", 2),
)
WORKUP_ORDER = entry(
    "order", le.u64("order_id"), le.u8("side", values={1: "buy", 2: "sell"}), u8("aggressor")
)
STATUS_END = (
    le.u8("halt_reason", values=HALT_REASON),
    le.u8("security_trading_event", values=TRADING_EVENT),
)

RECORDS = (
    message(
        4,
        "channel reset",
        (TRANSACT_TIME, EVENT),
        SbeGroup(ENTRIES, entry("channel", le.sint("appl_id", 2))),
        note="the books of the channel are empty; snapshots follow",
    ),
    message(12, "heartbeat", ()),
    message(15, "admin login", (le.sint("heart_bt_int", 1),)),
    message(16, "admin logout", (le.alpha("text", 180),)),
    message(
        30,
        "security status",
        (
            TRANSACT_TIME,
            le.alpha("security_group", 6),
            le.alpha("asset", 6),
            i32("security_id", note="null: all securities of the group"),
            date("trade_date"),
            EVENT,
            u8("security_trading_status", TRADING_STATUS),
            *STATUS_END,
        ),
    ),
    book(32, "refresh book (legacy)"),
    daily_statistics(33, "refresh daily statistics (legacy)"),
    limits(34, "refresh limits and banding (legacy)"),
    session_statistics(35, "refresh session statistics (legacy)"),
    message(36, "refresh trade (legacy)", OF_EVENT, SbeGroup(ENTRIES, LEGACY_TRADE)),
    message(37, "refresh volume", OF_EVENT, SbeGroup(ENTRIES, VOLUME)),
    message(
        39,
        "quote request",
        (TRANSACT_TIME, le.alpha("quote_req_id", 23), EVENT, le.raw("padding", 3)),
        SbeGroup("related_symbols", QUOTE),
    ),
    trades(42, "refresh trade summary (legacy)"),
    order_book(43, "refresh order book (legacy)"),
    book(46, "refresh book"),
    order_book(47, "refresh order book"),
    trades(48, "refresh trade summary"),
    daily_statistics(49, "refresh daily statistics"),
    limits(50, "refresh limits and banding"),
    session_statistics(51, "refresh session statistics"),
    message(
        60,
        "security status workup",
        (
            TRANSACT_TIME,
            price("md_entry_px"),
            SECURITY_ID,
            EVENT,
            date("trade_date"),
            le.u32("trade_link_id"),
            le.u8("workup_trading_status", values=TRADING_STATUS),
            *STATUS_END,
        ),
        SbeGroup(ORDER_IDS, WORKUP_ORDER),
    ),
    message(62, "collateral market value", OF_EVENT, SbeGroup(ENTRIES, COLLATERAL)),
    message(64, "refresh book (long)", OF_EVENT, SbeGroup(ENTRIES, LONG_LEVEL), order_ids()),
    message(65, "refresh trade summary (long)", OF_EVENT, SbeGroup(ENTRIES, LONG_TRADE), fills()),
    message(66, "refresh volume (long)", OF_EVENT, SbeGroup(ENTRIES, LONG_VOLUME)),
    message(67, "refresh session statistics (long)", OF_EVENT, SbeGroup(ENTRIES, LONG_STATISTIC)),
)
