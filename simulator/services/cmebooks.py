"""The book of one security of a CME channel, slowly: by price with implied levels, or by order.

It says what changed in CME's words: levels by their place from the top, the one that another pushes
out without a word; orders with their priority.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from feedhandler.wire.record import Values

NEW, CHANGE, DELETE = range(3)
DEPTH: Final = 10
IMPLIED_DEPTH: Final = 2
BIDS: Final = "0E"
DIRECT: Final = "01"
IMPLIED: Final = "EF"
Levels = list[tuple[int, int]]


def depth_of(kind: str) -> int:
    """Levels that are shown of a side."""
    return IMPLIED_DEPTH if kind in IMPLIED else DEPTH


@dataclass
class CmeOrder:
    """An order: its side ("0" or "1"), price, size, and place in the queue."""

    number: int
    kind: str
    price: int
    size: int
    priority: int


@dataclass
class CmeBook:
    """See the module. Prices are as on the wire.

    Attributes:
        security: its id.
        symbol: its name.
        count: its RptSeq so far.
        sizes: by side and price, as deep as it may be.
        orders: by number.
        state: that it trades in, CME's code.
    """

    security: int
    symbol: str
    count: int = 0
    sizes: dict[str, dict[int, int]] = field(default_factory=lambda: {kind: {} for kind in "01EF"})
    orders: dict[int, CmeOrder] = field(default_factory=dict)
    state: int = 17

    def next_count(self) -> int:
        """The RptSeq of the next entry."""
        self.count += 1
        return self.count

    def top(self, kind: str) -> Levels:
        """The levels that are shown of a side, best first."""
        found = sorted(self.sizes[kind].items(), reverse=kind in BIDS)
        return found[: depth_of(kind)]

    def set_size(self, kind: str, price: int, size: int) -> list[Values]:
        """A level with another size, 0 for none; the entries that say so."""
        before, comes = self.top(kind), bool(size) and price not in self.sizes[kind]
        if size:
            self.sizes[kind][price] = size
        else:
            self.sizes[kind].pop(price, None)
        full = comes and len(before) == depth_of(kind)
        rows = _changes(before, self.top(kind), full=full)
        return [self._entry(kind, *row) for row in rows]

    def _entry(self, kind: str, action: int, place: int, price: int, size: int) -> Values:
        return {
            "md_entry_type": kind,
            "md_update_action": action,
            "md_price_level": place,
            "md_entry_px": price,
            "md_entry_size": size,
            "security_id": self.security,
            "rpt_seq": self.next_count(),
        }

    def shown(self, kind: str) -> Levels:
        """What a reader of direct and implied levels has of a side, "0" or "1"."""
        total = dict(self.top(kind))
        for price, size in self.top(IMPLIED[DIRECT.index(kind)]):
            total[price] = total.get(price, 0) + size
        return sorted(total.items(), reverse=kind in BIDS)

    def queue(self) -> list[tuple[int, str, int, int]]:
        """The orders: bids, then offers; best first, by priority; (number, side, price, size)."""
        rows = sorted(
            self.orders.values(),
            key=lambda o: (o.kind, -o.price if o.kind in BIDS else o.price, o.priority),
        )
        return [(o.number, o.kind, o.price, o.size) for o in rows]

    def clear(self) -> None:
        """Nothing is left, but the count."""
        self.orders.clear()
        for levels in self.sizes.values():
            levels.clear()


def _changes(before: Levels, after: Levels, *, full: bool) -> list[tuple[int, int, int, int]]:
    """(action, place, price, size) of what makes one list of another that differs in one level.

    `full`: a level more than are shown came, so that the last one went without a word.
    """
    old, new = dict(before), dict(after)
    made = [
        (DELETE, place + 1, price, size)
        for place, (price, size) in enumerate(before)
        if price not in new and not full
    ]
    made += [
        (NEW, place + 1, price, size)
        for place, (price, size) in enumerate(after)
        if price not in old
    ]
    made += [
        (CHANGE, place + 1, price, size)
        for place, (price, size) in enumerate(after)
        if price in old and old[price] != size
    ]
    return made
