"""An order flow on the control side: made from settings and a seed, stepped, told of the market.

What comes out is a function of the settings, the seed, the session's times and what it was told
(`hear`, `show`) at which of its moments. Where steps are cut makes no difference by itself.
"""

from __future__ import annotations

import math
from contextlib import nullcontext
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from nic.block import Block, create
from nic.regions import CHECKED, allowed
from simulator.flow import layout
from simulator.flow.plan import fill_instruments, rate_of, share
from simulator.flow.reports import hear
from simulator.flow.seeds import Stream, signed
from simulator.flow.session_times import SessionTimes
from simulator.flow.settings import MOST_CLASSES, Settings, VenueOf, load_settings
from simulator.flow.step import step
from simulator.flow.tables import draw_tables
from simulator.matching.records import COMMAND_DTYPE

SPAN_POWERS: Final = 40  # after so many halvings nothing is left of an excitement
COUNTERS: Final = (
    "events adds cancels reduces replaces takers sweeps stale_takers fades news halts executions"
    " rejected lists_full live_orders"
).split()


class OrderFlow:
    """The commands of all participants of a market, venue by venue.

    Args:
        instruments: their number; they are 1 … instruments at every venue.
        times: of the session.
        seed: whatever it is, the same one gives the same commands.
        settings: of the default market, unless given.
        capacity: commands that a step has room for at each venue.

    Attributes:
        commands, counts: what the last step gave: COMMAND_DTYPE [venue, capacity], and how many.
        quotes: QUOTE_DTYPE [instrument, venue], to be kept up by who drives the venues.
        instruments: INSTRUMENT_DTYPE, by number.
        venues: the settings' venues, in the order of their numbers.
        address: of the state, for kernels (`step`, `hear`, `show`).

    Raises ValueError when there are too many orders for tokens, OSError when there is no room.
    """

    def __init__(
        self,
        instruments: int,
        times: SessionTimes,
        seed: int,
        settings: Settings | None = None,
        *,
        capacity: int = 4096,
    ) -> None:
        if instruments < 1 or capacity < layout.ROOM:
            raise ValueError(f"expected an instrument and room for {layout.ROOM} commands or more")
        self.settings = settings or load_settings()
        self.times = times
        self.venues: list[VenueOf] = self.settings.venues
        rows = np.zeros(instruments + 1, layout.INSTRUMENT_DTYPE)
        orders = fill_instruments(rows, self.settings, times, seed)
        if orders >= layout.SLOT_MASK:
            raise ValueError(f"{orders} live orders: expected below {layout.SLOT_MASK}")
        self._block = self._make(rows, orders)
        self.instruments = self._block["instruments"]
        self.quotes = self._block["quotes"].reshape(len(rows), len(self.venues))
        self.head: np.void = self._block["head"][0]
        self.address = self._block.section_address("head")
        self.commands = np.zeros((len(self.venues), capacity), COMMAND_DTYPE)
        self.counts = np.zeros(len(self.venues), np.int64)
        _fill_head(self._block, self.settings, times)
        _fill_venues(self._block["venues"], self.settings, seed)
        _fill_tree(self._block, times)

    def __enter__(self) -> OrderFlow:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    @property
    def slots(self) -> int:
        """Rows of the order table, for `hear`."""
        return self._block.sections["orders"].count

    @property
    def blocks(self) -> tuple[Any, ...]:
        """The memory, for `nic.regions.allowed`."""
        return self._block, self.commands, self.counts

    def _make(self, rows: NDArray[np.void], orders: int) -> Block:
        leaves = 1 << math.ceil(math.log2(len(rows))) if len(rows) > 1 else 1
        block = create(
            [
                ("head", layout.HEAD_DTYPE, 1),
                ("instruments", layout.INSTRUMENT_DTYPE, len(rows)),
                ("venues", layout.VENUE_DTYPE, len(self.venues)),
                ("quotes", layout.QUOTE_DTYPE, len(rows) * len(self.venues)),
                ("orders", layout.ORDER_DTYPE, orders + 1),
                ("lists", np.dtype("u4"), max(1, orders)),
                ("buckets", np.dtype("u4"), 2 * layout.BUCKETS * len(rows)),
                ("times", np.dtype("i8"), 2 * leaves),
                ("draws", np.dtype("i8"), layout.TABLE_WORDS),
            ],
            hugepages=True,
        )
        block["instruments"][:] = rows
        block["draws"][:] = draw_tables(self.settings)
        block["orders"]["price"][1:-1] = np.arange(2, orders + 1)  # the chain of free slots
        return block

    def step(self, until_ns: int) -> int:
        """Decides what happens before `until_ns`; the time reached, earlier where a row is full."""
        commands, counts = int(self.commands.ctypes.data), int(self.counts.ctypes.data)
        with allowed(*self.blocks) if CHECKED else nullcontext():
            reached: int = step(self.address, until_ns, commands, self.commands.shape[1], counts)
        return reached

    def commands_of(self, venue: int) -> NDArray[np.void]:
        """What the last step sent to a venue, a view."""
        return self.commands[venue, : self.counts[venue]]

    def hear(self, reports: NDArray[np.void]) -> None:
        """Takes REPORT_DTYPE records of any venue in, in the order they were made."""
        with allowed(*self.blocks, reports) if CHECKED else nullcontext():
            hear(self.address, int(reports.ctypes.data), len(reports), self.slots)

    def show(
        self, venue: int, instrument: int, bid: tuple[int, int], offer: tuple[int, int]
    ) -> None:
        """Tells the top of a venue's book: prices and quantities, a quantity of 0 is none."""
        self.quotes[instrument, venue] = (*bid, *offer)

    def counters(self) -> dict[str, int]:
        """What was done so far."""
        return {name: int(self.head[name]) for name in COUNTERS}

    def close(self) -> None:
        """Gives the memory back."""
        self.head = self.head.copy()
        self.instruments, self.quotes = self.instruments.copy(), self.quotes.copy()
        self._block.close()


