"""NYSE Integrated Feed 2.5 as the venues of the NYSE group speak it."""

from __future__ import annotations

from feedhandler import actions as a
from feedhandler.protocols.nyse_acts import ROWS_25
from feedhandler.protocols.nyse_control import SYMBOL_INDEX_MAPPING
from feedhandler.wire.acts import Act
from simulator.publishing.dialects.dialect import Dialect, Moment, nothing
from simulator.publishing.forms import Said
from simulator.publishing.layout import (
    CLOSING,
    COUNT,
    CROSS,
    OPENING,
    RESTRICTED,
    SECOND,
    SIDE,
    STATUS,
    SYSTEM,
)

SYSTEM_ID = 1
NUMBERED = {"symbol_seq_num": COUNT}
SIDES = {"side": (SIDE, {a.BUY: "B", a.SELL: "S"})}
CONDITIONS = {f"trade_cond_{n}": " " for n in range(1, 5)}
TIMED = {"key": "symbol_index", "time": "source_time_ns", "second": "source_time"}
# Trading halt and resume name a reason and the market's state; the others are session states.
SECURITY_STATUS = {
    a.STATUS_UNKNOWN: "O",
    a.STATUS_PREOPEN: "P",
    a.STATUS_TRADING: "5",
    a.STATUS_HALTED: "4",
    a.STATUS_PAUSED: "4",
    a.STATUS_QUOTING: "P",
    a.STATUS_CLOSED: "X",
    a.STATUS_AUCTION: "P",
}
HALT_CONDITION = {**dict.fromkeys(SECURITY_STATUS, "~"), a.STATUS_HALTED: "D"}
HALT_CONDITION[a.STATUS_PAUSED] = "M"
MARKET_STATE = {**dict.fromkeys(SECURITY_STATUS, "O"), a.STATUS_PREOPEN: "P"}
MARKET_STATE[a.STATUS_CLOSED] = "X"
SECURITY_STATUS_ACTS = (Act(a.STATUS, **TIMED), Act(a.RESTRICT, **TIMED))  # type: ignore[arg-type]

MESSAGES = (
    Said(2, acts=(Act(a.CLOCK),), sources={"id": SYSTEM, "source_time": SECOND}),
    Said(100, sources=NUMBERED),
    Said(101, sources=NUMBERED, choices=SIDES),
    Said(102, sources=NUMBERED),
    Said(103, sources=NUMBERED, constants=CONDITIONS),
    Said(104, sources=NUMBERED, choices=SIDES),
    Said(
        105,
        sources=NUMBERED,
        constants={"unpaired_side": " "},
        choices={"auction_type": (CROSS, {OPENING: "M", CLOSING: "C"})},
    ),
    Said(110, sources=NUMBERED, constants=CONDITIONS),
    Said(111, sources=NUMBERED, choices={"cross_type": (CROSS, {OPENING: "O", CLOSING: "6"})}),
    Said(112, sources=NUMBERED),
    Said(113, sources=NUMBERED),
    Said(32),
    Said(
        34,
        acts=SECURITY_STATUS_ACTS,
        sources=NUMBERED,
        constants={"session_state": "O"},
        choices={
            "security_status": (STATUS, SECURITY_STATUS),
            "halt_condition": (STATUS, HALT_CONDITION),
            "market_state": (STATUS, MARKET_STATE),
            "ssr_state": (RESTRICTED, {0: "~", 1: "E"}),
        },
    ),
)


def opening(moment: Moment) -> list[bytes]:
    """The symbol index mappings, with the scale of each symbol's prices."""
    return [
        SYMBOL_INDEX_MAPPING.encode(
            symbol_index=number,
            symbol=listing.symbol,
            market_id=1,
            system_id=SYSTEM_ID,
            exchange_code="N",
            price_scale_code=listing.decimals,
            security_type="C",
            lot_size=listing.round_lot,
            round_lot="Y",
            mpv=100,
            unit_of_trade=1,
        )
        for number, listing in moment.listings
    ]


DIALECT = Dialect(ROWS_25, MESSAGES, opening, nothing, most_messages=255, closes_each=True)
