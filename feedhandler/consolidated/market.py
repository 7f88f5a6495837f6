"""The consolidated book on the control side: made, its venues entered, read as numpy arrays.

The loops' threads are the only ones that write quotes and records, and each instrument has one loop
that does. Instruments and maps are written here; a changed map or band takes effect with the next
change of the instrument, or with `refresh` while the loop stands still.

Loops on several cores share the tables of instruments, quotes and records. Each has a head of its
own with its venues' books, its maps, its batch, its counters and its subscribers (`Market.shard`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from feedhandler.consolidated import layout
from feedhandler.consolidated.entries import refresh_all, refresh_record
from feedhandler.wire.walk import BATCH
from nic.block import Block, create
from nic.regions import allowed

RETRIES: Final = 100_000
DEFAULT_LOT: Final = 100


class TornRecordError(RuntimeError):
    """A row was being written every time it was looked at."""


class Books(Protocol):
    """What a market needs of a venue's books: `feedhandler.books.venuebook.VenueBook`."""

    address: int

    @property
    def blocks(self) -> tuple[Block, ...]: ...


class MarketViews:
    """What a consolidated book holds, for any thread. Look at the arrays, do not write them.

    Attributes:
        records: RECORD_DTYPE, by instrument number.
        quotes: QUOTE_DTYPE [instrument, venue].
        instruments: INSTRUMENT_DTYPE, by instrument number; number 0 is none.
        venues: VENUE_DTYPE, of the shard looked at.
    """

    def __init__(self, block: Block, shard: int = 0) -> None:
        self._block, self.number = block, shard
        self.head: np.void = block["head"][shard]
        self.records: NDArray[np.void] = block["records"]
        self.quotes: NDArray[np.void] = block["quotes"].reshape(len(self.records), -1)
        self.instruments: NDArray[np.void] = block["instruments"]
        self.venues: NDArray[np.void] = block["venues"].reshape(len(block["head"]), -1)[shard]

    def record(self, instrument: int) -> np.void:
        """A copy of an instrument's record, its fields of one moment. Raises TornRecordError."""
        return _settled(self.records, instrument)

    def quote(self, instrument: int, venue: int) -> np.void:
        """A copy of what a venue shows of an instrument. Raises TornRecordError."""
        return _settled(self.quotes[instrument], venue)

    @property
    def venue_names(self) -> list[str]:
        """Names by venue number."""
        return [bytes(row["name"]).decode() for row in self.venues[: int(self.head["venue_count"])]]

    def names_of(self, venues: int) -> list[str]:
        """The names of a set of venues."""
        return [name for number, name in enumerate(self.venue_names) if venues >> number & 1]


def _settled(rows: NDArray[np.void], number: int) -> np.void:
    versions = rows["version"]
    for _ in range(RETRIES):
        before = int(versions[number])
        row: np.void = rows[number].copy()
        if before & 1 == 0 and int(versions[number]) == before:
            return row
    raise TornRecordError(f"row {number} never held still")


