"""UTP Quotation Data Feed 1.5: what the consolidated tape says of Nasdaq-listed securities.

Times are ns since the epoch. Long prices have 6 decimals, short ones 2. A message is chosen by its
category and its type: quotes (Q), administrative (A) and control (C).

Source: UTP Quotation Data Feed (UQDF) binary output specification 1.5.
"""

from __future__ import annotations

from collections.abc import Iterable

from feedhandler.wire.field import Field, Fields, Role
from feedhandler.wire.protocol import Protocol
from feedhandler.wire.record import Record, Tail
from feedhandler.wire.tails import Appendage, Group, OnlyWhen, Text

be = Fields(big=True)

INFO = ("message_info",)
MESSAGE_INFO = (
    be.alpha("market_center_originator_id", 1, within=INFO),
    be.alpha("sub_market_center_id", 1, within=INFO),
    be.u64("sip_timestamp", within=INFO, note="ns since the epoch"),
    be.u64("participant_timestamp", within=INFO, note="ns since the epoch; 0: none"),
    be.u64("participant_token", within=INFO),
)
SYMBOL = be.alpha("symbol", 11)
SYMBOL_SHORT = be.alpha("symbol_short", 5)

QUOTE_CONDITION = {
    "A": "manual ask, automated bid",
    "B": "manual bid, automated ask",
    "F": "fast trading",
    "H": "manual bid and ask",
    "I": "order imbalance",
    "L": "closed quote",
    "N": "non-firm quote",
    "O": "opening quote, automated",
    "R": "regular two-sided open quote, automated",
    "U": "manual bid and ask, non-firm",
    "X": "order influx",
    "Y": "automated bid without offer, or offer without bid",
    "Z": "no open, no resume",
    "4": "intraday auction",
}
LULD_BBO_INDICATOR = {
    " ": "not applicable",
    "A": "bid above the upper band",
    "B": "ask below the lower band",
    "C": "bid and ask outside the bands",
}
NBBO_APPENDAGE_INDICATOR = {
    "0": "no national bbo change",
    "1": "no national bbo can be calculated",
    "2": "short form appendage",
    "3": "long form appendage",
    "4": "the quote is the whole national bbo",
}
LULD_NATIONAL_BBO_INDICATOR = {
    " ": "not applicable",
    "A": "both executable",
    "B": "bid below the lower band",
    "C": "ask above the upper band",
    "D": "bid below the lower, ask above the upper band",
    "E": "bid in limit state",
    "F": "ask in limit state",
    "G": "bid in limit state, ask above the upper band",
    "H": "ask in limit state, bid below the lower band",
    "I": "bid and ask in limit state",
}
FINRA_ADF_MPID_APPENDAGE_INDICATOR = {
    " ": "not applicable",
    "0": "no changes",
    "1": "no mpid exists",
    "2": "mpids attached",
}
TRADING_ACTION_CODE = {
    "H": "trading halt",
    "P": "volatility trading pause",
    "Q": "quotation resumption",
    "T": "trading resumption",
}
LULD_PRICE_BAND_INDICATOR = {
    "A": "opening update",
    "B": "intraday update",
    "C": "restated value",
    "D": "suspended during a halt or pause",
    "E": "reopening update",
    "F": "outside the hours of price bands",
    " ": "none provided",
}
REG_SHO_ACTION = {
    "0": "no price test in effect",
    "1": "in effect by an intraday price drop",
    "2": "remains in effect",
}
AUTHENTICITY = {"P": "production", "T": "test", "D": "demo", "X": "deleted"}
MWCB_LEVEL = {"1": "level 1 breached", "2": "level 2 breached", "3": "level 3 breached"}


