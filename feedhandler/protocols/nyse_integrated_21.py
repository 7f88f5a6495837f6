"""NYSE Integrated Feed 2.1 (XDP), as sent until the feeds were renamed Pillar in version 2.4.

Differs from 2.5 in what parity splits and the execution's database id fill, and in the shorter
imbalance.

Source: XDP Integrated Feed Client Specification 2.1, after the public dissector of revision g.
"""

from __future__ import annotations

from feedhandler.protocols.nyse_control import CONTROL, le, message
from feedhandler.wire.protocol import Protocol

ORDERED = (le.u32("source_time_ns"), le.u32("symbol_index"), le.u32("symbol_seq_num"))
TIMED = (le.u32("source_time"), *ORDERED)
SIDE = {"B": "buy", "S": "sell"}
CROSS_TYPE = {"E": "early opening", "O": "opening", "5": "reopening", "6": "closing"}
RPI_INDICATOR = {
    " ": "no retail interest",
    "A": "interest on bid",
    "B": "interest on offer",
    "C": "interest on bid and offer",
}
AUCTION_TYPE = {
    "O": "early opening",
    "M": "core opening",
    "H": "reopening",
    "C": "closing",
    "R": "regulatory imbalance",
}
IMBALANCE_SIDE = {" ": "no imbalance", "B": "buy side", "S": "sell side"}
AUCTION_STATUS = {
    0: "will run open close",
    1: "will run interest",
    2: "will not run imbalance",
    3: "will not run transition to closing",
}
FREEZE_STATUS = {0: "no imbalance freeze", 1: "imbalance freeze"}
PRINTABLE_FLAG = {0: "not printed", 1: "printed"}

RECORDS = [
    *CONTROL,
    message(
        100,
        "add order",
        39,
        *ORDERED,
        le.u64("order_id"),
        le.price("price", 4, None),
        le.u32("volume"),
        le.alpha("side", 1, SIDE),
        le.alpha("firm_id", 5),
        le.u8("num_parity_splits"),
    ),
    message(
        101,
        "modify order",
        35,
        *ORDERED,
        le.u64("order_id"),
        le.price("price", 4, None),
        le.u32("volume"),
        le.u8("position_change"),
        le.u8("prev_price_parity_splits"),
        le.u8("new_price_parity_splits"),
    ),
    message(
        104,
        "replace order",
        42,
        *ORDERED,
        le.u64("order_id"),
        le.u64("new_order_id"),
        le.price("price", 4, None),
        le.u32("volume"),
        le.u8("prev_price_parity_splits"),
        le.u8("new_price_parity_splits"),
    ),
    message(102, "delete order", 25, *ORDERED, le.u64("order_id"), le.u8("num_parity_splits")),
    message(112, "trade cancel", 20, *ORDERED, le.u32("trade_id")),
    message(
        111,
        "cross trade",
        29,
        *ORDERED,
        le.u32("cross_id"),
        le.price("price", 4, None),
        le.u32("volume"),
        le.alpha("cross_type", 1, CROSS_TYPE),
    ),
    message(113, "cross correction", 24, *ORDERED, le.u32("cross_id"), le.u32("volume")),
    message(
        114, "retail price improvement", 17, *ORDERED, le.alpha("rpi_indicator", 1, RPI_INDICATOR)
    ),
    message(
        106,
        "add order refresh",
        43,
        *TIMED,
        le.u64("order_id"),
        le.price("price", 4, None),
        le.u32("volume"),
        le.alpha("side", 1, SIDE),
        le.alpha("firm_id", 5),
        le.u8("num_parity_splits"),
    ),
    message(
        105,
        "imbalance",
        67,
        *TIMED,
        le.price("reference_price", 4, None),
        le.u32("paired_qty"),
        le.u32("total_imbalance_qty"),
        le.u32("market_imbalance_qty"),
        le.u16("auction_time"),
        le.alpha("auction_type", 1, AUCTION_TYPE),
        le.alpha("imbalance_side", 1, IMBALANCE_SIDE),
        le.price("continuous_book_clearing_price", 4, None),
        le.price("closing_only_clearing_price", 4, None),
        le.price("ssr_filing_price", 4, None),
        le.price("indicative_match_price", 4, None),
        le.price("upper_collar", 4, None),
        le.price("lower_collar", 4, None),
        le.u8("auction_status", values=AUCTION_STATUS),
        le.u8("freeze_status", values=FREEZE_STATUS),
        le.u8("num_extensions"),
    ),
    message(
        103,
        "order execution",
        42,
        *ORDERED,
        le.u64("order_id"),
        le.u32("trade_id"),
        le.price("price", 4, None),
        le.u32("volume"),
        le.u8("printable_flag", values=PRINTABLE_FLAG),
        le.u8("num_parity_splits"),
        le.u32("db_exec_id"),
    ),
    message(
        110,
        "non displayed trade",
        33,
        *ORDERED,
        le.u32("trade_id"),
        le.price("price", 4, None),
        le.u32("volume"),
        le.u8("printable_flag", values=PRINTABLE_FLAG),
        le.u32("db_exec_id"),
    ),
    message(
        223,
        "stock summary",
        36,
        le.u32("source_time"),
        le.u32("source_time_ns"),
        le.u32("symbol_index"),
        le.price("high_price", 4, None),
        le.price("low_price", 4, None),
        le.u32("open"),
        le.u32("close"),
        le.u32("total_volume"),
    ),
]

NYSE_INTEGRATED_21 = Protocol(
    "nyse_integrated_21",
    "NYSE Integrated Feed 2.1",
    RECORDS,
    code_offset=2,
    code_width=2,
    source="NYSE Integrated Feed Client Specification 2.1",
)
