"""NYSE Integrated Feed 2.5 (Pillar): all orders, trades and imbalances of a NYSE group market.

Source: NYSE Integrated Feed Client Specification 2.5, after the public dissector of revision g.
"""

from __future__ import annotations

from feedhandler.protocols.nyse_control import CONTROL, le, message
from feedhandler.wire.protocol import Protocol

ORDERED = (le.u32("source_time_ns"), le.u32("symbol_index"), le.u32("symbol_seq_num"))
TIMED = (le.u32("source_time"), *ORDERED)
TRADE_CONDITIONS = tuple(le.alpha(f"trade_cond_{n}", 1) for n in range(1, 5))
SIDE = {"B": "buy", "S": "sell"}
PRINTABLE_FLAG = {0: "not printed to the sip", 1: "printed to the sip"}
AUCTION_TYPE = {
    "O": "early opening auction",
    "M": "core opening auction",
    "H": "reopening auction halt resume",
    "C": "closing auction",
    "P": "extreme closing imbalance",
    "R": "significant closing imbalance",
}
IMBALANCE_SIDE = {"B": "buy side", "S": "sell side", " ": "no imbalance"}
AUCTION_STATUS = {
    0: "will run as always for open and close",
    1: "will run because interest exists inside or at the collars",
    2: "will not run because there is an imbalance",
    3: "will not run and transition to the closing auction",
}
FREEZE_STATUS = {0: "imbalance freeze not in effect", 1: "imbalance freeze is in effect"}
UNPAIRED_SIDE = {"B": "buy side", "S": "sell side", " ": "not applicable"}
CROSS_TYPE = {
    "E": "market center early opening auction",
    "O": "market center opening auction",
    "5": "market center reopening auction",
    "6": "market center closing auction",
}
RPI_INDICATOR = {
    " ": "no retail interest default",
    "A": "retail interest on the bid side",
    "B": "retail interest on the offer side",
    "C": "retail interest on the bid and offer sides",
}

RECORDS = [
    *CONTROL,
    message(
        100,
        "add order",
        39,
        *ORDERED,
        le.u64("order_id"),
        le.signed_price("price", 4, None),
        le.u32("volume"),
        le.alpha("side", 1, SIDE),
        le.alpha("firm_id", 5),
        le.u8("reserved_1"),
    ),
    message(
        101,
        "modify order",
        35,
        *ORDERED,
        le.u64("order_id"),
        le.signed_price("price", 4, None),
        le.u32("volume"),
        le.u8("position_change"),
        le.alpha("side", 1, SIDE),
        le.u8("reserved_1"),
    ),
    message(102, "delete order", 25, *ORDERED, le.u64("order_id"), le.u8("reserved_1")),
    message(
        103,
        "order execution",
        42,
        *ORDERED,
        le.u64("order_id"),
        le.u32("trade_id"),
        le.signed_price("price", 4, None),
        le.u32("volume"),
        le.u8("printable_flag", values=PRINTABLE_FLAG),
        le.u8("reserved_1"),
        *TRADE_CONDITIONS,
    ),
    message(
        104,
        "replace order",
        42,
        *ORDERED,
        le.u64("order_id"),
        le.u64("new_order_id"),
        le.signed_price("price", 4, None),
        le.u32("volume"),
        le.alpha("side", 1, SIDE),
        le.u8("reserved_1"),
    ),
    message(
        105,
        "imbalance",
        73,
        *TIMED,
        le.signed_price("reference_price", 4, None),
        le.u32("paired_qty"),
        le.u32("total_imbalance_qty"),
        le.u32("market_imbalance_qty"),
        le.u16("auction_time"),
        le.alpha("auction_type", 1, AUCTION_TYPE),
        le.alpha("imbalance_side", 1, IMBALANCE_SIDE),
        le.signed_price("continuous_book_clearing_price", 4, None),
        le.signed_price("auction_interest_clearing_price", 4, None),
        le.signed_price("ssr_filing_price", 4, None),
        le.signed_price("indicative_match_price", 4, None),
        le.price("upper_collar", 4, None),
        le.price("lower_collar", 4, None),
        le.u8("auction_status", values=AUCTION_STATUS),
        le.u8("freeze_status", values=FREEZE_STATUS),
        le.u8("num_extensions"),
        le.u32("unpaired_qty"),
        le.alpha("unpaired_side", 1, UNPAIRED_SIDE),
        le.u8("reserved_1"),
    ),
    message(
        106,
        "add order refresh",
        43,
        *TIMED,
        le.u64("order_id"),
        le.signed_price("price", 4, None),
        le.u32("volume"),
        le.alpha("side", 1, SIDE),
        le.alpha("firm_id", 5),
        le.u8("reserved_1"),
    ),
    message(
        110,
        "non displayed trade",
        33,
        *ORDERED,
        le.u32("trade_id"),
        le.signed_price("price", 4, None),
        le.u32("volume"),
        le.u8("printable_flag", values=PRINTABLE_FLAG),
        *TRADE_CONDITIONS,
    ),
    message(
        111,
        "cross trade",
        29,
        *ORDERED,
        le.u32("cross_id"),
        le.signed_price("price", 4, None),
        le.u32("volume"),
        le.alpha("cross_type", 1, CROSS_TYPE),
    ),
    message(112, "trade cancel", 20, *ORDERED, le.u32("trade_id")),
    message(113, "cross correction", 24, *ORDERED, le.u32("cross_id"), le.u32("volume")),
    message(
        114, "retail price improvement", 17, *ORDERED, le.alpha("rpi_indicator", 1, RPI_INDICATOR)
    ),
    message(
        223,
        "stock summary",
        36,
        le.u32("source_time"),
        le.u32("source_time_ns"),
        le.u32("symbol_index"),
        le.signed_price("high_price", 4, None),
        le.signed_price("low_price", 4, None),
        le.u32("open"),
        le.u32("close"),
        le.u32("total_volume"),
    ),
]

NYSE_INTEGRATED_25 = Protocol(
    "nyse_integrated_25",
    "NYSE Integrated Feed 2.5",
    RECORDS,
    code_offset=2,
    code_width=2,
    source="NYSE Integrated Feed Client Specification 2.5",
)
