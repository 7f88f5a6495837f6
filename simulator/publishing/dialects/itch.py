"""TotalView-ITCH 5.0 as Nasdaq's venues speak it."""

from __future__ import annotations

from feedhandler.protocols.itch50 import ITCH50
from feedhandler.protocols.itch50_acts import ROWS
from feedhandler.wire.record import Values
from simulator.publishing.dialects.dialect import Dialect, Moment
from simulator.publishing.forms import Said
from simulator.publishing.layout import CLOSING, CROSS, OPENING, SYMBOL

STOCK = {"stock": SYMBOL}
CROSS_TYPE = {"cross_type": (CROSS, {OPENING: "O", CLOSING: "C"})}

MESSAGES = (
    Said("A", sources=STOCK),
    Said("F", sources=STOCK, constants={"attribution": "MMKR"}),
    Said("E"),
    Said("C"),
    Said("X"),
    Said("D"),
    Said("U"),
    Said("P", sources=STOCK),
    Said("Q", sources=STOCK, choices=CROSS_TYPE),
    Said("B"),
    Said("I", sources=STOCK, choices=CROSS_TYPE, constants={"price_variation_indicator": "L"}),
    Said("H", sources=STOCK),
    Said("Y", sources=STOCK),
    Said("S"),
)


def event(moment: Moment, code: str) -> bytes:
    """A system event."""
    since = moment.time_ns - moment.midnight_ns
    return ITCH50["S"].encode(timestamp=since, event_code=code)


def opening(moment: Moment) -> list[bytes]:
    """Start of messages and of system hours, then the stock directory."""
    made = [event(moment, "O"), event(moment, "S")]
    for number, listing in moment.listings:
        given: Values = {"stock_locate": number, "stock": listing.symbol}
        made.append(
            ITCH50["R"].encode(
                given,
                timestamp=moment.time_ns - moment.midnight_ns,
                market_category="Q",
                financial_status_indicator="N",
                round_lot_size=listing.round_lot,
                round_lots_only="N",
                issue_classification="C",
                issue_sub_type="Z",
                authenticity="P",
                short_sale_threshold_indicator="N",
                ipo_flag="N",
                luld_reference_price_tier="1",
                etp_flag="N",
                inverse_indicator="N",
            )
        )
    return made


def closing(moment: Moment) -> list[bytes]:
    """End of market hours, of system hours and of messages."""
    return [event(moment, code) for code in "MEC"]


DIALECT = Dialect(ROWS, MESSAGES, opening, closing)
