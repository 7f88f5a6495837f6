"""What differs between the books of the kernels and those of the slow model, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from feedhandler.actions import BUY, SELL
from feedhandler.books.layout import FAULT_NAMES
from feedhandler.books.slow import SlowBooks
from feedhandler.books.views import BookViews

SIDES = {BUY: "bid", SELL: "offer"}


def top_differences(book: BookViews, model: SlowBooks, instrument: int) -> Iterator[str]:
    """Differences of an instrument's top record."""
    ours, theirs = book.tops[instrument], model.top(instrument)
    fields = ours.tolist()
    _, *rest, status, stale, fault, restricted, unit, key = fields
    found = (*rest, status, stale, FAULT_NAMES[fault], restricted, unit, key)
    prices = (theirs.bid, theirs.bid_quantity, theirs.offer, theirs.offer_quantity)
    states = (theirs.status, theirs.stale, theirs.fault or "none", theirs.restricted)
    wanted = (*prices, theirs.time_ns, *states, theirs.unit, theirs.key)
    if found != wanted:
        yield f"instrument {instrument}: top {found} != {wanted}"
    note = book.notes[["lower_band", "upper_band", "bands_ns", "status", "closed"]][instrument]
    said = (*theirs.bands, theirs.own_status, sum(1 << side - BUY for side in theirs.closed))
    if note.tolist() != said:
        yield f"instrument {instrument}: note {note} != {said}"


def ladder_differences(book: BookViews, model: SlowBooks, instrument: int) -> Iterator[str]:
    """Differences of an instrument's levels, both sides whole."""
    for side, name in SIDES.items():
        ours = book.ladder(instrument, side).tolist()
        theirs = model.ladder(instrument, side)
        if ours != theirs:
            yield f"instrument {instrument}: {name}s {ours} != {[tuple(x) for x in theirs]}"


def order_differences(book: BookViews, model: SlowBooks, instrument: int) -> Iterator[str]:
    """Differences of an instrument's orders: each with its place in the queue."""
    names = ("id", "side", "price", "quantity", "sequence", "attribution")
    ours = book.orders(instrument)[list(names)].tolist()
    theirs = [
        (o.number, o.side, o.price, o.quantity, o.sequence, o.attribution)
        for o in model.queue(instrument)
    ]
    if ours != theirs:
        yield f"instrument {instrument}: orders {ours} != {theirs}"


def order_difference(book: BookViews, model: SlowBooks, order_id: int) -> Iterator[str]:
    """What differs for one order; nothing when neither has it."""
    found = model.orders.get(order_id)
    theirs = None
    if found is not None:
        place = found.instrument, found.side, found.price
        theirs = (*place, found.quantity, found.sequence, found.attribution)
    ours = book.order(order_id)
    if ours != theirs:
        yield f"order {order_id}: {ours} != {theirs}"


def count_differences(book: BookViews, model: SlowBooks) -> Iterator[str]:
    """Differences of the numbers that belong to all instruments."""
    if book.order_count() != len(model.orders):
        yield f"{book.order_count()} orders != {len(model.orders)}"
    if book.faults() != dict(model.faults):
        yield f"faults {book.faults()} != {dict(model.faults)}"


def differences(
    book: BookViews, model: SlowBooks, instruments: Iterable[int], *, orders: bool = True
) -> list[str]:
    """Everything that differs for some instruments, and the counts of the venue."""
    found = list(count_differences(book, model))
    for instrument in instruments:
        found += top_differences(book, model, instrument)
        found += ladder_differences(book, model, instrument)
        if orders:
            found += order_differences(book, model, instrument)
    return found


def everything(book: BookViews, model: SlowBooks) -> list[str]:
    """All that differs, all instruments looked at that either of the two has touched.

    Orders are compared where the model has some: with as many orders in all, the book has no other.
    """
    found = differences(book, model, sorted({*book.active(), *model.tops}), orders=False)
    for instrument in sorted({order.instrument for order in model.orders.values()}):
        found += order_differences(book, model, instrument)
    return found
