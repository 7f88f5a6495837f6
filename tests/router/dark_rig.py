"""A router's tables over a small market, for dark and passive orders, and their kernels."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from feedhandler.actions import BUY, STATUS_TRADING
from feedhandler.consolidated.entries import refresh_record
from feedhandler.consolidated.market import Market
from nic.regions import allowed, violations
from router.log import CANDIDATE_DTYPE
from router.log import DECISION as DECISION_RECORD
from router.routing import dark_first as dark
from router.routing.dark_tails import next_tail, observe, pool_row, tail_step
from router.routing.decisions import choice_row
from router.routing.hidden import hidden_size, note_hidden
from router.routing.learning import CHOICE, Learning, Settings, learning_sections
from router.routing.posting_flows import note_trade
from router.rows import get
from router.tables import DARK, DAY, INTENT_DTYPE, IOC, PART
from router.tablespace import RouterTables, Sizes

CENT: Final = 1_000_000
DOLLAR: Final = 100_000_000
NEW, PENDING_CANCEL, PENDING_REPLACE, CANCELED, FILLED = 2, 5, 7, 6, 4
SMALL: Final = Sizes(
    accounts=2, venues=8, instruments=4, parents=8, children=64, tokens=64, intents=64, timers=8,
    executions=8, log_lines=256,
)  # fmt: skip
ONE: Final = 1  # the instrument and parent of most tests


@njit(nogil=True, cache=True)
def enter_dark_first(router, parent, quantity, limit, now):
    """`dark_first` for Python."""
    return dark.dark_first(router, parent, quantity, limit, now)


@njit(nogil=True, cache=True)
def enter_learn_dark(router, child):
    """`learn_dark` for Python."""
    dark.learn_dark(router, child)


@njit(nogil=True, cache=True)
def enter_note_trade(router, venue, instrument, side, price, quantity, now):
    """`note_trade` for Python."""
    note_trade(router, venue, instrument, side, price, quantity, now)


@njit(nogil=True, cache=True)
def enter_note_hidden(router, venue, instrument, side, quantity, now):
    """`note_hidden` for Python."""
    note_hidden(router, venue, instrument, side, quantity, now)


@njit(nogil=True, cache=True)
def enter_hidden_size(router, venue, instrument, side):
    """`hidden_size` for Python."""
    return hidden_size(router, venue, instrument, side)


@njit(nogil=True, cache=True)
def enter_split(router, learning, quantity, given):
    """`split` for Python, over all pools of parent 1; the split in lots of a share into `given`."""
    count = dark.gather_pools(router, learning, np.int64(1), np.int64(1), np.int64(0))
    dark.split(learning, count, quantity, np.int64(1))
    for place in range(count):
        given[place] = get(choice_row(learning, place), CHOICE.chosen)
    return count


@njit(nogil=True, cache=True)
def enter_next_tails(learning, venue, instrument, side, out):
    """The chances that the split believes in, bucket by bucket, into `out`."""
    pool, tail = pool_row(learning, venue, instrument, side), np.int64(PART)
    out[0] = tail
    for bucket in range(len(out) - 1):
        out[bucket + 1] = next_tail(learning, pool, bucket, tail)
        tail = tail_step(pool, bucket, tail)


@njit(nogil=True, cache=True)
def enter_observe(learning, venue, instrument, side, asked, got, exact):
    """`observe` for Python."""
    pool = pool_row(learning, venue, instrument, side)
    if pool != 0:
        observe(learning, pool, asked, got, exact)
    return pool


class Rig:
    """Tables, market and learning with one parent.

    Args:
        lit: how many lit venues, numbers 0 and up here and in the market.
        dark: how many dark ones behind them.
        market: instead of one where tests write the quotes.
    """

    def __init__(
        self, lit: int, dark: int, settings: Settings | None = None, market: Market | None = None
    ) -> None:
        self.market = market or Market(SMALL.instruments, 8, max(lit, 1))
        if market is None:
            self.market.head["venue_count"] = max(lit, 1)
        more = learning_sections(SMALL.instruments, SMALL.venues, SMALL.parents)
        self.tables = RouterTables(SMALL, more, market=self.market.address)
        self.lit, self.dark = range(lit), range(lit, lit + dark)
        venues = self.tables.venues
        self.tables.head["venue_count"] = lit + dark
        for number in (*self.lit, *self.dark):
            row = venues[number]
            row["name"], row["tick"], row["small_tick"] = f"V{number}".encode(), CENT, CENT // 100
            row["quotes"], row["dark"] = (-1, 1) if number in self.dark else (number, 0)
            row["takes_post_only"], row["protected"] = number in self.lit, number in self.lit
            if number in self.lit:
                self.tables.block["routed"][number] = number
        self.learning = Learning(self.tables, settings)
        self.now = 1_700_000_000_000_000_000
        self.parent()

    def close(self) -> None:
        """Gives the memory back; nothing outside of it may have been touched."""
        assert violations().count == 0
        self.tables.close()
        self.market.close()

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def parent(self, side: int = BUY, number: int = ONE, **fields: Any) -> None:
        """Makes a parent anew."""
        row = self.tables.parents[number]
        row["side"], row["instrument"], row["account"], row["quantity"] = side, ONE, 1, 1_000_000
        row["parameters"] = 0
        for name, value in fields.items():
            row[name] = value

    def parameters(self, values: dict[int, int], number: int = ONE) -> None:
        """Parameters of a parent by their place."""
        for place, value in values.items():
            self.tables.parents[number]["parameters"][place] = value

    def quote(
        self,
        venue: int,
        bid: tuple[int, int] | None,
        offer: tuple[int, int] | None,
        number: int = ONE,
    ) -> None:
        """What a venue shows: price and shares a side."""
        row = self.market.quotes[number, venue]
        for side, level in (("bid", bid), ("offer", offer)):
            price, quantity = level or (0, 0)
            row[side], row[f"{side}_quantity"] = price, quantity
            lots = quantity - quantity % 100
            row[f"protected_{side}"] = price if lots else 0
            row[f"protected_{side}_quantity"] = lots
        row["status"], row["trust"], row["usable"] = STATUS_TRADING, 1, 1
        with allowed(*self.market.blocks):
            refresh_record(self.market.address, number, self.now)

    @property
    def blocks(self) -> list[Any]:
        """All memory that kernels may touch."""
        return [self.tables.block, *self.market.blocks]

    @property
    def learning_address(self) -> int:
        """Where learning is."""
        return int(self.tables.head["learning"])

    def ask(self, quantity: int, limit: int = 0) -> int:
        """`dark_first` of the parent."""
        with allowed(*self.blocks):
            return int(enter_dark_first(self.tables.address, ONE, quantity, limit, self.now))

    def ask_for(self, parent: int, quantity: int) -> int:
        """`dark_first` of another parent."""
        with allowed(*self.blocks):
            return int(enter_dark_first(self.tables.address, parent, quantity, 0, self.now))

    def trade(self, venue: int, side: int, price: int, quantity: int) -> None:
        """An execution of shown orders."""
        with allowed(*self.blocks):
            enter_note_trade(self.tables.address, venue, ONE, side, price, quantity, self.now)

    def hidden(self, venue: int, side: int, quantity: int) -> None:
        """An execution of hidden orders."""
        with allowed(*self.blocks):
            enter_note_hidden(self.tables.address, venue, ONE, side, quantity, self.now)

    def hidden_size(self, venue: int, side: int) -> int:
        """What is believed to wait hidden."""
        with allowed(*self.blocks):
            return int(enter_hidden_size(self.tables.address, venue, ONE, side))

    def split(self, quantity: int) -> list[int]:
        """A split over all pools, in lots."""
        given = np.zeros(len(self.dark), np.int64)
        with allowed(*self.blocks, given):
            count = enter_split(self.tables.address, self.learning_address, quantity, given)
        assert count == len(self.dark)
        return [int(lots) for lots in given]

    def observe(
        self, venue: int, asked: int, got: int, exact: bool = True, side: int = BUY
    ) -> None:
        """One answer of a pool, in buckets."""
        with allowed(*self.blocks):
            assert enter_observe(self.learning_address, venue, ONE, side, asked, got, exact)

    def intents(self) -> list[dict[str, int]]:
        """The waiting intents, taken out."""
        head = self.tables.head
        rows = self.tables.block["intents"][: int(head["intent_count"])]
        names = [name for name in INTENT_DTYPE.names or () if name != "unused"]
        made = [{name: int(row[name]) for name in names} for row in rows]
        head["intent_count"] = 0
        return made

    def decisions(self) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """Decisions of the log: words and candidates."""
        records = [r for r in self.tables.log.read() if r.kind == DECISION_RECORD]
        return [(r.words, np.frombuffer(r.more, CANDIDATE_DTYPE)) for r in records]

    def child(self, number: int, venue: int, quantity: int, **fields: Any) -> None:
        """An open child of the parent, in front of its chain."""
        parent, row = self.tables.parents[ONE], self.tables.children[number]
        given = {
            "state": NEW, "parent": ONE, "instrument": ONE, "account": 1, "venue": venue,
            "side": int(parent["side"]), "quantity": quantity, "leaves": quantity, "tif": DAY,
            "heard_ns": self.now, "sent_ns": self.now, "last_ns": self.now,
            "next_sibling": int(parent["first_open"]),
        }  # fmt: skip
        for name, value in (given | fields).items():
            row[name] = value
        parent["first_open"] = number

    def over(self, venue: int, quantity: int, cum: int, **fields: Any) -> None:
        """A dark child that is over, and what it teaches."""
        given = {"cum": cum, "leaves": 0, "tif": IOC, "flags": DARK}
        self.child(1, venue, quantity, **(given | fields))
        self.tables.parents[ONE]["first_open"] = 0
        self.tables.head["now_ns"] = self.now
        with allowed(*self.blocks):
            enter_learn_dark(self.tables.address, 1)