def _fill_head(block: Block, settings: Settings, times: SessionTimes) -> None:
    head = block["head"][0]
    for name in ("instruments", "venues", "quotes", "orders", "lists", "buckets", "times", "draws"):
        head[name] = block.section_address(name)
    head["instrument_count"] = block.sections["instruments"].count
    head["venue_count"] = len(settings.venues)
    head["leaf_count"] = block.sections["times"].count // 2
    head["free_order"] = 1 if block.sections["orders"].count > 1 else 0
    head["next_serial"] = 1
    length_ns = times.close_ns - times.open_ns
    head["start_ns"], head["open_ns"], head["close_ns"] = (
        times.start_ns,
        times.open_ns,
        times.close_ns,
    )
    head["closing_ns"] = times.close_ns - round(settings.auctions.closing_window * length_ns)
    head["slot_ns"] = max(1, length_ns // layout.DAY_SLOTS)
    _fill_classes(head, settings)
    _fill_kernels(head, settings)
    _fill_shares(head, settings)


def _fill_classes(head: np.void, settings: Settings) -> None:
    classes = settings.lifetimes
    head["class_count"] = len(classes)
    head["class_rate"][: len(classes)] = [max(1, rate_of(1 / one.mean_s)) for one in classes]
    head["class_share"][:] = _cumulative([one.share for one in classes], MOST_CLASSES)
    resting = [one.share * one.mean_s for one in classes]
    head["class_filling"][:] = _cumulative(resting, MOST_CLASSES)


def _cumulative(weights: list[float], length: int) -> list[int]:
    """Cumulative shares of the whole; places beyond the last are all of it."""
    whole = sum(weights)
    sums = [share(sum(weights[: number + 1]) / whole) for number in range(len(weights))]
    return [*sums, *[layout.ONE] * (length - len(sums))]


def _fill_kernels(head: np.void, settings: Settings) -> None:
    kernels = settings.activity.kernels
    head["kernel_count"] = len(kernels)
    for number, kernel in enumerate(kernels):
        per_ns = 1 / (kernel.time_s * 1e9 * math.log(2))
        head["kernel_decay"][number] = max(1, round(per_ns * (1 << layout.DECAY_BITS)))
        head["kernel_span_ns"][number] = round(SPAN_POWERS / per_ns)
        head["kernel_kick"][number] = rate_of(kernel.branching / kernel.time_s)


def _fill_shares(head: np.void, settings: Settings) -> None:
    for part in (settings.proportions, settings.placement, settings.takers, settings.auctions):
        for name in part.__struct_fields__:
            if name in layout.HEAD_SHARES:
                head[name] = share(getattr(part, name))
    hidden, sizes, news, halts = settings.hidden, settings.sizes, settings.news, settings.halts
    head["hidden"] = share(hidden.hidden)
    head["reserve"] = share(hidden.hidden + hidden.reserve)
    head["midpoint"] = share(hidden.hidden + hidden.reserve + hidden.midpoint)
    head["reserve_lots"] = hidden.reserve_lots
    head["lot"], head["mixed_share"] = sizes.lot, share(sizes.mixed_share)
    head["impact"] = share(settings.prices.impact)
    head["news_size"], head["news_kick"] = share(news.size), share(news.excitement)
    head["flight_rate"] = rate_of(news.flight_per_s)
    head["halt_ns"], head["pause_ns"] = round(halts.length_s * 1e9), round(halts.pause_s * 1e9)
    head["bands"] = share(halts.bands)
    head["owners"] = settings.orders.owners


def _fill_venues(rows: NDArray[np.void], settings: Settings, seed: int) -> None:
    venues = settings.venues
    lit = [venue.share if venue.kind == "lit" else 0.0 for venue in venues]
    rows["share"] = _cumulative([venue.share for venue in venues], len(venues))
    rows["lit_share"] = _cumulative(lit, len(venues))
    for number, venue in enumerate(venues):
        rows[number]["random"] = signed(Stream(seed, -1 - number).bits())
        rows[number]["kind"] = layout.LIT if venue.kind == "lit" else layout.DARK
        rows[number]["pegs"] = 1
        rows[number]["delay_ns"] = round(venue.delay_us * 1000)
        rows[number]["jitter_ns"] = round(venue.jitter_us * 1000)


def _fill_tree(block: Block, times: SessionTimes) -> None:
    """Everything begins at the session's start; places without an instrument never come."""
    tree = block["times"]
    leaves = len(tree) // 2
    tree[:] = layout.NEVER
    tree[leaves : leaves + block.sections["instruments"].count] = times.start_ns
    for node in range(leaves - 1, 0, -1):
        tree[node] = min(tree[2 * node], tree[2 * node + 1])
