"""MEMOIR Depth 1.3 as MEMX speaks it. There is no replacement: an order leaves, another enters."""

from __future__ import annotations

from feedhandler.protocols.memoir13 import MEMOIR13
from feedhandler.protocols.memoir13_acts import ROWS
from simulator.publishing.dialects.dialect import Dialect, Moment
from simulator.publishing.forms import Said

NO_REASON = {"security_trading_status_reason": "X"}
MPV = 10_000  # a cent, with 6 decimals

MESSAGES = (
    Said(10),
    Said(11),
    Said(12),
    Said(13),
    Said(14),
    Said(15),
    Said(16),
    Said(2),
    Said(3, constants=NO_REASON),
    Said(5),
    Said(18),
)


def opening(moment: Moment) -> list[bytes]:
    """The opening session, then the instrument directory."""
    made = [MEMOIR13[5].encode(timestamp=moment.time_ns, trading_session="1")]
    for number, listing in moment.listings:
        root, _, suffix = listing.symbol.partition(".")
        made.append(
            MEMOIR13[1].encode(
                timestamp=moment.time_ns,
                security_id=number,
                symbol=root,
                symbol_sfx=suffix,
                round_lot=listing.round_lot,
                mpv=MPV,
            )
        )
    return made


def closing(moment: Moment) -> list[bytes]:
    """The closed session."""
    return [MEMOIR13[5].encode(timestamp=moment.time_ns, trading_session="4")]


DIALECT = Dialect(ROWS, MESSAGES, opening, closing)
