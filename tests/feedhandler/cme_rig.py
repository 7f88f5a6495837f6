"""CME messages in few words, a decoder that remembers, and an exchange that publishes its book."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import numpy as np
from action_rig import faults, run_packet
from numpy.typing import NDArray

from feedhandler.context import CONTEXT_DTYPE, SYMBOL_DTYPE
from feedhandler.feed import Feed, decode
from feedhandler.registry import versions
from feedhandler.transports.packets import write_packet

FEED: Feed = versions("cme_mdp3")[0]
TIME_NS = 1_475_012_773_473_147_505
SECURITY = 174_969
SEQUENCE = 17_347_815
SYMBOL_ROWS = 1 << 12  # 128 securities
END_OF_EVENT = 0x80
NEW, CHANGE, DELETE, DELETE_THRU, DELETE_FROM, OVERLAY = range(6)
DEPTH, IMPLIED_DEPTH = 10, 2
Entry = dict[str, Any]


def entry(
    kind: str, action: int, level: int, price: int = 0, size: int = 0, security: int = SECURITY
) -> Entry:
    """An entry of a book message; the price is as on the wire."""
    return {
        "md_entry_type": kind,
        "md_update_action": action,
        "md_price_level": level,
        "md_entry_px": price,
        "md_entry_size": size,
        "security_id": security,
    }


def message(code: int, *entries: Entry, **values: Any) -> bytes:
    """One message of the end of an event."""
    record = FEED.protocol[code]
    given: dict[str, Any] = {"transact_time": TIME_NS, "match_event_indicator": END_OF_EVENT}
    made = {name: v for name, v in {**given, **values}.items() if name in record.by_name}
    if entries:
        made["md_entries"] = list(entries)
    made |= {name: v for name, v in values.items() if name not in record.by_name}
    return record.encode(made)


def packet(*messages: bytes, sequence: int = SEQUENCE) -> bytes:
    """A packet."""
    header = {"packet_sequence_number": sequence, "sending_time": TIME_NS}
    return write_packet(FEED.transport, messages, header)


class Decoder:
    """The compiled decoder of a channel; its faults must be those of the plain one."""

    def __init__(self, feed: Feed = FEED, rows: int = SYMBOL_ROWS) -> None:
        self.feed, self.row = feed, np.zeros(1, CONTEXT_DTYPE)[0]
        self.symbols = np.zeros(rows, SYMBOL_DTYPE)
        self.row["symbols_address"] = self.symbols.ctypes.data
        self.row["symbols_count"] = rows

    def run(self, *messages: bytes, expect: tuple[str, ...] = ()) -> NDArray[np.void]:
        """The actions of one packet; `expect` names faults that only the kernels look for."""
        payload = packet(*messages)
        before = faults(self.row)
        kernels = self.feed.kernels()
        made, self.row = run_packet(*kernels, payload, row=self.row, also=(self.symbols,))
        plain = [fault.reason for fault in decode(self.feed, payload).faults]
        counted = {n: c - before.get(n, 0) for n, c in faults(self.row).items()}
        found = sorted(name for name, count in counted.items() for _ in range(count))
        assert found == sorted([*plain, *expect])
        return made


@dataclass
class Side:
    """One side of the exchange's own book, of any depth: size by price."""

    bids: bool
    sizes: dict[int, int] = field(default_factory=dict)

    def top(self, depth: int) -> list[tuple[int, int]]:
        """The best levels."""
        return sorted(self.sizes.items(), reverse=self.bids)[:depth]


class Exchange:
    """A book of an exchange, and the entries that tell a reader of its top levels what changed.

    As CME says it: a level that another pushes out of the top goes without a word, one that comes
    back into it is new.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.sides = {kind: Side(kind in "0E") for kind in "01EF"}

    def change(self) -> list[Entry]:
        """One random change of one side; gives its entries."""
        kind = self.random.choice("001EF1")
        side, depth = self.sides[kind], IMPLIED_DEPTH if kind in "EF" else DEPTH
        before = side.top(depth)
        if kind in "01" and len(before) > 3 and self.random.random() < 0.06:
            return self._delete_many(kind, side, before)
        price = self.random.randrange(30) * 250 - (3000 if side.bids else -4500)
        if side.sizes.get(price) and self.random.random() < 0.5:
            del side.sizes[price]
        else:
            side.sizes[price] = self.random.randrange(1, 50)
        return list(_entries(kind, before, side.top(depth), depth))

    def _delete_many(self, kind: str, side: Side, before: list[tuple[int, int]]) -> list[Entry]:
        """All levels from the top to one, or from one to the bottom, and what moves up."""
        level = self.random.randrange(1, len(before) + 1)
        thru = self.random.random() < 0.5
        gone = before[:level] if thru else before[level - 1 :]
        if not thru:  # nothing is left below: levels out of sight go as well
            below = {price for price, _ in side.top(len(side.sizes))[level - 1 :]}
            side.sizes = {p: size for p, size in side.sizes.items() if p not in below}
        for price, _ in gone:
            side.sizes.pop(price, None)
        action = DELETE_THRU if thru else DELETE_FROM
        left = [row for row in before if row not in gone]
        return [entry(kind, action, level), *_entries(kind, left, side.top(DEPTH), DEPTH)]

    def shown(self, bids: bool) -> list[tuple[int, int]]:
        """What a book of both direct and implied levels shows of a side."""
        direct, implied = (self.sides[kind] for kind in ("0E" if bids else "1F"))
        total = dict(direct.top(DEPTH))
        for price, size in implied.top(IMPLIED_DEPTH):
            total[price] = total.get(price, 0) + size
        return sorted(total.items(), reverse=bids)


def _entries(
    kind: str, before: list[tuple[int, int]], after: list[tuple[int, int]], depth: int
) -> list[Entry]:
    """The entries that make one list of levels of another that differs in one level."""
    old, new = dict(before), dict(after)
    made = []
    gone = [n for n, (price, _) in enumerate(before) if price not in new]
    come = [n for n, (price, _) in enumerate(after) if price not in old]
    pushed_out = len(before) == depth and gone == [depth - 1] and come and come[0] <= depth - 1
    if gone and not (pushed_out and len(after) == depth):
        for place in reversed(gone):
            made.append(entry(kind, DELETE, place + 1, *before[place]))
    for place in come:
        made.append(entry(kind, NEW, place + 1, *after[place]))
    for place, (price, size) in enumerate(after):
        if price in old and old[price] != size:
            made.append(entry(kind, CHANGE, place + 1, price, size))
    return made