def message(
    code: str, name: str, size: int, *fields: Field, tails: Iterable[Tail] = (), note: str = ""
) -> Record:
    """A message by its category and type. The size counts no block length."""
    head = (
        be.alpha("version", 1, role=Role.HEADER, fixed="1"),
        be.alpha("message_category", 1, role=Role.HEADER, fixed=code[0]),
        be.alpha("message_type", 1, role=Role.CODE, fixed=code[1]),
    )
    return Record(code, name, size, [*head, *MESSAGE_INFO, *fields], tails, note)


NATIONAL_SHORT = Record(
    "",
    "short form national bbo appendage",
    11,
    [
        be.alpha("nbbo_quote_condition", 1, QUOTE_CONDITION),
        be.alpha("national_best_bid_market_center", 1),
        be.price("national_best_bid_price_short", 2, 2),
        be.u16("national_best_bid_size_short"),
        be.alpha("national_best_ask_market_center", 1),
        be.price("national_best_ask_price_short", 2, 2),
        be.u16("national_best_ask_size_short"),
    ],
)
NATIONAL_LONG = Record(
    "",
    "long form national bbo appendage",
    27,
    [
        be.alpha("nbbo_quote_condition", 1, QUOTE_CONDITION),
        be.alpha("best_bid_market_center", 1),
        be.price("best_bid_price", 8, 6),
        be.u32("best_bid_size"),
        be.alpha("best_ask_market_center", 1),
        be.price("best_ask_price", 8, 6),
        be.u32("best_ask_size"),
    ],
)
FINRA_MPIDS = Record(
    "", "finra adf mpid appendage", 8, [be.alpha("bid_adf_mpid", 4), be.alpha("ask_adf_mpid", 4)]
)
NATIONAL = Appendage("nbbo_appendage_indicator", {"2": NATIONAL_SHORT, "3": NATIONAL_LONG})
QUOTE_STATES = (
    be.alpha("quote_condition", 1, QUOTE_CONDITION),
    be.alpha("sip_generated_update", 1, {" ": "of the participant", "E": "of the sip"}),
    be.alpha("luld_bbo_indicator", 1, LULD_BBO_INDICATOR),
    be.alpha("retail_interest_indicator", 1),
    be.alpha("nbbo_appendage_indicator", 1, NBBO_APPENDAGE_INDICATOR),
    be.alpha("luld_national_bbo_indicator", 1, LULD_NATIONAL_BBO_INDICATOR),
)
LONG_QUOTE = (
    be.u64("finra_timestamp"),
    SYMBOL,
    be.price("bid_price", 8, 6),
    be.u32("bid_size"),
    be.price("ask_price", 8, 6),
    be.u32("ask_size"),
)
CLOSE_RECAP = Record(
    "",
    "market center close recap",
    33,
    [
        be.alpha("market_center_identifier", 1),
        be.price("market_center_bid_price", 8, 6),
        be.u64("market_center_bid_size"),
        be.price("market_center_ask_price", 8, 6),
        be.u64("market_center_ask_size"),
    ],
)

