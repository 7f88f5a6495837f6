"""The matching of one venue on the control side: made by a model, fed with commands, looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from feedhandler.actions import ACTION_DTYPE, BUY, NO_PRICE, SELL, STATUS_TRADING
from feedhandler.books import layout as books
from feedhandler.books.sizes import Sizes
from nic.block import Block, create
from nic.regions import CHECKED, allowed
from simulator.matching import layout
from simulator.matching.model import VenueModel
from simulator.matching.records import COMMAND_DTYPE, REPORT_DTYPE
from simulator.matching.submit import submit

SHOWN_LEVEL_DTYPE: Final = np.dtype([("price", "i8"), ("quantity", "i8"), ("orders", "i8")])
SHOWN_ORDER_DTYPE: Final = np.dtype(
    [("reference", "i8"), ("side", "i8"), ("price", "i8"), ("quantity", "i8")]
)
LEAST_ROOM: Final = 4096  # records of the output buffers beyond what one command can cause
Records = NDArray[np.void]


class Top(NamedTuple):
    """The best displayed prices; zeros where nothing is displayed."""

    bid: int
    bid_quantity: int
    offer: int
    offer_quantity: int


class Exchange:
    """The matching of one venue.

    Args:
        model: its rules and fees.
        instruments: their numbers go from 1 to this.
        orders: open at a time; one more is rejected as BOOK_FULL.
        slices: of reserve orders beyond the first each, open at a time.
        owners: owner numbers are below this.
        status: STATUS_ code of feedhandler.actions that all instruments begin with.
        room: records of the buffers beyond what one command can cause.

    Attributes:
        address: of the state, for kernels: `simulator.matching.submit.submit`.

    Raises OSError when there is no room.
    """

    def __init__(
        self,
        model: VenueModel,
        instruments: int,
        orders: int,
        *,
        slices: int | None = None,
        owners: int = 4096,
        status: int = STATUS_TRADING,
        room: int = LEAST_ROOM,
    ) -> None:
        if min(instruments, orders, owners - 1) < 1 or (slices or 0) < 0:
            raise ValueError("instruments, orders, owners: expected at least one of each")
        self.model, self.instruments = model, instruments
        self._sizes = Sizes(orders=orders, levels=orders, instruments=instruments + 1, windows=0)
        slices = orders if slices is None else slices
        self._block = create(_sections(self._sizes, owners, model), hugepages=True)
        self.address = self._block.section_address("head")
        self.head: np.void = self._block["head"][0]
        _fill_head(self._block, self._sizes, model, slices, owners)
        _fill_tables(self._block, model, status)
        most = orders + slices + 1
        more = layout.MORE_RECORDS * (instruments + 1) + room
        self._public = np.zeros(layout.PUBLIC_AN_ORDER * most + more, ACTION_DTYPE)
        self._reports = np.zeros(layout.REPORTS_AN_ORDER * most + more, REPORT_DTYPE)
        self.head["public_room"], self.head["report_room"] = len(self._public), len(self._reports)

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def memory(self) -> tuple[Any, ...]:
        """What kernels touch, for `nic.regions.allowed`."""
        return self._block, self._public, self._reports

    @property
    def buffers(self) -> tuple[int, int]:
        """Addresses where public events and reports are written."""
        return int(self._public.ctypes.data), int(self._reports.ctypes.data)

    def written(self) -> tuple[Records, Records]:
        """Public events and reports from the buffers' beginnings on, views."""
        public, reports = self.buffers
        events = (int(self.head["public"]) - public) // ACTION_DTYPE.itemsize
        told = (int(self.head["report"]) - reports) // REPORT_DTYPE.itemsize
        return self._public[:events], self._reports[:told]

    def close(self) -> None:
        """Gives the memory back. No kernel may use the venue any more."""
        self.head = self.head.copy()
        self._block.close()

    def submit(self, commands: Records) -> tuple[Records, Records]:
        """Works on COMMAND_DTYPE records in order; gives public events and reports.

        Views that are good until the next call. Where a batch is cut changes nothing.
        """
        if commands.dtype != COMMAND_DTYPE or not commands.flags.c_contiguous:
            raise ValueError("commands: expected contiguous COMMAND_DTYPE records")
        public, reports, done = self._some(commands)
        if done == len(commands):
            return public, reports
        publics, told = [public.copy()], [reports.copy()]
        while done < len(commands):
            public, reports, more = self._some(commands[done:])
            done += more
            publics.append(public.copy())
            told.append(reports.copy())
        return np.concatenate(publics), np.concatenate(told)

    def _some(self, commands: Records) -> tuple[Records, Records, int]:
        with allowed(*self.memory, commands) if CHECKED else nullcontext():
            done = submit(self.address, int(commands.ctypes.data), len(commands), *self.buffers)
        return *self.written(), int(done)

    # The venue's book as it knows it itself.

    def levels(self, instrument: int, side: int) -> Records:
        """Displayed levels of a side, best first, as SHOWN_LEVEL_DTYPE rows."""
        rows = self._block["levels"][self._level_numbers(instrument, side)]
        rows = rows[rows["orders"] != 0]
        made = np.zeros(len(rows), SHOWN_LEVEL_DTYPE)
        for name in SHOWN_LEVEL_DTYPE.names or ():
            made[name] = rows[name]
        return made

    def orders(self, instrument: int) -> Records:
        """Displayed orders, bids first, best price first, in the order of their queues."""
        made = []
        for side in (BUY, SELL):
            for level in self._level_numbers(instrument, side):
                for row in self._queue(int(level)):
                    if row["shown"]:
                        made.append((row["reference"], side, row["price"], row["shown"]))
        return np.array(made, SHOWN_ORDER_DTYPE)

    def top(self, instrument: int) -> Top:
        """The best displayed prices, odd lots included."""
        best = [self.levels(instrument, side)[:1].tolist() for side in (BUY, SELL)]
        bid, offer = (found[0][:2] if found else (0, 0) for found in best)
        return Top(*bid, *offer)

    def protected(self, instrument: int) -> Top:
        """As `top`, of round lots: odd lots count together with those at better prices."""
        found = [self._protected(instrument, side) for side in (BUY, SELL)]
        return Top(*found[0], *found[1])

    def status(self, instrument: int) -> int:
        """STATUS_ code of an instrument."""
        return int(self._block["instruments"]["status"][instrument])

    def live_orders(self) -> int:
        """Open orders, all instruments, whether displayed or not."""
        return int(self.head["live"])

    def executed_shares(self, owner: int) -> int:
        """What an owner has executed since the start; fee tiers go by it."""
        return int(self._block["owners"]["shares"][owner])

    def _protected(self, instrument: int, side: int) -> tuple[int, int]:
        total, lot = 0, self.model.round_lot
        for price, quantity, _ in self.levels(instrument, side).tolist():
            total += quantity
            if total >= lot:
                return price, total - total % lot
        return 0, 0

    def _level_numbers(self, instrument: int, side: int) -> NDArray[np.int64]:
        if side not in (BUY, SELL) or not 1 <= instrument <= self.instruments:
            raise ValueError(f"no book of instrument {instrument}, side {side}")
        ladder = self._block["ladders"]["far"][instrument][side - BUY]
        count = int(ladder["count"])
        if count == 0:
            return np.zeros(0, np.int64)
        start = int(ladder["levels"]) - self._block.section_address("chunks")
        words = self._block["chunks"].view(np.uint32)
        return words[start // 4 : start // 4 + count][::-1].astype(np.int64)

    def _queue(self, level: int) -> Iterator[np.void]:
        rows = self._block["orders"]
        number = int(self._block["queues"]["shown_first"][level])
        while number:
            row = rows[number]
            yield row
            number = int(row["next"])


def _sections(sizes: Sizes, owners: int, model: VenueModel) -> list[tuple[str, np.dtype[Any], int]]:
    return [
        ("head", layout.HEAD_DTYPE, 1),
        ("fees", layout.FEE_DTYPE, len(model.fees)),
        ("ticks", layout.TICK_DTYPE, len(model.ticks)),
        ("instruments", layout.INSTRUMENT_DTYPE, sizes.instruments),
        ("ladders", books.LADDERS_DTYPE, sizes.instruments),
        ("owners", layout.OWNER_DTYPE, owners),
        ("orders", layout.ORDER_DTYPE, sizes.orders + 1),
        ("tokens", layout.TOKEN_DTYPE, sizes.slots),
        ("levels", books.LEVEL_DTYPE, sizes.level_rows),
        ("queues", layout.QUEUE_DTYPE, sizes.level_rows),
        ("chunks", np.dtype("i8"), sizes.chunk_room // 8),
    ]


def _fill_head(block: Block, sizes: Sizes, model: VenueModel, slices: int, owners: int) -> None:
    head, place = block["head"][0], block.section_address
    book = head["book"]
    book["ladders"], book["levels"] = place("ladders"), place("levels")
    book["instruments"], book["most_levels"] = sizes.instruments, sizes.levels
    book["next_window"] = book["first_single"] = book["next_level"] = books.WINDOW  # no windows
    book["next_chunk"] = place("chunks")
    book["end_chunk"] = place("chunks") + sizes.chunk_room
    tables = {
        "order_rows": "orders",
        "queues": "queues",
        "token_table": "tokens",
        "owner_rows": "owners",
        "instrument_rows": "instruments",
        "fee_rows": "fees",
        "tick_rows": "ticks",
    }
    for field, section in tables.items():
        head[field] = place(section)
    head["token_mask"] = sizes.slots - 1
    head["order_room"], head["slice_room"], head["owner_room"] = sizes.orders, slices, owners
    head["tiers"], head["ticks"] = len(model.fees), len(model.ticks)
    head["rules"], head["self_trade_modes"] = model.rules, model.self_trade_bits
    head["round_lot"], head["most_shares"] = model.round_lot, model.most_shares
    head["firm_up_ns"], head["next_order"] = model.firm_up_ns, 1


def _fill_tables(block: Block, model: VenueModel, status: int) -> None:
    for row, tier in zip(block["fees"], model.fees, strict=True):
        row["from_shares"] = tier.from_shares
        row["rates"] = [(rate.per_share, rate.per_notional) for rate in tier.rates]
    block["ticks"][:] = [(band.from_price, band.tick) for band in model.ticks]
    block["ladders"]["near"]["best_key"] = books.NO_KEY
    block["levels"]["price"] = NO_PRICE
    block["instruments"]["status"] = status
    block["instruments"]["upper"] = layout.MOST_PRICE
