"""CTA Consolidated Quotation System: what the consolidated tape says of NYSE and regional listings.

One table reads 1.91 to 2.10: captures of both have the same messages. Times are seconds and ns
since the epoch. Long prices have 6 decimals, short ones 2. A message is chosen by its category and
its type: quotes (Q), administrative (A), control (C) and market status (M).

Source: CQS Pillar output specification 2.10 (CTA).
"""

from __future__ import annotations

from collections.abc import Iterable

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Tail
from feedhandler.wire.tails import Appendage

be = Fields(big=True)

FIRST = ("timestamp_1",)
SECOND = ("timestamp_2",)
PARTICIPANT = (
    be.alpha("participant_id", 1),
    be.u32("seconds", within=FIRST, note="since the epoch, of the participant"),
    be.u32("nanoseconds", within=FIRST),
    be.u8("message_id", note="counts the messages of the block"),
    be.u32("transaction_id"),
    be.sint("participant_reference_number", 8),
)
SECOND_TIME = (
    be.u32("seconds_2", within=SECOND, note="since the epoch, of FINRA's quote"),
    be.u32("nanoseconds_2", within=SECOND),
)
SYMBOL = be.alpha("security_symbol", 11)

QUOTE_CONDITION = {
    " ": "not applicable",
    "A": "slow on the offer side",
    "B": "slow on the bid side",
    "C": "closing",
    "E": "slow by lrp or gap quote on the bid side",
    "F": "slow by lrp or gap quote on the offer side",
    "H": "slow on both sides",
    "L": "closed market maker",
    "N": "non-firm",
    "O": "opening",
    "R": "regular",
    "U": "slow by lrp or gap quote on both sides",
    "W": "slow by set slow list on both sides",
    "4": "on-demand intraday auction",
}
SECURITY_STATUS_INDICATOR = {
    " ": "not applicable",
    "A": "additional information requested",
    "C": "regulatory concern",
    "D": "news released",
    "E": "merger effective",
    "F": "etf component prices not available",
    "G": "trading range indication",
    "I": "order imbalance",
    "M": "luld trading pause",
    "N": "corporate action",
    "O": "new security offering",
    "P": "news pending",
    "T": "resume",
    "V": "intraday indicative value not available",
    "X": "operational",
    "Y": "sub-penny trading",
    "Z": "no open, no resume",
    "0": "luld price band",
    "9": "republished luld price band",
    "1": "market wide circuit breaker level 1 breached",
    "2": "market wide circuit breaker level 2 breached",
    "3": "market wide circuit breaker level 3 breached",
}
SHORT_SALE_RESTRICTION_INDICATOR = {
    " ": "not in effect",
    "A": "activated",
    "C": "continued",
    "D": "deactivated",
    "E": "in effect",
}
LULD_INDICATOR = {
    " ": "not applicable",
    "A": "bid above the upper band",
    "B": "offer below the lower band",
}
NATIONAL_BBO_LULD_INDICATOR = {
    " ": "not applicable",
    "A": "executable",
    "B": "bid below the lower band",
    "C": "offer above the upper band",
    "D": "bid below the lower, offer above the upper band",
    "E": "bid in limit state",
    "F": "offer in limit state",
    "G": "bid in limit state, offer above the upper band",
    "H": "offer in limit state, bid below the lower band",
    "I": "bid and offer in limit state",
}
NATIONAL_BBO_INDICATOR = {
    " ": "quote not included",
    "A": "no change",
    "B": "no bid change, the quote has the best offer",
    "C": "no bid change, offer in a short appendage",
    "D": "no bid change, offer in a long appendage",
    "E": "no bid change, no best offer",
    "F": "the quote has the best bid, no offer change",
    "G": "the quote has both",
    "H": "the quote has the best bid, offer in a short appendage",
    "I": "the quote has the best bid, offer in a long appendage",
    "J": "the quote has the best bid, no best offer",
    "K": "no best bid, no offer change",
    "L": "no best bid, the quote has the best offer",
    "M": "no best bid, offer in a short appendage",
    "N": "no best bid, offer in a long appendage",
    "O": "neither",
    "P": "bid in a short appendage, no offer change",
    "Q": "bid in a long appendage, no offer change",
    "R": "bid in a short appendage, the quote has the best offer",
    "S": "bid in a long appendage, the quote has the best offer",
    "T": "both in short appendages",
    "U": "both in long appendages",
    "V": "bid in a short appendage, no best offer",
    "W": "bid in a long appendage, no best offer",
}
MWCB_LEVEL = {
    " ": "not applicable",
    "1": "level 1 breached",
    "2": "level 2 breached",
    "3": "level 3 breached",
}


