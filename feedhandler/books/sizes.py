"""How much room the books of a venue have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from feedhandler.books.layout import WINDOW
from feedhandler.feed import Feed
from nic.block import aligned

MOST_LEVELS: Final = (1 << 32) - 1
DENSE_IDS: Final = ("itch50",)  # protocols whose venues number orders upwards, without units
KEYED: Final = 65_536  # instruments of venues whose keys are numbers of 16 bits
FIRST_CHUNK_BYTES: Final = 256  # the smallest ladder with its guards
MOST_WINDOWS: Final = 32_768  # both sides of every listed instrument, and some
LEVEL_CHUNK_BYTES: Final = 64  # 12 a level, doubled by growth, with what freed chunks leave


@dataclass(frozen=True)
class Sizes:
    """What a venue's books have room for.

    Attributes:
        orders: alive at a time; the table has at least twice as many slots.
        levels: price levels at a time, all instruments together.
        windows: sides of instruments that have a window of levels, see `layout`; those that come
            later do without. None chooses by levels and instruments.
        instruments: with number keys, one more than the largest key.
        chunk_bytes: of all ladders together; None chooses by levels and instruments.
        named: keys are text or large numbers and go through a table.
        scattered: order ids are not dense: they are spread over the table by a multiplication.
    """

    orders: int = 65_536
    levels: int = 32_768
    instruments: int = 4_096
    chunk_bytes: int | None = None
    windows: int | None = None
    named: bool = False
    scattered: bool = True

    def __post_init__(self) -> None:
        if min(self.orders, self.levels, self.instruments) < 1 or self.levels > MOST_LEVELS:
            raise ValueError("orders, levels, instruments: expected 1 or more, levels in 32 bits")

    @property
    def slots(self) -> int:
        """Slots of the order table: a power of two, at most half of them ever full."""
        return max(8, 1 << (2 * self.orders - 1).bit_length())

    @property
    def window_count(self) -> int:
        """Windows, the one that stands for none not counted."""
        if self.windows is not None:
            return self.windows
        return min(2 * self.instruments, max(8, self.levels // 4), MOST_WINDOWS)

    @property
    def level_rows(self) -> int:
        """Rows of the level table: all windows, then the single levels."""
        return WINDOW * (self.window_count + 1) + self.levels

    @property
    def chunk_room(self) -> int:
        """Bytes of the ladders' chunks, in whole cache lines."""
        if self.chunk_bytes is not None:
            return aligned(self.chunk_bytes)
        ladders = min(2 * self.instruments, self.levels)
        return FIRST_CHUNK_BYTES * ladders + LEVEL_CHUNK_BYTES * self.levels


def sizes_for(feed: Feed, **more: int | bool) -> Sizes:
    """Sizes that suit a feed's keys and order ids; `more` are fields of Sizes to set."""
    named = feed.named
    given: dict[str, int | bool] = {
        "named": named,
        "scattered": feed.protocol.name not in DENSE_IDS,
    }
    if not named:
        given["instruments"] = KEYED
    return Sizes(**{**given, **more})  # type: ignore[arg-type]
