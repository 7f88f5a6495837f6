"""CTA Consolidated Tape System: the trades of NYSE and regional listings, of all markets.

One table reads 1.91 to 2.11: the captures of all of them have the same messages. Times are seconds
and ns since the epoch. Long prices have 6 decimals, short ones 2; volumes that may have parts of a
share have 6 decimals. A message is chosen by its category and its type: trades (T), the day before
(P), summaries (S), administrative (A), control (C) and market status (M).

Source: CTS Pillar output specification 2.11 (CTA). From general knowledge: that the 4 bytes of a
fractional short trade have 6 decimals as well, and the sale
conditions.
"""

from __future__ import annotations

from feedhandler.protocols.cqs210 import (
    CONTROL,
    FINANCIAL_STATUS,
    INSTRUMENT_TYPE,
    LISTING,
    MARKET_STATUS,
    RESTRICTION,
    SECOND_TIME,
    SECURITY_STATUS_INDICATOR,
    SHORT_SALE_RESTRICTION_INDICATOR,
    SYMBOL,
    be,
    message,
)
from feedhandler.wire.field import Field
from feedhandler.wire.protocol import Protocol

SALE_CONDITION = {
    " ": "not applicable or regular",
    "@": "regular",
    "B": "average price",
    "C": "cash",
    "E": "automatic execution",
    "F": "intermarket sweep",
    "H": "price variation",
    "I": "odd lot",
    "K": "rule 127 or 155",
    "L": "sold last",
    "M": "market center official close",
    "N": "next day",
    "O": "market center opening",
    "P": "prior reference price",
    "Q": "market center official open",
    "R": "seller",
    "T": "extended hours",
    "U": "extended hours, out of sequence",
    "V": "contingent",
    "X": "cross",
    "Z": "sold, out of sequence",
    "4": "derivatively priced",
    "5": "market center reopening",
    "6": "market center closing",
    "7": "qualified contingent",
    "8": "reserved",
    "9": "corrected consolidated close",
}
SECURITY_STATUS = {
    " ": "not applicable",
    "2": "trading halt",
    "3": "resume",
    "5": "price indication",
    "6": "trading range indication",
    "7": "market imbalance buy",
    "8": "market imbalance sell",
    "9": "closing imbalance buy",
    "A": "closing imbalance sell",
    "C": "no market imbalance",
    "D": "no closing imbalance",
    "E": "short sale restriction",
    "F": "luld price band",
}
LULD_INDICATOR = {" ": "not applicable", "A": "price band", "B": "republished price band"}
CANCEL_ERROR_ACTION = {"1": "cancel", "2": "error"}
EXEMPT = {"0": "no trade-through exemption", "1": "trade-through exemption"}
CONDITION_NAMES = (
    "settlement_type",
    "trade_through_exempt_reason",
    "extended_hours_or_sequence_type",
    "sro_trade_detail",
)

CONDITIONS = tuple(
    be.alpha(name, 1, SALE_CONDITION, within=("sale_conditions",)) for name in CONDITION_NAMES
)
VOLUME = be.u32("trade_volume")
FRACTIONAL = be.u64("fractional_trade_volume", note="millionths of a share")
SELLER = (
    be.u8("sellers_sale_days"),
    be.alpha("stop_stock_indicator", 1),
    be.alpha("trade_through_exempt_indicator", 1, EXEMPT),
)
FACILITY = be.alpha("trade_reporting_facility_id", 1)
HIGH_LOW = (
    be.alpha("consolidated_high_low_last_indicator", 1),
    be.alpha("participant_open_high_low_last_indicator", 1),
)
STATES = (RESTRICTION, LISTING, FINANCIAL_STATUS)
ORIGINAL = be.sint("original_participant_reference_number", 8)
ACTION = be.alpha("cancel_error_action", 1, CANCEL_ERROR_ACTION)
PRICE = be.price("trade_price", 8, 6)


def long_trade(volume: Field) -> tuple[Field, ...]:
    """What a long trade says of the trade, with the kind of volume it has."""
    return (SYMBOL, INSTRUMENT_TYPE, *CONDITIONS, PRICE, volume, *SELLER)


def totals(whose: str, volume: Field, *more: Field) -> tuple[Field, ...]:
    """High, low, last and volume of a security behind a cancel or a correction."""
    return (
        be.u32(f"{whose}_previous_close_price_date"),
        *(() if whose == "participant" else (be.alpha("consolidated_last_participant_id", 1),)),
        be.price(f"{whose}_last_price", 8, 6),
        be.price(f"{whose}_high_price", 8, 6),
        be.price(f"{whose}_low_price", 8, 6),
        *more,
        volume,
        be.alpha(f"{whose}_tick", 1),
    )


def both_totals(width: int, name: str) -> tuple[Field, ...]:
    """The totals of all markets together and those of the market of the trade."""
    consolidated = be.uint(f"consolidated_{name}", width)
    own = be.uint(f"participant_{name}", width)
    opened = be.price("participant_open_price", 8, 6)
    return (*totals("consolidated", consolidated), *totals("participant", own, opened))


def corrected(prefix: str) -> tuple[Field, ...]:
    """A trade as it was, or as it is now."""
    return (
        be.alpha(f"{prefix}_sale_condition", 4),
        be.price(f"{prefix}_trade_price", 8, 6),
        be.u32(f"{prefix}_trade_volume"),
        be.u8(f"{prefix}_sellers_sale_days"),
        be.alpha(f"{prefix}_stop_stock_indicator", 1),
        be.alpha(f"{prefix}_trade_through_exempt_indicator", 1, EXEMPT),
        be.alpha(f"{prefix}_short_sale_restriction_indicator", 1, SHORT_SALE_RESTRICTION_INDICATOR),
    )


