"""Multicast PITCH as Cboe's venues speak it: short messages where they suffice."""

from __future__ import annotations

from feedhandler.actions import ADD, ATTRIBUTED, AUCTION, CLOCK, EXECUTE_PRICE
from feedhandler.protocols.cboe_pitch import CBOE_PITCH
from feedhandler.protocols.cboe_pitch_acts import ADD_FLAGS, ROWS
from feedhandler.wire.acts import Act
from simulator.publishing.dialects.dialect import Dialect, Moment, nothing
from simulator.publishing.forms import Said
from simulator.publishing.layout import BUYS, CLOSING, CROSS, FAR, OPENING, REMAINING, SECOND, SELLS

BILLION = 1_000_000_000
AUCTIONS = {OPENING: "O", CLOSING: "C"}


def expanded(flags: int) -> Act:
    """Add order expanded, whose rows are a kernel."""
    return Act(
        ADD,
        key="symbol_extended",
        order_id="order_id",
        price="price",
        quantity="quantity",
        time="time_offset",
        side="side_indicator",
        flags=flags,
        flagged=("add_order_flags", ADD_FLAGS),
    )


EXECUTED_AT_PRICE = Act(
    EXECUTE_PRICE,
    order_id="order_id",
    price="price",
    quantity="executed_quantity",
    aux="execution_id",
    time="time_offset",
)
AUCTION_UPDATE = Act(
    AUCTION,
    key="symbol_extended",
    price="reference_price",
    aux="indicative_price",
    time="time_offset",
)
BUY_SIDE = {"side_indicator": "B"}  # of trades, whatever the resting order was

MESSAGES = (
    Said(0x20, acts=(Act(CLOCK),), sources={"time": SECOND}),
    Said(0x22),
    Said(0x21),
    Said(0x2F, acts=(expanded(0),)),
    Said(0x2F, acts=(expanded(ATTRIBUTED),), constants={"participant_id": "MMKR"}),
    Said(0x23),
    Said(0x24, acts=(EXECUTED_AT_PRICE,), sources={"remaining_quantity": REMAINING}),
    Said(0x26),
    Said(0x25),
    Said(0x28),
    Said(0x27),
    Said(0x29),
    Said(0x2B, constants=BUY_SIDE),
    Said(0x2A, constants=BUY_SIDE),
    Said(0x30, constants=BUY_SIDE),
    Said(0x96, choices={"auction_opening_type": (CROSS, AUCTIONS)}),
    Said(0x2C),
    Said(0x31),
    Said(
        0x95,
        acts=(AUCTION_UPDATE,),
        sources={"buy_shares": BUYS, "sell_shares": SELLS, "auction_only_price": FAR},
        choices={"auction_type": (CROSS, AUCTIONS)},
    ),
    Said(0x97),
)


def closing(moment: Moment) -> list[bytes]:
    """End of session of the unit."""
    offset = (moment.time_ns - moment.midnight_ns) % BILLION
    return [CBOE_PITCH[0x2D].encode(last_timestamp=offset)]


DIALECT = Dialect(ROWS, MESSAGES, nothing, closing, most_messages=255)
