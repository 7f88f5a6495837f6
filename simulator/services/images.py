"""Images of a unit's displayed orders, in the words of its own feed, exact to the message.

What a unit shows now is what its messages made so far, those included that still wait for a packet.
A `Still` of it is therefore good up to the last of these, whether or not it has left yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from simulator.publishing.dialects.dialect import Dialect, Moment
from simulator.publishing.forms import Said
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream

REFRESHED = {"nyse_integrated_25": (106,)}  # how an order is said in an image, where not as ever
SPUN = (0x20, 0x22, 0x21, 0x2F, 0x31)  # all that a Spin image holds
IN_IMAGES = (a.ADD, a.STATUS, a.RESTRICT, a.CLOCK)


@dataclass(frozen=True)
class Still:
    """What a unit showed behind one of its messages.

    Attributes:
        unit: its stream.
        sequence: of the last message that is in it; 0 when there was none.
        time_ns: when that one was made.
        orders: SHOWN_DTYPE rows; of two at a level the one in front is ahead.
        states: trading state by instrument; 0 is that of all at once.
        restricted: short sale price test, by instrument from 0 (none) on.
        counts: messages about each instrument so far.
    """

    unit: UnitStream
    sequence: int
    time_ns: int
    orders: NDArray[np.void]
    states: dict[int, int]
    restricted: NDArray[np.int64]
    counts: NDArray[np.int64]


def still_of(publisher: Publisher, unit: UnitStream) -> Still:
    """What a unit shows now."""
    orders, rows = unit.shown_orders, unit.instruments
    return Still(
        unit,
        unit.retained.next - 1,
        unit.last_ns,
        orders[np.argsort(orders["rank"], kind="stable")],
        publisher.states(),
        rows["restricted"].copy(),
        rows["count"].copy(),
    )


def messages_of(
    publisher: Publisher, still: Still, keys: Sequence[int] | None = None
) -> list[bytes]:
    """The messages of an image: the directory, the states, the orders.

    Args:
        publisher: whose.
        still: what is shown.
        keys: instruments of the unit; None: all of them.
    """
    whole = keys is None
    mine = [n for n in range(1, len(publisher.listings) + 1) if publisher.unit_of(n) is still.unit]
    chosen = mine if keys is None else [key for key in mine if key in set(keys)]
    orders = still.orders
    if not whole:
        orders = orders[np.isin(orders["place"] >> 2, chosen)]
    writer = _writer(publisher, still)
    moment = Moment(
        still.time_ns, publisher.midnight_ns, [(n, publisher.listings[n - 1]) for n in chosen]
    )
    writer.say(still.time_ns, _opening(publisher.venue.dialect, moment, whole=whole))
    writer.publish(_events(publisher, still, chosen, orders, whole=whole))
    return writer.retained.messages(1, len(writer.retained))


def _writer(publisher: Publisher, still: Still) -> UnitStream:
    """A stream that has said nothing yet, by whose encoder the image is written."""
    venue = msgspec.structs.replace(publisher.venue, order_ids="dense")
    dialect = image_dialect(publisher.feed.protocol.name, publisher.venue.dialect)
    number, midnight_ns = still.unit.number, publisher.midnight_ns
    writer = UnitStream(
        venue, publisher.feed, publisher.listings, number, publisher.header, midnight_ns,
        dialect=dialect,
    )  # fmt: skip
    writer.know(still.states, still.restricted)
    return writer


def image_dialect(protocol: str, dialect: Dialect) -> Dialect:
    """The messages that an image may hold."""
    refreshed = tuple(Said(code) for code in REFRESHED.get(protocol, ()))
    kept = []
    for said in dialect.messages:
        acts = said.acts or dialect.rows.acts[said.code]
        wanted = acts[0].kind in IN_IMAGES and not (refreshed and acts[0].kind == a.ADD)
        if wanted and (protocol != "cboe_pitch" or said.code in SPUN):
            kept.append(said)
    return Dialect(dialect.rows, (*refreshed, *kept), dialect.opening, dialect.closing)


def _opening(dialect: Dialect, moment: Moment, *, whole: bool) -> list[bytes]:
    """The directory; system events only where the image is of everything."""
    made = dialect.opening(moment)
    if whole:
        return made
    system = len(dialect.opening(Moment(moment.time_ns, moment.midnight_ns, [])))
    return made[system:]


def _events(
    publisher: Publisher,
    still: Still,
    chosen: Sequence[int],
    orders: NDArray[np.void],
    *,
    whole: bool,
) -> NDArray[np.void]:
    """The states of instruments and their orders as events."""
    stated = [n for n in chosen if still.states.get(n)]
    of_all = int(whole and 0 in still.states)
    events = np.zeros(of_all + len(stated) + len(chosen) + len(orders), a.ACTION_DTYPE)
    events["time_ns"] = still.time_ns
    if of_all:
        events[0]["kind"], events[0]["flags"], events[0]["aux"] = a.STATUS, a.ALL, still.states[0]
    states = events[of_all : of_all + len(stated)]
    states["kind"], states["key"] = a.STATUS, stated
    states["aux"] = [still.states[n] for n in stated]
    tests = events[of_all + len(stated) : len(events) - len(orders)]
    tests["kind"], tests["key"], tests["aux"] = a.RESTRICT, chosen, still.restricted[list(chosen)]
    adds = events[len(events) - len(orders) :]
    adds["kind"], adds["flags"] = a.ADD, a.REFRESH
    adds["order_id"], adds["price"], adds["quantity"] = (
        orders["wire"],
        orders["price"],
        orders["quantity"],
    )
    adds["key"], adds["side"] = orders["place"] >> 2, orders["place"] & 3
    return events