def short_trade(volume: Field) -> tuple[Field, ...]:
    """The short form of a trade: five letters, one condition."""
    return (
        be.alpha("security_symbol_5", 5),
        be.alpha("sale_condition_1", 1, SALE_CONDITION),
        be.alpha("sale_condition_category", 1),
        be.price("trade_price_2", 2, 2),
        volume,
        LISTING,
        *HIGH_LOW,
    )


PRIOR_DAY = (
    *long_trade(FRACTIONAL),
    RESTRICTION,
    FACILITY,
    be.u32("prior_seconds", within=("prior_day_trade_date_and_time",), note="since the epoch"),
    be.u32("prior_nanoseconds", within=("prior_day_trade_date_and_time",)),
)
SUMMARY = (SYMBOL, INSTRUMENT_TYPE)
PREVIOUS = (be.u32("previous_close_price_date"), be.price("previous_close_price", 8, 6))
END_OF_DAY = (
    be.u32("previous_close_price_date"),
    be.price("last_price", 8, 6),
    be.price("high_price", 8, 6),
    be.price("low_price", 8, 6),
)
TOTAL = be.u64("fractional_total_volume", note="millionths of a share")
SUMMARIZED = be.alpha("summary_participant_id", 1)
PARTICIPANTS = be.u8("number_of_participants")

TRADES = [
    message(
        "TL",
        "long trade",
        72,
        *long_trade(VOLUME),
        FACILITY,
        *SECOND_TIME,
        *STATES,
        be.alpha("held_trade_indicator", 1),
        *HIGH_LOW,
    ),
    message("TT", "short trade", 40, *short_trade(be.u16("trade_volume_2"))),
    message(
        "TR",
        "fractional long trade",
        76,
        *long_trade(FRACTIONAL),
        FACILITY,
        *SECOND_TIME,
        *STATES,
        be.alpha("held_trade_indicator", 1),
        *HIGH_LOW,
    ),
    message(
        "TH",
        "fractional short trade",
        42,
        *short_trade(be.u32("fractional_trade_volume_4", note="millionths of a share")),
    ),
    message(
        "TC",
        "trade correction",
        172,
        SYMBOL,
        INSTRUMENT_TYPE,
        *corrected("corrected"),
        FACILITY,
        *SECOND_TIME,
        ORIGINAL,
        *corrected("original"),
        LISTING,
        FINANCIAL_STATUS,
        *both_totals(4, "total_volume"),
    ),
    message(
        "TX",
        "trade cancel error",
        153,
        *long_trade(VOLUME),
        FACILITY,
        ORIGINAL,
        *SECOND_TIME,
        ACTION,
        *STATES,
        *both_totals(4, "total_volume"),
    ),
    message(
        "TE",
        "fractional trade cancel error",
        165,
        *long_trade(FRACTIONAL),
        FACILITY,
        ORIGINAL,
        *SECOND_TIME,
        ACTION,
        *STATES,
        *both_totals(8, "fractional_total_volume"),
    ),
    message(
        "TS",
        "trading status",
        76,
        SYMBOL,
        INSTRUMENT_TYPE,
        be.price("last_price", 8, 6),
        be.price("high_indication_price_upper_limit_price_band", 8, 6),
        be.price("low_indication_price_lower_limit_price_band", 8, 6),
        be.u32("buy_volume"),
        be.u32("sell_volume"),
        be.alpha("security_status", 1, SECURITY_STATUS),
        be.alpha("halt_reason", 1, SECURITY_STATUS_INDICATOR),
        *STATES,
        be.alpha("limit_up_limit_down_luld_indicator", 1, LULD_INDICATOR),
        note="the indications are the price bands where the luld indicator is A or B",
    ),
]
SUMMARIES = [
    message("PR", "fractional prior day trade", 71, *PRIOR_DAY),
    message("PE", "fractional prior day trade cancel error", 72, *PRIOR_DAY, ACTION),
    message(
        "SA",
        "consolidated start of day summary",
        55,
        *SUMMARY,
        SUMMARIZED,
        *PREVIOUS,
        *STATES,
        PARTICIPANTS,
    ),
    message("SB", "participant start of day summary", 51, *SUMMARY, SUMMARIZED, *PREVIOUS),
    message(
        "ST",
        "fractional consolidated end of day summary",
        79,
        *SUMMARY,
        be.alpha("last_participant_id", 1),
        *END_OF_DAY,
        TOTAL,
        *STATES,
        PARTICIPANTS,
    ),
    message(
        "SP",
        "fractional participant end of day summary",
        84,
        *SUMMARY,
        SUMMARIZED,
        *END_OF_DAY,
        be.price("open_price", 8, 6),
        TOTAL,
        be.alpha("tick", 1),
    ),
    message("AC", "start of start of day summary", 26),
    message("AD", "end of start of day summary", 26),
]

CTS211 = Protocol(
    "cts211",
    "CTA CTS 2.11",
    [*TRADES, *SUMMARIES, *CONTROL, *MARKET_STATUS],
    code_offset=2,
    code_width=2,
    code_big=True,
    source="CTS Pillar output specification 2.11 (CTA)",
)