def message(
    code: str, name: str, size: int, *fields: Field, tails: Iterable[Tail] = (), note: str = ""
) -> Record:
    """A message by its category and type, with the header that all share."""
    head = (
        be.u16("message_length", role=Role.LENGTH, note="counts itself"),
        be.alpha("message_category", 1, role=Role.HEADER, fixed=code[0]),
        be.alpha("message_type", 1, role=Role.CODE, fixed=code[1]),
    )
    return Record(code, name, size, [*head, *PARTICIPANT, *fields], tails, note)


def long_side(side: str) -> tuple[Field, ...]:
    """A national best of long prices."""
    return (
        be.alpha(f"best_{side}_participant_id", 1),
        be.alpha(f"best_{side}_quote_condition", 1, QUOTE_CONDITION),
        be.price(f"best_{side}_price_long", 8, 6),
        be.u32(f"best_{side}_size_long"),
        be.alpha(f"finra_best_{side}_market_maker_id", 4),
    )


def short_side(side: str) -> tuple[Field, ...]:
    """A national best of short prices."""
    return (
        be.alpha(f"best_{side}_participant_id", 1),
        be.price(f"best_{side}_price_short", 2, 2),
        be.u16(f"best_{side}_size_short"),
    )


def appendage(name: str, size: int, *fields: Field) -> Record:
    """The table of one form of appendage."""
    return Record("", f"national best {name} appendage", size, fields)


BID_LONG = appendage("bid long", 18, *long_side("bid"))
OFFER_LONG = appendage("offer long", 18, *long_side("offer"))
BOTH_LONG = appendage("bid and offer long", 36, *long_side("bid"), *long_side("offer"))
BID_SHORT = appendage("bid short", 5, *short_side("bid"))
OFFER_SHORT = appendage("offer short", 5, *short_side("offer"))
BOTH_SHORT = appendage("bid and offer short", 10, *short_side("bid"), *short_side("offer"))
NATIONAL = Appendage(
    "national_bbo_indicator",
    {
        **dict.fromkeys("QSW", BID_LONG),
        **dict.fromkeys("DIN", OFFER_LONG),
        "U": BOTH_LONG,
        **dict.fromkeys("PRV", BID_SHORT),
        **dict.fromkeys("CHM", OFFER_SHORT),
        "T": BOTH_SHORT,
    },
)
RESTRICTION = be.alpha("short_sale_restriction_indicator", 1, SHORT_SALE_RESTRICTION_INDICATOR)
LISTING = be.alpha("primary_listing_market_participant_id", 1)
FINANCIAL_STATUS = be.alpha("financial_status_indicator", 1)
NATIONAL_INDICATOR = be.alpha("national_bbo_indicator", 1, NATIONAL_BBO_INDICATOR)
CONDITIONS = (
    be.alpha("quote_condition", 1, QUOTE_CONDITION),
    be.alpha("security_status_indicator", 1, SECURITY_STATUS_INDICATOR),
)
INTEREST = (
    be.alpha("retail_interest_indicator", 1),
    be.alpha("settlement_condition", 1),
    be.alpha("market_condition", 1),
    be.alpha("finra_market_maker_id", 4),
)
INSTRUMENT_TYPE = be.alpha("instrument_type", 1)

