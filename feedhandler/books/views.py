"""Books as numpy arrays, for any thread or process; the loop never waits for who looks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import BUY, SELL, STATUS_CLOSED, STATUS_HALTED, STATUS_PAUSED
from feedhandler.books.layout import CLOSED, FAULT_NAMES, HALTED, LIVE, NO_ORDER, TOP_DTYPE, TRUSTS
from feedhandler.books.readers import (
    MOVED,
    PLACES_DTYPE,
    READ_LEVEL_DTYPE,
    TORN,
    read_ladder,
    read_order,
    read_top,
)
from nic.block import Block, attach
from nic.regions import CHECKED, allowed

RETRIES: Final = 100_000
ROOM: Final = 64  # levels that a first look has room for
READ_ORDER_DTYPE: Final = np.dtype(
    [
        ("id", "i8"),
        ("side", "i8"),  # BUY or SELL
        ("price", "i8"),
        ("quantity", "i8"),
        ("sequence", "i8"),  # of what brought it to its place in the queue; below 0: an image
        ("attribution", "i8"),
        ("position", "i8"),  # in the queue of its level, from 1
    ]
)
TRUST_OF_STATUS: Final = {STATUS_HALTED: HALTED, STATUS_PAUSED: HALTED, STATUS_CLOSED: CLOSED}


class TornError(RuntimeError):
    """A book was being written every time it was looked at."""


class Seat(NamedTuple):
    """Where this process has the tables that can grow, for one generation of them.

    Attributes:
        tables: their memory. It stays for as long as somebody has the seat: a reader that was
            interrupted never reads what was given back.
        places: one PLACES_DTYPE row, for the kernels.
    """

    generation: int
    tables: Block
    places: NDArray[np.void]


def make_seat(main: Block, tables: Block, generation: int) -> Seat:
    """The seat of tables that may be in use or about to be."""
    size = tables.sections["chunks"].size_bytes
    ours = tables.section_address("chunks")
    places = np.zeros(1, PLACES_DTYPE)
    places["head"] = main.section_address("head")
    places["ladders"] = main.section_address("ladders")
    places["tops"] = main.section_address("tops")
    places["levels"] = tables.section_address("levels")
    places["last_level"] = tables.sections["levels"].count - 1
    places["chunks"], places["chunks_end"] = ours, ours + size
    places["shift"] = ours - int(tables["growth"]["chunks"][0])
    places["generation"] = generation
    return Seat(generation, tables, places)


class BookViews:
    """What a venue's books hold. The arrays are the loop's own memory: look, do not write.

    One thread at a time may read by one object. The loop may move the books meanwhile.

    Attributes:
        tops: TOP_DTYPE, one row an instrument. Single fields may be read at any time; `best` gives
            a row whose fields belong together.
        notes: NOTE_DTYPE, one row an instrument.
        head: the HEAD_DTYPE row with sizes, free lists and fault counts.
    """

    def __init__(self, main: Block, seat: Seat) -> None:
        self._main = main
        self.tops: NDArray[np.void] = main["tops"]
        self.notes: NDArray[np.void] = main["notes"]
        self.head: np.void = main["head"][0]
        self._venue: NDArray[np.void] = main["venue"]
        self._scratch = np.zeros(ROOM, READ_LEVEL_DTYPE)
        self._top = np.zeros(1, TOP_DTYPE)
        self._seat = seat

    @property
    def generation(self) -> int:
        """Of the tables in use: how often they have grown."""
        return int(self._venue["generation"][0])

    def _tables_of(self, generation: int) -> Block | None:
        """The tables of a generation; None when they have been left meanwhile."""
        raise NotImplementedError

    def _follow(self) -> None:
        """Goes where the tables are now."""
        while (generation := self.generation) != self._seat.generation:
            tables = self._tables_of(generation)
            if tables is not None:
                self._seat = make_seat(self._main, tables, generation)

    def instrument(self, key: int) -> int | None:
        """The instrument number of a venue's key; None when no message has named it."""
        if int(self.head["keys"]) == 0:
            return key if 0 <= key < len(self.tops) else None
        keys = self._main["keys"]
        found = np.flatnonzero((keys["key"] == key) & (keys["instrument"] != 0))
        return int(keys["instrument"][found[0]]) if len(found) else None

    def active(self) -> list[int]:
        """The instruments that have a level on either side, or had one."""
        ladders = self._main["ladders"]
        touched = ((ladders["far"]["keys"] != 0) | (ladders["near"]["window"] != 0)).any(axis=1)
        return [int(number) for number in np.flatnonzero(touched)]

    def best(self, instrument: int) -> np.void:
        """A copy of an instrument's top, its fields of one moment. Raises TornError."""
        self._settle(read_top, instrument, self._top.ctypes.data)
        top: np.void = self._top[0].copy()
        return top

    def trust(self, instrument: int) -> str:
        """How far a book can be trusted: live, stale, halted or closed."""
        top = self.best(instrument)
        by_status = TRUST_OF_STATUS.get(int(top["status"]), LIVE)
        return TRUSTS[int(top["trust"]) or by_status]

    def ladder(self, instrument: int, side: int, most: int | None = None) -> NDArray[np.void]:
        """Levels of a side, best first: price, quantity, orders. Raises TornError.

        Args:
            instrument: its number, see `instrument`.
            side: BUY or SELL of `feedhandler.actions`.
            most: at most so many levels; all of them without.
        """
        if side not in (BUY, SELL) or not 0 <= instrument < len(self.tops):
            raise ValueError(f"no ladder for instrument {instrument}, side {side}")
        number = 2 * instrument + side - 1
        while True:
            room = len(self._scratch) if most is None else min(most, len(self._scratch))
            count = self._settle(read_ladder, number, self._scratch.ctypes.data, room)
            if count < len(self._scratch) or most == count:
                return self._scratch[:count].copy()
            self._scratch = np.zeros(2 * len(self._scratch), READ_LEVEL_DTYPE)

    def orders(self, instrument: int) -> NDArray[np.void]:
        """The orders of an instrument as READ_ORDER_DTYPE rows, bids first, best price first.

        Orders of a level stand in the order of their queue. Goes over the whole order table: for
        people and checks. Raises TornError.
        """
        for _ in range(RETRIES):
            self._follow()
            seat, before = self._seat, int(self.head["batches"])
            made = self._orders(instrument, seat.tables)
            again = self._orders(instrument, seat.tables)
            after = int(self.head["batches"])
            still = np.array_equal(made, again) and (before != after or before & 1 == 0)
            if still and self.generation == seat.generation:
                return made
        raise TornError(f"the orders of instrument {instrument} never held still")

    def _orders(self, instrument: int, tables: Block) -> NDArray[np.void]:
        orders, levels, arrivals = tables["orders"], tables["levels"], tables["arrivals"]
        used = np.flatnonzero(orders["id"] != NO_ORDER)
        numbers = np.minimum(orders["level"][used], len(levels) - 1)
        ladders = levels["ladder"][numbers]
        mine = (ladders >> 1 == instrument) & (numbers != 0)
        slots, numbers, ladders = used[mine], numbers[mine], ladders[mine]
        made = np.zeros(len(slots), READ_ORDER_DTYPE)
        made["id"], made["quantity"] = orders["id"][slots], orders["quantity"][slots]
        made["side"], made["price"] = (ladders & 1) + BUY, levels["price"][numbers]
        made["sequence"] = arrivals["sequence"][slots]
        made["attribution"] = arrivals["attribution"][slots]
        price_keys = np.where(made["side"] == BUY, -made["price"], made["price"])
        made = made[np.lexsort((made["id"], made["sequence"], price_keys, made["side"]))]
        return _with_positions(made)

    def order(self, order_id: int) -> tuple[int, int, int, int, int, int] | None:
        """Instrument, side, price, quantity, sequence and attribution of an order; None without.

        For the process that applies, while nothing is applied.
        """
        out = np.zeros(4, np.int64)
        head = self._main.section_address("head")
        self._follow()
        tables = self._seat.tables
        with allowed(self._main, tables, out):
            if not read_order(head, order_id, out.ctypes.data):
                return None
        level, quantity, sequence, attribution = out.tolist()
        row = tables["levels"][level]
        ladder = int(row["ladder"])
        side = (ladder & 1) + BUY
        return ladder >> 1, side, int(row["price"]), quantity, sequence, attribution

    def order_count(self) -> int:
        """Orders in the books."""
        return int(self.head["live_orders"])

    def faults(self) -> dict[str, int]:
        """Impossible actions by kind; those that never happened are left out."""
        counts = self.head["faults"].tolist()
        return {name: n for name, n in zip(FAULT_NAMES, counts, strict=False) if n}

    def _settle(self, read: Callable[..., Any], number: int, *given: int) -> int:
        for _ in range(RETRIES):
            seat = self._seat
            memory = (self._main, seat.tables, seat.places, self._scratch, self._top)
            with allowed(*memory) if CHECKED else nullcontext():
                found = int(read(int(seat.places.ctypes.data), number, *given))
            if found == MOVED:
                self._follow()
            elif found != TORN:
                return found
        raise TornError(f"instrument or ladder {number} never held still")


