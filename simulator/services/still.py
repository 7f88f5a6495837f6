"""What a unit shows at one of its messages, and how many equal messages are written at once.

What a unit shows now is what its messages made, those included that wait for a packet. So a still
stands behind the last of these, whether or not it has left: its packet leaves within the window.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from feedhandler import actions as a
from feedhandler.prices import multiplier
from feedhandler.wire.field import Field
from feedhandler.wire.record import Record, Value
from simulator.publishing.dialects.dialect import Listing
from simulator.publishing.publisher import Publisher
from simulator.publishing.unit import UnitStream


@dataclass(frozen=True)
class Still:
    """The book of a unit behind one of its messages.

    Attributes:
        unit: its stream.
        sequence: of the last message that is in it; 0 when there was none.
        time_ns: when that one was made, epoch; 0 when there was none.
        listings: (number, instrument) of those that it is about.
        orders: SHOWN_DTYPE rows; of two at a level the first is ahead.
        states: trading state by instrument; under 0 that said of all at once, 0 for none.
        instruments: INSTRUMENT_DTYPE rows by number: price test, messages so far, scale.
    """

    unit: UnitStream
    sequence: int
    time_ns: int
    listings: tuple[tuple[int, Listing], ...]
    orders: NDArray[np.void]
    states: Mapping[int, int]
    instruments: NDArray[np.void]

    def orders_of(self, number: int) -> NDArray[np.void]:
        """The orders of one instrument."""
        rows, numbers = self._by_number
        first, last = np.searchsorted(numbers, (number, number + 1))
        return rows[first:last]

    @cached_property
    def _by_number(self) -> tuple[NDArray[np.void], NDArray[np.integer]]:
        numbers = self.orders["place"] >> 2
        places = np.argsort(numbers, kind="stable")
        return self.orders[places], numbers[places]


def listings_of(publisher: Publisher, unit: UnitStream) -> list[tuple[int, Listing]]:
    """(number, instrument) of those of a unit."""
    every = enumerate(publisher.listings, 1)
    return [(number, listing) for number, listing in every if publisher.unit_of(number) is unit]


def still_of(publisher: Publisher, unit: UnitStream, number: int | None = None) -> Still:
    """What a unit shows now, of one instrument or of all."""
    last = unit.retained.next - 1
    mine = [pair for pair in listings_of(publisher, unit) if number in (None, pair[0])]
    return Still(
        unit,
        last,
        unit.retained.made_ns(last) if last else 0,
        tuple(mine),
        unit.queue(number),
        publisher.states(),
        unit.instruments,
    )


def scaled(field: Field, orders: NDArray[np.void]) -> NDArray[np.int64]:
    """The prices of orders as a field with implied decimals holds them."""
    assert field.decimals is not None
    prices: NDArray[np.int64] = orders["price"] // multiplier(field.decimals)
    return prices


def sides(orders: NDArray[np.void], buy: str, sell: str) -> NDArray[np.bytes_]:
    """The letters of the orders' sides."""
    return np.where(orders["place"] & 3 == a.BUY, buy.encode(), sell.encode())


def letter(code: int | str) -> str:
    """The letter of a code."""
    return code if isinstance(code, str) else chr(code)


def written(
    record: Record, columns: Mapping[str, Any], count: int, constants: Mapping[str, Value]
) -> list[bytes]:
    """Many messages of one kind.

    Args:
        record: their table, without variable parts.
        columns: arrays of `count` values, for fields that differ; text as bytes.
        count: messages.
        constants: the other fields.
    """
    template = np.frombuffer(record.encode(constants), np.uint8)
    size = len(template)
    raw = np.tile(template, count)
    fields = [record.by_name[name] for name in columns]
    form = {"names": list(columns), "offsets": [field.offset for field in fields]}
    kinds = [_numpy_kind(field) for field in fields]
    rows = raw.view(np.dtype({**form, "formats": kinds, "itemsize": size}))  # type: ignore[call-overload]
    for name, values in columns.items():
        rows[name] = values
    data = raw.tobytes()
    return [data[at : at + size] for at in range(0, count * size, size)]


def _numpy_kind(field: Field) -> str:
    if not field.is_integer:
        return f"S{field.width}"
    return f"{'>' if field.big else '<'}{'i' if field.signed else 'u'}{field.width}"
