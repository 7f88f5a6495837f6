"""DEEP+ 1.0 as IEX speaks it: the symbol's text in every message, changes in place."""

from __future__ import annotations

from feedhandler.protocols.iex import DEEP_PLUS
from feedhandler.protocols.iex_acts import DEEP_PLUS_ROWS
from feedhandler.wire.record import Values
from simulator.publishing.dialects.dialect import Dialect, Moment
from simulator.publishing.forms import Said
from simulator.publishing.layout import RESTRICTED

MESSAGES = (
    Said("a"),
    Said("M"),
    Said("R"),
    Said("L"),
    Said("T"),
    Said("B"),
    Said("H"),
    Said("O"),
    Said("P", choices={"detail": (RESTRICTED, {0: " ", 1: "A"})}),
    Said("S"),
    Said("C"),
)


def event(moment: Moment, code: str) -> bytes:
    """A system event."""
    return DEEP_PLUS["S"].encode(timestamp=moment.time_ns, system_event=code)


def opening(moment: Moment) -> list[bytes]:
    """Start of messages and of system hours, then the security directory."""
    made = [event(moment, "O"), event(moment, "S")]
    for _, listing in moment.listings:
        about: Values = {"timestamp": moment.time_ns, "symbol": listing.symbol}
        made.append(DEEP_PLUS["D"].encode(about, round_lot_size=listing.round_lot, luld_tier=1))
        made.append(DEEP_PLUS["O"].encode(about, operational_halt_status="N"))
    return made


def closing(moment: Moment) -> list[bytes]:
    """End of market hours, of system hours and of messages."""
    return [event(moment, code) for code in "MEC"]


DIALECT = Dialect(DEEP_PLUS_ROWS, MESSAGES, opening, closing)