def _with_positions(made: NDArray[np.void]) -> NDArray[np.void]:
    """Numbers the orders of each level from 1."""
    if len(made):
        new = np.ones(len(made), bool)
        new[1:] = (made["price"][1:] != made["price"][:-1]) | (
            made["side"][1:] != made["side"][:-1]
        )
        starts = np.flatnonzero(new)
        made["position"] = (
            np.arange(len(made)) - np.repeat(starts, np.diff([*starts, len(made)])) + 1
        )
    return made


def tables_path(path: Path, generation: int) -> Path:
    """The file of the tables that can grow, beside that of the head and the tops."""
    return path.with_name(f"{path.name}.{generation}")


class BookReader(BookViews):
    """The books of a venue that another process keeps in a file."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when there is no such file, ValueError when it holds no books."""
        main = attach(path)
        if "venue" not in main.sections:
            main.close()
            raise ValueError(f"{path}: a block, but not one of books")
        self._path = path
        while True:
            generation = int(main["venue"]["generation"][0])
            with suppress(FileNotFoundError):  # the tables may grow between the two looks
                tables = attach(tables_path(path, generation))
                break
            if int(main["venue"]["generation"][0]) == generation:
                main.close()
                raise FileNotFoundError(f"{path}: its tables are gone")
        super().__init__(main, make_seat(main, tables, generation))

    def _tables_of(self, generation: int) -> Block | None:
        try:
            return attach(tables_path(self._path, generation))
        except FileNotFoundError:
            if self.generation == generation:
                raise  # the books were closed
            return None