class MarketShard(MarketViews):
    """What one loop has of a consolidated book: its head, and the tables that all loops share.

    Attributes:
        address: of the head, for kernels.
        number: from 0.
        maps: instrument by venue and venue instrument, of this shard's books.
    """

    def __init__(self, block: Block, shard: int) -> None:
        super().__init__(block, shard)
        self.address = block.section_address("head", shard)
        heads, venues = len(block["head"]), len(self.venues)
        self.maps: NDArray[np.int32] = block["maps"].reshape(heads, venues, -1)[shard]
        self.subscribers: NDArray[np.void] = block["subscribers"].reshape(heads, -1)[shard]
        self._books: list[Books] = []
        self.rings: list[Block | None] = [None] * layout.MOST_SUBSCRIBERS
        self._fill_head()

    def _fill_head(self) -> None:
        head, block, shard = self.head, self._block, self.number
        for name in ("instruments", "quotes", "records"):
            head[name] = block.section_address(name)
        for name in ("venues", "subscribers", "touched", "stamps", "trades"):
            rows = len(block[name]) // len(block["head"])
            head[name] = block.section_address(name, shard * rows)
        head["quote_venues"], head["instrument_count"] = len(self.venues), len(self.records)
        head["map_count"] = self.maps.shape[1]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The memory with the subscribers' rings, for `nic.regions.allowed`."""
        return (self._block, *(ring for ring in self.rings if ring is not None))

    def add_venue(
        self, name: str, books: Books, *, protected: bool = True, halts_all: bool = False
    ) -> int:
        """Enters a venue; its number. Raises ValueError when all are taken.

        Args:
            name: at most 16 bytes.
            books: the venue's.
            protected: whether its quotes are automated and protected.
            halts_all: whether its halts are the market's, as those of a consolidated tape or of
                the listing exchange. A tape is a venue that quotes nothing.
        """
        number = len(self._books)
        if number == len(self.venues):
            raise ValueError(f"venue {name}: there is room for {number}")
        row = self.venues[number]
        row["book"], row["name"] = books.address, name.encode()
        place = (self.number * len(self.venues) + number) * self.maps.shape[1]
        row["map"] = self._block.section_address("maps", place)
        row["protected"], row["halts_all"] = protected, halts_all
        row["market"], row["number"] = self.address, number
        self._books.append(books)
        self.head["venue_count"] = number + 1
        return number

    def venue_address(self, venue: int) -> int:
        """Where a venue's row is, for the contexts of its channels."""
        return self._block.section_address("venues", self.number * len(self.venues) + venue)

    def books_of(self, venue: int) -> Books:
        """The books of a venue."""
        return self._books[venue]

    def set_instrument(
        self, instrument: int, name: str, *, lot: int = 0, bands: tuple[int, int] | None = None
    ) -> None:
        """Names an instrument. Raises ValueError for a number that there is no room for.

        Args:
            instrument: its number, from 1.
            name: its canonical symbol.
            lot: shares in a round lot; 0 leaves it as it is.
            bands: lower and upper price band in 1e-8 currency units, 0 for none.
        """
        if not 1 <= instrument < len(self.instruments):
            raise ValueError(f"instrument {instrument}: room for 1 to {len(self.instruments) - 1}")
        row = self.instruments[instrument]
        row["name"] = name.encode()
        if lot > 0:
            row["lot"] = lot
        if bands is not None:
            row["lower_band"], row["upper_band"] = bands

    def map(self, venue: int, venue_instrument: int, instrument: int) -> None:
        """Says which instrument a venue's is; LEFT_OUT for one that nobody is to see."""
        self.maps[venue, venue_instrument] = instrument

    def refresh(self, time_ns: int, venues: Sequence[int] | None = None) -> None:
        """Brings quotes and records up to date with the books. The loop must stand still.

        Also what follows a change from outside the batches: a venue's books gone stale or live.
        Records of instruments that the maps do not name are others' to write.
        """
        chosen = range(len(self._books)) if venues is None else venues
        with allowed(*self.blocks, *self.book_blocks()):
            for venue in chosen:
                refresh_all(self.address, venue, self._books[venue].address, time_ns)
            written = np.flatnonzero(self.records["version"])
            if len(self._block["head"]) > 1:
                written = np.intersect1d(written, self.maps)
            for instrument in written.tolist():
                refresh_record(self.address, instrument, time_ns)

    def book_blocks(self) -> Iterator[Block]:
        """The memory of all venues' books."""
        for books in self._books:
            yield from books.blocks

    def leave(self) -> None:
        """Lets go of the tables and closes the subscribers' rings; the market closes the rest."""
        self.head = self.head.copy()
        for name in ("records", "quotes", "instruments", "venues", "maps", "subscribers"):
            setattr(self, name, getattr(self, name)[:0].copy())
        for ring in self.rings:
            if ring is not None:
                ring.close()


class Market(MarketShard):
    """A consolidated book; as a shard it is number 0.

    Args:
        instruments: numbers 1 … instruments can be given out.
        venue_instruments: instruments that a venue's books have room for, at most.
        venues: venues that can be entered.
        shards: loops that write to it, each on a core of its own.
        unknown_trades: whether a venue that never said its status counts as trading: for captures
            that begin in the middle of a day.
        path: a file (say in /dev/shm) that other processes can attach.
    """

    def __init__(
        self,
        instruments: int = 16_384,
        venue_instruments: int = 65_536,
        venues: int = 8,
        *,
        shards: int = 1,
        unknown_trades: bool = False,
        path: Path | None = None,
    ) -> None:
        if not 1 <= venues <= layout.MOST_VENUES:
            raise ValueError(f"{venues} venues: expected 1 to {layout.MOST_VENUES}")
        if not 1 <= shards <= layout.MOST_SHARDS:
            raise ValueError(f"{shards} shards: expected 1 to {layout.MOST_SHARDS}")
        rows, each = instruments + 1, venue_instruments
        block = create(
            [
                ("head", layout.HEAD_DTYPE, shards),
                ("venues", layout.VENUE_DTYPE, shards * venues),
                ("subscribers", layout.SUBSCRIBER_DTYPE, shards * layout.MOST_SUBSCRIBERS),
                ("instruments", layout.INSTRUMENT_DTYPE, rows),
                ("records", layout.RECORD_DTYPE, rows),
                ("quotes", layout.QUOTE_DTYPE, rows * venues),
                ("maps", np.dtype("i4"), shards * venues * each),
                ("touched", np.dtype("i8"), shards * each),
                ("stamps", np.dtype("i8"), shards * each),
                ("trades", np.dtype("i8"), shards * (layout.TRADE_NOTE_BYTES // 8 * BATCH)),
            ],
            path,
            hugepages=True,
        )
        block["instruments"]["lot"] = DEFAULT_LOT
        block["head"]["unknown_trades"] = unknown_trades
        super().__init__(block, 0)
        self._shards = [self, *(MarketShard(block, number) for number in range(1, shards))]

    @property
    def size_bytes(self) -> int:
        """Memory of the tables."""
        return self._block.size_bytes

    @property
    def shard_count(self) -> int:
        """Loops that write to it."""
        return len(self._shards)

    def shard(self, number: int) -> MarketShard:
        """What the loop with this number has; 0 is the market itself."""
        return self._shards[number]

    def counted(self, name: str) -> int:
        """A counter of the head, all shards together: unmapped, quote_changes, record_changes."""
        return int(self._block["head"][name].sum())

    def close(self) -> None:
        """Gives the memory back. No kernel may use it any more, in no shard."""
        for shard in self._shards:
            shard.leave()
        self._block.close()

    def __enter__(self) -> Market:
        return self

    def __exit__(self, *_exception: Any) -> None:
        self.close()