QUOTES = [
    message(
        "QE",
        "quote short form",
        48,
        SYMBOL_SHORT,
        be.price("bid_price_short", 2, 2),
        be.u16("bid_size_short"),
        be.price("ask_price_short", 2, 2),
        be.u16("ask_size_short"),
        *QUOTE_STATES,
        tails=[NATIONAL],
    ),
    message(
        "QF",
        "quote long form",
        79,
        *LONG_QUOTE,
        *QUOTE_STATES,
        be.alpha("finra_adf_mpid_appendage_indicator", 1, FINRA_ADF_MPID_APPENDAGE_INDICATOR),
        tails=[
            NATIONAL,
            OnlyWhen("finra_adf_mpid_appendage_indicator", frozenset("2"), FINRA_MPIDS),
        ],
    ),
    message(
        "QM",
        "finra adf market participant quotation",
        77,
        *LONG_QUOTE,
        be.alpha("quote_condition", 1, QUOTE_CONDITION),
        be.alpha("finra_market_participant", 4),
    ),
]
ADMINISTRATIVE = [
    message(
        "AA",
        "general administrative",
        31,
        be.u16("text_length"),
        tails=[Text("text", "text_length")],
    ),
    message(
        "AH",
        "cross sro trading action",
        59,
        SYMBOL,
        be.alpha("trading_action_code", 1, TRADING_ACTION_CODE),
        be.u32("trading_action_sequence_number"),
        be.u64("action_timestamp"),
        be.alpha("trading_action_reason", 6),
        note="the listing exchange halts or resumes a security at all markets",
    ),
    message(
        "AK",
        "market center trading action",
        50,
        SYMBOL,
        be.alpha("trading_action_code", 1, TRADING_ACTION_CODE),
        be.u64("action_timestamp"),
        be.alpha("market_center_identifier", 1),
        note="one market halts or resumes on its own; the others trade on",
    ),
    message(
        "AB",
        "issue symbol directory",
        90,
        SYMBOL,
        be.alpha("old_symbol", 11),
        be.alpha("issue_name", 30),
        be.alpha("issue_type", 1),
        be.alpha("issue_subtype", 2),
        be.alpha("market_tier", 1),
        be.alpha("authenticity", 1, AUTHENTICITY),
        be.alpha("short_sale_threshold_indicator", 1),
        be.u16("round_lot_size"),
        be.alpha("financial_status_indicator", 1),
    ),
    message(
        "AV",
        "regulation sho short sale price test restricted indicator",
        41,
        SYMBOL,
        be.alpha("reg_sho_action", 1, REG_SHO_ACTION),
    ),
    message(
        "AP",
        "limit up limit down price band",
        65,
        SYMBOL,
        be.alpha("luld_price_band_indicator", 1, LULD_PRICE_BAND_INDICATOR),
        be.u64("luld_timestamp", note="when the bands take effect"),
        be.price("limit_down_price", 8, 6),
        be.price("limit_up_price", 8, 6),
    ),
    message(
        "AC",
        "market wide circuit breaker decline level",
        53,
        be.u64("mwcb_level_1"),
        be.u64("mwcb_level_2"),
        be.u64("mwcb_level_3"),
    ),
    message(
        "AD",
        "market wide circuit breaker status",
        30,
        be.alpha("mwcb_status_level_indicator", 1, MWCB_LEVEL),
    ),
    message(
        "AE",
        "auction collar",
        69,
        SYMBOL,
        be.u32("trading_action_sequence_number"),
        be.price("collar_reference_price", 8, 6),
        be.price("collar_up_price", 8, 6),
        be.price("collar_down_price", 8, 6),
        be.alpha("collar_extension_indicator", 1),
    ),
    message(
        "AR",
        "session close recap",
        77,
        SYMBOL,
        be.alpha("national_best_bid_market_center", 1),
        be.price("national_best_bid_price", 8, 6),
        be.u64("national_best_bid_size"),
        be.alpha("national_best_ask_market_center", 1),
        be.price("national_best_ask_price", 8, 6),
        be.u64("national_best_ask_size"),
        be.alpha("special_condition", 1),
        be.u16("number_of_market_center_attachments"),
        tails=[
            Group(
                "market_center_close_recap",
                CLOSE_RECAP,
                count="number_of_market_center_attachments",
            )
        ],
    ),
]
CONTROL = [
    message("CI", "start of day", 29),
    message("CJ", "end of day", 29),
    message("CO", "market session open", 29),
    message("CC", "market session close", 29),
    message("CZ", "end of transmissions", 29),
    message("CP", "quote wipe out", 29),
]

UQDF15 = Protocol(
    "uqdf15",
    "UTP UQDF 1.5",
    [*QUOTES, *ADMINISTRATIVE, *CONTROL],
    code_offset=1,
    code_width=2,
    code_big=True,
    source="UTP Quotation Data Feed (UQDF) binary output specification 1.5",
)