QUOTES = [
    message(
        "QA",
        "auction status",
        128,
        SYMBOL,
        INSTRUMENT_TYPE,
        be.price("auction_collar_reference_price", 8, 6),
        be.price("auction_collar_upper_threshold_price", 8, 6),
        be.price("auction_collar_lower_threshold_price", 8, 6),
        be.u8("number_of_extensions"),
        RESTRICTION,
        LISTING,
        FINANCIAL_STATUS,
        be.alpha("reserved_62", 62),
    ),
    message(
        "QL",
        "long quote",
        87,
        SYMBOL,
        INSTRUMENT_TYPE,
        *CONDITIONS,
        be.price("bid_price_lower_limit_price_band", 8, 6),
        be.u32("bid_size_long"),
        be.price("offer_price_upper_limit_price_band", 8, 6),
        be.u32("offer_size_long"),
        *INTEREST,
        be.alpha("finra_bbo_indicator", 1),
        *SECOND_TIME,
        RESTRICTION,
        LISTING,
        FINANCIAL_STATUS,
        be.alpha("sip_generated_message_identifier", 1),
        be.alpha("limit_up_limit_down_luld_indicator", 1, LULD_INDICATOR),
        be.alpha("national_bbo_luld_indicator", 1, NATIONAL_BBO_LULD_INDICATOR),
        NATIONAL_INDICATOR,
        tails=[NATIONAL],
        note="the prices are the price bands where security_status_indicator is 0 or 9",
    ),
    message(
        "QQ",
        "short quote",
        47,
        SYMBOL,
        be.price("bid_price_short", 2, 2),
        be.u16("bid_size_short"),
        be.price("offer_price_short", 2, 2),
        be.u16("offer_size_short"),
        LISTING,
        NATIONAL_INDICATOR,
        tails=[NATIONAL],
    ),
    message(
        "QS",
        "special long quote",
        120,
        SYMBOL,
        INSTRUMENT_TYPE,
        *CONDITIONS,
        be.price("bid_price_long", 8, 6),
        be.u32("bid_size_long"),
        be.price("offer_price_long", 8, 6),
        be.u32("offer_size_long"),
        *INTEREST,
        be.alpha("finra_best_bid_quote_condition", 1, QUOTE_CONDITION),
        be.price("finra_best_bid_price", 8, 6),
        be.u32("finra_best_bid_size"),
        be.alpha("finra_bbo_bid_market_maker_id", 4),
        be.alpha("finra_best_offer_quote_condition", 1, QUOTE_CONDITION),
        be.price("finra_best_offer_price", 8, 6),
        be.u32("finra_best_offer_size"),
        be.alpha("finra_bbo_offer_market_maker_id", 4),
        *SECOND_TIME,
        RESTRICTION,
        LISTING,
        FINANCIAL_STATUS,
        be.alpha("sip_generated_message_identifier", 1),
        be.alpha("finra_bbo_luld_indicator", 1),
        be.alpha("national_bbo_luld_indicator", 1, NATIONAL_BBO_LULD_INDICATOR),
        NATIONAL_INDICATOR,
        tails=[NATIONAL],
    ),
]
REFERENCE = message(
    "AS",
    "symbol reference data",
    209,
    SYMBOL,
    be.alpha("prior_security_symbol", 11),
    LISTING,
    be.price("primary_listing_market_previous_closing_price", 8, 6),
    be.price("consolidated_closing_price", 8, 6),
    be.u16("round_lot_size"),
    be.alpha("reserved", 1),
    be.alpha("luld_tier", 1, {"0": "not applicable", "1": "tier 1", "2": "tier 2"}),
    be.u32("luld_leverage_ratio"),
    be.alpha("test", 1, {"0": "no test symbol", "1": "test symbol"}),
    be.alpha("ipo", 1),
    FINANCIAL_STATUS,
    RESTRICTION,
    be.alpha("halt_reason", 1, SECURITY_STATUS_INDICATOR),
    INSTRUMENT_TYPE,
    be.alpha("second_reserved", 1),
    be.alpha("third_reserved", 1),
    be.alpha("reserved_128", 128),
)
CONTROL = [
    message("CA", "start of day", 26),
    message("CC", "finra close", 26),
    message("CL", "reset block sequence number", 26),
    message("CM", "start of test cycle", 26),
    message("CN", "end of test cycle", 26),
    message("CO", "finra open", 26),
    message("CP", "disaster recovery data center activation", 26),
    message("CT", "line integrity", 26),
    message("CZ", "end of day", 26),
]
MARKET_STATUS = [
    message(
        "MK",
        "market wide circuit breaker decline level status",
        51,
        be.sint("mwcb_level_1", 8),
        be.sint("mwcb_level_2", 8),
        be.sint("mwcb_level_3", 8),
        be.alpha("reserved", 1),
    ),
    message(
        "ML",
        "market wide circuit breaker status",
        28,
        be.alpha("market_wide_circuit_breaker_level_indicator", 1, MWCB_LEVEL),
        be.alpha("reserved", 1),
    ),
]

CQS210 = Protocol(
    "cqs210",
    "CTA CQS 2.10",
    [*QUOTES, REFERENCE, *CONTROL, *MARKET_STATUS],
    code_offset=2,
    code_width=2,
    code_big=True,
    source="CQS Pillar output specification 2.10 (CTA)",
)
